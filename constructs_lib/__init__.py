"""Hardened CDK for Terraform constructs for AWS.

Import this package before `cdktf` or a generated provider package, or instead of them: it makes their thousands of
modules load one by one, and offers what an app needs from them. `__init__.pyi` is the one list of the public names:
type checkers read it, and so does this module, which imports each name when it is first used.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil

from constructs_lib._engine import bindings
from constructs_lib.foundation import tracebacks

_HOMES = {
    name.name: f"{__name__}.{statement.module}"
    for statement in ast.parse(pkgutil.get_data(__name__, "__init__.pyi") or b"").body
    if isinstance(statement, ast.ImportFrom)
    for name in statement.names
}

_RENAMED: dict[str, str] = {
    "CacheUser": "ElastiCacheUser",
    "CpuAlarms": "SimpleScaling",
    "Deletable": "NoDeletionProtection",
    "ForeignBus": "ExternalEventBus",
    "LateFinish": "ShorterTimeout",
    "OutsideValue": "ExternalValue",
    "ScheduledSize": "ScheduledAction",
    "TokenAuthorizer": "LambdaAuthorizer",
}
"""Old public names and the new ones: they keep working for one release."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  the names of the stub, each imported when it is first used


def __getattr__(name: str) -> object:
    if name in _RENAMED:
        from constructs_lib.foundation.deprecation import warn_renamed  # noqa: PLC0415  nobody else needs it

        warn_renamed("constructs_lib.", name, _RENAMED[name])
        name = _RENAMED[name]
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]


bindings.install()
tracebacks.install()
