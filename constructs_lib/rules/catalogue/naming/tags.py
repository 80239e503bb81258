"""Tags: who owns a thing, what it belongs to, and what AWS takes as a tag."""

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
"""Tags that everything carries, each with other keys that say the same."""

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
"""What holds data or costs by the hour, and somebody must answer for."""


def _missing(tags: dict[str, Any]) -> list[str]:
    keys = {re.sub(r"^.*:", "", key).lower() for key, value in tags.items() if value not in (None, "")}
    return [key for key, others in REQUIRED.items() if keys.isdisjoint(others)]


@rule(
    "NAME-010",
    "Everything says its project, its environment and its owner",
    why="Nobody can tell what a resource costs whom, or whom to ask before it is removed.",
    fix="Set default_tags with Project, Environment and Owner on the provider.",
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
    unknown_passes="a value that is not known is a value; tags that are not known as a whole are reported as unknown",
)
def required_tags_are_there(block: Block) -> Iterator[Outcome]:
    """Look at tags and default tags together; in a plan `tags_all` has both."""
    tags = block.tags
    if isinstance(tags, Unknown):
        yield block.undecided(tags, "tags")
        return
    merged = block.get("tags_all") if is_plan(block.stack) else None
    missing = _missing({**tags, **merged} if isinstance(merged, dict) else tags)
    if missing:
        yield block.fail(f"must have {' and '.join(missing)}, here or in the provider's default_tags", "tags")


@rule(
    "NAME-011",
    "Every AWS provider sets default tags",
    why="Tags that each resource sets by itself are forgotten on some, and those are found on no bill.",
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
    unknown_passes="tags that are not known are tags",
)
def providers_set_default_tags(provider: Block) -> Iterator[Outcome]:
    """Look for any tag; a module's provider is its caller's."""
    if provider.get("default_tags.tags") in (None, {}):
        if provider.stack.source.document.get("resource") is None:
            yield NotApplicable("nothing is made with it")
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
"""Services that take letters, digits, spaces and a few signs; others, such as EC2, take more."""
_STRANGE: Final = re.compile(r"[^\w\s.:/=+@-]")
_LIMITS_PAGE: Final = f"{AWS}/tag-editor/latest/userguide/tagging.html"


def _faults(block: Block, at: str, tags: dict[str, Any]) -> Iterator[Outcome]:
    strict = block.type.startswith(_STRICT)
    for key, value in tags.items():
        place = f"{at}.{key}"
        text = value if isinstance(value, str) else ""
        if key.lower().startswith("aws:"):
            yield block.fail("must not begin with aws:, which AWS keeps for itself", place)
        elif len(key) > _LONGEST_KEY or not key:
            yield block.fail(f"a tag's key must have 1 to {_LONGEST_KEY} characters", place)
        elif len(text) > _LONGEST_VALUE:
            yield block.fail(f"a tag's value must have at most {_LONGEST_VALUE} characters, has {len(text)}", place)
        elif strict and (strange := _STRANGE.search(key) or _STRANGE.search(text)):
            yield block.fail(f"may hold letters, digits, spaces and . : / = + - @ _ only, holds {strange[0]}", place)


@rule(
    "NAME-012",
    "Tags are within what AWS takes",
    why="AWS refuses the resource at apply, when half of the stack is there.",
    fix="Shorten the tag, or choose another key.",
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
    unknown_passes="the length of a value that is not known is not known",
)
def tags_are_legal(root: Block) -> Iterator[Outcome]:
    """Look at each provider's default tags once, and at the tags of each resource."""
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
                yield block.fail(f"must be at most {_MOST} with the provider's default tags, are {count}", "tags")
