from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, HardenedStack, MultiRegionKey
from constructs_lib.constructs.web_acl import BASE_GROUPS, FURTHER_GROUPS, NoWebAcl, WebAcl
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

COMMON = "AWSManagedRulesCommonRuleSet"
SQL = "AWSManagedRulesSQLiRuleSet"
ANONYMOUS = "AWSManagedRulesAnonymousIpList"


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


def test_the_log_redacts_authorization_and_cookies(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_wafv2_web_acl_logging_configuration").assert_config(
        {
            "log_destination_configs": ["${aws_cloudwatch_log_group.acl_log_eu_west_1.arn}"],
            "redacted_fields": [{"single_header": {"name": "authorization"}}, {"single_header": {"name": "cookie"}}],
            "resource_arn": "${aws_wafv2_web_acl.acl_eu_west_1.arn}",
        }
    )


def test_the_log_group_has_the_required_name_and_is_encrypted(synthesized: SynthesizedStack) -> None:
    name = "aws-waf-logs-shop-dev-acl-eu-west-1"
    synthesized.resource("aws_cloudwatch_log_group").assert_config(
        {"kms_key_id": "${aws_kms_key.key_eu_west_1.arn}", "name": name, "retention_in_days": 365}
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


RATE = "must be a whole number of requests in five minutes from 10 to 2000000000"
ALL = ", ".join(FURTHER_GROUPS)


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        ({"rate_limit": 9}, [f"rate_limit=9: {RATE}"]),
        ({"rate_limit": 2_000_000_001}, [f"rate_limit=2000000001: {RATE}"]),
        ({"rate_limit": 100.0}, [f"rate_limit=100.0: {RATE}"]),
        ({"rate_limit": True}, [f"rate_limit=True: {RATE}"]),
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
