"""Attributes whose value must be of the block's own region, and those of the same name that may name another.

Read from the pages of the AWS provider 5.100 and 6.x and of the services, November 2025.
"""

from __future__ import annotations

from typing import Final

KEYS: Final = frozenset(
    {
        "encryption_key",
        "encryption_key_arn",
        "key_id",
        "kms_key",
        "kms_key_arn",
        "kms_key_id",
        "kms_key_identifier",
        "kms_master_key_id",
        "kms_storage_key",
        "master_user_secret_kms_key_id",
        "performance_insights_kms_key_id",
        "target_key_id",
    }
)
"""Names of attributes that take an encryption key of the same region."""

BOUND: Final = frozenset(
    {
        "allocation_id",
        "autoscaling_group_name",
        "certificate_arn",
        "cluster_identifier",
        "db_cluster_parameter_group_name",
        "db_parameter_group_name",
        "db_subnet_group_name",
        "default_network_acl_id",
        "default_route_table_id",
        "egress_only_gateway_id",
        "eip_id",
        "event_source_arn",
        "file_system_id",
        "gateway_id",
        "image_id",
        "image_uri",
        "instance_id",
        "internet_gateway_id",
        "lambda_function_name",
        "launch_template_id",
        "layers",
        "listener_arn",
        "load_balancer_arn",
        "log_group_name",
        "nat_gateway_id",
        "network_acl_id",
        "network_interface_id",
        "option_group_name",
        "parameter_group_name",
        "referenced_security_group_id",
        "regional_certificate_arn",
        "replication_group_id",
        "resource_id",
        "rest_api_id",
        "route_table_id",
        "route_table_ids",
        "security_group",
        "security_group_id",
        "security_group_ids",
        "security_group_names",
        "security_groups",
        "snapshot_identifier",
        "source_security_group_id",
        "stage_name",
        "subnet",
        "subnet_group_name",
        "subnet_id",
        "subnet_ids",
        "subnets",
        "target_group_arn",
        "target_group_arns",
        "transit_gateway_id",
        "transit_gateway_route_table_id",
        "user_pool_id",
        "volume_id",
        "vpc_endpoint_id",
        "vpc_endpoint_ids",
        "vpc_id",
        "vpc_link_id",
        "vpc_peering_connection_id",
        "vpc_security_group_ids",
        "vpc_zone_identifier",
        "web_acl_arn",
    }
)
"""Names of attributes that take a thing of the same region, whatever the type."""

BOUND_OF_TYPE: Final = frozenset(
    {
        ("aws_cloudwatch_event_rule", "event_bus_name"),
        ("aws_dynamodb_table_item", "table_name"),
        ("aws_ecs_service", "cluster"),
        ("aws_ecs_service", "task_definition"),
        ("aws_lambda_alias", "function_name"),
        ("aws_lambda_event_source_mapping", "function_name"),
        ("aws_lambda_function_event_invoke_config", "function_name"),
        ("aws_lambda_function_url", "function_name"),
        ("aws_lambda_permission", "function_name"),
        ("aws_lambda_provisioned_concurrency_config", "function_name"),
        ("aws_lb", "access_logs.bucket"),
        ("aws_s3_bucket_notification", "lambda_function.lambda_function_arn"),
        ("aws_s3_bucket_notification", "queue.queue_arn"),
        ("aws_s3_bucket_notification", "topic.topic_arn"),
        ("aws_s3_bucket_logging", "target_bucket"),
        ("aws_sns_topic_policy", "arn"),
        ("aws_sns_topic_subscription", "topic_arn"),
        ("aws_sqs_queue_policy", "queue_url"),
        ("aws_sqs_queue_redrive_policy", "queue_url"),
        ("aws_wafv2_web_acl_association", "resource_arn"),
        *(
            (f"aws_s3_bucket_{part}", "bucket")
            for part in (
                "accelerate_configuration",
                "acl",
                "cors_configuration",
                "intelligent_tiering_configuration",
                "inventory",
                "lifecycle_configuration",
                "logging",
                "notification",
                "object_lock_configuration",
                "ownership_controls",
                "policy",
                "public_access_block",
                "replication_configuration",
                "server_side_encryption_configuration",
                "versioning",
                "website_configuration",
            )
        ),
    }
)
"""Type and dotted path, without positions, of attributes that are bound to the region in this type only."""

MAY_CROSS: Final = frozenset(
    {
        # copies in another region have a key of that region
        ("aws_dynamodb_table", "replica.kms_key_arn"),
        ("aws_imagebuilder_distribution_configuration", "distribution.ami_distribution_configuration.kms_key_id"),
        ("aws_secretsmanager_secret", "replica.kms_key_id"),
        ("aws_ssmincidents_replication_set", "region.kms_key_arn"),
        ("aws_ssmincidents_replication_set", "regions.kms_key_arn"),
        # the key of a bucket, which may stand elsewhere
        ("aws_cloudtrail", "kms_key_id"),
        ("aws_kinesis_firehose_delivery_stream", "extended_s3_configuration.kms_key_arn"),
        ("aws_ssm_resource_data_sync", "s3_destination.kms_key_arn"),
        # a certificate of us-east-1 for a distribution
        ("aws_api_gateway_domain_name", "certificate_arn"),
        ("aws_appsync_domain_name", "certificate_arn"),
        ("aws_cognito_user_pool_domain", "certificate_arn"),
        # a connection that the other side made
        ("aws_default_route_table", "route.vpc_peering_connection_id"),
        ("aws_route", "vpc_peering_connection_id"),
        ("aws_route_table", "route.vpc_peering_connection_id"),
        ("aws_vpc_peering_connection_accepter", "vpc_peering_connection_id"),
        ("aws_vpc_peering_connection_options", "vpc_peering_connection_id"),
        # the far cluster's network
        ("aws_msk_replicator", "kafka_cluster.vpc_config.subnet_ids"),
    }
)
"""Type and dotted path, without positions, of attributes that take a thing of another region as well."""

FREE: Final = frozenset(
    {
        "default_tags",
        "dimensions",
        "environment",
        "input",
        "keepers",
        "lifecycle",
        "metadata",
        "parameters",
        "tags",
        "tags_all",
        "triggers",
        "variables",
    }
)
"""Parts of a path below which names are the author's own."""


def bound(type_: str, path: str) -> bool:
    """Whether the value at a dotted path without positions must be of the block's own region."""
    if (type_, path) in MAY_CROSS:
        return False
    named = path.rpartition(".")[2] in BOUND or (type_, path) in BOUND_OF_TYPE
    return named and FREE.isdisjoint(path.split("."))


def takes_key(type_: str, path: str) -> bool:
    """Whether a dotted path without positions takes an encryption key of the block's own region."""
    named = path.rpartition(".")[2] in KEYS and (type_, path) not in MAY_CROSS
    return named and FREE.isdisjoint(path.split("."))
