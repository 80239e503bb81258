"""EC2 instances, launch templates and AMIs: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, resources


def test_an_instance_with_a_launch_template_inherits_its_arguments() -> None:
    document = resources(aws_instance={"tool": {"launch_template": {"id": "${aws_launch_template.web.id}"}}})
    assert found("OPS-010", document) == []
    assert found("OPS-015", document) == []


def test_disabled_metadata_needs_no_imdsv2() -> None:
    document = resources(aws_instance={"tool": {"metadata_options": [{"http_endpoint": "disabled"}]}})
    assert found("OPS-010", document) == []


@pytest.mark.parametrize(
    "device",
    [
        {"device_name": "/dev/sdb", "ebs": {"snapshot_id": "snap-0a1b2c3d"}},
        {"device_name": "/dev/sdb", "no_device": "true"},
        {"device_name": "/dev/sdb", "virtual_name": "ephemeral0"},
    ],
)
def test_devices_without_a_new_volume_need_no_encryption(device: dict[str, Any]) -> None:
    assert found("OPS-013", resources(aws_launch_template={"web": {"block_device_mappings": [device]}})) == []


def test_encryption_by_default_in_the_region_is_enough() -> None:
    document = resources(aws_launch_template={"web": {}}, aws_ebs_encryption_by_default={"on": {}})
    document["provider"] = {"aws": {"region": "eu-west-1"}}
    assert found("OPS-013", document) == []
    document["resource"]["aws_ebs_encryption_by_default"]["on"]["enabled"] = False
    assert len(found("OPS-013", document)) == 1


@pytest.mark.parametrize("image", ["resolve:ssm:/shop/image", "${var.image}", "${data.aws_ssm_parameter.image.value}"])
def test_amis_from_parameters_data_sources_and_variables_are_clean(image: str) -> None:
    document = resources(aws_launch_template={"web": {"image_id": image}})
    document |= {"variable": {"image": {"default": "ami-0a1b2c3d"}}, "data": {"aws_ssm_parameter": {"image": {}}}}
    assert found("OPS-025", document) == []


def test_an_ami_may_be_filtered_by_its_owner() -> None:
    image = {"most_recent": True, "filter": {"name": "owner-alias", "values": ["amazon"]}}
    assert found("OPS-026", {"data": {"aws_ami": {"it": image}}}) == []


def test_a_launch_configuration_and_its_group_are_one_finding() -> None:
    document = resources(
        aws_launch_configuration={"web": {}},
        aws_autoscaling_group={"web": {"launch_configuration": "${aws_launch_configuration.web.name}"}},
    )
    assert found("OPS-016", document) == [
        "aws_launch_configuration.web: must not be used: launch configurations are deprecated; use aws_launch_template"
    ]
