"""WebAcl: AWS's managed rules and a rate limit in front of an API or a load balancer, with redacted logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut

BASE_GROUPS: Final = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesCommonRuleSet": 700,
}
"""The managed rule groups of every web ACL, in the order of their rules, and the capacity units of each."""
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
"""The managed rule groups that a caller may add.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html.
"""
RATE_RULE_UNITS: Final = 2
MAX_UNITS: Final = 1500
"""Capacity units that a web ACL's basic price covers.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html.
"""
MIN_RATE: Final = 10
MAX_RATE: Final = 2_000_000_000
REDACTED_HEADERS: Final = ("authorization", "cookie")


@dataclass(frozen=True)
class NoWebAcl(OptOut):
    """Nothing filters the requests before they are served, although the environment asks for a web ACL."""


class WebAcl(HardenedConstruct):
    """A regional web ACL that lets requests through unless a rule blocks them.

    Its rules, in the order of their priorities: a limit on the requests of one address, Amazon's list of bad
    addresses, known bad inputs, the common rule set, and what the caller adds. A web ACL of one region and stack may
    stand before several resources.

    Args:
        scope: The stack, or the construct that it protects.
        id_: The construct's id.
        region: Where it is; the resources that it protects are there too.
        key: The key that encrypts its log.
        rate_limit: Requests from one address in five minutes before it is blocked, 10 to 2,000,000,000; 2,000 by
            default.
        managed_groups: Names of further managed rule groups of AWS, from `FURTHER_GROUPS`; none by default.
        description: What it protects.

    Raises:
        ConfigurationError: A rate limit out of range, or a rule group that is unknown, named twice or beyond the
            capacity of a web ACL.

    See https://docs.aws.amazon.com/waf/latest/developerguide/web-acl.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        rate_limit: int = 2000,
        managed_groups: Sequence[str] = (),
        description: str | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._check(rate_limit, managed_groups)
        name = self._name("web-acl")
        rules = [_rate_rule(rate_limit), *map(_group_rule, (*BASE_GROUPS, *managed_groups))]
        acl = aws.wafv2_web_acl
        self.resource = self._create(
            acl.Wafv2WebAcl,
            "Resource",
            name=name,
            description=description or f"Protects {self.path}",
            scope="REGIONAL",
            default_action=acl.Wafv2WebAclDefaultAction(allow=acl.Wafv2WebAclDefaultActionAllow()),
            # Priorities are positions in one list, so that no two rules can have the same.
            rule=[_rule(priority, **rule) for priority, rule in enumerate(rules)],
            visibility_config=acl.Wafv2WebAclVisibilityConfig(
                cloudwatch_metrics_enabled=True,
                metric_name=name,
                sampled_requests_enabled=False,
            ),
        )
        self.arn = self._ref(self.resource, "arn")
        self.log = LogGroup(self, "log", region=region, key=key, name=f"aws-waf-logs-{name}")
        """AWS WAF writes to a log group only if its name starts with `aws-waf-logs-`."""
        logging = aws.wafv2_web_acl_logging_configuration
        self._create(
            logging.Wafv2WebAclLoggingConfiguration,
            "logging",
            resource_arn=self.arn,
            log_destination_configs=[self.log.arn],
            redacted_fields=[
                logging.Wafv2WebAclLoggingConfigurationRedactedFields(
                    single_header=logging.Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(name=header)
                )
                for header in REDACTED_HEADERS
            ],
        )
        self._publish("arn", self.arn, "ARN of the web ACL")

    def associate(self, id_: str, resource_arn: str) -> aws.wafv2_web_acl_association.Wafv2WebAclAssociation:
        """Put the web ACL before a resource of its region, which can stand behind one web ACL only.

        Args:
            id_: What the resource is called among those behind the web ACL.
            resource_arn: ARN of an API's stage or of an application load balancer.
        """
        return self._create(
            aws.wafv2_web_acl_association.Wafv2WebAclAssociation,
            f"association-{id_}",
            web_acl_arn=self.arn,
            resource_arn=resource_arn,
        )

    def _check(self, rate_limit: int, managed_groups: Sequence[str]) -> None:
        self._problems.check(
            isinstance(rate_limit, int) and not isinstance(rate_limit, bool) and MIN_RATE <= rate_limit <= MAX_RATE,
            "rate_limit",
            rate_limit,
            f"must be a whole number of requests in five minutes, {MIN_RATE} to {MAX_RATE}",
        )
        if isinstance(managed_groups, str):
            self._problems.stop("managed_groups", managed_groups, "must be a list of names")
        seen = set(BASE_GROUPS)
        for group in managed_groups:
            self._problems.check(group not in seen, "managed_groups", group, "the web ACL has it already")
            self._problems.check(
                group in BASE_GROUPS or group in FURTHER_GROUPS,
                "managed_groups",
                group,
                f"must be one of {', '.join(FURTHER_GROUPS)}",
            )
            seen.add(group)
        units = RATE_RULE_UNITS + sum((BASE_GROUPS | FURTHER_GROUPS).get(group, 0) for group in seen)
        self._problems.check(
            units <= MAX_UNITS,
            "managed_groups",
            list(managed_groups),
            f"needs {units} capacity units with the other rules, and a web ACL has {MAX_UNITS}; leave some out",
        )
        self._problems.raise_if_any()


