"""The parameter group of a cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final, Literal, get_args

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

MaxMemoryPolicy = Literal[
    "allkeys-lfu",
    "allkeys-lru",
    "allkeys-random",
    "noeviction",
    "volatile-lfu",
    "volatile-lru",
    "volatile-random",
    "volatile-ttl",
]
OWN: Final = ("cluster-enabled", "maxmemory-policy")
_HASH_LENGTH: Final = 8


def check_parameters(problems: Problems, policy: object, given: Mapping[str, str]) -> None:
    """Report an unknown policy, parameters that are not strings, and those that other arguments set."""
    allowed = get_args(MaxMemoryPolicy)
    problems.check(policy in allowed, "maxmemory_policy", policy, f"must be one of {', '.join(allowed)}")
    if not isinstance(given, Mapping):
        problems.stop("parameters", given, "must be a dictionary of plain strings by name")
    for name, value in given.items():
        problems.check(
            name not in OWN, f"parameters[{name!r}]", value, "is set by topology or maxmemory_policy; remove it"
        )
        problems.check(
            isinstance(name, str) and isinstance(value, str) and not is_token(name) and not is_token(value),
            f"parameters[{name!r}]",
            value,
            "must be a plain string; the parameter group's name contains a digest of it",
        )


def make_group(
    cache: HardenedConstruct, family: str, parameters: Mapping[str, str]
) -> aws.elasticache_parameter_group.ElasticacheParameterGroup:
    """Create the parameter group, with a name that contains the family and a digest of the parameters.

    The family of a parameter group cannot be changed, and a group in use cannot be deleted: a new one is created first.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.html.
    """
    region = cache.region
    content = json.dumps([family, sorted(parameters.items())])
    digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
    groups = aws.elasticache_parameter_group
    return region.create(
        cache,
        (*cache.components, "parameters"),
        groups.ElasticacheParameterGroup,
        name=region.naming.name((*cache.components, family, digest), "cache-parameter-group"),
        description=f"Cache {cache.path}",
        family=family,
        parameter=[
            groups.ElasticacheParameterGroupParameter(name=name, value=value)
            for name, value in sorted(parameters.items())
        ],
        lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
    )
