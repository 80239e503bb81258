"""Terraform's functions, for values that are known at synth."""

from __future__ import annotations

from typing import Final

from constructs_lib.rules.estate.expressions.functions import (  # noqa: F401  they register their functions
    collections_,
    encoding,
    formatting,
    numbers,
    sets,
    strings,
)
from constructs_lib.rules.estate.expressions.functions.registry import FUNCTIONS, call
from constructs_lib.rules.estate.values import Unknown

APPLY: Final = frozenset({"bcrypt", "plantimestamp", "timestamp", "uuid"})
"""Functions whose result differs in each run."""
FILES: Final = frozenset(
    {
        *("abspath", "file", "filebase64", "filebase64sha256", "filebase64sha512", "fileexists", "filemd5", "fileset"),
        *("filesha1", "filesha256", "filesha512", "pathexpand", "templatefile"),
    }
)
"""Functions that read files of the computer that runs Terraform."""
OTHERS: Final = frozenset(
    {
        *("base64gzip", "ephemeralasnull", "formatdate", "issensitive", "rsadecrypt", "templatestring"),
        *("textdecodebase64", "textencodebase64", "timeadd", "timecmp", "type", "uuidv5", "yamldecode", "yamlencode"),
    }
)


def apply(name: str, arguments: list[object]) -> object:
    """Return the result of a function; its arguments may be unknown or have unknown parts.

    Raises:
        RefusedError: Terraform rejects the arguments.
        UndecidedError: The result cannot be determined here, or is too large.
    """
    if found := FUNCTIONS.get(name):
        return call(name, found, arguments)
    if name in APPLY:
        return Unknown(f"function {name}() is known after apply")
    if name in FILES:
        return Unknown(f"function {name}() reads a file")
    if name.startswith("provider::"):
        return Unknown(f"function {name}() belongs to a provider")
    if name in OTHERS:
        return Unknown(f"function {name}() is not evaluated here")
    return Unknown(f"unknown function {name}()")
