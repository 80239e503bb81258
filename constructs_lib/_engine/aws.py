"""Bindings of the AWS provider: each module is imported when it is first used.

`aws.pyi` lists those that the library uses, for type checkers; `make docs` writes it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from constructs_lib._engine import PROVIDERS

if TYPE_CHECKING:
    from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{PROVIDERS['aws']}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
