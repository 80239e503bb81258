"""Labels of resources and data sources, their names within Terraform."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import is_global, is_name, named_in
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once, resources
from constructs_lib.rules.rule import ADVICE, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{TERRAFORM}/language/style"
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": [{"region": "us-east-1", "alias": "us_east_1"}, {"region": "eu-west-1", "alias": "eu_west_1"}]},
    "resource": {
        "aws_vpc": {
            "us_east_1": {"provider": "aws.us_east_1", "cidr_block": "10.0.0.0/16"},
            "eu_west_1": {"provider": "aws.eu_west_1", "cidr_block": "10.1.0.0/16"},
        },
        "aws_lambda_function": {"payment_validator_us_east_1": {"provider": "aws.us_east_1"}},
        "aws_subnet": {"public_us_east_1": {"provider": "aws.us_east_1"}},
    },
}

_SNAKE: Final = re.compile(r"[a-z_][a-z0-9_]*")
_HASH: Final = re.compile(r"_[0-9A-F]{8}$")
"""The suffix that cdktf adds to a label that it derives from a construct path."""


@rule(
    "NAME-002",
    "Terraform label is in snake_case",
    why="With mixed styles, references such as public-us-east-1, publicUsEast1 and public_us_east_1 are easily "
    "mistyped.",
    fix="Use lowercase letters, digits and underscores; add a moved block for an existing resource.",
    page=_PAGE,
    types=["terraform"],
    severity=ADVICE,
    lessons=["PAY-4"],
    good=_GOOD,
    breaks=[
        {"resource.aws_subnet": {"public-us-east-1": {"provider": "aws.us_east_1"}}},
        {"resource.aws_lambda_function": {"paymentValidator_us_east_1": {"provider": "aws.us_east_1"}}},
        {"data": {"aws_region": {"Current": {"provider": "aws.us_east_1"}}}},
    ],
)
def labels_are_in_snake_case(root: Block) -> Iterator[Outcome]:
    """Report each label once for all of its instances."""
    if is_plan(root.stack):
        yield NotApplicable("labels in a plan contain module names")
        return
    for block in once(root.stack):
        if "_" in block.type and not _SNAKE.fullmatch(_HASH.sub("", block.name)):
            wanted = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", block.name).lower())
            yield block.fail(f"must be in snake_case, such as {wanted}")


_ROLES: Final = re.compile(r"(?:^|_)(?:primary|secondary|replica|dr|failover|peer|accepter|requester)(?:_|$)")


def _place(block: Block) -> str | Unknown:
    """Return the region of a block, from its provider's alias if the region is a variable."""
    region = block.region
    if isinstance(region, Unknown) and block.provider is not None:
        named = named_in(block.provider.name)
        return named.pop() if len(named) == 1 else region
    return region


def _contains_area(block: Block, region: str, areas: Counter[str]) -> bool:
    """Whether a label contains an area such as `eu`, and only one region is in it."""
    area = region.partition("-")[0]
    return areas[area] == 1 and area in block.name.lower().split("_")


@rule(
    "NAME-003",
    "Terraform label contains the region if its resource type is in several regions",
    why="References do not show which region they lead to, and the wrong one is copied.",
    fix="End the label with the region, such as main_us_east_1.",
    page=_PAGE,
    types=["terraform"],
    severity=ADVICE,
    lessons=["PAY-4"],
    good=_GOOD,
    breaks=[
        {"resource.aws_vpc.main": {"provider": "aws.us_east_1", "cidr_block": "10.2.0.0/16"}},
        {"resource.aws_vpc.eu_west_1.provider": "aws.us_east_1"},
        {"resource.aws_lambda_function.payment_validator_us_east_1.provider": "aws.eu_west_1"},
    ],
    unknown_passes="REG-015 reports providers that an expression selects.",
)
def labels_contain_the_region(root: Block) -> Iterator[Outcome]:
    """A label without a region is allowed if its type is in one region; a label with regions must contain its own."""
    if is_plan(root.stack):
        yield NotApplicable("labels in a plan contain module names")
        return
    by_type: dict[str, list[tuple[Block, str]]] = defaultdict(list)
    seen: set[str] = set()
    for block in resources(root.stack):
        if not block.type.startswith("aws_") or is_global(block.type) or block.base in seen:
            continue
        seen.add(block.base)
        region = _place(block)
        # The region argument and a for_each key are visible in the block or its address.
        if isinstance(region, str) and is_name(region) and block.raw("region") is None and not is_name(block.key):
            by_type[block.type].append((block, region))
    for blocks in by_type.values():
        places = {region for _, region in blocks}
        areas = Counter(region.partition("-")[0] for region in places)
        for block, region in blocks:
            named = named_in(block.name)
            if named and region not in named:
                yield block.fail(
                    f"label contains {' and '.join(sorted(named))}, but the resource is in {region}; correct the label "
                    "or the provider"
                )
            elif (
                not named
                and len(places) > 1
                and not _ROLES.search(block.name)
                and not _contains_area(block, region, areas)
            ):
                yield block.fail(
                    f"label must end in {region.replace('-', '_')}: other resources of its type are in other regions"
                )
