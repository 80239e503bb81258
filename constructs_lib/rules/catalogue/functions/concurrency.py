"""Reserved and provisioned concurrency."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import ALIAS, FUNCTION, called, function_of, pointing, sources
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_DG: Final = f"{AWS}/lambda/latest/dg"
_POOL: Final = 1000
"""Default quota of concurrent executions per account and region."""
_UNRESERVED: Final = 100
"""Concurrent executions that Lambda keeps unreserved."""
_QUOTA: Final = "L-B99A9384"
_LISTED: Final = 10
_AT: Final = "reserved_concurrent_executions"


@dataclass
class _Pool:
    """The reserved concurrency of the functions of one account and region."""

    limit: float = _POOL
    reserved: list[tuple[float, Block]] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(count for count, _ in self.reserved)


def _place(block: Block) -> tuple[str, ...]:
    """Return a key for the account and region of a block, as far as they are known."""
    provider = block.provider
    account = ("allowed_account_ids", "assume_role.role_arn", "profile", "access_key")
    signs = [str(provider.get(at)) for at in account] if provider else []
    return (str(block.region), block.environment, *signs)


@lru_cache(maxsize=8)
def _pools(estate: Estate) -> dict[tuple[str, ...], _Pool]:
    found: dict[tuple[str, ...], _Pool] = defaultdict(_Pool)
    for function in estate.of(FUNCTION):
        count = function.number(_AT)
        if isinstance(count, int | float) and count > 0:
            found[_place(function)].reserved.append((count, function))
    for quota in estate.of("aws_servicequotas_service_quota"):
        value = quota.number("value")
        if quota.get("quota_code") == _QUOTA and isinstance(value, int | float):
            found[_place(quota)].limit = value
    for pool in found.values():
        pool.reserved.sort(key=lambda each: (-each[0], each[1].address))
    return found


def _function(count: int) -> dict[str, object]:
    return {"function_name": f"shop-prod-{count}", "reserved_concurrent_executions": count}


@rule(
    "LAM-023",
    "Lambda functions leave at least 100 concurrent executions unreserved",
    why="Lambda rejects a reservation that leaves fewer than 100 of the account's concurrent executions in the region "
    "(1,000 by default) unreserved.",
    fix="Reserve less, or request a quota increase and declare it as aws_servicequotas_service_quota.",
    page=f"{_DG}/configuration-concurrency.html",
    types=["aws_lambda_function"],
    lessons=["EVT-5"],
    good={
        "resource": {
            "aws_lambda_function": {"ingest": _function(100), "process": _function(50), "store": _function(75)}
        }
    },
    breaks=[
        {"resource.aws_lambda_function.ingest.reserved_concurrent_executions": 800},
        {"resource.aws_lambda_function.store": {**_function(60), "count": 20}},
    ],
)
def concurrency_is_left_unreserved(function: Block) -> Iterator[Outcome]:
    """Report one finding per account and region, on the function that reserves most."""
    count = function.number(_AT)
    if isinstance(count, Unknown):
        yield function.undecided(count, _AT)
        return
    if not count or count < 0:
        yield NotApplicable("it has no reserved concurrency")
        return
    pool = _pools(function.estate)[_place(function)]
    if pool.total <= pool.limit - _UNRESERVED or pool.reserved[0][1] is not function:
        return
    table = ", ".join(f"{called(block, function)} {count:g}" for count, block in pool.reserved[:_LISTED])
    more = f" and {len(pool.reserved) - _LISTED} more" if len(pool.reserved) > _LISTED else ""
    yield function.fail(
        f"the functions of this account and region must reserve at most {pool.limit - _UNRESERVED:g} of {pool.limit:g} "
        f"concurrent executions; they reserve {pool.total:g}: {table}{more}",
        _AT,
    )


@rule(
    "LAM-030",
    "Lambda provisioned concurrency is set on a version or alias, within the reserved concurrency",
    why="Lambda rejects provisioned concurrency on $LATEST, on an alias with routing weights, and above the "
    "function's reserved concurrency.",
    fix="Set qualifier to a published version or an alias of one version, and provision no more than is reserved.",
    page=f"{_DG}/provisioned-concurrency.html",
    types=["aws_lambda_provisioned_concurrency_config"],
    good={
        "resource": {
            "aws_lambda_function": {"api": {"function_name": "shop-prod-api", "reserved_concurrent_executions": 20}},
            "aws_lambda_alias": {
                "live": {
                    "name": "live",
                    "function_name": "${aws_lambda_function.api.function_name}",
                    "function_version": "7",
                    "routing_config": {"additional_version_weights": {}},
                }
            },
            "aws_lambda_provisioned_concurrency_config": {
                "live": {
                    "function_name": "${aws_lambda_function.api.function_name}",
                    "qualifier": "${aws_lambda_alias.live.name}",
                    "provisioned_concurrent_executions": 10,
                }
            },
        }
    },
    breaks=[
        {"resource.aws_lambda_provisioned_concurrency_config.live.provisioned_concurrent_executions": 30},
        {"resource.aws_lambda_function.api.reserved_concurrent_executions": 5},
        {"resource.aws_lambda_provisioned_concurrency_config.live.qualifier": "$LATEST"},
        {"resource.aws_lambda_alias.live.routing_config.additional_version_weights": {"6": 0.1}},
    ],
)
def provisioned_concurrency_fits(config: Block) -> Iterator[Outcome]:
    """Compare the sum of all configurations of a function with its reserved concurrency."""
    qualifier = config.get("qualifier")
    if qualifier == "$LATEST":
        yield config.fail("must be a published version or an alias", "qualifier")
    elif isinstance(qualifier, Unknown) and not sources(config, "qualifier"):
        yield config.undecided(qualifier, "qualifier")
    alias = config.target("qualifier", ALIAS)
    weights = alias.get("routing_config.additional_version_weights") if alias else None
    if alias and isinstance(weights, Unknown):
        yield alias.undecided(weights, "routing_config.additional_version_weights")
    elif alias and weights:
        yield alias.fail(
            f"must be empty, because {config.address} sets provisioned concurrency for this alias",
            "routing_config.additional_version_weights",
        )
    function = function_of(config, "function_name")
    reserved = function.number(_AT) if function else None
    if function is None or reserved is None:
        return
    configs = pointing(function, config.type, "function_name")
    counts = [each.number("provisioned_concurrent_executions") for each in configs]
    unknown = next((each for each in [reserved, *counts] if isinstance(each, Unknown)), None)
    if unknown:
        yield config.undecided(unknown, "provisioned_concurrent_executions")
        return
    total = sum(each for each in counts if isinstance(each, int | float))
    if isinstance(reserved, int | float) and 0 <= reserved < total and config is configs[0]:
        together = f"{total:g} for all versions" if len(configs) > 1 else f"{total:g}"
        yield config.fail(
            f"must not exceed the reserved concurrency of {function.address}, {reserved:g}; it is {together}",
            "provisioned_concurrent_executions",
        )
