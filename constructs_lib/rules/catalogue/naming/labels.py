"""Names within Terraform: labels of resources and data sources."""

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
"""What cdktf adds to a label that it makes of a path."""


@rule(
    "NAME-002",
    "Labels are written in snake_case",
    why="References are guessed wrong: public-us-east-1, publicUsEast1 or public_us_east_1.",
    fix="Write lower-case letters, digits and underscores; a moved block keeps what exists.",
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
    """Look at each label once, however many instances it has."""
    if is_plan(root.stack):
        yield NotApplicable("labels of a plan carry the names of modules")
        return
    for block in once(root.stack):
        if "_" in block.type and not _SNAKE.fullmatch(_HASH.sub("", block.name)):
            wanted = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", block.name).lower())
            yield block.fail(f"must be written in snake_case, such as {wanted}")


_ROLES: Final = re.compile(r"(?:^|_)(?:primary|secondary|replica|dr|failover|peer|accepter|requester)(?:_|$)")


def _place(block: Block) -> str | Unknown:
    """Return the region of a block, by its provider's alias where a variable gives the region."""
    region = block.region
    if isinstance(region, Unknown) and block.provider is not None:
        named = named_in(block.provider.name)
        return named.pop() if len(named) == 1 else region
    return region


def _says_area(block: Block, region: str, areas: Counter[str]) -> bool:
    """Whether a label says `eu` where one region only is in Europe."""
    area = region.partition("-")[0]
    return areas[area] == 1 and area in block.name.lower().split("_")


@rule(
    "NAME-003",
    "Labels of one type in several regions say their region",
    why="Nobody sees from a reference which region it leads to, and the wrong one is copied.",
    fix="End the label in its region, such as public_us_east_1.",
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
    unknown_passes="a provider that an expression chooses is what REG-015 is about",
)
def labels_say_the_region(root: Block) -> Iterator[Outcome]:
    """A label may name no region where its type stands in one region only; one that names regions must name its own."""
    if is_plan(root.stack):
        yield NotApplicable("labels of a plan carry the names of modules")
        return
    by_type: dict[str, list[tuple[Block, str]]] = defaultdict(list)
    seen: set[str] = set()
    for block in resources(root.stack):
        if not block.type.startswith("aws_") or is_global(block.type) or block.base in seen:
            continue
        seen.add(block.base)
        region = _place(block)
        # A region as an argument or a key of for_each is seen in the address.
        if isinstance(region, str) and is_name(region) and block.raw("region") is None and not is_name(block.key):
            by_type[block.type].append((block, region))
    for blocks in by_type.values():
        places = {region for _, region in blocks}
        areas = Counter(region.partition("-")[0] for region in places)
        for block, region in blocks:
            named = named_in(block.name)
            if named and region not in named:
                yield block.fail(f"says {' and '.join(sorted(named))}, and stands in {region}; correct one of both")
            elif (
                not named and len(places) > 1 and not _ROLES.search(block.name) and not _says_area(block, region, areas)
            ):
                yield block.fail(
                    f"stands in {region}, others of its type elsewhere; end the label in {region.replace('-', '_')}"
                )
