"""Regional values: maps by region, and how a region's name is read."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions import Reference, references
from constructs_lib.rules.estate.values import Invalid, Unknown
from constructs_lib.rules.facts.regions import is_global, is_name
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER, TERRAFORM
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome


@rule(
    "REG-011",
    "A region's name is not read from data.aws_region.name",
    why="The attribute is deprecated: every plan warns, and the next major version of the provider may drop it.",
    fix="Read id, which every version has, or region from provider 6.0 on; better write the region where it is known.",
    page=f"{PROVIDER}/data-sources/region",
    types=["terraform"],
    severity=WARNING,
    lessons=["EVT-15"],
    good={
        "data": {"aws_region": {"current": {}}},
        "locals": {"region": "${data.aws_region.current.id}"},
        "resource": {"aws_ssm_parameter": {"home": {"name": "/shop/prod/region", "value": "in ${local.region}"}}},
    },
    breaks=[
        {"locals.region": "${data.aws_region.current.name}"},
        {"resource.aws_ssm_parameter.home.value": "in ${upper(data.aws_region.current.name)}"},
        {"data.aws_region.current.count": 1, "locals.region": "${data.aws_region.current[0].name}"},
    ],
    unknown_passes="a variable in its place does not read the attribute",
)
def region_name_is_not_deprecated(root: Block) -> Iterator[Outcome]:
    """Look at every reference of the stack."""
    for block in root.stack.blocks:
        for at, reference in block.edges:
            # one of several instances has its key before the attribute
            if reference.type == "aws_region" and reference.kind == "data" and "name" in reference.path[:2]:
                yield block.fail(f"{reference.text} is deprecated; read {reference.block}.id", at)


def _is_regional(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(is_name(key) for key in value)


_MAY_MISS: Final = ("try(", "can(", "lookup(", "?")
"""Parts of expressions that provide for a missing key."""


def _missing(reference: Reference, block: Block) -> str | None:
    """Return what a reference asks of a map by region that has no such region."""
    holder = block.stack.one(reference.block)
    value: Any = holder.get("value" if reference.kind == "local" else "default") if holder is not None else None
    for step in reference.path:
        if _is_regional(value) and isinstance(step, Unknown):
            return "this region"
        if _is_regional(value) and is_name(step) and step not in value:
            return str(step)
        value = value.get(step) if isinstance(value, dict) else None
    return None


@rule(
    "REG-013",
    "A map by region has every region that is asked of it",
    why="Terraform stops with Invalid index in the one region that somebody forgot.",
    fix="Add the region to the map.",
    page=f"{TERRAFORM}/language/expressions/references",
    types=["terraform"],
    lessons=["PAY-7"],
    good={
        "provider": {"aws": {"region": "ap-southeast-1"}},
        "data": {"aws_region": {"current": {}}},
        "locals": {"images": {"us-east-1": "ami-1", "eu-west-1": "ami-2", "ap-southeast-1": "ami-3"}},
        "resource": {
            "aws_instance": {
                "web": {"ami": "${local.images[data.aws_region.current.id]}"},
                "app": {"ami": '${local.images["ap-southeast-1"]}'},
            }
        },
    },
    breaks=[
        {"locals.images.ap-southeast-1": REMOVED},
        {"resource.aws_instance.app.ami": '${local.images["ap-northeast-1"]}'},
        {"provider.aws.region": "sa-east-1"},
    ],
    unknown_passes="a region that is not known may be one of the map",
)
def maps_have_what_is_asked(root: Block) -> Iterator[Outcome]:
    """Look at every index into a local value or a variable whose keys are regions."""
    for block in root.stack.blocks:
        for at, reference in block.edges:
            missing = _missing(reference, block) if reference.kind in ("local", "var") and reference.path else None
            if missing is None:
                continue
            raw = block.raw(at)
            plain = isinstance(raw, str) and raw.startswith("${") and references(raw)[:1] == (reference,)
            value = block.get(at) if plain else None
            if isinstance(raw, str) and any(word in raw for word in _MAY_MISS):
                continue
            if missing != "this region":
                yield block.fail(f"{reference.block} has no {missing}; add it", at)
            elif plain and (value is None or isinstance(value, Invalid)):
                yield block.fail(f"{reference.block} has no value for the region that is asked for; add it", at)


@lru_cache(maxsize=2)
def _by_region(estate: Estate) -> dict[tuple[str, str], dict[str, Block]]:
    """Return by stack and type the first block in each region."""
    found: dict[tuple[str, str], dict[str, Block]] = defaultdict(dict)
    for block in estate.blocks:
        if block.type.startswith("aws_") and not is_global(block.type) and isinstance(block.region, str):
            found[block.stack.name, block.type].setdefault(block.region, block)
    return found


_PARTIAL: Final = ("peer", "replica", "secondar", "other", "spoke", "remote", "partner")
"""Parts of names of maps that leave a region out on purpose."""


@rule(
    "REG-014",
    "A map of regional resources has those of every region, each under its own",
    why="What is built from the map is not built in the forgotten region, without any error.",
    fix="Add the region's resource, and give each key the resource of its region.",
    page=f"{TERRAFORM}/language/values/locals",
    types=["local", "output"],
    severity=ADVICE,
    lessons=["PAY-7"],
    good={
        "provider": {
            "aws": [
                {"region": region, "alias": region.replace("-", "_")}
                for region in ("us-east-1", "eu-west-1", "ap-southeast-1")
            ]
        },
        "resource": {
            "aws_vpc": {
                alias: {"provider": f"aws.{alias}", "cidr_block": f"10.{number}.0.0/16"}
                for number, alias in enumerate(("us_east_1", "eu_west_1", "ap_southeast_1"))
            }
        },
        "locals": {
            "vpcs": {
                "us-east-1": "${aws_vpc.us_east_1.id}",
                "eu-west-1": "${aws_vpc.eu_west_1.id}",
                "ap-southeast-1": "${aws_vpc.ap_southeast_1.id}",
            }
        },
    },
    breaks=[
        {"locals.vpcs.ap-southeast-1": REMOVED},
        {"locals.vpcs.ap-southeast-1": "${aws_vpc.us_east_1.id}"},
    ],
)
def maps_of_resources_are_whole(holder: Block) -> Iterator[Outcome]:
    """Look at maps whose other entries are of the region that they stand under: only these are surely by region."""
    value = holder.raw("value")
    name = holder.name.lower()
    if not isinstance(value, dict) or not _is_regional(value) or any(part in name for part in _PARTIAL):
        yield NotApplicable("not a map by region")
        return
    ends = {region: holder.targets(f"value.{region}") for region in value}
    single = {region: found[0] for region, found in ends.items() if len(found) == 1 and not is_global(found[0].type)}
    right = {region for region, end in single.items() if end.region == region}
    wrong = {region: end for region, end in single.items() if isinstance(end.region, str) and end.region != region}
    if len(right) < len(value) - 1 or not right:
        return
    for region, end in wrong.items():
        yield holder.fail(f"{end.address} is in {end.region}; put the one of {region} here", f"value.{region}")
    types = {single[region].type for region in right}
    if len(types) == 1 and not wrong:
        there = _by_region(holder.estate)[holder.stack.name, types.pop()]
        for region in there.keys() - value.keys():
            yield holder.fail(f"has no {region}, where {there[region].address} is; add it", "value")
