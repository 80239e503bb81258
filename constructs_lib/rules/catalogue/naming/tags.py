"""Tags: required tags, default tags, and limits of keys and values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.documents import is_plan, resources
from constructs_lib.rules.rule import ADVICE, REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_TAGS: Final = {"Project": "shop", "Environment": "prod", "Owner": "shop-team"}
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "us-east-1", "default_tags": {"tags": _TAGS}}},
    "resource": {
        "aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs", "tags": {"Name": "jobs"}}},
        "aws_iam_role": {"worker": {"name": "shop-prod-worker", "tags": {"Purpose": "works"}}},
    },
}
_PAGE: Final = f"{AWS}/tag-editor/latest/userguide/best-practices-and-strats.html"

REQUIRED: Final = {
    "Project": ("project", "app", "application", "product", "service", "system", "workload"),
    "Environment": ("environment", "env", "stage"),
    "Owner": ("owner", "team", "contact", "maintainer"),
}
"""Required tags, each with its synonyms."""

_OWNED: Final = (
    "aws_api_gateway_rest_api",
    "aws_db_instance",
    "aws_dynamodb_table",
    "aws_ebs_volume",
    "aws_ecs_cluster",
    "aws_efs_file_system",
    "aws_eks_cluster",
    "aws_elasticache_cluster",
    "aws_elasticache_replication_group",
    "aws_instance",
    "aws_kms_key",
    "aws_lambda_function",
    "aws_lb",
    "aws_nat_gateway",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
    "aws_vpc",
)
"""Resources that store data or are billed by the hour."""


def _missing(tags: dict[str, Any]) -> list[str]:
    keys = {re.sub(r"^.*:", "", key).lower() for key, value in tags.items() if value not in (None, "")}
    return [key for key, others in REQUIRED.items() if keys.isdisjoint(others)]


@rule(
    "NAME-010",
    "Resource has Project, Environment and Owner tags",
    why="Without these tags, costs cannot be allocated, and nobody knows whom to ask before deleting the resource.",
    fix="Set default_tags with Project, Environment and Owner in the provider block.",
    page=_PAGE,
    types=_OWNED,
    severity=ADVICE,
    lessons=["TRD-12"],
    good=_GOOD,
    breaks=[
        {"provider.aws.default_tags.tags.Owner": REMOVED},
        {"provider.aws.default_tags": REMOVED, "resource.aws_sqs_queue.jobs.tags": {"Name": "jobs", "env": "prod"}},
        {"provider.aws.default_tags.tags.Project": ""},
    ],
    unknown_passes="A value that is not known counts as set; tags that are not known as a whole are reported as "
    "unknown.",
)
def required_tags_are_set(block: Block) -> Iterator[Outcome]:
    """Check tags and default tags together; in a plan `tags_all` has both."""
    tags = block.tags
    if isinstance(tags, Unknown):
        yield block.undecided(tags, "tags")
        return
    merged = block.get("tags_all") if is_plan(block.stack) else None
    missing = _missing({**tags, **merged} if isinstance(merged, dict) else tags)
    if missing:
        yield block.fail(f"must contain {' and '.join(missing)}, here or in default_tags of the provider", "tags")


@rule(
    "NAME-011",
    "AWS provider sets default tags",
    why="Tags that each resource sets on its own are forgotten on some, which are then missing from cost allocation.",
    fix="Add default_tags with Project, Environment and Owner to the provider block.",
    page=f"{PROVIDER}#default_tags-configuration-block",
    types=["provider.aws"],
    severity=ADVICE,
    lessons=["TRD-12"],
    good=_GOOD,
    breaks=[
        {"provider.aws.default_tags": REMOVED},
        {"provider.aws.default_tags.tags": {}},
        {
            "provider.aws": [
                {"region": "us-east-1", "default_tags": [{"tags": _TAGS}]},
                {"alias": "eu", "region": "eu-west-1"},
            ]
        },
    ],
    unknown_passes="Tags that are not known count as set.",
)
def providers_set_default_tags(provider: Block) -> Iterator[Outcome]:
    """Accept any tag, and skip providers without resources."""
    if provider.get("default_tags.tags") in (None, {}):
        if provider.stack.source.document.get("resource") is None:
            yield NotApplicable("its stack has no resources")
        else:
            yield provider.fail("must be set, with Project, Environment and Owner", "default_tags")


_MOST: Final = 50
_LONGEST_KEY: Final = 128
_LONGEST_VALUE: Final = 256
_STRICT: Final = (
    "aws_cloudwatch_log_group",
    "aws_db_",
    "aws_iam_",
    "aws_lb",
    "aws_rds_",
    "aws_ssm_parameter",
)
"""Services that restrict the characters in tags; others, such as EC2, allow any."""
_STRANGE: Final = re.compile(r"[^\w\s.:/=+@-]")
_LIMITS_PAGE: Final = f"{AWS}/tag-editor/latest/userguide/tagging.html"


def _faults(block: Block, at: str, tags: dict[str, Any]) -> Iterator[Outcome]:
    strict = block.type.startswith(_STRICT)
    for key, value in tags.items():
        place = f"{at}.{key}"
        text = value if isinstance(value, str) else ""
        if key.lower().startswith("aws:"):
            yield block.fail("must not begin with aws:, which is reserved for AWS", place)
        elif len(key) > _LONGEST_KEY or not key:
            yield block.fail(f"tag key must have 1 to {_LONGEST_KEY} characters; it has {len(key)}", place)
        elif len(text) > _LONGEST_VALUE:
            yield block.fail(f"tag value must have at most {_LONGEST_VALUE} characters; it has {len(text)}", place)
        elif strict and (strange := _STRANGE.search(key) or _STRANGE.search(text)):
            yield block.fail(
                f"must contain only letters, digits, spaces and . : / = + - @ _; it contains {strange[0]}", place
            )


@rule(
    "NAME-012",
    "Tag keys and values are within the limits",
    why="The service rejects the resource at apply, which leaves the stack partially created.",
    fix="Shorten the key or value, or use another key.",
    page=_LIMITS_PAGE,
    types=["terraform"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs.tags": {"aws:owner": "shop-team"}},
        {"resource.aws_sqs_queue.jobs.tags": {"Notes": "x" * 300}},
        {"resource.aws_sqs_queue.jobs.tags": {"k" * 130: "long"}},
        {"resource.aws_sqs_queue.jobs.tags": {f"tag-{number}": "x" for number in range(48)}},
        {"resource.aws_iam_role.worker.tags": {"Purpose": "builds & ships"}},
        {"provider.aws.default_tags.tags": {**_TAGS, "AWS:team": "shop"}},
    ],
    unknown_passes="The length of a value that is not known cannot be checked.",
)
def tags_are_valid(root: Block) -> Iterator[Outcome]:
    """Check the default tags of each provider once, and the tags of each resource."""
    for block in root.stack.blocks:
        if block.type == "provider.aws":
            tags = block.default_tags
            if isinstance(tags, dict):
                yield from _faults(block, "default_tags.tags", tags)
    for block in resources(root.stack):
        own = block.get("tags") if block.type.startswith("aws_") and "tags" in block.body else None
        if isinstance(own, dict):
            yield from _faults(block, "tags", own)
            count = len(block.tags) if isinstance(block.tags, dict) else 0
            if count > _MOST:
                yield block.fail(f"must have at most {_MOST} tags, default tags included; it has {count}", "tags")
