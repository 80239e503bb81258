"""Services of VPC endpoints: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import doubted, found


@pytest.mark.parametrize(
    "service",
    [
        "com.amazonaws.${data.aws_region.current.id}.sqs",
        "com.amazonaws.s3-global.accesspoint",
        "aws.sagemaker.eu-west-1.notebook",
    ],
)
def test_regional_and_global_services_are_clean(service: str) -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "data": {"aws_region": {"current": {}}},
        "resource": {"aws_vpc_endpoint": {"a": {"service_name": service}}},
    }
    assert found("REG-008", document) == []


def test_an_endpoint_in_an_unknown_region_is_undecided() -> None:
    document = {
        "provider": {"aws": {"region": "${var.region}"}},
        "variable": {"region": {}},
        "resource": {"aws_vpc_endpoint": {"a": {"service_name": "com.amazonaws.eu-west-1.s3"}}},
    }
    assert doubted("REG-008", document) == ["var.region has no default"]
