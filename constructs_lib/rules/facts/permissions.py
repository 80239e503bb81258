"""Actions with resource-level permissions, actions that escalate privileges, services that act for others."""

from __future__ import annotations

from typing import Final

PAGE: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
"""The service authorization reference, read in November 2025."""

SCOPED: Final = {
    "airflow": ("CreateCliToken", "CreateWebLoginToken"),
    "appsync": ("GraphQL",),
    "athena": ("GetQueryResults", "StartQueryExecution", "StopQueryExecution"),
    "autoscaling": (
        "CompleteLifecycleAction",
        "DeleteAutoScalingGroup",
        "PutScalingPolicy",
        "SetDesiredCapacity",
        "SetInstanceHealth",
        "TerminateInstanceInAutoScalingGroup",
        "UpdateAutoScalingGroup",
    ),
    "batch": ("SubmitJob",),
    "bedrock": ("InvokeAgent", "InvokeModel", "InvokeModelWithResponseStream"),
    "cloudformation": ("CreateStack", "DeleteStack", "UpdateStack"),
    "cloudfront": ("CreateInvalidation", "DeleteDistribution", "UpdateDistribution"),
    "cloudwatch": ("DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm", "SetAlarmState"),
    "codebuild": ("StartBuild", "UpdateProject"),
    "cognito-idp": ("AdminCreateUser", "AdminDeleteUser", "AdminSetUserPassword", "AdminUpdateUserAttributes"),
    "dynamodb": (
        "BatchGetItem",
        "BatchWriteItem",
        "ConditionCheckItem",
        "DeleteItem",
        "DeleteTable",
        "GetItem",
        "GetRecords",
        "GetShardIterator",
        "PartiQLDelete",
        "PartiQLInsert",
        "PartiQLSelect",
        "PartiQLUpdate",
        "PutItem",
        "Query",
        "Scan",
        "UpdateItem",
        "UpdateTable",
    ),
    "ec2": (
        "AuthorizeSecurityGroupEgress",
        "AuthorizeSecurityGroupIngress",
        "DeleteSecurityGroup",
        "DeleteSnapshot",
        "DeleteVolume",
        "ModifyInstanceAttribute",
        "RebootInstances",
        "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "RunInstances",
        "StartInstances",
        "StopInstances",
        "TerminateInstances",
    ),
    "ecr": (
        "BatchDeleteImage",
        "BatchGetImage",
        "CompleteLayerUpload",
        "DeleteRepository",
        "GetDownloadUrlForLayer",
        "InitiateLayerUpload",
        "PutImage",
        "SetRepositoryPolicy",
        "UploadLayerPart",
    ),
    "ecs": ("DeleteService", "ExecuteCommand", "RunTask", "StartTask", "StopTask", "UpdateService"),
    "elasticache": ("Connect", "DeleteReplicationGroup", "ModifyReplicationGroup"),
    "elasticfilesystem": ("ClientMount", "ClientRootAccess", "ClientWrite", "DeleteFileSystem"),
    "elasticloadbalancing": ("DeleteLoadBalancer", "DeregisterTargets", "ModifyListener", "RegisterTargets"),
    "es": ("ESHttpDelete", "ESHttpGet", "ESHttpPost", "ESHttpPut"),
    "events": ("DeleteRule", "DisableRule", "EnableRule", "PutEvents", "PutRule", "PutTargets", "RemoveTargets"),
    "execute-api": ("Invoke", "ManageConnections"),
    "firehose": ("DeleteDeliveryStream", "PutRecord", "PutRecordBatch"),
    "iam": ("CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "TagRole"),
    "kinesis": ("DeleteStream", "GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"),
    "kms": ("DisableKey", "ScheduleKeyDeletion", "Sign"),
    "lambda": (
        "DeleteFunction",
        "InvokeAsync",
        "InvokeFunction",
        "InvokeFunctionUrl",
        "PublishVersion",
        "UpdateAlias",
    ),
    "logs": (
        "CreateLogGroup",
        "CreateLogStream",
        "DeleteLogGroup",
        "DeleteLogStream",
        "FilterLogEvents",
        "GetLogEvents",
        "PutLogEvents",
        "PutRetentionPolicy",
        "PutSubscriptionFilter",
    ),
    "pipes": ("CreatePipe", "DeletePipe", "StartPipe", "StopPipe", "UpdatePipe"),
    "rds": (
        "DeleteDBCluster",
        "DeleteDBInstance",
        "ModifyDBCluster",
        "ModifyDBInstance",
        "RebootDBInstance",
        "StartDBCluster",
        "StartDBInstance",
        "StopDBCluster",
        "StopDBInstance",
    ),
    "rds-data": ("BatchExecuteStatement", "BeginTransaction", "CommitTransaction", "ExecuteStatement"),
    "rds-db": ("connect",),
    "route53": ("ChangeResourceRecordSets", "DeleteHostedZone"),
    "s3": (
        "AbortMultipartUpload",
        "CreateBucket",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "DeleteObject",
        "DeleteObjectVersion",
        "GetObject",
        "GetObjectVersion",
        "ListBucket",
        "PutBucketPolicy",
        "PutObject",
        "PutObjectAcl",
        "RestoreObject",
    ),
    "scheduler": ("CreateSchedule", "DeleteSchedule", "UpdateSchedule"),
    "secretsmanager": ("DeleteSecret", "GetSecretValue", "PutSecretValue", "RotateSecret", "UpdateSecret"),
    "sns": ("AddPermission", "DeleteTopic", "SetTopicAttributes", "Subscribe"),
    "sqs": (
        "ChangeMessageVisibility",
        "DeleteMessage",
        "DeleteQueue",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
        "SetQueueAttributes",
    ),
    "ssm": ("DeleteParameter", "GetParameter", "GetParameters", "GetParametersByPath", "PutParameter", "SendCommand"),
    "states": ("StartExecution", "StartSyncExecution", "StopExecution", "UpdateStateMachine"),
    "sts": ("AssumeRole", "AssumeRoleWithWebIdentity"),
}
"""Actions that can be narrowed to resources, by service; sns:Publish is none, as phone numbers have no ARN."""

RESOURCE_OF: Final = {
    "dynamodb": ("aws_dynamodb_table", "arn"),
    "events": ("aws_cloudwatch_event_bus", "arn"),
    "kinesis": ("aws_kinesis_stream", "arn"),
    "kms": ("aws_kms_key", "arn"),
    "lambda": ("aws_lambda_function", "arn"),
    "logs": ("aws_cloudwatch_log_group", "arn"),
    "s3": ("aws_s3_bucket", "arn"),
    "secretsmanager": ("aws_secretsmanager_secret", "arn"),
    "sns": ("aws_sns_topic", "arn"),
    "sqs": ("aws_sqs_queue", "arn"),
    "ssm": ("aws_ssm_parameter", "arn"),
    "states": ("aws_sfn_state_machine", "arn"),
}
"""What a statement of a service is narrowed to."""

ESCALATING: Final = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "lambda:AddPermission",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
)
"""Actions with which an identity gets the rights of others."""

DECRYPTING: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")

ADMINISTRATING: Final = frozenset({"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"})
"""Managed policies of AWS that give all rights, or the way to them."""

ACTING_FOR_OTHERS: Final = frozenset(
    {
        "bedrock.amazonaws.com",
        "codebuild.amazonaws.com",
        "config.amazonaws.com",
        "events.amazonaws.com",
        "firehose.amazonaws.com",
        "monitoring.rds.amazonaws.com",
        "pipes.amazonaws.com",
        "scheduler.amazonaws.com",
        "states.amazonaws.com",
        "transfer.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }
)
"""Services that tell a role for which account or resource they act, by their own pages on the confused deputy."""

LIMITS: Final = {"managed": 6_144, "role": 10_240, "group": 5_120, "user": 2_048, "trust": 2_048}
"""Characters of policies, white space aside: IAM and AWS STS quotas, read in November 2025."""

MAX_ATTACHED: Final = 10
"""Managed policies of one role, unless the account's quota is raised."""
