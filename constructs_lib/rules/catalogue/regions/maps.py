"""Maps with regions as keys, and the aws_region data source."""

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
    "Configuration does not use the deprecated attribute name of the aws_region data source",
    why="The attribute is deprecated: every plan prints a warning, and a later major version of the provider can "
    "remove it.",
    fix="Use id, which every version has, or region with provider 6.0 or later.",
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
    unknown_passes="a variable is not a reference to the attribute",
)
def region_name_is_not_deprecated(root: Block) -> Iterator[Outcome]:
    """Check every reference in the stack."""
    for block in root.stack.blocks:
        for at, reference in block.edges:
            # one of several instances has its key before the attribute
            if reference.type == "aws_region" and reference.kind == "data" and "name" in reference.path[:2]:
                yield block.fail(f"must not use {reference.text}, which is deprecated; use {reference.block}.id", at)


def _is_regional(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(is_name(key) for key in value)


_MAY_MISS: Final = ("try(", "can(", "lookup(", "?")
"""Parts of expressions that handle a missing key."""


def _missing(reference: Reference, block: Block) -> str | None:
    """Return the region that a reference reads from a map without that key, or "this region" for an expression."""
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
    "Map of regions has every region that is read from it",
    why="Terraform fails with Invalid index in the missing region.",
    fix="Add the region to the map, or read it with lookup() and a default.",
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
    unknown_passes="an unknown region may be a key of the map",
)
def maps_have_the_region(root: Block) -> Iterator[Outcome]:
    """Check every index into a local value or variable with regions as keys."""
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
                yield block.fail(f"must use a region of {reference.block}; add {missing} to the map", at)
            elif plain and (value is None or isinstance(value, Invalid)):
                yield block.fail(f"must use a region of {reference.block}; add the region of this stack to the map", at)


@lru_cache(maxsize=2)
def _by_region(estate: Estate) -> dict[tuple[str, str], dict[str, Block]]:
    """Return the first block of each region by stack and type."""
    found: dict[tuple[str, str], dict[str, Block]] = defaultdict(dict)
    for block in estate.blocks:
        if block.type.startswith("aws_") and not is_global(block.type) and isinstance(block.region, str):
            found[block.stack.name, block.type].setdefault(block.region, block)
    return found


_PARTIAL: Final = ("peer", "replica", "secondar", "other", "spoke", "remote", "partner")
"""Parts of the names of maps that omit a region on purpose."""


@rule(
    "REG-014",
    "Map of regional resources has an entry for every region",
    why="Terraform creates nothing from the map in the missing region, and reports no error.",
    fix="Add an entry for the region, and set each key to the resource of its region.",
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
def maps_have_every_region(holder: Block) -> Iterator[Outcome]:
    """Check maps only if all other entries are in the region of their key: other maps may have another meaning."""
    value = holder.raw("value")
    name = holder.name.lower()
    if not isinstance(value, dict) or not _is_regional(value) or any(part in name for part in _PARTIAL):
        yield NotApplicable("it is not a map with regions as keys")
        return
    ends = {region: holder.targets(f"value.{region}") for region in value}
    single = {region: found[0] for region, found in ends.items() if len(found) == 1 and not is_global(found[0].type)}
    right = {region for region, end in single.items() if end.region == region}
    wrong = {region: end for region, end in single.items() if isinstance(end.region, str) and end.region != region}
    if len(right) < len(value) - 1 or not right:
        return
    for region, end in wrong.items():
        yield holder.fail(f"must be a resource in {region}; {end.address} is in {end.region}", f"value.{region}")
    types = {single[region].type for region in right}
    if len(types) == 1 and not wrong:
        there = _by_region(holder.estate)[holder.stack.name, types.pop()]
        for region in there.keys() - value.keys():
            yield holder.fail(f"must have the key {region}; {there[region].address} is in that region", "value")
