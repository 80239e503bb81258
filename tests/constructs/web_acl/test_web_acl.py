from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, HardenedStack, MultiRegionKey
from constructs_lib.constructs.web_acl import BASE_GROUPS, FURTHER_GROUPS, NoWebAcl, RuleOverride, WebAcl
from constructs_lib.constructs.web_acl.rules import BASE_RULES
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

COMMON = "AWSManagedRulesCommonRuleSet"
SQL = "AWSManagedRulesSQLiRuleSet"
ANONYMOUS = "AWSManagedRulesAnonymousIpList"
IP_LIST = "AWSManagedRulesAmazonIpReputationList"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"


def make_acl(stack: HardenedStack, **arguments: Any) -> WebAcl:
    region = stack.region("eu-west-1")
    return WebAcl(stack, "acl", region=region, key=MultiRegionKey(stack, "key", region=region), **arguments)


def build(stack: HardenedStack) -> None:
    acl = make_acl(stack)
    acl.associate("front", "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/front/1")


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def visibility(metric: str) -> dict[str, Any]:
    """Return the visibility configuration: sampled requests would show what the log redacts."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}


def group(priority: int, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "override_action": {"none": {}},
        "priority": priority,
        "statement": {"managed_rule_group_statement": {"name": name, "vendor_name": "AWS"}},
        "visibility_config": visibility(name),
    }


def test_a_web_acl_has_a_rate_limit_and_the_managed_rule_groups(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_wafv2_web_acl").assert_config(
        {
            "default_action": {"allow": {}},
            "description": "Protects shop/acl",
            "name": "shop-dev-acl-eu-west-1",
            "rule": [
                {
                    "action": {"block": {}},
                    "name": "rate-limit",
                    "priority": 0,
                    "statement": {"rate_based_statement": {"aggregate_key_type": "IP", "limit": 2000}},
                    "visibility_config": visibility("rate-limit"),
                },
                group(1, "AWSManagedRulesAmazonIpReputationList"),
                group(2, "AWSManagedRulesKnownBadInputsRuleSet"),
                group(3, COMMON),
            ],
            "scope": "REGIONAL",
            "visibility_config": visibility("shop-dev-acl-eu-west-1"),
        }
    )


LOGGING = {
    "log_destination_configs": ["${aws_cloudwatch_log_group.acl_log_eu_west_1.arn}"],
    "redacted_fields": [
        {"single_header": {"name": "authorization"}},
        {"single_header": {"name": "cookie"}},
        {"single_header": {"name": "x-amz-security-token"}},
        {"query_string": {}},
    ],
    "resource_arn": "${aws_wafv2_web_acl.acl_eu_west_1.arn}",
}


def test_the_log_redacts_credentials_and_drops_allowed_requests(synthesized: SynthesizedStack) -> None:
    kept = ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT", "CAPTCHA", "CHALLENGE")
    synthesized.resource("aws_wafv2_web_acl_logging_configuration").assert_config(
        {
            **LOGGING,
            "logging_filter": {
                "default_behavior": "DROP",
                "filter": [
                    {
                        "behavior": "KEEP",
                        "condition": [{"action_condition": {"action": action}} for action in kept],
                        "requirement": "MEETS_ANY",
                    }
                ],
            },
        }
    )


def test_the_log_can_have_every_request(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda s: make_acl(s, log_allowed=True))
    stack.resource("aws_wafv2_web_acl_logging_configuration").assert_config(LOGGING)


def test_single_rules_and_whole_groups_can_count(synth_stack: Callable[..., SynthesizedStack]) -> None:
    overrides = [
        RuleOverride("Orders may have up to one MiB", COMMON, "SizeRestrictions_BODY"),
        RuleOverride("Our clients send no User-Agent header", COMMON, "NoUserAgent_HEADER", "captcha"),
        RuleOverride("Counts until the end of the trial", SQL),
        RuleOverride("Counts until the end of the trial", "rate-limit"),
        RuleOverride("Takes part in attacks, so block it", IP_LIST, "AWSManagedIPDDoSList", "block"),
    ]

    def build_counting(stack: HardenedStack) -> None:
        make_acl(stack, managed_groups=[SQL], overrides=overrides)
        assert stack.opt_outs == [("shop/acl", override) for override in overrides]

    rate, ip_list, _, common, sql = synth_stack(build_counting).resource("aws_wafv2_web_acl")["rule"]
    assert rate["action"] == {"count": {}}
    assert ip_list["statement"]["managed_rule_group_statement"]["rule_action_override"] == [
        {"action_to_use": {"block": {}}, "name": "AWSManagedIPDDoSList"}
    ]
    assert common["override_action"] == {"none": {}}
    assert common["statement"]["managed_rule_group_statement"]["rule_action_override"] == [
        {"action_to_use": {"count": {}}, "name": "SizeRestrictions_BODY"},
        {"action_to_use": {"captcha": {}}, "name": "NoUserAgent_HEADER"},
    ]
    assert sql == {**group(4, SQL), "override_action": {"count": {}}}


def test_the_body_limit_of_api_gateway_and_the_window_of_the_rate_limit_are_set(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda s: make_acl(s, body_inspection_kb=64, rate_window_seconds=60))
    acl = stack.resource("aws_wafv2_web_acl")
    assert acl["association_config"] == {"request_body": [{"api_gateway": {"default_size_inspection_limit": "KB_64"}}]}
    assert acl["rule"][0]["statement"]["rate_based_statement"] == {
        "aggregate_key_type": "IP",
        "evaluation_window_sec": 60,
        "limit": 2000,
    }


def test_blocked_requests_raise_an_alarm_in_prod(
    synthesized: SynthesizedStack, synth_stack: Callable[..., SynthesizedStack]
) -> None:
    assert synthesized.find("aws_cloudwatch_metric_alarm") == []
    stack = synth_stack(lambda s: make_acl(s, blocked_threshold=7, alarm_topics=[TOPIC]), environment="prod")
    alarm = stack.resource("aws_cloudwatch_metric_alarm")
    assert (alarm["namespace"], alarm["metric_name"]) == ("AWS/WAFV2", "BlockedRequests")
    assert alarm["dimensions"] == {"Region": "eu-west-1", "Rule": "ALL", "WebACL": "shop-prod-acl-eu-west-1"}
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("GreaterThanThreshold", 7)
    assert (alarm["statistic"], alarm["treat_missing_data"]) == ("Sum", "notBreaching")
    assert alarm["alarm_actions"] == [TOPIC]
    assert stack.resource("aws_wafv2_web_acl")["visibility_config"]["metric_name"] == "shop-prod-acl-eu-west-1"


def test_the_log_group_has_the_required_name_and_is_encrypted(synthesized: SynthesizedStack) -> None:
    name = "aws-waf-logs-shop-dev-acl-eu-west-1"
    synthesized.resource("aws_cloudwatch_log_group").assert_config(
        {"kms_key_id": "${aws_kms_key.key_eu_west_1.arn}", "name": name, "retention_in_days": 30}
    )
    assert "log-group:*shop-dev-*" in synthesized.resource("aws_kms_key")["policy"]


def test_a_web_acl_is_associated_with_a_resource(synthesized: SynthesizedStack) -> None:
    association = synthesized.resource("aws_wafv2_web_acl_association")
    association.assert_config(
        {
            "resource_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/front/1",
            "web_acl_arn": "${aws_wafv2_web_acl.acl_eu_west_1.arn}",
        }
    )
    assert association.address == "aws_wafv2_web_acl_association.acl_association_front_eu_west_1"


def test_the_arn_is_an_output(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["acl_arn_eu_west_1"] == "${aws_wafv2_web_acl.acl_eu_west_1.arn}"


def test_further_rule_groups_have_the_last_priorities(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(
        lambda s: make_acl(s, rate_limit=10, managed_groups=[SQL, ANONYMOUS], description="Before the shop")
    )
    acl = stack.resource("aws_wafv2_web_acl")
    assert acl["description"] == "Before the shop"
    assert acl["rule"][0]["statement"]["rate_based_statement"]["limit"] == 10
    assert acl["rule"][4:] == [group(4, SQL), group(5, ANONYMOUS)]
    assert [rule["priority"] for rule in acl["rule"]] == [0, 1, 2, 3, 4, 5]


def test_base_and_further_rule_groups_are_distinct() -> None:
    assert not BASE_GROUPS.keys() & FURTHER_GROUPS.keys()


RATE = "must be a whole number of requests from 10 to 2000000000"
ALLOW: Any = "allow"
REASON = "This is said at least once"
GROUPS = ", ".join(("rate-limit", *BASE_GROUPS))
ALL = ", ".join(FURTHER_GROUPS)


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        ({"rate_limit": 9}, [f"rate_limit=9: {RATE}"]),
        ({"rate_limit": 2_000_000_001}, [f"rate_limit=2000000001: {RATE}"]),
        ({"rate_limit": 100.0}, [f"rate_limit=100.0: {RATE}"]),
        ({"rate_limit": True}, [f"rate_limit=True: {RATE}"]),
        ({"rate_window_seconds": 90}, ["rate_window_seconds=90: must be one of 60, 120, 300, 600"]),
        ({"body_inspection_kb": 8}, ["body_inspection_kb=8: must be one of 16, 32, 48, 64"]),
        ({"blocked_threshold": 0}, ["blocked_threshold=0: must be at least 1"]),
        (
            {"overrides": [RuleOverride(REASON, SQL, "SQLi_BODY")]},
            [
                f"overrides[{SQL}/SQLi_BODY]='count': the web ACL has no such rule group; expected one of {GROUPS}",
            ],
        ),
        (
            {"overrides": [RuleOverride(REASON, COMMON, "SizeRestrictions_Body")]},
            [
                (
                    f"overrides[{COMMON}/SizeRestrictions_Body]='count': is not a rule of the group, and AWS WAF ignores "
                    f"such an override without an error; expected one of {', '.join(BASE_RULES[COMMON])}"
                )
            ],
        ),
        (
            {"overrides": [RuleOverride(REASON, "rate-limit", "IP")]},
            [
                (
                    "overrides[rate-limit/IP]='count': is not a rule of the group, and AWS WAF ignores such an override "
                    "without an error; expected no rule, for the rate limit itself"
                )
            ],
        ),
        (
            {"overrides": [RuleOverride(REASON, COMMON, action="captcha")]},
            [f"overrides[{COMMON}]='captcha': a whole rule group can be set to count only; give a rule"],
        ),
        (
            {"overrides": [RuleOverride(REASON, COMMON, "SizeRestrictions_BODY", ALLOW)]},
            [f"overrides[{COMMON}/SizeRestrictions_BODY]='allow': must be one of block, captcha, challenge, count"],
        ),
        (
            {"overrides": [RuleOverride(REASON, COMMON), RuleOverride(REASON, COMMON)]},
            [f"overrides[{COMMON}]='count': duplicate override"],
        ),
        ({"managed_groups": SQL}, [f"managed_groups={SQL!r}: must be a list of names"]),
        ({"managed_groups": [COMMON]}, [f"managed_groups={COMMON!r}: duplicate rule group"]),
        ({"managed_groups": [SQL, SQL]}, [f"managed_groups={SQL!r}: duplicate rule group"]),
        (
            {"rate_limit": 0, "managed_groups": ["Mine"]},
            [f"rate_limit=0: {RATE}", f"managed_groups='Mine': must be one of {ALL}"],
        ),
        (
            {"managed_groups": list(FURTHER_GROUPS)},
            [
                (
                    f"managed_groups={list(FURTHER_GROUPS)!r}: has 1977 capacity units with the other rules, and a web ACL "
                    "has 1500; remove rule groups"
                )
            ],
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_acl(stack, **arguments)
    assert error.value.path == "shop/acl"
    assert list(error.value.problems) == problems


def test_the_limits_of_rate_and_capacity_are_allowed(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    further = [SQL, "AWSManagedRulesLinuxRuleSet", ANONYMOUS]
    stack = synth_stack(lambda s: make_acl(s, rate_limit=2_000_000_000, managed_groups=further))
    rules = stack.resource("aws_wafv2_web_acl")["rule"]
    assert rules[0]["statement"]["rate_based_statement"]["limit"] == 2_000_000_000
    assert [rule["name"] for rule in rules[1:]] == [*BASE_GROUPS, *further]


def test_no_web_acl_requires_a_reason() -> None:
    with pytest.raises(ConfigurationError, match=r"NoWebAcl: reason='none': must be a sentence of at least 20"):
        NoWebAcl("none")


def test_the_arn_works_in_another_stack(synthesize: Synthesize) -> None:
    assert read_from_another_stack(synthesize, lambda stack: {"arn": make_acl(stack).arn}) == {
        "arn": "${aws_wafv2_web_acl.acl_eu_west_1.arn}"
    }
