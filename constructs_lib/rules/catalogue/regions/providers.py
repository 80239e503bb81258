"""AWS providers, their aliases and regions."""

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
"""Data sources that do not call AWS."""


def _providers(stack_block: Block) -> list[Block]:
    stack = stack_block.stack
    return [block for block in stack.estate.of("provider.aws") if block.stack is stack]


@rule(
    "REG-001",
    "Resource in a stack with several AWS providers has an explicit provider",
    why="Without it the resource is created in the region of the default provider, without any error.",
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
    unknown_passes="REG-015 checks expressions",
)
def blocks_have_a_provider(root: Block) -> Iterator[Outcome]:
    """Check every AWS block of a stack with several providers; accept the argument region too."""
    providers = _providers(root)
    if len(providers) < 2:  # noqa: PLR2004  a single provider is unambiguous
        return
    names = ", ".join(f"aws.{block.name}" if block.name else "aws" for block in providers)
    default = next((block for block in providers if not block.name), None)
    place = (
        "there is no default provider" if default is None else f"the default provider creates it in {default.region}"
    )
    for block in root.stack.blocks:
        placed = block.type.startswith(("aws_", "data.aws_")) and block.type not in _LOCAL_DATA
        if placed and block.raw("provider") is None and block.raw("region") is None:
            if default is not None and is_plan(root.stack):
                yield root.undecided(
                    Unknown("a plan does not show whether the default provider is explicit"), "provider"
                )
                return
            yield block.fail(f"must be one of {names}: {place}", "provider")


_STATIC: Final = re.compile(r"(?:\$\{)?([\w-]+)(?:\.([\w-]+))?\}?")


_EXPRESSIONS: Final = ("var", "local", "each", "module", "data")


def _named(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the providers that a resource, data source or module refers to, with their paths."""
    value = block.raw("provider" if block.type != "module" else "providers")
    if isinstance(value, str):
        yield "provider", value
    elif isinstance(value, dict) and block.type == "module":
        yield from ((f"providers.{key}", name) for key, name in value.items() if isinstance(name, str))


@rule(
    "REG-003",
    "Provider alias is defined",
    why="Terraform fails before the plan with Provider configuration not present.",
    fix="Add a provider block with this alias, or use a defined alias.",
    page=f"{TERRAFORM}/language/block/provider",
    types=["terraform"],
    lessons=["PAY-1"],
    good=_GOOD,
    breaks=[
        {"resource.aws_vpc.eu.provider": "aws.ap_southeast_1"},
        {"provider.aws.1.alias": "eu"},
        {"module.logs.providers": {"aws": "aws.ap_southeast_1"}},
    ],
    unknown_passes="REG-015 checks expressions",
)
def provider_aliases_are_defined(root: Block) -> Iterator[Outcome]:
    """Compare with the provider blocks and the configuration_aliases of a module."""
    passed = {str(name).strip("${} ") for name in _configuration_aliases(root)}
    for block in root.stack.blocks:
        for at, name in _named(block):
            match = _STATIC.fullmatch(name.strip())
            if match is None or not match[2] or match[1] in _EXPRESSIONS or f"{match[1]}.{match[2]}" in passed:
                continue
            if root.stack.one(f"provider.{match[1]}.{match[2]}") is None:
                defined = ", ".join(
                    f"{match[1]}.{each.name}" if each.name else match[1]
                    for each in root.stack.blocks
                    if each.type == f"provider.{match[1]}"
                )
                choice = f"must be one of {defined}" if defined else f"must be a defined provider of {match[1]}"
                yield block.fail(f"{choice}; or add a provider block with the alias {match[2]}", at)


def _configuration_aliases(root: Block) -> Iterator[object]:
    required = root.raw("required_providers")
    for group in required if isinstance(required, list) else [required]:
        for entry in group.values() if isinstance(group, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("configuration_aliases"), list):
                yield from entry["configuration_aliases"]


@rule(
    "REG-004",
    "Provider alias matches its region",
    why="An alias such as eu_west_1 is misleading when its resources are created in another region.",
    fix="Set region to the region of the alias, or rename the alias.",
    page=f"{TERRAFORM}/language/block/provider",
    types=["provider.aws"],
    lessons=["PAY-1", "PAY-4"],
    good=_GOOD,
    breaks=[
        {"provider.aws.1.region": "eu-central-1"},
        {"provider.aws.1.alias": "use1", "resource.aws_vpc.eu.provider": "aws.use1"},
    ],
    unknown_passes="Terraform does not allow expressions in an alias",
)
def alias_matches_the_region(provider: Block) -> Iterator[Outcome]:
    """Compare with the region in the alias, such as eu_west_1, euwest1 or euw1."""
    regions = named_in(provider.name)
    region = provider.text("region")
    if not regions or region is None:
        return
    if isinstance(region, Unknown):
        yield provider.undecided(region, "region")
    elif region not in regions:
        yield provider.fail(f"must be {' or '.join(sorted(regions))}, to match the alias {provider.name}", "region")


@rule(
    "REG-012",
    "AWS provider has a region",
    why="Without it the region comes from AWS_REGION or the profile: a wrong one creates all resources elsewhere.",
    fix="Set region on the provider.",
    page=f"{PROVIDER}#provider-configuration",
    types=["provider.aws"],
    severity=WARNING,
    lessons=["PAY-1", "EVT-1"],
    good=_GOOD,
    breaks=[{"provider.aws.0.region": REMOVED}, {"provider.aws.1.region": ""}],
    unknown_passes="a region from a variable is set",
)
def provider_has_a_region(provider: Block) -> Iterator[Outcome]:
    """Accept any value."""
    if provider.get("region") in (None, ""):
        yield provider.fail("must be set, or AWS_REGION and the profile decide", "region")


@rule(
    "REG-015",
    "Provider reference is static",
    why="Terraform resolves providers before it evaluates expressions, and rejects the configuration.",
    fix="Define the resources once per region, each with its own provider.",
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
    """Check the form of each reference; variables and local values are expressions too."""
    seen: set[str] = set()
    for block in root.stack.blocks:
        if block.base in seen:
            continue
        seen.add(block.base)
        for at, name in _named(block):
            match = _STATIC.fullmatch(name.strip())
            if match is None or match[1] in _EXPRESSIONS:
                yield block.fail("must be a static reference, such as aws.eu_west_1, not an expression", at)
        if block.type.startswith("provider.") and block.raw("for_each") is not None:
            yield block.fail("must not be set in a provider block; write one provider block per region", "for_each")


_REGIONAL: Final = frozenset(
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
"""Types that nobody defines in one region for another on purpose."""


@rule(
    "REG-016",
    "Resource with for_each over regions is created in each region",
    why="All instances of for_each have the same provider, and are created in its region.",
    fix="Define the resource once per region with its own provider; with provider 6.0 or later, set region = each.key.",
    page=f"{TERRAFORM}/language/meta-arguments/for_each",
    types=sorted(_REGIONAL),
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
def instances_are_in_their_regions(block: Block) -> Iterator[Outcome]:
    """Compare the key with the region of each instance."""
    if not is_name(block.key) or is_global(block.type):
        return
    if isinstance(block.region, Unknown):
        yield block.undecided(block.region, "for_each")
    elif block.region != block.key:
        yield block.fail(
            f"must create each instance in the region of its key; all are in {block.region}: define one resource per "
            "region, or set region = each.key",
            "for_each",
        )
