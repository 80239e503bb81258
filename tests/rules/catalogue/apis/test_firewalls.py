"""Rules of apis/firewalls: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import doubted, found, good, resources


def test_priorities_from_the_keys_of_a_dynamic_block_are_unique() -> None:
    content = {"name": "${rule.value}", "priority": "${rule.key}"}
    acl = {"dynamic": {"rule": [{"for_each": ["a", "b"], "content": [content]}]}}
    assert found("API-020", resources(aws_wafv2_web_acl={"shop": acl})) == []


def test_priorities_of_two_acls_may_be_the_same() -> None:
    acl = {"rule": {"name": "a", "priority": 1}}
    assert found("API-020", resources(aws_wafv2_web_acl={"a": acl, "b": acl})) == []


@pytest.mark.parametrize("name", ["aws-waf-logs-${var.name}", "${local.prefix}shop"])
def test_a_partly_known_log_destination_is_judged_by_its_prefix(name: str) -> None:
    document = good("API-022", {"resource.aws_cloudwatch_log_group.waf.name": name})
    assert found("API-022", document | {"variable": {"name": {}}, "locals": {"prefix": "aws-waf-logs-"}}) == []


def test_a_log_destination_of_unknown_name_is_undecided() -> None:
    document = good("API-022", {"resource.aws_cloudwatch_log_group.waf.name": "${var.name}"})
    assert doubted("API-022", document | {"variable": {"name": {}}}) == ["var.name has no default"]


def test_a_web_acl_with_a_custom_rule_group_is_accepted() -> None:
    rule = {"name": "own", "priority": 1, "statement": {"rule_group_reference_statement": {"arn": "arn"}}}
    assert found("API-023", resources(aws_wafv2_web_acl={"shop": {"rule": [rule]}})) == []
