"""The rules of a web ACL: the rate limit, AWS managed rule groups, and overrides of their actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut

RuleAction = Literal["block", "captcha", "challenge", "count"]

RATE_RULE: Final = "rate-limit"
BASE_GROUPS: Final = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesCommonRuleSet": 700,
}
"""The managed rule groups of every web ACL, by priority, with their web ACL capacity units (WCU)."""
FURTHER_GROUPS: Final = {
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesWordPressRuleSet": 100,
}
"""The managed rule groups that can be added.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html.
"""
BASE_RULES: Final = {
    "AWSManagedRulesAmazonIpReputationList": (
        *("AWSManagedIPReputationList", "AWSManagedReconnaissanceList", "AWSManagedIPDDoSList"),
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        *("JavaDeserializationRCE_HEADER", "JavaDeserializationRCE_BODY", "JavaDeserializationRCE_URIPATH"),
        *("JavaDeserializationRCE_QUERYSTRING", "Host_localhost_HEADER", "PROPFIND_METHOD", "ExploitablePaths_URIPATH"),
        *("Log4JRCE_HEADER", "Log4JRCE_QUERYSTRING", "Log4JRCE_BODY", "Log4JRCE_URIPATH", "ReactJSRCE_BODY"),
    ),
    "AWSManagedRulesCommonRuleSet": (
        *("NoUserAgent_HEADER", "UserAgent_BadBots_HEADER", "SizeRestrictions_QUERYSTRING"),
        *("SizeRestrictions_Cookie_HEADER", "SizeRestrictions_BODY", "SizeRestrictions_URIPATH"),
        *("EC2MetaDataSSRF_BODY", "EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_URIPATH"),
        *("EC2MetaDataSSRF_QUERYARGUMENTS", "GenericLFI_QUERYARGUMENTS", "GenericLFI_URIPATH", "GenericLFI_BODY"),
        *("RestrictedExtensions_URIPATH", "RestrictedExtensions_QUERYARGUMENTS", "GenericRFI_QUERYARGUMENTS"),
        *("GenericRFI_BODY", "GenericRFI_URIPATH", "CrossSiteScripting_COOKIE", "CrossSiteScripting_QUERYARGUMENTS"),
        *("CrossSiteScripting_BODY", "CrossSiteScripting_URIPATH"),
    ),
}
"""The rules of `BASE_GROUPS`. AWS WAF ignores an override of a rule that is not in the group, without an error.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html.
"""
RATE_RULE_UNITS: Final = 2
MAX_UNITS: Final = 1500
"""Capacity units that the basic price of a web ACL includes.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html.
"""
RATES: Final = (10, 2_000_000_000)
WINDOWS: Final = (60, 120, 300, 600)
"""Evaluation windows of a rate-based rule in seconds.

