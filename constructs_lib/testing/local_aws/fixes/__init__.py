"""What moto 5.2.5 gets wrong for the AWS provider, one small function a mistake.

Only the server process imports this package. What the fixes touch is listed in `differences.py`: an attribute that a
fix makes come back says nothing about AWS.
"""

from __future__ import annotations

from constructs_lib.testing.local_aws.fixes import (
    caches,
    databases,
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
    *databases.FIXES,
    *caches.FIXES,
    *storage.FIXES,
    *logs.FIXES,
)


def install() -> list[str]:
    """Apply every fix to the moto of this process; to be called once. Returns their names."""
    for fix in FIXES:
        fix()
    return [fix.__name__ for fix in FIXES]
