"""The packages that only the running stand-ins need, imported when they are first used."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

DISTRIBUTIONS: Final = {
    "bcrypt": "bcrypt",
    "cryptography": "cryptography",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "msgpack": "msgpack",
}


class MissingDependencyError(ImportError):
    """A package that the stand-ins need is not installed."""

    def __init__(self, *distributions: str) -> None:
        super().__init__(
            f"the stand-ins for Terraform providers need {', '.join(distributions)}: "
            'pip install "constructs-lib[terraform]"'
        )


def require(module: str) -> ModuleType:
    """Import a module of one of the packages, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        wanted = (name for package, name in DISTRIBUTIONS.items() if f"{module}.".startswith(f"{package}."))
        raise MissingDependencyError(next(wanted, module)) from error


def check_installed() -> None:
    """Raise `MissingDependencyError` with every package that is missing, without importing those that are there."""
    missing = [name for package, name in DISTRIBUTIONS.items() if not _is_installed(package)]
    if missing:
        raise MissingDependencyError(*missing)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
