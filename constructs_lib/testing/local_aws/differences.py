"""Where the local AWS is not AWS: the one table that a run prints and the drift check allows nothing beside."""

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
    """The local AWS has no such resource: a run plans it and leaves it out of the apply."""

    SECOND_PLAN = "known difference on the second plan"
    """The local AWS gives back something else than AWS does."""

    READS_BACK = "made to read back what was sent"
    """A fix of ours makes it come back: an empty second plan says nothing about AWS here."""


@dataclass(frozen=True)
class KnownDifference:
    """One attribute, or a whole type, for which the local AWS says nothing about AWS, or the wrong thing.

    Attributes:
        type: Terraform's type, `data.` in front for a data source.
        attribute: The attribute, which stands for all below it; `*` for the whole resource.
        effect: What it does to a run.
        reason: What the local AWS does.
        fix: The name of the fix that touches the attribute, if one does.
    """

    type: str
    attribute: str
    effect: Effect
    reason: str
    fix: str = ""

    def covers(self, type_: str, attribute: str) -> bool:
        """Return whether a difference of this attribute on the second plan is expected."""
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
        "moto has none",
        aws_lambda_provisioned_concurrency_config=("*",),
        aws_cloudwatch_composite_alarm=("*",),
    ),
    *_rows(
        Effect.SECOND_PLAN,
        "moto gives nothing back",
        aws_s3_bucket_intelligent_tiering_configuration=("*",),
    ),
    *_rows(
        Effect.SECOND_PLAN,
        "moto keeps one set of tags for both sides of a peering, AWS two",
        aws_vpc_peering_connection=("tags", "tags_all"),
        aws_vpc_peering_connection_accepter=("tags", "tags_all"),
    ),
    *_fixed(
        "replicas_are_keys_of_their_own",
        "moto shares aliases, grants and role between a key and its replicas; here each has its own",
        aws_kms_key=("multi_region",),
        aws_kms_replica_key=("primary_key_arn",),
        aws_kms_alias=("name", "target_key_id"),
        aws_kms_grant=("key_id",),
    ),
    *_fixed(
        "replicas_keep_what_they_are_created_with",
        "moto drops it",
        aws_kms_replica_key=("policy", "description", "tags", "tags_all"),
    ),
    *_fixed("rotation_has_a_period", "moto drops it", aws_kms_key=("rotation_period_in_days",)),
    *_fixed(
        "a_secrets_replica_has_its_own_key",
        "moto gives every replica the default key",
        aws_secretsmanager_secret=("replica",),
    ),
    *_fixed(
        "multi_region_keys_have_ids_without_hyphens",
        "moto's have hyphens, and Terraform's S3 backend refuses them",
        aws_kms_key=("key_id",),
        aws_kms_replica_key=("key_id",),
    ),
    *_fixed(
        "queues_have_a_redrive_allow_policy",
        "moto does not know it",
        aws_sqs_queue=("redrive_allow_policy",),
        aws_sqs_queue_redrive_allow_policy=("redrive_allow_policy",),
    ),
    *_fixed(
        "redrive_policies_come_back_as_aws_writes_them",
        "moto writes it with blanks",
        aws_sqs_queue=("redrive_policy", "redrive_allow_policy"),
        aws_sqs_queue_redrive_allow_policy=("redrive_allow_policy",),
        aws_sqs_queue_redrive_policy=("redrive_policy",),
    ),
    *_fixed(
        "queues_keep_their_policy",
        "moto drops the policy when another attribute is set",
        aws_sqs_queue_policy=("policy",),
    ),
    *_fixed(
        "an_api_policy_comes_back_escaped",
        "moto does not escape it as AWS does",
        aws_api_gateway_rest_api=("policy",),
        aws_api_gateway_rest_api_policy=("policy",),
    ),
    *_fixed(
        "state_machines_can_be_checked_and_have_versions",
        "moto cannot validate; here every definition that is JSON is valid, and no version exists",
        aws_sfn_state_machine=("definition", "publish"),
    ),
    *_fixed(
        "network_acls_keep_icmp_types",
        "moto drops the type and the code of ICMP",
        aws_network_acl=("ingress", "egress"),
        aws_network_acl_rule=("icmp_type", "icmp_code"),
        aws_default_network_acl=("ingress", "egress"),
    ),
    *_fixed(
        "rules_between_groups_have_descriptions",
        "moto drops the description of a rule that names a group or a prefix list",
        aws_vpc_security_group_egress_rule=("description",),
        aws_vpc_security_group_ingress_rule=("description",),
    ),
    *_fixed(
        "a_launch_template_keeps_its_own_tags_to_itself",
        "moto gives them back among the tags of instances",
        aws_launch_template=("tag_specifications",),
    ),
    *_fixed(
        "scalable_targets_have_tags",
        "moto has no tags here",
        aws_appautoscaling_target=("tags", "tags_all"),
    ),
    *_fixed(
        "scaling_policies_are_enabled",
        "here every policy is enabled",
        aws_autoscaling_policy=("enabled", "predictive_scaling_configuration"),
    ),
    *_fixed(
        "groups_keep_how_they_replace_instances",
        "moto drops it",
        aws_autoscaling_group=(
            *("default_instance_warmup", "instance_maintenance_policy", "max_instance_lifetime"),
            "capacity_reservation_specification",
        ),
    ),
    *_fixed(
        "groups_tell_topics",
        "moto has no notifications; here they are kept, and nobody is told",
        aws_autoscaling_notification=("*",),
    ),
    *_fixed(
        "private_zones_have_their_vpcs",
        "moto gives them under names that nobody reads",
        aws_route53_zone=("vpc",),
    ),
    *_fixed(
        "functions_keep_dead_letters_and_logging",
        "moto drops it",
        aws_lambda_function=("dead_letter_config", "logging_config"),
    ),
    *_fixed(
        "event_sources_keep_the_alias",
        "moto gives the version back that an alias stands for",
        aws_lambda_event_source_mapping=("function_name",),
    ),
    *_fixed(
        "packages_can_be_fetched",
        "moto names an address of AWS's own to fetch the package from; here the address holds the package itself",
        aws_lambda_function=("filename",),
        aws_lambda_layer_version=("filename",),
    ),
    *_fixed(
        "functions_know_their_vpc",
        "moto makes up the id of the VPC; here it is that of the first subnet",
        aws_lambda_function=("vpc_config",),
    ),
    *_fixed(
        "an_account_as_principal_becomes_its_root",
        "moto leaves an account id as it is",
        aws_lambda_permission=("principal",),
        aws_lambda_layer_version_permission=("principal",),
    ),
    *_fixed(
        "code_can_be_signed",
        "moto has no code signing configurations; here they keep what they are given and sign nothing",
        aws_lambda_code_signing_config=("*",),
        aws_lambda_function=("code_signing_config_arn",),
    ),
    *_fixed(
        "authorizers_keep_their_token_pattern",
        "moto drops it",
        aws_api_gateway_authorizer=("identity_validation_expression",),
    ),
    *_fixed(
        "certificates_say_the_key_that_was_asked_for",
        "moto makes every key of RSA 2048; here the certificate says what was asked for, and is none",
        aws_acm_certificate=("key_algorithm",),
    ),
    *_fixed(
        "a_cluster_without_scaling_says_so",
        "moto gives an empty one back where there is none",
        aws_rds_cluster=("scaling_configuration",),
    ),
    *_fixed(
        "performance_insights_come_back",
        "moto drops it",
        aws_rds_cluster=(*_INSIGHTS, "database_insights_mode"),
        aws_rds_cluster_instance=_INSIGHTS,
        aws_db_instance=(*_INSIGHTS, "database_insights_mode"),
    ),
    *_fixed(
        "parameters_of_a_group_are_the_users",
        "here every parameter counts as set by the user",
        aws_db_parameter_group=("parameter",),
    ),
    *_fixed(
        "engines_have_versions",
        "a short list of the fix's own, not what AWS offers",
        data_aws_rds_engine_version=("*",),
    ),
    *_fixed(
        "tables_have_replicas",
        "moto has no replicas of this version; here a replica is the same table under another region",
        aws_dynamodb_table=("replica",),
        aws_dynamodb_table_replica=("*",),
    ),
    *_fixed(
        "tables_keep_their_ceilings",
        "moto drops it",
        aws_dynamodb_table=("on_demand_throughput", "global_secondary_index"),
    ),
    *_fixed(
        "tables_can_show_their_contributors",
        "moto has none; here they keep what they are told and count nothing",
        aws_dynamodb_contributor_insights=("*",),
    ),
    *_fixed(
        "transactions_take_turns",
        "moto's undo each other and part a table from its replicas; here they take turns, and none ever conflicts",
        aws_dynamodb_table=("*",),
    ),
    *_fixed(
        "clusters_have_full_versions_and_a_window",
        "made up where it is not given",
        aws_elasticache_cluster=("engine_version", "maintenance_window"),
    ),
    *_fixed(
        "deleted_clusters_are_gone",
        "here a deletion takes no time",
        aws_elasticache_cluster=("cluster_id",),
        aws_elasticache_subnet_group=("name",),
    ),
    *_fixed(
        "members_of_a_replication_group_are_clusters",
        "moto has no members; here they are made from what the group was given",
        aws_elasticache_replication_group=("*",),
    ),
    *_fixed(
        "parameter_groups_exist",
        "moto has none; here they keep what they are given",
        aws_elasticache_parameter_group=("*",),
    ),
    *_fixed(
        "user_groups_exist",
        "moto has none; here they keep what they are given",
        aws_elasticache_user_group=("*",),
    ),
    *_fixed(
        "notifications_to_eventbridge_come_back",
        "moto keeps it and does not give it back",
        aws_s3_bucket_notification=("eventbridge",),
    ),
    *_fixed(
        "replication_rules_come_back_whole",
        "moto gives back a part of it",
        aws_s3_bucket_replication_configuration=("rule",),
    ),
    *_fixed(
        "lifecycle_rules_keep_the_newest_versions",
        "moto drops how many are kept",
        aws_s3_bucket_lifecycle_configuration=("rule",),
    ),
    *_fixed(
        "inventories_come_back_encrypted",
        "moto keeps how they are encrypted and does not give it back",
        aws_s3_bucket_inventory=("destination",),
    ),
    *_fixed(
        "refusals_with_conditions_refuse_nobody",
        "moto knows no conditions and refuses everybody; here a refusal with conditions refuses nobody",
        aws_s3_bucket_policy=("policy",),
    ),
    *_fixed(
        "access_logs_are_never_delivered",
        "moto delivers at once and S3 within hours; here they never come",
        aws_s3_bucket_logging=("target_bucket",),
    ),
    *_fixed(
        "load_balancers_deliver_to_log_groups",
        "moto knows no deliveries of load balancers; here they are kept, and nothing is delivered",
        aws_cloudwatch_log_delivery_source=("resource_arn", "log_type"),
    ),
)


def not_applied() -> frozenset[str]:
    """Return the types that the local AWS does not have."""
    return frozenset(row.type for row in KNOWN_DIFFERENCES if row.effect is Effect.NOT_APPLIED)


def differences_for(types: frozenset[str]) -> tuple[KnownDifference, ...]:
    """Return the rows that concern a stack with these types."""
    return tuple(row for row in KNOWN_DIFFERENCES if row.type in types)


def summary(rows: Iterable[KnownDifference]) -> list[str]:
    """Return the rows for people: a line for each reason."""
    lines: dict[tuple[Effect, str], list[str]] = {}
    for row in rows:
        lines.setdefault((row.effect, row.reason), []).append(f"{row.type}.{row.attribute}")
    return [f"{effect.value}: {', '.join(names)}: {reason}" for (effect, reason), names in lines.items()]
