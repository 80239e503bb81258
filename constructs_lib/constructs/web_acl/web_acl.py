"""WebAcl: AWS managed rules and a rate limit for APIs and load balancers, with redacted logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import aws, core
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.web_acl import rules
from constructs_lib.constructs.web_acl.rules import BASE_GROUPS, DEFAULT_WINDOW, RuleOverride
from constructs_lib.core.alarms import Alarm, Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region

BodyLimit = Literal[16, 32, 48, 64]
"""KB of a request body that API Gateway passes to AWS WAF.

See https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html.
"""
DEFAULT_BODY_LIMIT: Final = 16
REDACTED_HEADERS: Final = ("authorization", "cookie", "x-amz-security-token")
LOGGED_ACTIONS: Final = ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT", "CAPTCHA", "CHALLENGE")
"""Actions whose requests the log keeps: `COUNT` and `EXCLUDED_AS_COUNT` for requests that a rule counted."""
BLOCKED_THRESHOLD: Final = 100


class WebAcl(HardenedConstruct):
    """A regional web ACL that allows requests unless a rule blocks them.

    The rules by priority: a rate limit for each address, the Amazon IP reputation list, known bad inputs, the core rule
    set, and `managed_groups`. One web ACL can protect several resources of its region and stack.

    Args:
        scope: The stack, or the construct that the web ACL protects.
        id_: The construct's id.
        region: The region, of the protected resources too.
        key: The KMS key that encrypts the log group.
        rate_limit: Requests from one address in `rate_window_seconds`, 10 to 2,000,000,000; more are blocked.
        rate_window_seconds: Evaluation window of the rate limit in seconds: 60, 120, 300 or 600.
        managed_groups: Names of further managed rule groups, from `FURTHER_GROUPS`, up to 1,500 capacity units with the
            other rules, which use 927.
        overrides: `RuleOverride`s: another action for single rules of a managed rule group, or count mode for a whole
            group or the rate limit, for example until a new rule has been watched in production.
        body_inspection_kb: KB of a request body that AWS WAF inspects for API Gateway: 16, 32, 48 or 64. AWS charges
            for bodies over 16 KB. Application Load Balancers always pass 8 KB.
        log_allowed: Whether the log also has requests that were allowed and that no rule counted.
        description: The description; by default `Protects` and the construct path.
        alarms: Whether the CloudWatch alarm is created, or `NoAlarms` for none in prod; in prod by default.
        alarm_topics: ARNs of SNS topics in the region that the alarm notifies.
        blocked_threshold: Alarm threshold for the blocked requests in five minutes, at least 1.

    Attributes:
        resource: The `aws_wafv2_web_acl`.
        log: The log group.

    Raises:
        ConfigurationError: The rate limit is out of range, a rule group is unknown, duplicate or beyond the capacity,
            or an override is not of a rule of the web ACL.

    See https://docs.aws.amazon.com/waf/latest/developerguide/web-acl.html and
    https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-testing.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        rate_limit: int = 2000,
        rate_window_seconds: int = DEFAULT_WINDOW,
        managed_groups: Sequence[str] = (),
        overrides: Sequence[RuleOverride] = (),
        body_inspection_kb: BodyLimit = DEFAULT_BODY_LIMIT,
        log_allowed: bool = False,
        description: str | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
        blocked_threshold: int = BLOCKED_THRESHOLD,
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        rules.check_rate(problems, rate_limit, rate_window_seconds)
        rules.check_groups(problems, managed_groups)
        groups = (*BASE_GROUPS, *managed_groups)
        rules.check_overrides(problems, overrides, groups)
        problems.check(
            body_inspection_kb in get_args(BodyLimit),
            "body_inspection_kb",
            body_inspection_kb,
            f"must be one of {', '.join(map(str, get_args(BodyLimit)))}",
        )
        problems.check(blocked_threshold >= 1, "blocked_threshold", blocked_threshold, "must be at least 1")
        alarm_set = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        for override in overrides:
            self._record(override)
        name = self._name("web-acl")
        own = [
            rules.rate_rule(rate_limit, rate_window_seconds, overrides),
            *(rules.group_rule(group, overrides) for group in groups),
        ]
        acl = aws.wafv2_web_acl
        self.resource = self._create(
            acl.Wafv2WebAcl,
            "Resource",
            name=name,
            description=description or f"Protects {self.path}",
            scope="REGIONAL",
            default_action=acl.Wafv2WebAclDefaultAction(allow=acl.Wafv2WebAclDefaultActionAllow()),
            # AWS refuses duplicate priorities; the positions in one list are unique.
            rule=[rules.rule(priority, **rule) for priority, rule in enumerate(own)],
            association_config=_body_limit(body_inspection_kb),
            visibility_config=acl.Wafv2WebAclVisibilityConfig(
                cloudwatch_metrics_enabled=True,
                metric_name=name,
                sampled_requests_enabled=False,
            ),
        )
        self._arn = self._ref(self.resource, "arn")
        # AWS WAF refuses log groups whose names do not start with aws-waf-logs-.
        self.log = LogGroup(self, "log", region=region, key=key, name=f"aws-waf-logs-{name}")
        self._log(log_allowed=log_allowed)
        # The metric name of the web ACL is its dimension; without blocked requests there are no data points.
        alarm_set.add(
            "blocked-alarm",
            Alarm(
                *("AWS/WAFV2", "BlockedRequests", "GreaterThanThreshold", blocked_threshold),
                "Many requests are blocked: look in the log for which rule blocks, and whether the requests are valid",
                statistic="Sum",
                period=300,
                evaluation_periods=3,
                missing_data="notBreaching",
            ),
            {"WebACL": name, "Rule": "ALL", "Region": region.name},
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

    def _log(self, *, log_allowed: bool) -> None:
        """Write the log without credentials: those of AWS are in a header, or in the query of a presigned URL."""
        logging = aws.wafv2_web_acl_logging_configuration
        fields = logging.Wafv2WebAclLoggingConfigurationRedactedFields
        header = logging.Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader
        query = logging.Wafv2WebAclLoggingConfigurationRedactedFieldsQueryString
        self._create(
            logging.Wafv2WebAclLoggingConfiguration,
            "logging",
            resource_arn=self._arn,
            log_destination_configs=[self._ref(self.log.resource, "arn")],
            redacted_fields=[
                *(fields(single_header=header(name=name)) for name in REDACTED_HEADERS),
                fields(query_string=query()),
            ],
            logging_filter=None if log_allowed else _without_allowed(),
        )


def _without_allowed() -> Any:  # noqa: ANN401  the generated class
    """Return the filter that keeps requests that a rule matched, and drops all others."""
    logging = aws.wafv2_web_acl_logging_configuration
    condition = logging.Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition
    action = logging.Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition
    return logging.Wafv2WebAclLoggingConfigurationLoggingFilter(
        default_behavior="DROP",
        filter=[
            logging.Wafv2WebAclLoggingConfigurationLoggingFilterFilter(
                behavior="KEEP",
                requirement="MEETS_ANY",
                condition=[condition(action_condition=action(action=name)) for name in LOGGED_ACTIONS],
            )
        ],
    )


def _body_limit(kilobytes: int) -> aws.wafv2_web_acl.Wafv2WebAclAssociationConfig | None:
    if kilobytes == DEFAULT_BODY_LIMIT:
        return None
    acl = aws.wafv2_web_acl
    gateway = acl.Wafv2WebAclAssociationConfigRequestBodyApiGateway(default_size_inspection_limit=f"KB_{kilobytes}")
    return acl.Wafv2WebAclAssociationConfig(
        request_body=[acl.Wafv2WebAclAssociationConfigRequestBody(api_gateway=gateway)]
    )
