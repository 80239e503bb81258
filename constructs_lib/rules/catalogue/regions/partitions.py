"""Partitions of ARNs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import partition_of
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.texts import texts
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_PARTITION: Final = re.compile(r"\barn:(aws[a-z-]*):")


@rule(
    "REG-010",
    "ARN has the partition of the region",
    why="ARNs in China and GovCloud have other partitions: AWS rejects the policy, or it matches no resource.",
    fix="Use ${data.aws_partition.current.partition} as the partition.",
    page=f"{AWS}/IAM/latest/UserGuide/reference-arns.html",
    types=["*"],
    good={
        "provider": {"aws": {"region": "us-gov-west-1"}},
        "resource": {
            "aws_iam_role_policy_attachment": {
                "fn": {
                    "role": "shop-prod-fn",
                    "policy_arn": "arn:aws-us-gov:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
                }
            },
            "aws_sqs_queue_policy": {
                "jobs": {
                    "queue_url": "https://sqs.us-gov-west-1.amazonaws.com/111122223333/jobs",
                    "policy": '{"Statement": [{"Resource": "arn:aws-us-gov:sqs:us-gov-west-1:111122223333:jobs"}]}',
                }
            },
        },
    },
    breaks=[
        {
            "resource.aws_iam_role_policy_attachment.fn.policy_arn": (
                "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
            )
        },
        {
            "resource.aws_sqs_queue_policy.jobs.policy": (
                '{"Statement": [{"Resource": "arn:aws:sqs:us-gov-west-1:111122223333:jobs"}]}'
            )
        },
        {"provider.aws.region": "cn-north-1"},
        {"provider.aws.region": "eu-west-1"},
    ],
    unknown_passes="the partition of an unknown ARN is unknown",
)
def arns_have_the_partition(block: Block) -> Iterator[Outcome]:
    """Check the ARNs in every string; skip strings with several partitions, which choose between them."""
    if not block.type.startswith(("aws_", "data.aws_")) or not _is_partitioned(block):
        return
    for at, raw in texts(block):
        if "arn:aws" not in raw:
            continue
        if isinstance(block.region, Unknown):
            return
        named = set(_PARTITION.findall(raw))
        wanted = partition_of(block.region)
        if len(named) == 1 and wanted not in named:
            yield block.fail(
                f"must have the partition {wanted} of {block.region}, not {named.pop()}; "
                "use data.aws_partition.current.partition",
                at,
            )


def _is_partitioned(block: Block) -> bool:
    """Whether the partition is certain: a policy document may be for a resource of another provider."""
    if block.type != "data.aws_iam_policy_document":
        return True
    providers = (each for each in block.estate.of("provider.aws") if each.stack is block.stack)
    regions = (each.get("region") for each in providers)
    return len({partition_of(region) for region in regions if isinstance(region, str)}) == 1
