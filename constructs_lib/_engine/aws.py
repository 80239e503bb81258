"""Bindings of the AWS provider: each module is imported when it is first used.

Type checkers see exactly the modules that the library uses; the package's own index would make them read all 2,135.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from constructs_lib._engine import PROVIDERS

if TYPE_CHECKING:
    from types import ModuleType

    from cdktf_cdktf_provider_aws import acm_certificate as acm_certificate
    from cdktf_cdktf_provider_aws import acm_certificate_validation as acm_certificate_validation
    from cdktf_cdktf_provider_aws import api_gateway_account as api_gateway_account
    from cdktf_cdktf_provider_aws import api_gateway_authorizer as api_gateway_authorizer
    from cdktf_cdktf_provider_aws import api_gateway_base_path_mapping as api_gateway_base_path_mapping
    from cdktf_cdktf_provider_aws import api_gateway_deployment as api_gateway_deployment
    from cdktf_cdktf_provider_aws import api_gateway_domain_name as api_gateway_domain_name
    from cdktf_cdktf_provider_aws import api_gateway_gateway_response as api_gateway_gateway_response
    from cdktf_cdktf_provider_aws import api_gateway_integration as api_gateway_integration
    from cdktf_cdktf_provider_aws import api_gateway_method as api_gateway_method
    from cdktf_cdktf_provider_aws import api_gateway_method_settings as api_gateway_method_settings
    from cdktf_cdktf_provider_aws import api_gateway_model as api_gateway_model
    from cdktf_cdktf_provider_aws import api_gateway_request_validator as api_gateway_request_validator
    from cdktf_cdktf_provider_aws import api_gateway_resource as api_gateway_resource
    from cdktf_cdktf_provider_aws import api_gateway_rest_api as api_gateway_rest_api
    from cdktf_cdktf_provider_aws import api_gateway_stage as api_gateway_stage
    from cdktf_cdktf_provider_aws import appautoscaling_policy as appautoscaling_policy
    from cdktf_cdktf_provider_aws import appautoscaling_target as appautoscaling_target
    from cdktf_cdktf_provider_aws import autoscaling_group as autoscaling_group
    from cdktf_cdktf_provider_aws import autoscaling_policy as autoscaling_policy
    from cdktf_cdktf_provider_aws import cloudwatch_event_archive as cloudwatch_event_archive
    from cdktf_cdktf_provider_aws import cloudwatch_event_bus as cloudwatch_event_bus
    from cdktf_cdktf_provider_aws import cloudwatch_event_bus_policy as cloudwatch_event_bus_policy
    from cdktf_cdktf_provider_aws import cloudwatch_event_rule as cloudwatch_event_rule
    from cdktf_cdktf_provider_aws import cloudwatch_event_target as cloudwatch_event_target
    from cdktf_cdktf_provider_aws import cloudwatch_log_group as cloudwatch_log_group
    from cdktf_cdktf_provider_aws import cloudwatch_metric_alarm as cloudwatch_metric_alarm
    from cdktf_cdktf_provider_aws import data_aws_caller_identity as data_aws_caller_identity
    from cdktf_cdktf_provider_aws import data_aws_dynamodb_table as data_aws_dynamodb_table
    from cdktf_cdktf_provider_aws import data_aws_iam_policy_document as data_aws_iam_policy_document
    from cdktf_cdktf_provider_aws import data_aws_ssm_parameter as data_aws_ssm_parameter
    from cdktf_cdktf_provider_aws import db_parameter_group as db_parameter_group
    from cdktf_cdktf_provider_aws import db_subnet_group as db_subnet_group
    from cdktf_cdktf_provider_aws import default_route_table as default_route_table
    from cdktf_cdktf_provider_aws import default_security_group as default_security_group
    from cdktf_cdktf_provider_aws import dynamodb_contributor_insights as dynamodb_contributor_insights
    from cdktf_cdktf_provider_aws import dynamodb_table as dynamodb_table
    from cdktf_cdktf_provider_aws import dynamodb_table_replica as dynamodb_table_replica
    from cdktf_cdktf_provider_aws import eip as eip
    from cdktf_cdktf_provider_aws import elasticache_parameter_group as elasticache_parameter_group
    from cdktf_cdktf_provider_aws import elasticache_replication_group as elasticache_replication_group
    from cdktf_cdktf_provider_aws import elasticache_subnet_group as elasticache_subnet_group
    from cdktf_cdktf_provider_aws import elasticache_user as elasticache_user
    from cdktf_cdktf_provider_aws import elasticache_user_group as elasticache_user_group
    from cdktf_cdktf_provider_aws import flow_log as flow_log
    from cdktf_cdktf_provider_aws import iam_instance_profile as iam_instance_profile
    from cdktf_cdktf_provider_aws import iam_policy as iam_policy
    from cdktf_cdktf_provider_aws import iam_role as iam_role
    from cdktf_cdktf_provider_aws import iam_role_policy as iam_role_policy
    from cdktf_cdktf_provider_aws import internet_gateway as internet_gateway
    from cdktf_cdktf_provider_aws import kms_alias as kms_alias
    from cdktf_cdktf_provider_aws import kms_key as kms_key
    from cdktf_cdktf_provider_aws import kms_replica_key as kms_replica_key
    from cdktf_cdktf_provider_aws import lambda_alias as lambda_alias
    from cdktf_cdktf_provider_aws import lambda_event_source_mapping as lambda_event_source_mapping
    from cdktf_cdktf_provider_aws import lambda_function as lambda_function
    from cdktf_cdktf_provider_aws import lambda_function_event_invoke_config as lambda_function_event_invoke_config
    from cdktf_cdktf_provider_aws import lambda_function_url as lambda_function_url
    from cdktf_cdktf_provider_aws import lambda_layer_version as lambda_layer_version
    from cdktf_cdktf_provider_aws import lambda_layer_version_permission as lambda_layer_version_permission
    from cdktf_cdktf_provider_aws import lambda_permission as lambda_permission
    from cdktf_cdktf_provider_aws import launch_template as launch_template
    from cdktf_cdktf_provider_aws import lb as lb
    from cdktf_cdktf_provider_aws import lb_listener as lb_listener
    from cdktf_cdktf_provider_aws import lb_target_group as lb_target_group
    from cdktf_cdktf_provider_aws import nat_gateway as nat_gateway
    from cdktf_cdktf_provider_aws import network_acl as network_acl
    from cdktf_cdktf_provider_aws import provider as provider
    from cdktf_cdktf_provider_aws import rds_cluster as rds_cluster
    from cdktf_cdktf_provider_aws import rds_cluster_instance as rds_cluster_instance
    from cdktf_cdktf_provider_aws import rds_cluster_parameter_group as rds_cluster_parameter_group
    from cdktf_cdktf_provider_aws import route as route
    from cdktf_cdktf_provider_aws import route53_record as route53_record
    from cdktf_cdktf_provider_aws import route_table as route_table
    from cdktf_cdktf_provider_aws import route_table_association as route_table_association
    from cdktf_cdktf_provider_aws import s3_bucket as s3_bucket
    from cdktf_cdktf_provider_aws import s3_bucket_lifecycle_configuration as s3_bucket_lifecycle_configuration
    from cdktf_cdktf_provider_aws import s3_bucket_logging as s3_bucket_logging
    from cdktf_cdktf_provider_aws import s3_bucket_notification as s3_bucket_notification
    from cdktf_cdktf_provider_aws import s3_bucket_object_lock_configuration as s3_bucket_object_lock_configuration
    from cdktf_cdktf_provider_aws import s3_bucket_ownership_controls as s3_bucket_ownership_controls
    from cdktf_cdktf_provider_aws import s3_bucket_policy as s3_bucket_policy
    from cdktf_cdktf_provider_aws import s3_bucket_public_access_block as s3_bucket_public_access_block
    from cdktf_cdktf_provider_aws import s3_bucket_replication_configuration as s3_bucket_replication_configuration
    from cdktf_cdktf_provider_aws import (
        s3_bucket_server_side_encryption_configuration as s3_bucket_server_side_encryption_configuration,
    )
    from cdktf_cdktf_provider_aws import s3_bucket_versioning as s3_bucket_versioning
    from cdktf_cdktf_provider_aws import secretsmanager_secret as secretsmanager_secret
    from cdktf_cdktf_provider_aws import secretsmanager_secret_version as secretsmanager_secret_version
    from cdktf_cdktf_provider_aws import security_group as security_group
    from cdktf_cdktf_provider_aws import sns_topic as sns_topic
    from cdktf_cdktf_provider_aws import sns_topic_policy as sns_topic_policy
    from cdktf_cdktf_provider_aws import sqs_queue as sqs_queue
    from cdktf_cdktf_provider_aws import sqs_queue_policy as sqs_queue_policy
    from cdktf_cdktf_provider_aws import sqs_queue_redrive_allow_policy as sqs_queue_redrive_allow_policy
    from cdktf_cdktf_provider_aws import ssm_parameter as ssm_parameter
    from cdktf_cdktf_provider_aws import subnet as subnet
    from cdktf_cdktf_provider_aws import vpc as vpc
    from cdktf_cdktf_provider_aws import vpc_endpoint as vpc_endpoint
    from cdktf_cdktf_provider_aws import vpc_peering_connection as vpc_peering_connection
    from cdktf_cdktf_provider_aws import vpc_peering_connection_accepter as vpc_peering_connection_accepter
    from cdktf_cdktf_provider_aws import vpc_peering_connection_options as vpc_peering_connection_options
    from cdktf_cdktf_provider_aws import vpc_security_group_egress_rule as vpc_security_group_egress_rule
    from cdktf_cdktf_provider_aws import vpc_security_group_ingress_rule as vpc_security_group_ingress_rule
    from cdktf_cdktf_provider_aws import wafv2_web_acl as wafv2_web_acl
    from cdktf_cdktf_provider_aws import wafv2_web_acl_association as wafv2_web_acl_association
    from cdktf_cdktf_provider_aws import (
        wafv2_web_acl_logging_configuration as wafv2_web_acl_logging_configuration,
    )


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{PROVIDERS['aws']}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
