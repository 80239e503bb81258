"""WAF web ACLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.firewalls import WEB_ACL
from constructs_lib.rules.queries.links import LOG_GROUP, undecidable
from constructs_lib.rules.rule import ADVICE, PRODUCTION, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_WAF: Final = f"{AWS}/waf/latest/developerguide"
_RULE_GROUP: Final = "aws_wafv2_rule_group"
_LOGGING: Final = "aws_wafv2_web_acl_logging_configuration"
_BAD_INPUTS: Final = "AWSManagedRulesKnownBadInputsRuleSet"
_PREFIX: Final = "aws-waf-logs-"
_NAMED_AT: Final = {
    LOG_GROUP: ("name", "name_prefix"),
    "aws_s3_bucket": ("bucket", "bucket_prefix"),
    "aws_kinesis_firehose_delivery_stream": ("name",),
}
_DESTINATION: Final = re.compile(r"(?::log-group:|:deliverystream/|:s3:::)([^:/*]+)")


def _managed(name: str, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "override_action": {"none": {}},
        "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": name}},
        "visibility_config": {
            "cloudwatch_metrics_enabled": True,
            "sampled_requests_enabled": True,
            "metric_name": name,
        },
    }


_AT_ACL: Final = f"resource.{WEB_ACL}.shop"
_AT_LOGGING: Final = f"resource.{_LOGGING}.shop"
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        WEB_ACL: {
            "shop": {
                "name": "shop-prod-acl",
                "scope": "REGIONAL",
                "default_action": {"allow": {}},
                "rule": [_managed("AWSManagedRulesCommonRuleSet", 10), _managed(_BAD_INPUTS, 20)],
            }
        },
        "aws_cloudwatch_log_group": {"waf": {"name": "aws-waf-logs-shop-prod", "retention_in_days": 90}},
        _LOGGING: {
            "shop": {
                "resource_arn": "${aws_wafv2_web_acl.shop.arn}",
                "log_destination_configs": ["${aws_cloudwatch_log_group.waf.arn}"],
            }
        },
    }
}


@rule(
    "API-020",
    "WAF web ACL rules have unique priorities and names",
    why="AWS rejects a second rule with the same priority or name at apply; terraform validate and plan do not "
    "report it.",
    fix="Give every rule its own name and priority, with gaps for later rules.",
    page=f"{_WAF}/web-acl-processing-order.html",
    types=[WEB_ACL, _RULE_GROUP],
    good=_GOOD,
    breaks=[
        {f"{_AT_ACL}.rule.1.priority": 10},
        {f"{_AT_ACL}.rule.1.priority": "10"},
        {f"{_AT_ACL}.rule.1.name": "AWSManagedRulesCommonRuleSet"},
        {
            _AT_ACL: {
                "dynamic": {"rule": {"for_each": ["a", "b"], "content": {"name": "${rule.value}", "priority": 1}}}
            },
        },
    ],
)
def priorities_and_names_are_unique(acl: Block) -> Iterator[Outcome]:
    """Compare the rules within one web ACL or rule group."""
    for at in ("priority", "name"):
        first: dict[object, str] = {}
        for number, section in enumerate(acl.sections("rule"), start=1):
            value = section.number(at) if at == "priority" else section.text(at)
            if isinstance(value, Unknown):
                yield section.undecided(value, at)
            elif value in first:
                yield section.fail(f"must be unique: {first[value]} has the same {at}", at)
            elif value is not None:
                name = section.get("name")
                first[value] = f"rule {name}" if at == "priority" and isinstance(name, str) else f"rule {number}"


@rule(
    "API-021",
    "WAF web ACL has logging enabled",
    why="Without logs an attack cannot be distinguished from a customer who is blocked by mistake.",
    fix=f'Declare an {_LOGGING} with a destination whose name begins with "{_PREFIX}".',
    page=f"{_WAF}/logging.html",
    types=[WEB_ACL],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("WAF.11",), pci=("10.2.1",), checkov=("CKV2_AWS_31",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_LOGGING}": {}},
        {f"{_AT_LOGGING}.resource_arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/other/1"},
    ],
)
def acl_has_logging(acl: Block) -> Iterator[Outcome]:
    """Logging is configured by a separate resource."""
    if acl.referrers_at("resource_arn", _LOGGING) or acl.referrers("module"):
        return
    unknown = [undecidable(each.get("resource_arn")) for each in acl.estate.of(_LOGGING)]
    doubt = next(filter(None, unknown), None)
    if doubt:
        yield acl.undecided(doubt)
    else:
        yield acl.fail(f"must have an {_LOGGING} with its ARN as resource_arn")


@rule(
    "API-022",
    "WAF log destination has the required name prefix",
    why="AWS rejects other names at apply; terraform validate and plan do not report it.",
    fix=f'Begin the name of the log group, bucket or delivery stream with "{_PREFIX}".',
    page=f"{_WAF}/logging-destinations.html",
    types=[_LOGGING],
    good=_GOOD,
    breaks=[
        {"resource.aws_cloudwatch_log_group.waf.name": "/shop/prod/waf"},
        {f"{_AT_LOGGING}.log_destination_configs": ["arn:aws:s3:::shop-prod-logs"]},
        {
            "resource.aws_s3_bucket": {"logs": {"bucket_prefix": "shop-prod-"}},
            f"{_AT_LOGGING}.log_destination_configs": ["${aws_s3_bucket.logs.arn}"],
        },
    ],
)
def log_destination_has_the_prefix(logging: Block) -> Iterator[Outcome]:
    """Only the beginning of the name must be known."""
    at = "log_destination_configs"
    targets = logging.targets(at, *_NAMED_AT)
    for target in targets:
        names = [target.get(name) for name in _NAMED_AT[target.type]]
        name = next((name for name in names if name is not None), "")
        text = name.text if isinstance(name, Unknown) else str(name)
        if isinstance(name, Unknown) and (not text or text.startswith("${")):
            yield target.undecided(name, _NAMED_AT[target.type][0])
        elif not text.startswith(_PREFIX):
            yield logging.fail(
                f'must have a name that begins with "{_PREFIX}"; the name of {target.address} is {text or "not set"}',
                at,
            )
    if targets:
        return
    values = logging.items(at)
    for value in [values] if isinstance(values, Unknown) else values:
        if isinstance(value, Unknown):
            yield logging.undecided(value, at)
        elif (found := _DESTINATION.search(str(value))) and not found[1].startswith(_PREFIX):
            yield logging.fail(f'must be a destination whose name begins with "{_PREFIX}", not {found[1]}', at)


@rule(
    "API-023",
    "WAF web ACL blocks known bad inputs",
    why="Requests that exploit known vulnerabilities such as Log4Shell reach the application.",
    fix=f"Add the managed rule group {_BAD_INPUTS} with override_action none.",
    page=f"{_WAF}/aws-managed-rule-groups-baseline.html",
    types=[WEB_ACL],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_192",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_ACL}.rule.1": _managed("AWSManagedRulesSQLiRuleSet", 20)},
        {f"{_AT_ACL}.rule.1.override_action": {"count": {}}},
        {f"{_AT_ACL}.rule": []},
    ],
)
def acl_blocks_known_bad_inputs(acl: Block) -> Iterator[Outcome]:
    """Rules in JSON and custom rule groups are not inspected."""
    if acl.raw("rule_json") is not None:
        yield NotApplicable("its rules are in JSON")
        return
    doubt: Unknown | None = None
    for section in acl.sections("rule"):
        if isinstance(section.body, Unknown):
            doubt = section.body
            continue
        if section.section("statement.rule_group_reference_statement") is not None:
            yield NotApplicable("it references a custom rule group")
            return
        name = section.get("statement.managed_rule_group_statement.name")
        doubt = undecidable(name) or doubt
        if name == _BAD_INPUTS:
            action = section.get("override_action")
            if isinstance(action, Unknown):
                yield section.undecided(action, "override_action")
            elif section.raw("override_action.count") is not None:
                yield section.fail("must be none: count lets known bad inputs through", "override_action")
            return
    if doubt:
        yield acl.undecided(doubt, "rule")
    else:
        yield acl.fail(f"must include the managed rule group {_BAD_INPUTS}", "rule")
