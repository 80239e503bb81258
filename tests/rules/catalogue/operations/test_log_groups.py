"""CloudWatch log groups: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.operations.documents import instance


@pytest.mark.parametrize("group", [{"retention_in_days": "3653"}, {"log_group_class": "DELIVERY"}])
def test_valid_retentions_are_clean(group: dict[str, Any]) -> None:
    assert found("OPS-001", resources(aws_cloudwatch_log_group={"it": group})) == []


@pytest.mark.parametrize(("days", "nearest"), [(2, "1 or 3"), (5000, "3653"), (-1, "1")])
def test_the_message_has_the_nearest_valid_retention(days: int, nearest: str) -> None:
    (message,) = found("OPS-001", resources(aws_cloudwatch_log_group={"it": {"retention_in_days": days}}))
    assert message.endswith(f"must be a retention period of CloudWatch Logs, such as {nearest}")


@pytest.mark.parametrize(
    "script",
    [
        '#!/bin/sh\necho \'{"log_group_name": "/shop/${var.environment}/web"}\'\n',
        "#!/bin/sh\nlog_group_name = {instance_id}\n",
        "#cloud-config\nwrite_files: []\n",
    ],
)
def test_names_with_placeholders_are_not_compared(script: str) -> None:
    assert look("OPS-002", instance(script) | {"variable": {"environment": {}}})[0] == []


def test_log_groups_in_base64_and_in_other_stacks_are_found() -> None:
    script = base64.b64encode(b'#!/bin/sh\n{"log_group_name": "/shop/web"}\n').decode()
    document = resources(aws_launch_template={"web": {"user_data": script}})
    (message,) = found("OPS-002", document)
    assert message.endswith('add an aws_cloudwatch_log_group named "/shop/web"')
    assert found("OPS-002", document, resources(aws_cloudwatch_log_group={"web": {"name": "/shop/web"}})) == []


def test_a_group_with_an_unknown_name_may_be_the_right_one() -> None:
    document = good("OPS-002", {"resource.aws_cloudwatch_log_group.web.name": "/shop/${var.env}/web"})
    assert doubted("OPS-002", document | {"variable": {"env": {}}}) == ["var.env has no default"]
    other = good("OPS-002", {"resource.aws_cloudwatch_log_group.web.name": "/books/${var.env}/web"})
    assert len(found("OPS-002", other | {"variable": {"env": {}}})) == 1


def test_a_stage_without_logging_needs_no_group() -> None:
    quiet = {
        "resource.aws_api_gateway_method_settings.all.settings.logging_level": "OFF",
        "resource.aws_cloudwatch_log_group.api": REMOVED,
    }
    assert found("OPS-002", good("OPS-002", quiet)) == []
