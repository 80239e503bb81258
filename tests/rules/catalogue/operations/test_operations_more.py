"""Rules about operations: legal unusual code that stays clean, other forms of each mistake."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.operations.documents import GROUP, instance

if TYPE_CHECKING:
    from pathlib import Path


def test_a_template_may_tag_the_machines() -> None:
    document = good("OPS-027", {f"{GROUP}.tag": REMOVED})
    tags = {"tag_specifications": [{"resource_type": "instance", "tags": {"Project": "shop"}}]}
    document["resource"]["aws_launch_template"]["web"] |= tags
    assert found("OPS-027", document) == []


def test_tags_of_a_dynamic_block_reach_machines() -> None:
    content = {"key": "${tag.key}", "value": "${tag.value}", "propagate_at_launch": True}
    dynamic = {"tag": {"for_each": {"Project": "shop"}, "content": content}}
    assert found("OPS-027", resources(aws_autoscaling_group={"web": {"dynamic": dynamic}})) == []


def test_an_instance_of_a_template_leaves_it_the_rest() -> None:
    document = resources(aws_instance={"tool": {"launch_template": {"id": "${aws_launch_template.web.id}"}}})
    assert found("OPS-010", document) == []
    assert found("OPS-015", document) == []


def test_metadata_that_is_off_needs_no_token() -> None:
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
def test_devices_without_a_volume_of_their_own_need_no_encryption(device: dict[str, Any]) -> None:
    assert found("OPS-013", resources(aws_launch_template={"web": {"block_device_mappings": [device]}})) == []


def test_a_region_that_encrypts_everything_encrypts_these() -> None:
    document = resources(aws_launch_template={"web": {}}, aws_ebs_encryption_by_default={"on": {}})
    document["provider"] = {"aws": {"region": "eu-west-1"}}
    assert found("OPS-013", document) == []
    document["resource"]["aws_ebs_encryption_by_default"]["on"]["enabled"] = False
    assert len(found("OPS-013", document)) == 1


@pytest.mark.parametrize("image", ["resolve:ssm:/shop/image", "${var.image}", "${data.aws_ssm_parameter.image.value}"])
def test_images_that_are_looked_up_or_given_are_clean(image: str) -> None:
    document = resources(aws_launch_template={"web": {"image_id": image}})
    document |= {"variable": {"image": {"default": "ami-0a1b2c3d"}}, "data": {"aws_ssm_parameter": {"image": {}}}}
    assert found("OPS-025", document) == []


def test_an_image_may_be_filtered_by_its_owner() -> None:
    image = {"most_recent": True, "filter": {"name": "owner-alias", "values": ["amazon"]}}
    assert found("OPS-026", {"data": {"aws_ami": {"it": image}}}) == []


def test_a_group_of_a_configuration_in_the_estate_is_found_once() -> None:
    document = resources(
        aws_launch_configuration={"web": {}},
        aws_autoscaling_group={"web": {"launch_configuration": "${aws_launch_configuration.web.name}"}},
    )
    assert found("OPS-016", document) == ["aws_launch_configuration.web: is deprecated; use an aws_launch_template"]


def test_files_beside_the_stack_are_found(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    script = '${base64encode(templatefile("${path.module}/start.sh", { port = 80 }))}'
    document = resources(aws_launch_template={"web": {"user_data": script}})
    assert found("OPS-017", document, folder=tmp_path) == []
    assert len(found("OPS-017", document)) == 1


def test_a_file_of_a_local_value_and_of_a_part_is_looked_for() -> None:
    document = instance("${local.outer}") | {"locals": {"outer": "${local.inner}", "inner": '${file("gone.sh")}'}}
    assert len(found("OPS-017", document)) == 1
    parts = {"part": [{"content": "#!/bin/sh\n"}, {"content": '${file("gone.sh")}'}]}
    (message,) = found("OPS-017", {"data": {"cloudinit_config": {"web": parts}}})
    assert message.startswith("data.cloudinit_config.web: part.1.content")


def test_a_path_of_another_machine_or_of_a_variable_is_not_claimed_to_be_missing() -> None:
    assert found("OPS-017", instance('${file("/opt/start.sh")}')) == []
    document = instance('${file("${path.module}/${var.script}")}')
    assert doubted("OPS-017", document) == ["the path ${path.module}/${var.script} is made of other values"]


@pytest.mark.parametrize(
    "script",
    [
        "${base64encode(local.script)}",
        "${base64gzip(local.script)}",
        "${data.cloudinit_config.web.rendered}",
        base64.b64encode(b"#!/bin/sh\n").decode(),
        '${filebase64("start.sh")}',
        "",
    ],
)
def test_base64_may_be_written_in_many_ways(script: str) -> None:
    document = resources(aws_launch_template={"web": {"user_data": script}})
    document |= {"locals": {"script": "#!/bin/sh\n"}, "data": {"cloudinit_config": {"web": {}}}}
    assert found("OPS-018", document) == []


def test_plain_text_is_what_an_instance_takes() -> None:
    assert found("OPS-018", instance("#!/bin/sh\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id shop)",
        'export TOKEN="$1"',
        "password_file=/etc/shop/password",
        "SECRET_ARN=arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop",
        "http_tokens: required",
        "curl https://shop.example.com/token",
        "DB_PASSWORD=${aws_secretsmanager_secret.db.name}",
    ],
)
def test_scripts_that_fetch_secrets_hold_none(line: str) -> None:
    document = instance(f"#!/bin/sh\n{line}\n")
    document["resource"]["aws_secretsmanager_secret"] = {"db": {"name": "shop-db"}}
    assert found("OPS-019", document) == []


@pytest.mark.parametrize(
    "line",
    [
        "db_password: correct-horse-battery",
        "psql postgres://shop:hunter22@db/shop",
        "-----BEGIN RSA PRIVATE KEY-----",
        'echo \'{"api_key": "0123456789abcdef"}\'',
    ],
)
def test_other_secrets_in_scripts_are_found_and_not_shown(line: str) -> None:
    plain = instance(f"#!/bin/sh\n{line}\n")
    encoded = resources(aws_launch_template={"web": {"user_data": base64.b64encode(line.encode()).decode()}})
    for document in (plain, encoded):
        (message,) = found("OPS-019", document)
        assert 'user_data = "(not shown)": holds a secret in plain text' in message


def test_secrets_come_through_local_values_too() -> None:
    literal = instance("#!/bin/sh\nDB_PASSWORD=${local.password}\n") | {"locals": {"password": "correct-horse"}}
    assert len(found("OPS-019", literal)) == 1
    document = instance('${templatefile("a.sh", local.given)}') | {"locals": {"given": "${random_password.db.result}"}}
    document["resource"]["random_password"] = {"db": {"length": 20}}
    (message,) = found("OPS-019", document)
    assert "the secret random_password.db.result" in message


def test_a_script_that_is_not_wholly_known_is_read_as_it_is_written() -> None:
    script = "#!/bin/sh\nDB_PASSWORD=correct-horse\nREGION=${var.region}\n"
    document = resources(aws_launch_template={"web": {"user_data": "${base64encode(local.script)}"}})
    document |= {"locals": {"script": script}, "variable": {"region": {}}}
    assert len(found("OPS-019", document)) == 1


def test_compressed_user_data_is_not_read() -> None:
    packed = base64.b64encode(gzip.compress(b"  #!/bin/sh\n" * 9000)).decode()
    document = resources(aws_launch_template={"web": {"user_data": packed}})
    for id_ in ("OPS-019", "OPS-020", "OPS-021"):
        assert found(id_, document) == []


@pytest.mark.parametrize("script", ["#!/bin/sh\n", "[settings.host]\n", "<powershell>\n", "\n# a comment\n"])
def test_only_scripts_need_an_interpreter_first(script: str) -> None:
    assert found("OPS-021", instance(script)) == []


@pytest.mark.parametrize(
    ("type_", "body", "clean"),
    [
        ("aws_docdb_cluster", {"deletion_protection": "true"}, True),
        ("aws_docdb_cluster", {"lifecycle": [{"prevent_destroy": True}]}, True),
        ("aws_cognito_user_pool", {"deletion_protection": "INACTIVE"}, False),
        ("aws_secretsmanager_secret", {"recovery_window_in_days": 7}, True),
        ("aws_ecr_repository", {}, True),
        ("aws_ecr_repository", {"force_delete": True}, False),
        ("aws_redshift_cluster", {"skip_final_snapshot": True}, False),
        ("aws_kinesis_stream", {}, False),
    ],
)
def test_either_protection_is_enough(type_: str, body: dict[str, Any], *, clean: bool) -> None:
    assert (found("OPS-028", {"resource": {type_: {"it": body}}}) == []) is clean
    assert found("OPS-028", {"resource": {type_: {"it": body}}}, environment="staging") == []


def test_a_protection_that_a_variable_decides_is_not_decided() -> None:
    document = resources(aws_docdb_cluster={"shop": {"deletion_protection": "${var.keep}"}})
    assert doubted("OPS-028", document | {"variable": {"keep": {}}}) == ["var.keep has no default"]
