"""WebAcl: AWS managed rules and a rate limit for APIs and load balancers, with redacted logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
RATE_RULE_UNITS: Final = 2
MAX_UNITS: Final = 1500
"""Capacity units that the basic price of a web ACL includes.

See https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html.
"""
MIN_RATE: Final = 10
MAX_RATE: Final = 2_000_000_000
REDACTED_HEADERS: Final = ("authorization", "cookie")


@dataclass(frozen=True)
class NoWebAcl(OptOut):
    """Requests are not filtered by a web ACL although the environment requires one."""


class WebAcl(HardenedConstruct):
    """A regional web ACL that allows requests unless a rule blocks them.

    The rules by priority: a rate limit for each address, the Amazon IP reputation list, known bad inputs, the core rule
    set, and `managed_groups`. One web ACL can protect several resources of its region and stack.

    Args:
        scope: The stack, or the construct that the web ACL protects.
        id_: The construct's id.
        region: The region, of the protected resources too.
        key: The KMS key that encrypts the log group.
        rate_limit: Requests from one address in five minutes, 10 to 2,000,000,000; more are blocked.
        managed_groups: Names of further managed rule groups, from `FURTHER_GROUPS`, up to 1,500 capacity units with the
            other rules, which use 927.
        description: The description; by default `Protects` and the construct path.

    Attributes:
        resource: The `aws_wafv2_web_acl`.
        log: The log group.

    Raises:
        ConfigurationError: The rate limit is out of range, or a rule group is unknown, duplicate or beyond the
            capacity.

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
            # AWS refuses duplicate priorities; the positions in one list are unique.
            rule=[_rule(priority, **rule) for priority, rule in enumerate(rules)],
            visibility_config=acl.Wafv2WebAclVisibilityConfig(
                cloudwatch_metrics_enabled=True,
                metric_name=name,
                sampled_requests_enabled=False,
            ),
        )
        self._arn = self._ref(self.resource, "arn")
        # AWS WAF refuses log groups whose names do not start with aws-waf-logs-.
        self.log = LogGroup(self, "log", region=region, key=key, name=f"aws-waf-logs-{name}")
        logging = aws.wafv2_web_acl_logging_configuration
        self._create(
            logging.Wafv2WebAclLoggingConfiguration,
            "logging",
            resource_arn=self._arn,
            log_destination_configs=[self._ref(self.log.resource, "arn")],
            redacted_fields=[
                logging.Wafv2WebAclLoggingConfigurationRedactedFields(
                    single_header=logging.Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(name=header)
                )
                for header in REDACTED_HEADERS
            ],
        )
        self._publish("arn", self._arn, "ARN of the web ACL")

    @cached_property
    def arn(self) -> str:
        """The web ACL's ARN."""
        return self.resource.arn

    def associate(self, id_: str, resource_arn: str) -> aws.wafv2_web_acl_association.Wafv2WebAclAssociation:
        """Associate the web ACL with a resource of its region; a resource can have one web ACL.

        Args:
            id_: The id of the association, unique in the web ACL.
            resource_arn: ARN of an API's stage or of an Application Load Balancer.
        """
        return self._create(
            aws.wafv2_web_acl_association.Wafv2WebAclAssociation,
            f"association-{id_}",
            web_acl_arn=self._arn,
            resource_arn=resource_arn,
        )

    def _check(self, rate_limit: int, managed_groups: Sequence[str]) -> None:
        self._problems.check(
            isinstance(rate_limit, int) and not isinstance(rate_limit, bool) and MIN_RATE <= rate_limit <= MAX_RATE,
            "rate_limit",
            rate_limit,
            f"must be a whole number of requests in five minutes from {MIN_RATE} to {MAX_RATE}",
        )
        if isinstance(managed_groups, str):
            self._problems.stop("managed_groups", managed_groups, "must be a list of names")
        seen = set(BASE_GROUPS)
        for group in managed_groups:
            self._problems.check(group not in seen, "managed_groups", group, "duplicate rule group")
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
            f"has {units} capacity units with the other rules, and a web ACL has {MAX_UNITS}; remove rule groups",
        )
        self._problems.raise_if_any()


def check_web_acl(problems: Problems, region: Region, web_acl: object) -> None:
    """Report what is wrong with the argument `web_acl` of a construct.

    Args:
        problems: The problems to add to.
        region: The construct's region.
        web_acl: A web ACL, True to create one, False or `NoWebAcl` for none, None for the environment's default.
    """
    if isinstance(web_acl, WebAcl):
        problems.check(
            web_acl.region is region,
            "web_acl",
            web_acl.path,
            f"is in {web_acl.region.name} of the stack {web_acl.region.stack.path}; expected a web ACL in "
            f"{region.name} of the stack {region.stack.path}",
        )
    elif web_acl is False:
        problems.check(
            not region.profile.web_acl,
            "web_acl",
            web_acl,
            f"{region.environment.value} requires a web ACL; give NoWebAcl(reason) to turn it off",
        )
    else:
        problems.check(
            web_acl is None or web_acl is True or isinstance(web_acl, NoWebAcl),
            "web_acl",
            web_acl,
            "must be a WebAcl, True, False or NoWebAcl(reason)",
        )


def chosen_web_acl(
    owner: HardenedConstruct, *, web_acl: WebAcl | NoWebAcl | bool | None, key: MultiRegionKey
) -> WebAcl | None:
    """Return the web ACL of a construct's argument `web_acl`, and create it if needed."""
    if isinstance(web_acl, NoWebAcl):
        owner.region.stack.opt_outs.append((owner.path, web_acl))
        return None
    if isinstance(web_acl, WebAcl):
        return web_acl
    wanted = owner.region.profile.web_acl if web_acl is None else web_acl
    return WebAcl(owner, "web-acl", region=owner.region, key=key) if wanted else None


def _rate_rule(limit: int) -> dict[str, Any]:
    """Return the first rule, so that requests that later rules block are counted too."""
    acl = aws.wafv2_web_acl
    return {
        "name": "rate-limit",
        "action": acl.Wafv2WebAclRuleAction(block=acl.Wafv2WebAclRuleActionBlock()),
        "statement": {"rate_based_statement": {"aggregate_key_type": "IP", "limit": limit}},
    }


def _group_rule(group: str) -> dict[str, Any]:
    """Return the rule of a managed rule group, with the group's own actions."""
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
            # Sampled requests are not redacted: the console would show tokens and cookies.
            sampled_requests_enabled=False,
        ),
        **rule,
    )
