"""Naming rules of resource types, and the scope in which a name must be unique."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.foundation.naming import NAME_RULES, NameRule

_DOCS: Final = "https://docs.aws.amazon.com"
PAGE: Final = f"{_DOCS}/general/latest/gr/aws-service-information.html"
"""The pages of the single services, read in November 2025, stand with each entry."""

RANDOM_PART: Final = 26
"""Characters that Terraform adds to a name_prefix."""


@dataclass(frozen=True)
class NameFact:
    """The naming rules of a resource type.

    Attributes:
        at: The attribute that holds the name.
        limit: Its longest length, and the page that says so.
        checks_length: Whether the length is checked here; another rule checks the form of the others.
        shortest: Characters.
        pattern: What the whole name must match; empty where every character may stand.
        words: The same in words.
        refused: What a name must not match, as a search.
        refused_words: The same in words.
        prefix_at: The attribute for a beginning that Terraform completes.
        longest_prefix: Characters of it; by default what the random part leaves.
        once_in: The scope in which the name must be unique; empty if it need not be.
        beside: An attribute that tells equal names apart, such as the VPC of a security group.
        is_own: Whether it is a name of its own that ought to say which environment it is of.
    """

    at: str
    limit: NameRule
    checks_length: bool = True
    shortest: int = 1
    pattern: str = ""
    words: str = ""
    refused: str = ""
    refused_words: str = ""
    prefix_at: str = "name_prefix"
    longest_prefix: int = 0
    once_in: Literal["", "region", "account", "world"] = "region"
    beside: str = ""
    is_own: bool = True

    @property
    def prefix_limit(self) -> int:
        """Characters that a beginning may have."""
        return self.longest_prefix or max(0, self.longest - RANDOM_PART)

    @property
    def longest(self) -> int:
        """Characters; 0 where the length is not checked."""
        return self.limit.max_length if self.checks_length else 0

    @property
    def source(self) -> str:
        """The page that says so."""
        return self.limit.source


_WORD_CHARACTERS: Final = "letters, digits, hyphens and underscores"
_IAM_PATTERN: Final = r"[\w+=,.@-]+"
_IAM_WORDS: Final = "letters, digits and _ + = , . @ -"
_EDGES: Final = r"^-|-$|--"
_BALANCER: Final = r"^-|-$|^internal-"


def _limit(max_length: int, page: str) -> NameRule:
    return NameRule(max_length, f"{_DOCS}/{page}")


def _iam(limit: NameRule, *, is_own: bool = True, beside: str = "") -> NameFact:
    return NameFact(
        "name",
        limit,
        pattern=_IAM_PATTERN,
        words=_IAM_WORDS,
        once_in="account",
        is_own=is_own,
        beside=beside,
    )


def _plain(at: str, limit: NameRule, *, is_own: bool = True, once_in: Literal["", "region"] = "region") -> NameFact:
    return NameFact(at, limit, pattern=r"[\w-]+", words=_WORD_CHARACTERS, is_own=is_own, once_in=once_in)


def _dotted(at: str, limit: NameRule, beside: str = "") -> NameFact:
    return NameFact(
        at,
        limit,
        pattern=r"[\w.-]+",
        words="letters, digits, dots, hyphens and underscores",
        beside=beside,
    )


def _balancer(limit: NameRule) -> NameFact:
    return NameFact(
        "name",
        limit,
        pattern=r"[A-Za-z0-9-]+",
        words="letters, digits and hyphens",
        refused=_BALANCER,
        refused_words="begin or end with a hyphen, nor begin with internal-",
        longest_prefix=6,
    )


def _parameters(limit: NameRule) -> NameFact:
    return NameFact(
        "name",
        limit,
        pattern=r"[a-z][a-z0-9.-]*",
        words="lower-case letters, digits, dots and hyphens, a letter first",
        refused=_EDGES,
        refused_words="end with a hyphen or have two in a row",
    )


def _identified(
    at: str, limit: NameRule, prefix_at: str = "identifier_prefix", once_in: Literal["region", "account"] = "region"
) -> NameFact:
    return NameFact(at, limit, checks_length=False, prefix_at=prefix_at, once_in=once_in)


NAMES: Final = {
    "aws_api_gateway_rest_api": NameFact("name", NAME_RULES["api"], checks_length=False, once_in=""),
    "aws_api_gateway_stage": _plain(
        "stage_name", _limit(128, "apigateway/latest/api/API_CreateStage.html"), is_own=False, once_in=""
    ),
    "aws_apigatewayv2_api": NameFact("name", _limit(128, "apigatewayv2/latest/api-reference/apis.html"), once_in=""),
    "aws_autoscaling_group": NameFact(
        "name",
        NAME_RULES["auto-scaling-group"],
        refused=":",
        refused_words="contain a colon",
    ),
    "aws_backup_vault": _plain("name", _limit(50, "aws-backup/latest/devguide/API_CreateBackupVault.html")),
    "aws_cloudwatch_composite_alarm": NameFact(
        "alarm_name", _limit(255, "AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html")
    ),
    "aws_cloudwatch_dashboard": _plain(
        "dashboard_name", _limit(255, "AmazonCloudWatch/latest/APIReference/API_PutDashboard.html")
    ),
    "aws_cloudwatch_event_bus": NameFact(
        "name",
        NAME_RULES["event-bus"],
        pattern=r"[/\w.-]+",
        words="letters, digits and / . - _",
        refused=r"^default$",
        refused_words="be default, which every account has",
    ),
    "aws_cloudwatch_event_rule": _dotted("name", NAME_RULES["event-rule"], "event_bus_name"),
    "aws_cloudwatch_log_group": NameFact(
        "name",
        NAME_RULES["log-group"],
        pattern=r"[\w./#-]+",
        words="letters, digits and . - _ / #",
        refused=r"^aws/",
        refused_words="begin with aws/",
    ),
    "aws_cloudwatch_metric_alarm": NameFact("alarm_name", NAME_RULES["alarm"]),
    "aws_cognito_user_pool": NameFact(
        "name",
        _limit(128, "cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html"),
        pattern=r"[\w\s+=,.@-]+",
        words="letters, digits, spaces and _ + = , . @ -",
        once_in="",
    ),
    "aws_db_instance": _identified("identifier", NAME_RULES["db-instance"]),
    "aws_db_parameter_group": _parameters(NAME_RULES["db-parameter-group"]),
    "aws_db_subnet_group": NameFact(
        "name",
        NAME_RULES["db-subnet-group"],
        pattern=r"[a-z0-9 ._-]+",
        words="lower-case letters, digits, spaces and . _ -",
        refused=r"(?i)^default$",
        refused_words="be default",
    ),
    "aws_dynamodb_table": NameFact(
        "name",
        NAME_RULES["table"],
        shortest=3,
        pattern=r"[\w.-]+",
        words="letters, digits, dots, hyphens and underscores",
    ),
    "aws_ecs_cluster": _plain("name", _limit(255, "AmazonECS/latest/APIReference/API_CreateCluster.html")),
    "aws_elasticache_cluster": NameFact(
        "cluster_id",
        _limit(0, "AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html"),
        checks_length=False,
    ),
    "aws_elasticache_replication_group": NameFact("replication_group_id", NAME_RULES["cache"], checks_length=False),
    "aws_elasticache_subnet_group": NameFact(
        "name",
        NAME_RULES["cache-subnet-group"],
        pattern=r"[A-Za-z0-9-]+",
        words="letters, digits and hyphens",
    ),
    "aws_iam_instance_profile": _iam(NAME_RULES["instance-profile"]),
    "aws_iam_policy": _iam(_limit(128, "IAM/latest/APIReference/API_CreatePolicy.html")),
    "aws_iam_role": _iam(NAME_RULES["role"]),
    "aws_iam_role_policy": _iam(NAME_RULES["policy"], is_own=False, beside="role"),
    "aws_kinesis_stream": _dotted("name", _limit(128, "kinesis/latest/APIReference/API_CreateStream.html")),
    "aws_kms_alias": NameFact(
        "name",
        NAME_RULES["alias"],
        pattern=r"alias/[\w/-]+",
        words="alias/ and letters, digits, slashes, hyphens and underscores",
        refused=r"^alias/aws/",
        refused_words="begin with alias/aws/, which is AWS's own",
    ),
    "aws_lambda_alias": _plain("name", _limit(128, "lambda/latest/api/API_CreateAlias.html"), is_own=False, once_in=""),
    "aws_lambda_function": _plain("function_name", NAME_RULES["function"]),
    "aws_lambda_layer_version": _plain("layer_name", NAME_RULES["layer"]),
    "aws_launch_template": NameFact(
        "name",
        NAME_RULES["launch-template"],
        shortest=3,
        pattern=r"[\w()./-]+",
        words="letters, digits and ( ) . - / _",
    ),
    "aws_lb": _balancer(NAME_RULES["load-balancer"]),
    "aws_lb_target_group": _balancer(NAME_RULES["target-group"]),
    "aws_rds_cluster": _identified("cluster_identifier", NAME_RULES["db-cluster"], "cluster_identifier_prefix"),
    "aws_rds_cluster_instance": _identified("identifier", NAME_RULES["db-instance"]),
    "aws_rds_cluster_parameter_group": _parameters(
        _limit(255, "AmazonRDS/latest/APIReference/API_CreateDBClusterParameterGroup.html")
    ),
    "aws_rds_global_cluster": _identified(
        "global_cluster_identifier",
        _limit(0, "AmazonRDS/latest/APIReference/API_CreateGlobalCluster.html"),
        "",
        "account",
    ),
    "aws_s3_bucket": NameFact(
        "bucket", NAME_RULES["bucket"], checks_length=False, prefix_at="bucket_prefix", once_in="world"
    ),
    "aws_scheduler_schedule": _dotted(
        "name", _limit(64, "scheduler/latest/APIReference/API_CreateSchedule.html"), "group_name"
    ),
    "aws_secretsmanager_secret": NameFact(
        "name",
        NAME_RULES["secret"],
        pattern=r"[\w/+=.@-]+",
        words="letters, digits and / _ + = . @ -",
    ),
    "aws_security_group": NameFact(
        "name",
        NAME_RULES["security-group"],
        pattern=r"[\w .:/()#,@\[\]+=&;{}!$*-]+",
        words="letters, digits, spaces and . _ - : / ( ) # , @ [ ] + = & ; { } ! $ *",
        refused=r"(?i)^sg-|^default$",
        refused_words="begin with sg- or be default",
        beside="vpc_id",
    ),
    "aws_sfn_state_machine": _plain(
        "name", _limit(80, "step-functions/latest/apireference/API_CreateStateMachine.html")
    ),
    "aws_sns_topic": NameFact(
        "name",
        NAME_RULES["topic"],
        pattern=r"[\w-]+(?:\.fifo)?",
        words=f"{_WORD_CHARACTERS}; .fifo at the end of a FIFO topic's",
    ),
    "aws_sqs_queue": NameFact(
        "name",
        NAME_RULES["queue"],
        pattern=r"[\w-]+(?:\.fifo)?",
        words=f"{_WORD_CHARACTERS}; .fifo at the end of a FIFO queue's",
    ),
    "aws_ssm_parameter": NameFact(
        "name",
        _limit(1011, "systems-manager/latest/APIReference/API_PutParameter.html"),
        pattern=r"[\w./-]+",
        words="letters, digits and . - _ /",
        refused=r"(?i)^/?(?:aws|ssm)",
        refused_words="begin with aws or ssm",
    ),
    "aws_wafv2_web_acl": _plain("name", NAME_RULES["web-acl"]),
}
"""By type; buckets, databases and caches have rules of their own for the form of their names."""

NAMES["aws_alb"] = NAMES["aws_lb"]
NAMES["aws_alb_target_group"] = NAMES["aws_lb_target_group"]

_AWS_OWN: Final = re.compile(r"^(?:alias/|/aws/(?:vendedlogs/)?[\w-]+/(?:(?:cluster|instance)/)?|aws-waf-logs-|/)")


def bare(name: str) -> str:
    """Return a name without the prefix that a service requires, such as /aws/lambda/."""
    return _AWS_OWN.sub("", name)
