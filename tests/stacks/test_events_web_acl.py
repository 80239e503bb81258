"""The web ACL and the alarms of the events stack: requests that ingest-fn accepts pass, in every environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from constructs_lib import App, ConfigurationError, Environment
from stacks.events import CODE, LOADS, EventsStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

BODY_LIMIT = 8192
"""Bytes above which SizeRestrictions_BODY blocks a request."""
WATCHED = ("aws_cloudwatch_metric_alarm", "aws_wafv2_web_acl", "aws_wafv2_web_acl_association")


def watched(stack: SynthesizedStack) -> set[str]:
    return {address for address in stack.addresses if address.partition(".")[0] in WATCHED}


@pytest.fixture(scope="module")
def prod(synthesize: Synthesize) -> SynthesizedStack:
    return synthesize(lambda app: EventsStack(app, "events", environment="prod"))["events"]


@pytest.fixture(scope="module", params=["dev", "staging"])
def switched_on(synthesize: Synthesize, request: pytest.FixtureRequest) -> SynthesizedStack:
    environment: str = request.param
    return synthesize(lambda app: EventsStack(app, "events", environment=environment, web_acl=True, alarms=True))[
        "events"
    ]


def test_the_largest_body_of_the_contract_is_counted_and_not_blocked(prod: SynthesizedStack) -> None:
    source = (CODE / "ingest_fn" / "handler.py").read_text(encoding="utf-8")
    largest = re.search(r"^MAX_BODY_BYTES = ([0-9_]+)$", source, re.MULTILINE)
    assert largest
    assert int(largest[1]) > BODY_LIMIT
    acl = prod.resource("aws_wafv2_web_acl")
    (common,) = (one for one in acl["rule"] if one["name"] == "AWSManagedRulesCommonRuleSet")
    assert common["override_action"] == {"none": {}}
    assert common["statement"]["managed_rule_group_statement"]["rule_action_override"] == [
        {"action_to_use": {"count": {}}, "name": "SizeRestrictions_BODY"}
    ]
    limit = {"default_size_inspection_limit": "KB_64"}
    assert acl["association_config"] == {"request_body": [{"api_gateway": limit}]}


@pytest.mark.parametrize("environment", list(Environment))
def test_one_address_may_use_the_whole_rate_of_the_api(synthesize: Synthesize, environment: Environment) -> None:
    build = lambda app: EventsStack(app, "events", environment=environment, web_acl=True)  # noqa: E731
    rate, *_ = synthesize(build)["events"].resource("aws_wafv2_web_acl")["rule"]
    # Five minutes, the default evaluation window.
    assert rate["statement"]["rate_based_statement"] == {
        "aggregate_key_type": "IP",
        "limit": LOADS[environment].rate * 300,
    }


def test_the_web_acl_and_the_alarms_can_be_switched_on_in_every_environment(
    switched_on: SynthesizedStack, prod: SynthesizedStack
) -> None:
    assert watched(switched_on) == watched(prod)


def test_prod_cannot_be_without_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="web_acl=False: prod requires a web ACL"):
        EventsStack(App(outdir=str(tmp_path)), "events", environment="prod", web_acl=False)
    with pytest.raises(ConfigurationError, match="alarms=False: prod requires alarms"):
        EventsStack(App(outdir=str(tmp_path)), "events", environment="prod", alarms=False)


def test_the_association_that_keeps_its_address_is_not_moved(prod: SynthesizedStack) -> None:
    address = "aws_wafv2_web_acl_association.api_web_acl_association_api_eu_central_1"
    assert prod.resource("aws_wafv2_web_acl_association").address == address
    assert "moved" not in prod.document
