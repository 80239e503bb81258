"""What services allow in the names that their resources are given, and where a name may stand only once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

_DOCS: Final = "https://docs.aws.amazon.com"
PAGE: Final = f"{_DOCS}/general/latest/gr/aws-service-information.html"
"""The pages of the single services, looked at in November 2025, stand with each entry."""

RANDOM_PART: Final = 26
"""Characters that Terraform adds to a name_prefix."""


@dataclass(frozen=True)
class NameFact:
    """What is allowed in the name of one type of resource.

    Attributes:
        at: The attribute that holds the name.
        page: Under docs.aws.amazon.com.
        longest: Characters; 0 where another rule looks at the form.
        shortest: Characters.
        pattern: What the whole name must match; empty where every character may stand.
        words: The same in words.
        refused: What a name must not match, as a search.
        refused_words: The same in words.
        prefix_at: The attribute for a beginning that Terraform completes.
        longest_prefix: Characters of it; by default what the random part leaves.
        once_in: Where a name may stand only once; empty where it may be repeated.
        beside: An attribute that tells equal names apart, such as the VPC of a security group.
        is_own: Whether it is a name of its own that ought to say which environment it is of.
    """

    at: str
    page: str
    longest: int = 0
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
    def source(self) -> str:
        """The page that says so."""
        return f"{_DOCS}/{self.page}"


_WORD_CHARACTERS: Final = "letters, digits, hyphens and underscores"
_IAM_PATTERN: Final = r"[\w+=,.@-]+"
_IAM_WORDS: Final = "letters, digits and _ + = , . @ -"
_EDGES: Final = r"^-|-$|--"
_BALANCER: Final = r"^-|-$|^internal-"


def _iam(page: str, longest: int, *, is_own: bool = True, beside: str = "") -> NameFact:
    return NameFact(
        "name",
        f"IAM/latest/APIReference/{page}.html",
        longest,
        pattern=_IAM_PATTERN,
        words=_IAM_WORDS,
        once_in="account",
        is_own=is_own,
        beside=beside,
    )


def _plain(
    at: str, page: str, longest: int, *, is_own: bool = True, once_in: Literal["", "region"] = "region"
) -> NameFact:
    return NameFact(at, page, longest, pattern=r"[\w-]+", words=_WORD_CHARACTERS, is_own=is_own, once_in=once_in)


def _dotted(at: str, page: str, longest: int, beside: str = "") -> NameFact:
    return NameFact(
        at,
        page,
        longest,
        pattern=r"[\w.-]+",
        words="letters, digits, dots, hyphens and underscores",
        beside=beside,
    )


def _balancer(page: str) -> NameFact:
    return NameFact(
        "name",
        f"elasticloadbalancing/latest/APIReference/{page}.html",
        32,
        pattern=r"[A-Za-z0-9-]+",
        words="letters, digits and hyphens",
        refused=_BALANCER,
        refused_words="begin or end with a hyphen, nor begin with internal-",
        longest_prefix=6,
    )


def _parameters(page: str) -> NameFact:
    return NameFact(
        "name",
        f"AmazonRDS/latest/APIReference/{page}.html",
        255,
        pattern=r"[a-z][a-z0-9.-]*",
        words="lower-case letters, digits, dots and hyphens, a letter first",
        refused=_EDGES,
        refused_words="end with a hyphen or have two in a row",
    )


def _identified(
    at: str, page: str, prefix_at: str = "identifier_prefix", once_in: Literal["region", "account"] = "region"
) -> NameFact:
    return NameFact(at, page, prefix_at=prefix_at, once_in=once_in)


NAMES: Final = {
    "aws_api_gateway_rest_api": NameFact("name", "apigateway/latest/api/API_CreateRestApi.html", once_in=""),
    "aws_api_gateway_stage": _plain(
        "stage_name", "apigateway/latest/api/API_CreateStage.html", 128, is_own=False, once_in=""
    ),
    "aws_apigatewayv2_api": NameFact("name", "apigatewayv2/latest/api-reference/apis.html", 128, once_in=""),
    "aws_autoscaling_group": NameFact(
        "name",
        "autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
        255,
        refused=":",
        refused_words="contain a colon",
    ),
    "aws_backup_vault": _plain("name", "aws-backup/latest/devguide/API_CreateBackupVault.html", 50),
    "aws_cloudwatch_composite_alarm": NameFact(
        "alarm_name", "AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html", 255
    ),
    "aws_cloudwatch_dashboard": _plain(
        "dashboard_name", "AmazonCloudWatch/latest/APIReference/API_PutDashboard.html", 255
    ),
    "aws_cloudwatch_event_bus": NameFact(
        "name",
        "eventbridge/latest/APIReference/API_CreateEventBus.html",
        256,
        pattern=r"[/\w.-]+",
        words="letters, digits and / . - _",
        refused=r"^default$",
        refused_words="be default, which every account has",
    ),
    "aws_cloudwatch_event_rule": _dotted(
        "name", "eventbridge/latest/APIReference/API_PutRule.html", 64, "event_bus_name"
    ),
    "aws_cloudwatch_log_group": NameFact(
        "name",
        "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
        512,
        pattern=r"[\w./#-]+",
        words="letters, digits and . - _ / #",
        refused=r"^aws/",
        refused_words="begin with aws/",
    ),
    "aws_cloudwatch_metric_alarm": NameFact(
        "alarm_name", "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html", 255
    ),
    "aws_cognito_user_pool": NameFact(
        "name",
        "cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html",
        128,
        pattern=r"[\w\s+=,.@-]+",
        words="letters, digits, spaces and _ + = , . @ -",
        once_in="",
    ),
    "aws_db_instance": _identified("identifier", "AmazonRDS/latest/APIReference/API_CreateDBInstance.html"),
    "aws_db_parameter_group": _parameters("API_CreateDBParameterGroup"),
    "aws_db_subnet_group": NameFact(
        "name",
        "AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html",
        255,
        pattern=r"[a-z0-9 ._-]+",
        words="lower-case letters, digits, spaces and . _ -",
        refused=r"(?i)^default$",
        refused_words="be default",
    ),
    "aws_dynamodb_table": NameFact(
        "name",
        "amazondynamodb/latest/APIReference/API_CreateTable.html",
        255,
        3,
        pattern=r"[\w.-]+",
        words="letters, digits, dots, hyphens and underscores",
    ),
    "aws_ecs_cluster": _plain("name", "AmazonECS/latest/APIReference/API_CreateCluster.html", 255),
    "aws_elasticache_cluster": NameFact(
        "cluster_id", "AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html"
    ),
    "aws_elasticache_replication_group": NameFact(
        "replication_group_id", "AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"
    ),
    "aws_elasticache_subnet_group": NameFact(
        "name",
        "AmazonElastiCache/latest/APIReference/API_CreateCacheSubnetGroup.html",
        255,
        pattern=r"[A-Za-z0-9-]+",
        words="letters, digits and hyphens",
    ),
    "aws_iam_instance_profile": _iam("API_CreateInstanceProfile", 128),
    "aws_iam_policy": _iam("API_CreatePolicy", 128),
    "aws_iam_role": _iam("API_CreateRole", 64),
    "aws_iam_role_policy": _iam("API_PutRolePolicy", 128, is_own=False, beside="role"),
    "aws_kinesis_stream": _dotted("name", "kinesis/latest/APIReference/API_CreateStream.html", 128),
    "aws_kms_alias": NameFact(
        "name",
        "kms/latest/APIReference/API_CreateAlias.html",
        256,
        pattern=r"alias/[\w/-]+",
        words="alias/ and letters, digits, slashes, hyphens and underscores",
        refused=r"^alias/aws/",
        refused_words="begin with alias/aws/, which is AWS's own",
    ),
    "aws_lambda_alias": _plain("name", "lambda/latest/api/API_CreateAlias.html", 128, is_own=False, once_in=""),
    "aws_lambda_function": _plain("function_name", "lambda/latest/api/API_CreateFunction.html", 64),
    "aws_lambda_layer_version": _plain("layer_name", "lambda/latest/api/API_PublishLayerVersion.html", 140),
    "aws_launch_template": NameFact(
        "name",
        "AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
        128,
        3,
        pattern=r"[\w()./-]+",
        words="letters, digits and ( ) . - / _",
    ),
    "aws_lb": _balancer("API_CreateLoadBalancer"),
    "aws_lb_target_group": _balancer("API_CreateTargetGroup"),
    "aws_rds_cluster": _identified(
        "cluster_identifier", "AmazonRDS/latest/APIReference/API_CreateDBCluster.html", "cluster_identifier_prefix"
    ),
    "aws_rds_cluster_instance": _identified("identifier", "AmazonRDS/latest/APIReference/API_CreateDBInstance.html"),
    "aws_rds_cluster_parameter_group": _parameters("API_CreateDBClusterParameterGroup"),
    "aws_rds_global_cluster": _identified(
        "global_cluster_identifier", "AmazonRDS/latest/APIReference/API_CreateGlobalCluster.html", "", "account"
    ),
    "aws_s3_bucket": NameFact(
        "bucket", "AmazonS3/latest/userguide/bucketnamingrules.html", prefix_at="bucket_prefix", once_in="world"
    ),
    "aws_scheduler_schedule": _dotted(
        "name", "scheduler/latest/APIReference/API_CreateSchedule.html", 64, "group_name"
    ),
    "aws_secretsmanager_secret": NameFact(
        "name",
        "secretsmanager/latest/apireference/API_CreateSecret.html",
        512,
        pattern=r"[\w/+=.@-]+",
        words="letters, digits and / _ + = . @ -",
    ),
    "aws_security_group": NameFact(
        "name",
        "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
        255,
        pattern=r"[\w .:/()#,@\[\]+=&;{}!$*-]+",
        words="letters, digits, spaces and . _ - : / ( ) # , @ [ ] + = & ; { } ! $ *",
        refused=r"(?i)^sg-|^default$",
        refused_words="begin with sg- or be default",
        beside="vpc_id",
    ),
    "aws_sfn_state_machine": _plain("name", "step-functions/latest/apireference/API_CreateStateMachine.html", 80),
    "aws_sns_topic": NameFact(
        "name",
        "sns/latest/api/API_CreateTopic.html",
        256,
        pattern=r"[\w-]+(?:\.fifo)?",
        words=f"{_WORD_CHARACTERS}; .fifo at the end of a FIFO topic's",
    ),
    "aws_sqs_queue": NameFact(
        "name",
        "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
        80,
        pattern=r"[\w-]+(?:\.fifo)?",
        words=f"{_WORD_CHARACTERS}; .fifo at the end of a FIFO queue's",
    ),
    "aws_ssm_parameter": NameFact(
        "name",
        "systems-manager/latest/APIReference/API_PutParameter.html",
        1011,
        pattern=r"[\w./-]+",
        words="letters, digits and . - _ /",
        refused=r"(?i)^/?(?:aws|ssm)",
        refused_words="begin with aws or ssm",
    ),
    "aws_wafv2_web_acl": _plain("name", "waf/latest/APIReference/API_CreateWebACL.html", 128),
}
"""By type; buckets, databases and caches have rules of their own for the form of their names."""

NAMES["aws_alb"] = NAMES["aws_lb"]
NAMES["aws_alb_target_group"] = NAMES["aws_lb_target_group"]

_AWS_OWN: Final = re.compile(r"^(?:alias/|/aws/(?:vendedlogs/)?[\w-]+/(?:(?:cluster|instance)/)?|aws-waf-logs-|/)")


def bare(name: str) -> str:
    """Return a name without the beginning that a service asks for, such as /aws/lambda/."""
    return _AWS_OWN.sub("", name)
