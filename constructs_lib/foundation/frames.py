"""Which frames are those of the library, the engine and generated code: a caller's line is the nearest other one."""

from __future__ import annotations

from functools import cache
from typing import Final

_PACKAGES: Final = frozenset({"cdktf", "cdktn", "constructs", "constructs_lib", "functools", "jsii", "typeguard"})
"""functools calls the library's cached properties."""
_GENERATED: Final = ("cdktf_cdktf_provider_", "cdktn_provider_")


@cache
def is_library(module: str) -> bool:
    """Return whether a module, by its dotted name, belongs to the library, the engine or a generated package."""
    package = module.partition(".")[0]
    return package in _PACKAGES or package.startswith(_GENERATED)
