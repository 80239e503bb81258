"""Attributes that AWS sets and whose values are known before an apply."""

from __future__ import annotations

from typing import Final

from constructs_lib.foundation.regions import REGIONS, dns_suffix, partition
from constructs_lib.rules.estate.values import Unknown

ID_ARGUMENTS: Final = {
    "aws_cloudwatch_event_bus": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_s3_bucket": "bucket",
}
"""Types whose `id` is the value of an argument."""


def partition_attribute(region: str | Unknown, attribute: str) -> str | Unknown:
    """Return an attribute of `data.aws_partition` in a region."""
    if isinstance(region, Unknown):
        return region
    if region not in REGIONS:
        return Unknown(f"the partition of {region} is not known")
    return dns_suffix(region) if attribute == "dns_suffix" else partition(region)
