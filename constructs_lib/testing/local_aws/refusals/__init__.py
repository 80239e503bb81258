"""What AWS refuses and moto accepts: one function for each refusal, with the page of AWS that says so."""

from __future__ import annotations

from constructs_lib.testing.local_aws.refusals import (
    caches,
    functions,
    keys,
    names,
    networks,
    policy_sizes,
    roles,
)
from constructs_lib.testing.local_aws.refusals.asking import REFUSALS, Asked, RefusedError, refusal_of

__all__ = [
    "REFUSALS",
    "Asked",
    "RefusedError",
    "caches",
    "functions",
    "keys",
    "names",
    "networks",
    "policy_sizes",
    "refusal_of",
    "roles",
]