def check_web_acl(problems: Problems, region: Region, web_acl: object) -> None:
    """Note what is wrong with the argument `web_acl` of a construct that can stand behind one.

    Args:
        problems: Where to note it.
        region: The construct's region.
        web_acl: A web ACL, True for one of its own, False or `NoWebAcl` for none, None for what the environment asks.
    """
    if isinstance(web_acl, WebAcl):
        problems.check(
            web_acl.region is region,
            "web_acl",
            web_acl.path,
            f"is in {web_acl.region.name} of the stack {web_acl.region.stack.path}; it must be in {region.name} of "
            f"{region.stack.path}",
        )
    elif web_acl is False:
        problems.check(
            not region.profile.web_acl,
            "web_acl",
            web_acl,
            f"in {region.environment.value} a web ACL is asked for; give NoWebAcl('why not') to do without",
        )
    else:
        problems.check(
            web_acl is None or web_acl is True or isinstance(web_acl, NoWebAcl),
            "web_acl",
            web_acl,
            "must be a WebAcl, True, False or NoWebAcl('why not')",
        )


def chosen_web_acl(
    owner: HardenedConstruct, *, web_acl: WebAcl | NoWebAcl | bool | None, key: MultiRegionKey
) -> WebAcl | None:
    """Return the web ACL that a construct's argument `web_acl` stands for, made if it has none yet."""
    if isinstance(web_acl, NoWebAcl):
        owner.region.stack.opt_outs.append((owner.path, web_acl))
        return None
    if isinstance(web_acl, WebAcl):
        return web_acl
    wanted = owner.region.profile.web_acl if web_acl is None else web_acl
    return WebAcl(owner, "web-acl", region=owner.region, key=key) if wanted else None


def _rate_rule(limit: int) -> dict[str, Any]:
    """Return the first rule: a request that a later rule blocks still counts against the address."""
    acl = aws.wafv2_web_acl
    return {
        "name": "rate-limit",
        "action": acl.Wafv2WebAclRuleAction(block=acl.Wafv2WebAclRuleActionBlock()),
        "statement": {"rate_based_statement": {"aggregate_key_type": "IP", "limit": limit}},
    }


def _group_rule(group: str) -> dict[str, Any]:
    """Return the rule that runs a managed group with the group's own actions."""
    acl = aws.wafv2_web_acl
    return {
        "name": group,
        "override_action": acl.Wafv2WebAclRuleOverrideAction(none=acl.Wafv2WebAclRuleOverrideActionNone()),
        "statement": {"managed_rule_group_statement": {"name": group, "vendor_name": "AWS"}},
    }


def _rule(priority: int, **rule: Any) -> aws.wafv2_web_acl.Wafv2WebAclRule:  # noqa: ANN401  two kinds of action
    acl = aws.wafv2_web_acl
    return acl.Wafv2WebAclRule(
        priority=priority,
        visibility_config=acl.Wafv2WebAclRuleVisibilityConfig(
            cloudwatch_metrics_enabled=True,
            metric_name=rule["name"],
            # Redaction covers the log and not the samples, which would show tokens and cookies in the console.
            sampled_requests_enabled=False,
        ),
        **rule,
    )
