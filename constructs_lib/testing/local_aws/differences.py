"""Known differences between the local AWS and AWS. A run prints this table; any other difference is drift."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Effect(enum.Enum):
    """What a difference does to a run."""

    NOT_APPLIED = "not applied"
    """The local AWS does not support the resource type: it is planned and not applied."""

    SECOND_PLAN = "known difference on the second plan"
    """The local AWS returns another value than AWS does."""

    READS_BACK = "returned as it was sent"
    """A fix in this library returns the value: an empty second plan proves nothing about AWS."""


@dataclass(frozen=True)
class KnownDifference:
    """An attribute, or a resource type, in which the local AWS differs from AWS.

    Attributes:
        type: Terraform resource type, with the prefix `data.` for a data source.
        attribute: Top-level attribute, including its nested attributes; `*` for the whole resource.
        effect: The effect on a run.
        reason: How the local AWS differs.
        fix: The fix that returns the attribute; empty if there is none.
    """

    type: str
    attribute: str
    effect: Effect
    reason: str
    fix: str = ""

    def covers(self, type_: str, attribute: str) -> bool:
        """Return whether a difference of this attribute on the second plan is known."""
        return (
            self.effect is Effect.SECOND_PLAN
            and type_ == self.type
            and (self.attribute == "*" or re.split(r"[.\[]", attribute, maxsplit=1)[0] == self.attribute)
        )


def _rows(effect: Effect, reason: str, fix: str = "", **attributes: tuple[str, ...]) -> list[KnownDifference]:
    return [
        KnownDifference(type_.replace("data_", "data.", 1), attribute, effect, reason, fix)
        for type_, names in attributes.items()
        for attribute in names
    ]


def _fixed(fix: str, reason: str, **attributes: tuple[str, ...]) -> list[KnownDifference]:
    return _rows(Effect.READS_BACK, reason, fix, **attributes)


_INSIGHTS: Final = (
    "performance_insights_enabled",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
)

KNOWN_DIFFERENCES: Final[tuple[KnownDifference, ...]] = (
    *_rows(
        Effect.NOT_APPLIED,
        "moto does not support it",
        aws_lambda_provisioned_concurrency_config=("*",),
        aws_cloudwatch_composite_alarm=("*",),
    ),
    *_rows(
        Effect.SECOND_PLAN,
        "moto does not return it",
        aws_s3_bucket_intelligent_tiering_configuration=("*",),
    ),
    *_rows(
        Effect.SECOND_PLAN,
        "moto stores one set of tags per peering connection; AWS stores one per side",
        aws_vpc_peering_connection=("tags", "tags_all"),
        aws_vpc_peering_connection_accepter=("tags", "tags_all"),
    ),
    *_fixed(
        "replica_keys_are_independent",
        "moto shares aliases, grants and key role between a primary key and its replicas; the fix separates them",
        aws_kms_key=("multi_region",),
        aws_kms_replica_key=("primary_key_arn",),
        aws_kms_alias=("name", "target_key_id"),
        aws_kms_grant=("key_id",),
    ),
    *_fixed(
        "replica_keys_keep_policy_description_and_tags",
        "moto does not store it",
        aws_kms_replica_key=("policy", "description", "tags", "tags_all"),
    ),
    *_fixed("key_rotation_keeps_its_period", "moto does not store it", aws_kms_key=("rotation_period_in_days",)),
    *_fixed(
        "secret_replicas_keep_their_kms_key",
        "moto returns the AWS managed key for every replica",
        aws_secretsmanager_secret=("replica",),
    ),
    *_fixed(
        "multi_region_key_ids_have_no_hyphens",
        "moto's multi-Region key ids contain hyphens, which Terraform's S3 backend rejects",
        aws_kms_key=("key_id",),
        aws_kms_replica_key=("key_id",),
    ),
    *_fixed(
        "queues_have_a_redrive_allow_policy",
        "moto does not support it",
        aws_sqs_queue=("redrive_allow_policy",),
        aws_sqs_queue_redrive_allow_policy=("redrive_allow_policy",),
    ),
    *_fixed(
        "redrive_policies_are_compact_json",
        "moto returns the JSON with spaces; AWS returns it without",
        aws_sqs_queue=("redrive_policy", "redrive_allow_policy"),
        aws_sqs_queue_redrive_allow_policy=("redrive_allow_policy",),
        aws_sqs_queue_redrive_policy=("redrive_policy",),
    ),
    *_fixed(
        "queues_keep_their_policy",
        "moto deletes the policy when another attribute is set",
        aws_sqs_queue_policy=("policy",),
    ),
    *_fixed(
        "topics_have_a_signature_version",
        "moto does not return it",
        aws_sns_topic=("signature_version",),
    ),
    *_fixed(
        "api_policies_are_escaped",
        "moto does not escape the quotes in the policy as AWS does",
        aws_api_gateway_rest_api=("policy",),
        aws_api_gateway_rest_api_policy=("policy",),
    ),
    *_fixed(
        "state_machines_support_validation_and_versions",
        "moto supports neither validation nor versions; the fix accepts every JSON definition and returns no versions",
        aws_sfn_state_machine=("definition", "publish"),
    ),
    *_fixed(
        "network_acls_keep_icmp_types",
        "moto does not store the ICMP type and code",
        aws_network_acl=("ingress", "egress"),
        aws_network_acl_rule=("icmp_type", "icmp_code"),
        aws_default_network_acl=("ingress", "egress"),
    ),
    *_fixed(
        "security_group_rules_keep_descriptions",
        "moto does not return the description of a rule whose source or destination is a security group or prefix list",
        aws_vpc_security_group_egress_rule=("description",),
        aws_vpc_security_group_ingress_rule=("description",),
    ),
    *_fixed(
        "launch_template_tags_are_separate",
        "moto returns the tags of the launch template among the tags of its instances",
        aws_launch_template=("tag_specifications",),
    ),
    *_fixed(
        "scalable_targets_have_tags",
        "moto does not support tags of scalable targets",
        aws_appautoscaling_target=("tags", "tags_all"),
    ),
    *_fixed(
        "scaling_policies_are_enabled",
        "moto returns scaling policies as disabled; the fix returns all of them as enabled",
        aws_autoscaling_policy=("enabled", "predictive_scaling_configuration"),
    ),
    *_fixed(
        "auto_scaling_groups_keep_replacement_settings",
        "moto does not store it",
        aws_autoscaling_group=(
            *("default_instance_warmup", "instance_maintenance_policy", "max_instance_lifetime"),
            "capacity_reservation_specification",
        ),
    ),
    *_fixed(
        "auto_scaling_groups_keep_notifications",
        "moto does not support notifications; the fix stores their configuration and sends none",
        aws_autoscaling_notification=("*",),
    ),
    *_fixed(
        "private_hosted_zones_return_their_vpcs",
        "moto returns the VPCs in elements that the provider does not read",
        aws_route53_zone=("vpc",),
    ),
    *_fixed(
        "functions_keep_dead_letter_and_logging_config",
        "moto does not store it",
        aws_lambda_function=("dead_letter_config", "logging_config"),
    ),
    *_fixed(
        "event_source_mappings_keep_the_alias",
        "moto returns the version that the alias points to",
        aws_lambda_event_source_mapping=("function_name",),
    ),
    *_fixed(
        "packages_can_be_downloaded",
        "moto returns the URL of an AWS endpoint as the code location; the fix returns a URL of the local AWS",
        aws_lambda_function=("filename",),
        aws_lambda_layer_version=("filename",),
    ),
    *_fixed(
        "functions_return_their_vpc",
        "moto returns an invented VPC id; the fix returns the VPC of the first subnet",
        aws_lambda_function=("vpc_config",),
    ),
    *_fixed(
        "account_principals_become_root_arns",
        "moto returns the account id; AWS returns the account principal, arn:aws:iam::ACCOUNT:root",
        aws_lambda_permission=("principal",),
        aws_lambda_layer_version_permission=("principal",),
    ),
    *_fixed(
        "code_signing_configurations_exist",
        "moto does not support code signing; the fix stores the configuration and verifies no signature",
        aws_lambda_code_signing_config=("*",),
        aws_lambda_function=("code_signing_config_arn",),
    ),
    *_fixed(
        "function_urls_are_buffered",
        "moto returns the mode in mixed case",
        aws_lambda_function_url=("invoke_mode",),
    ),
    *_fixed(
        "authorizers_keep_the_validation_expression",
        "moto does not store it",
        aws_api_gateway_authorizer=("identity_validation_expression",),
    ),
    *_fixed(
        "certificates_keep_the_key_algorithm",
        "moto issues every certificate with an RSA 2048 key; the fix returns the requested algorithm only",
        aws_acm_certificate=("key_algorithm",),
    ),
    *_fixed(
        "deployments_keep_a_snapshot",
        "moto exports the API as it is; the fix keeps the methods of each deployment, and stages export them",
        aws_api_gateway_deployment=("*",),
    ),
    *_fixed(
        "deployments_of_stages_cannot_be_deleted",
        "moto deletes a deployment that a stage points to; the fix refuses it as AWS does",
        aws_api_gateway_deployment=("id",),
    ),
    *_fixed(
        "provisioned_clusters_have_no_scaling_configuration",
        "moto returns an empty scaling configuration for a provisioned cluster",
        aws_rds_cluster=("scaling_configuration",),
    ),
    *_fixed(
        "performance_insights_settings_are_kept",
        "moto does not store it",
        aws_rds_cluster=(*_INSIGHTS, "database_insights_mode"),
        aws_rds_cluster_instance=_INSIGHTS,
        aws_db_instance=(*_INSIGHTS, "database_insights_mode"),
    ),
    *_fixed(
        "standard_storage_has_no_type",
        "moto returns gp2 and refuses aurora; the fix returns no type for standard storage, as Aurora does",
        aws_rds_cluster=("storage_type",),
    ),
    *_fixed(
        "parameters_have_source_user",
        "moto does not return the source of a parameter; the fix returns `user` for all of them",
        aws_db_parameter_group=("parameter",),
    ),
    *_fixed(
        "engine_versions_can_be_described",
        "moto does not support DescribeDBEngineVersions; the fix returns a short list of its own",
        data_aws_rds_engine_version=("*",),
    ),
    *_fixed(
        "tables_have_replicas",
        "moto does not support replicas (version 2019.11.21); in the fix a replica is the same table in another Region",
        aws_dynamodb_table=("replica",),
        aws_dynamodb_table_replica=("*",),
    ),
    *_fixed(
        "tables_keep_on_demand_throughput",
        "moto does not store it",
        aws_dynamodb_table=("on_demand_throughput", "global_secondary_index"),
    ),
    *_fixed(
        "contributor_insights_exist",
        "moto does not support Contributor Insights; the fix stores the setting and collects no metrics",
        aws_dynamodb_contributor_insights=("*",),
    ),
    *_fixed(
        "transactions_are_serialized",
        "concurrent transactions in moto undo each other; the fix runs one at a time, so that none conflicts",
        aws_dynamodb_table=("*",),
    ),
    *_fixed(
        "cache_clusters_have_patch_versions_and_windows",
        "moto returns the given value; the fix adds the patch version and a default maintenance window",
        aws_elasticache_cluster=("engine_version", "maintenance_window"),
    ),
    *_fixed(
        "cache_deletion_is_immediate",
        "moto never finishes a deletion; the fix deletes at once",
        aws_elasticache_cluster=("cluster_id",),
        aws_elasticache_subnet_group=("name",),
    ),
    *_fixed(
        "replication_groups_have_member_clusters",
        "moto does not create member clusters; the fix derives them from the replication group",
        aws_elasticache_replication_group=("*",),
    ),
    *_fixed(
        "cache_parameter_groups_exist",
        "moto does not support them; the fix stores their configuration",
        aws_elasticache_parameter_group=("*",),
    ),
    *_fixed(
        "cache_user_groups_exist",
        "moto does not support them; the fix stores their configuration",
        aws_elasticache_user_group=("*",),
    ),
    *_fixed(
        "cache_users_follow_the_api",
        "moto returns the authentication type of the request, and cannot modify users; the fix stores the change",
        aws_elasticache_user=("*",),
    ),
    *_fixed(
        "replication_groups_keep_the_cluster_mode",
        "moto does not change it; the fix stores it",
        aws_elasticache_replication_group=("cluster_mode",),
    ),
    *_fixed(
        "eventbridge_notifications_are_returned",
        "moto does not return it",
        aws_s3_bucket_notification=("eventbridge",),
    ),
    *_fixed(
        "replication_rules_are_returned",
        "moto returns only a part of the rule",
        aws_s3_bucket_replication_configuration=("rule",),
    ),
    *_fixed(
        "lifecycle_rules_keep_newer_noncurrent_versions",
        "moto does not store the number of newer noncurrent versions",
        aws_s3_bucket_lifecycle_configuration=("rule",),
    ),
    *_fixed(
        "inventories_keep_encryption",
        "moto does not return the encryption of the destination",
        aws_s3_bucket_inventory=("destination",),
    ),
    *_fixed(
        "conditional_denies_are_ignored",
        "moto ignores conditions and denies every request; the fix ignores Deny statements with conditions",
        aws_s3_bucket_policy=("policy",),
    ),
    *_fixed(
        "access_logs_are_never_delivered",
        "moto delivers access logs immediately, S3 within hours; the fix never delivers them",
        aws_s3_bucket_logging=("target_bucket",),
    ),
    *_fixed(
        "object_lock_is_enabled_on_buckets_with_objects",
        "moto refuses Object Lock on buckets with objects",
        aws_s3_bucket_object_lock_configuration=("bucket",),
    ),
    *_fixed(
        "load_balancer_log_deliveries_exist",
        "moto does not support log delivery from load balancers; the fix stores the delivery and delivers nothing",
        aws_cloudwatch_log_delivery_source=("resource_arn", "log_type"),
    ),
)


def not_applied() -> frozenset[str]:
    """Return the resource types that the local AWS does not support."""
    return frozenset(row.type for row in KNOWN_DIFFERENCES if row.effect is Effect.NOT_APPLIED)


def differences_for(types: frozenset[str]) -> tuple[KnownDifference, ...]:
    """Return the rows that concern a stack with these types."""
    return tuple(row for row in KNOWN_DIFFERENCES if row.type in types)


def summary(rows: Iterable[KnownDifference]) -> list[str]:
    """Return the rows as text, one line for each reason."""
    lines: dict[tuple[Effect, str], list[str]] = {}
    for row in rows:
        lines.setdefault((row.effect, row.reason), []).append(f"{row.type}.{row.attribute}")
    return [f"{effect.value}: {', '.join(names)}: {reason}" for (effect, reason), names in lines.items()]
