"""Providers: which one a block uses, and which region that is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import is_global, is_name, named_in
from constructs_lib.rules.queries.common import PROVIDER, TERRAFORM
from constructs_lib.rules.queries.documents import is_plan
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": [{"region": "us-east-1"}, {"region": "eu-west-1", "alias": "eu_west_1"}]},
    "data": {"aws_region": {"eu": {"provider": "aws.eu_west_1"}}},
    "resource": {
        "aws_vpc": {
            "us": {"provider": "aws", "cidr_block": "10.0.0.0/16"},
            "eu": {"provider": "aws.eu_west_1", "cidr_block": "10.1.0.0/16"},
        }
    },
    "module": {"logs": {"source": "./logs", "providers": {"aws": "aws.eu_west_1"}}},
}
_META = f"{TERRAFORM}/language/meta-arguments/resource-provider"

_LOCAL_DATA: Final = (
    "data.aws_arn",
    "data.aws_iam_policy_document",
    "data.aws_ip_ranges",
    "data.aws_partition",
    "data.aws_service_principal",
)
"""Data sources that are worked out without asking AWS."""


def _providers(stack_block: Block) -> list[Block]:
    stack = stack_block.stack
    return [block for block in stack.estate.of("provider.aws") if block.stack is stack]


@rule(
    "REG-001",
    "Where a stack has several AWS providers, every resource names its own",
    why="A resource that names none lands in the default provider's region, without any error.",
    fix="Set provider on every AWS resource and data source of the stack.",
    page=_META,
    types=["terraform"],
    severity=WARNING,
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {"resource.aws_vpc.eu.provider": REMOVED},
        {"data.aws_region.eu.provider": REMOVED},
        {"resource.aws_vpc.us.provider": REMOVED, "provider.aws.0.alias": "us_east_1"},
    ],
    unknown_passes="a provider is named, not computed; see REG-015",
)
def blocks_name_their_provider(root: Block) -> Iterator[Outcome]:
    """Look at every AWS block of a stack with several providers; an own region is as good as a provider."""
    providers = _providers(root)
    if len(providers) < 2:  # noqa: PLR2004  one provider needs no name
        return
    names = ", ".join(f"aws.{block.name}" if block.name else "aws" for block in providers)
    default = next((block for block in providers if not block.name), None)
    place = "no provider is the default" if default is None else f"it lands in {default.region} by default"
    for block in root.stack.blocks:
        placed = block.type.startswith(("aws_", "data.aws_")) and block.type not in _LOCAL_DATA
        if placed and block.raw("provider") is None and block.raw("region") is None:
            if default is not None and is_plan(root.stack):
                yield root.undecided(Unknown("a plan does not say whether the default provider is named"), "provider")
                return
            yield block.fail(f"must be one of {names}: {place}", "provider")


_STATIC: Final = re.compile(r"(?:\$\{)?([\w-]+)(?:\.([\w-]+))?\}?")


_EXPRESSIONS: Final = ("var", "local", "each", "module", "data")


def _named(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the provider names in a resource, data source or module, with their paths."""
    value = block.raw("provider" if block.type != "module" else "providers")
    if isinstance(value, str):
        yield "provider", value
    elif isinstance(value, dict) and block.type == "module":
        yield from ((f"providers.{key}", name) for key, name in value.items() if isinstance(name, str))


@rule(
    "REG-003",
    "Every provider that is named is declared",
    why="Terraform stops before the plan: the provider configuration is not present.",
    fix="Add a provider block with this alias, or name one that is there.",
    page=f"{TERRAFORM}/language/block/provider",
    types=["terraform"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {"resource.aws_vpc.eu.provider": "aws.ap_southeast_1"},
        {"provider.aws.1.alias": "eu"},
        {"module.logs.providers": {"aws": "aws.ap_southeast_1"}},
    ],
    unknown_passes="a provider that an expression chooses is what REG-015 is about",
)
def named_providers_are_declared(root: Block) -> Iterator[Outcome]:
    """Compare with the provider blocks, and with what a module asks of its caller."""
    asked = {str(name).strip("${} ") for name in _configuration_aliases(root)}
    for block in root.stack.blocks:
        for at, name in _named(block):
            match = _STATIC.fullmatch(name.strip())
            if match is None or not match[2] or match[1] in _EXPRESSIONS or f"{match[1]}.{match[2]}" in asked:
                continue
            if root.stack.one(f"provider.{match[1]}.{match[2]}") is None:
                declared = ", ".join(
                    f"{match[1]}.{each.name}" if each.name else match[1]
                    for each in root.stack.blocks
                    if each.type == f"provider.{match[1]}"
                )
                yield block.fail(f"is not declared; declared are {declared or 'none'}", at)


def _configuration_aliases(root: Block) -> Iterator[object]:
    required = root.raw("required_providers")
    for group in required if isinstance(required, list) else [required]:
        for entry in group.values() if isinstance(group, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("configuration_aliases"), list):
                yield from entry["configuration_aliases"]


