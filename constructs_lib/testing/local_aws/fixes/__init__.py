"""Fixes for moto 5.2.5, so that the AWS provider works with it; one function for each difference from AWS.

Only the server process imports this package. The docstring of a fix describes moto without it. `differences.py` lists
the attributes that the fixes change: what they return proves nothing about AWS.
"""

from __future__ import annotations

from constructs_lib.testing.local_aws.fixes import (
    caches,
    databases,
    deployments,
    functions,
    gateways,
    keys,
    logs,
    messaging,
    networks,
    storage,
)

FIXES = (
    *keys.FIXES,
    *messaging.FIXES,
    *networks.FIXES,
    *functions.FIXES,
    *gateways.FIXES,
    *deployments.FIXES,
    *databases.FIXES,
    *caches.FIXES,
    *storage.FIXES,
    *logs.FIXES,
)


def install() -> list[str]:
    """Apply all fixes to moto in this process and return their names; call it once."""
    for fix in FIXES:
        fix()
    return [fix.__name__ for fix in FIXES]
