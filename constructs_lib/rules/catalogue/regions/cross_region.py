"""Cross-region references, KMS keys and ARNs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.crossing import bound, takes_key
from constructs_lib.rules.facts.regions import is_global, is_name
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.networks import end_of
from constructs_lib.rules.queries.texts import elsewhere, texts, without_positions
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": [{"region": "us-east-1", "alias": "us"}, {"region": "eu-west-1", "alias": "eu"}]},
    "resource": {
        "aws_vpc": {
            "us": {"provider": "aws.us", "cidr_block": "10.0.0.0/16"},
            "eu": {"provider": "aws.eu", "cidr_block": "10.1.0.0/16"},
        },
        "aws_subnet": {"eu": {"provider": "aws.eu", "vpc_id": "${aws_vpc.eu.id}", "cidr_block": "10.1.1.0/24"}},
        "aws_security_group": {
            name: {"provider": f"aws.{name}", "name": f"pay-prod-{name}", "vpc_id": f"${{aws_vpc.{name}.id}}"}
            for name in ("us", "eu")
        },
        "aws_iam_role": {"fn": {"provider": "aws.us", "name": "pay-prod-fn", "assume_role_policy": "{}"}},
        "aws_kms_key": {
            "us": {"provider": "aws.us", "multi_region": True},
            "eu": {"provider": "aws.eu", "enable_key_rotation": True},
        },
        "aws_kms_replica_key": {"eu": {"provider": "aws.eu", "primary_key_arn": "${aws_kms_key.us.arn}"}},
        "aws_lambda_function": {
            "eu": {
                "provider": "aws.eu",
                "function_name": "pay-prod-fn",
                "role": "${aws_iam_role.fn.arn}",
                "kms_key_arn": "${aws_kms_key.eu.arn}",
                "vpc_config": {
                    "subnet_ids": ["${aws_subnet.eu.id}"],
                    "security_group_ids": ["${aws_security_group.eu.id}"],
                },
            }
        },
        "aws_sqs_queue": {"eu": {"provider": "aws.eu", "kms_master_key_id": "${aws_kms_replica_key.eu.arn}"}},
        "aws_lb_listener": {
            "eu": {
                "provider": "aws.eu",
                "load_balancer_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/pay/1",
                "certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/1",
            }
        },
    },
}
_FUNCTION = "resource.aws_lambda_function.eu"

_KEYS: Final = (
    "aws_kms_alias",
    "aws_kms_external_key",
    "aws_kms_key",
    "aws_kms_replica_external_key",
    "aws_kms_replica_key",
)


@dataclass(frozen=True)
class _Bound:
    """The value of an argument that must be in the region of its resource.

    Attributes:
        at: Dotted path of the argument.
        is_key: Whether the argument is a KMS key.
        end: The block that it refers to, if that is a regional resource.
        value: The resolved value.
    """

    at: str
    is_key: bool
    end: Block | None
    value: object


@cache
def _kind(type_: str, path: str) -> tuple[bool, bool]:
    """Return whether an argument must be in the same region, and whether it is a KMS key."""
    plain = without_positions(path)
    is_key = takes_key(type_, plain)
    return is_key or bound(type_, plain), is_key


@lru_cache(maxsize=2)
def _bound_values(estate: Estate) -> dict[Block, list[_Bound]]:
    """Return the values of all arguments that must be in the same region, computed once for all rules."""
    found: dict[Block, list[_Bound]] = {}
    for block in estate.blocks:
        if is_global(block.type):
            continue
        for at, raw in texts(block):
            is_bound, is_key = _kind(block.type, at)
            if is_bound and raw.startswith(("arn:", "${")):
                value = block.get(at)
                end = end_of(block, at, value) if raw[0] == "$" else None
                placed = end is not None and end.type.startswith(("aws_", "data.aws_")) and not is_global(end.type)
                found.setdefault(block, []).append(_Bound(at, is_key, end if placed else None, value))
    return found


def _far_ends(block: Block, *, keys: bool) -> Iterator[tuple[str, Block, bool | Unknown]]:
    """Yield the blocks that these arguments refer to, with whether each is in another region."""
    for each in _bound_values(block.estate).get(block, ()):
        end = each.end if each.is_key is keys else None
        if end is not None and (end.type.removeprefix("data.") in _KEYS) is keys:
            yield each.at, end, elsewhere(block, end)


@rule(
    "REG-002",
    "Resource does not refer to resources in other regions",
    why="The ID of a VPC, subnet or security group is valid in its own region only: in another one, AWS reports at "
    "apply that it does not exist.",
    fix="Use the same provider for both resources, or refer to the resource of the same region.",
    page=f"{PROVIDER}/guides/enhanced-region-support",
    types=["*"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {"resource.aws_subnet.eu.vpc_id": "${aws_vpc.us.id}"},
        {f"{_FUNCTION}.vpc_config.security_group_ids": ["${aws_security_group.us.id}"]},
        {"resource.aws_subnet.eu.provider": "aws.us"},
        {"resource.aws_subnet.eu.region": "eu-west-2"},
    ],
    unknown_passes="an ID from outside these stacks does not contain its region",
)
def references_stay_in_the_region(block: Block) -> Iterator[Outcome]:
    """Compare the regions of both resources for arguments that must be in the same region."""
    for at, end, far in _far_ends(block, keys=False):
        if isinstance(far, Unknown):
            yield block.undecided(far, at)
        elif far:
            yield block.fail(
                f"must be in {block.region}, the region of this resource; {end.address} is in {end.region}", at
            )


@rule(
    "REG-006",
    "KMS key is in the region of the resource that it encrypts",
    why="AWS rejects the resource at apply, or accepts it and fails on first use.",
    fix="Use a KMS key of the same region, or a replica of a multi-Region key in that region.",
    page=f"{AWS}/kms/latest/developerguide/multi-region-keys-overview.html",
    types=["*"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {f"{_FUNCTION}.kms_key_arn": "${aws_kms_key.us.arn}"},
        {"resource.aws_sqs_queue.eu.kms_master_key_id": "${aws_kms_key.us.key_id}"},
        {f"{_FUNCTION}.kms_key_arn": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
    ],
    unknown_passes="a key ID from outside these stacks does not contain its region",
)
def keys_stay_in_the_region(block: Block) -> Iterator[Outcome]:
    """Compare the regions of the resource and the key, which is a reference or an ARN."""
    for at, end, far in _far_ends(block, keys=True):
        if isinstance(far, Unknown):
            yield block.undecided(far, at)
        elif far:
            yield block.fail(
                f"must be a KMS key in {block.region}, the region of this resource; {end.address} is in {end.region}: "
                "use a key of this region or a replica of a multi-Region key",
                at,
            )
    yield from _far_arns(block, keys=True)


_REGIONAL_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:([a-z0-9-]+):")


@rule(
    "REG-007",
    "Literal ARN is in the region of the resource",
    why="The argument does not support other regions: AWS reports at apply that the resource does not exist.",
    fix="Refer to the resource of the same region, or write its ARN.",
    page=f"{AWS}/IAM/latest/UserGuide/reference-arns.html",
    types=["*"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {
            "resource.aws_lb_listener.eu.certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/1",
        },
        {"provider.aws.1.region": "eu-central-1"},
    ],
    unknown_passes="the region of an unknown ARN is unknown",
)
def arns_stay_in_the_region(block: Block) -> Iterator[Outcome]:
    """Compare the region in the ARN for arguments that must be in the same region."""
    yield from _far_arns(block, keys=False)


def _far_arns(block: Block, *, keys: bool) -> Iterator[Outcome]:
    for each in _bound_values(block.estate).get(block, ()):
        match = _REGIONAL_ARN.match(each.value) if isinstance(each.value, str) and each.is_key is keys else None
        if match is None or not is_name(match[1]):
            continue
        if isinstance(block.region, Unknown):
            yield block.undecided(block.region, each.at)
        elif match[1] != block.region:
            yield block.fail(
                f"must be an ARN in {block.region}, the region of this resource, not in {match[1]}", each.at
            )