@rule(
    "REG-004",
    "A provider's alias names the region that it is for",
    why="Whoever reads aws.eu_west_1 believes it; the resources land in another region.",
    fix="Set region to what the alias says, or rename the alias.",
    page=f"{TERRAFORM}/language/block/provider",
    types=["provider.aws"],
    lessons=["PAY-1", "PAY-4"],
    good=_GOOD,
    breaks=[
        {"provider.aws.1.region": "eu-central-1"},
        {"provider.aws.1.alias": "use1", "resource.aws_vpc.eu.provider": "aws.use1"},
    ],
    unknown_passes="Terraform takes no expression for an alias",
)
def alias_and_region_agree(provider: Block) -> Iterator[Outcome]:
    """Compare the region with those that the alias names, in full or in short: eu_west_1, euwest1, euw1."""
    regions = named_in(provider.name)
    region = provider.text("region")
    if not regions or region is None:
        return
    if isinstance(region, Unknown):
        yield provider.undecided(region, "region")
    elif region not in regions:
        yield provider.fail(f"must be {' or '.join(sorted(regions))}, as the alias {provider.name} says", "region")


@rule(
    "REG-012",
    "A provider names its region",
    why="The region then comes from the shell of whoever applies; a wrong variable builds everything elsewhere.",
    fix="Set region.",
    page=f"{PROVIDER}#provider-configuration",
    types=["provider.aws"],
    severity=WARNING,
    lessons=["PAY-1", "EVT-1"],
    good=_GOOD,
    breaks=[{"provider.aws.0.region": REMOVED}, {"provider.aws.1.region": ""}],
    unknown_passes="a region that a variable gives is named",
)
def provider_names_its_region(provider: Block) -> Iterator[Outcome]:
    """Look for any value."""
    if provider.get("region") in (None, ""):
        yield provider.fail("must be set, or the shell of whoever applies decides", "region")


@rule(
    "REG-015",
    "A provider is named as it is written, not chosen by an expression",
    why="Terraform binds providers before it knows any value, and refuses the whole configuration.",
    fix="Write the resources once for each region, each with its own provider.",
    page=_META,
    types=["terraform"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {
            "resource.aws_vpc.eu.provider": "aws.${each.key}",
            "resource.aws_vpc.eu.for_each": '${toset(["us-east-1", "eu-west-1"])}',
        },
        {"resource.aws_vpc.eu.provider": "${local.providers[each.key]}"},
        {"resource.aws_vpc.eu.provider": '${var.region == "eu-west-1" ? aws.eu : aws}'},
        {
            "module.logs.for_each": '${toset(["us-east-1", "eu-west-1"])}',
            "module.logs.providers": {"aws": "${aws.by_region[each.key]}"},
        },
        {"provider.aws.1.for_each": '${toset(["eu-west-1", "eu-west-2"])}', "provider.aws.1.region": "${each.value}"},
    ],
)
def provider_is_static(root: Block) -> Iterator[Outcome]:
    """Look at the form of each name; a variable or local value in its place is an expression too."""
    seen: set[str] = set()
    for block in root.stack.blocks:
        if block.base in seen:
            continue
        seen.add(block.base)
        for at, name in _named(block):
            match = _STATIC.fullmatch(name.strip())
            if match is None or match[1] in _EXPRESSIONS:
                yield block.fail("must be written out, such as aws.eu_west_1: Terraform evaluates nothing here", at)
        if block.type.startswith("provider.") and block.raw("for_each") is not None:
            yield block.fail("cannot stand in a provider; write one provider block for each region", "for_each")


_BOUND_TO_A_PLACE: Final = frozenset(
    {
        "aws_api_gateway_rest_api",
        "aws_dynamodb_table",
        "aws_internet_gateway",
        "aws_kms_key",
        "aws_lambda_function",
        "aws_nat_gateway",
        "aws_rds_cluster",
        "aws_route_table",
        "aws_s3_bucket",
        "aws_security_group",
        "aws_sqs_queue",
        "aws_subnet",
        "aws_vpc",
    }
)
"""Types of which nobody makes one for another region on purpose."""


@rule(
    "REG-016",
    "A block that is repeated for each region is made in each region",
    why="for_each repeats the block under one provider: all of it lands in that one region.",
    fix="Write the block once for each region with its own provider; from provider 6.0 on set region = each.key.",
    page=f"{TERRAFORM}/language/meta-arguments/for_each",
    types=sorted(_BOUND_TO_A_PLACE),
    lessons=["PAY-1"],
    good={
        "provider": {"aws": {"region": "us-east-1"}},
        "resource": {
            "aws_vpc": {
                "main": {
                    "for_each": {"us-east-1": "10.0.0.0/16", "eu-west-1": "10.1.0.0/16"},
                    "region": "${each.key}",
                    "cidr_block": "${each.value}",
                }
            }
        },
    },
    breaks=[
        {"resource.aws_vpc.main.region": REMOVED},
        {"resource.aws_vpc.main.region": "us-east-1"},
    ],
)
def repeated_blocks_are_spread(block: Block) -> Iterator[Outcome]:
    """Compare the key with the region of the instance."""
    if not is_name(block.key) or is_global(block.type):
        return
    if isinstance(block.region, Unknown):
        yield block.undecided(block.region, "for_each")
    elif block.region != block.key:
        yield block.fail(
            f"is made in {block.region}, under the one provider of all instances; "
            f"write one block for each region, or set region = each.key",
            "for_each",
        )