See https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html.
"""
DEFAULT_WINDOW: Final = 300


@dataclass(frozen=True)
class RuleOverride(OptOut):
    """Another action for a rule of a managed rule group, or count mode for a whole group or the rate limit.

    Attributes:
        group: A managed rule group of the web ACL, or `rate-limit`.
        rule: A rule of the group, such as `SizeRestrictions_BODY`; by default the whole group, with `count` only.
        action: `count`, `block`, `captcha` or `challenge`.

    See https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-rule-group-override-options.html.
    """

    group: str
    rule: str | None = None
    action: RuleAction = "count"


def check_rate(problems: Problems, limit: int, window: int) -> None:
    """Report a rate limit or an evaluation window that AWS WAF refuses."""
    problems.check_whole("rate_limit", limit, *RATES, "requests")
    problems.check(
        window in WINDOWS,
        "rate_window_seconds",
        window,
        f"must be one of {', '.join(map(str, WINDOWS))}",
    )


def check_groups(problems: Problems, managed_groups: Sequence[str]) -> None:
    """Report rule groups that are unknown, duplicate or beyond the capacity."""
    if isinstance(managed_groups, str):
        problems.stop("managed_groups", managed_groups, "must be a list of names")
    seen = set(BASE_GROUPS)
    for group in managed_groups:
        problems.check(group not in seen, "managed_groups", group, "duplicate rule group")
        problems.check(
            group in BASE_GROUPS or group in FURTHER_GROUPS,
            "managed_groups",
            group,
            f"must be one of {', '.join(FURTHER_GROUPS)}",
        )
        seen.add(group)
    units = RATE_RULE_UNITS + sum((BASE_GROUPS | FURTHER_GROUPS).get(group, 0) for group in seen)
    problems.check(
        units <= MAX_UNITS,
        "managed_groups",
        list(managed_groups),
        f"has {units} capacity units with the other rules, and a web ACL has {MAX_UNITS}; remove rule groups",
    )


def check_overrides(problems: Problems, overrides: Sequence[RuleOverride], groups: Sequence[str]) -> None:
    """Report overrides of groups and rules that the web ACL does not have, and duplicates."""
    seen: set[tuple[str, str | None]] = set()
    for one in overrides:
        at = f"overrides[{one.group}{f'/{one.rule}' if one.rule else ''}]"
        problems.check((one.group, one.rule) not in seen, at, one.action, "duplicate override")
        seen.add((one.group, one.rule))
        problems.check(
            one.action in get_args(RuleAction), at, one.action, f"must be one of {', '.join(get_args(RuleAction))}"
        )
        if not problems.check(
            one.group in (RATE_RULE, *groups),
            at,
            one.action,
            f"the web ACL has no such rule group; expected one of {', '.join((RATE_RULE, *groups))}",
        ):
            continue
        if one.rule is None:
            problems.check(
                one.action == "count", at, one.action, "a whole rule group can be set to count only; give a rule"
            )
            continue
        rules = () if one.group == RATE_RULE else BASE_RULES.get(one.group, (one.rule,))
        problems.check(
            one.rule in rules,
            at,
            one.action,
            "is not a rule of the group, and AWS WAF ignores such an override without an error; expected "
            + (f"one of {', '.join(rules)}" if rules else "no rule, for the rate limit itself"),
        )


def rate_rule(limit: int, window: int, overrides: Sequence[RuleOverride]) -> dict[str, Any]:
    """Return the first rule, so that requests that later rules block are counted too."""
    acl = aws.wafv2_web_acl
    counted = any(one.group == RATE_RULE for one in overrides)
    return {
        "name": RATE_RULE,
        "action": acl.Wafv2WebAclRuleAction(count=acl.Wafv2WebAclRuleActionCount())
        if counted
        else acl.Wafv2WebAclRuleAction(block=acl.Wafv2WebAclRuleActionBlock()),
        "statement": {
            "rate_based_statement": {
                "aggregate_key_type": "IP",
                "limit": limit,
                **({} if window == DEFAULT_WINDOW else {"evaluation_window_sec": window}),
            }
        },
    }


def group_rule(group: str, overrides: Sequence[RuleOverride]) -> dict[str, Any]:
    """Return the rule of a managed rule group, with the group's own actions except for the overrides."""
    acl = aws.wafv2_web_acl
    own = [one for one in overrides if one.group == group]
    actions = [{"name": one.rule, "action_to_use": {one.action: {}}} for one in own if one.rule]
    return {
        "name": group,
        "override_action": acl.Wafv2WebAclRuleOverrideAction(count=acl.Wafv2WebAclRuleOverrideActionCount())
        if any(one.rule is None for one in own)
        else acl.Wafv2WebAclRuleOverrideAction(none=acl.Wafv2WebAclRuleOverrideActionNone()),
        "statement": {
            "managed_rule_group_statement": {
                "name": group,
                "vendor_name": "AWS",
                **({"rule_action_override": actions} if actions else {}),
            }
        },
    }


def rule(priority: int, **arguments: Any) -> aws.wafv2_web_acl.Wafv2WebAclRule:  # noqa: ANN401  two kinds of action
    """Return a rule with its metric."""
    acl = aws.wafv2_web_acl
    return acl.Wafv2WebAclRule(
        priority=priority,
        visibility_config=acl.Wafv2WebAclRuleVisibilityConfig(
            cloudwatch_metrics_enabled=True,
            metric_name=arguments["name"],
            # Sampled requests are not redacted: the console would show tokens and cookies.
            sampled_requests_enabled=False,
        ),
        **arguments,
    )
