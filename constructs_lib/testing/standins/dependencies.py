"""The packages of the extra `terraform-offline`, which only running stand-ins need; imported on first use."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.errors import UnavailableError

if TYPE_CHECKING:
    from types import ModuleType

DISTRIBUTIONS: Final = {
    "bcrypt": "bcrypt",
    "cryptography": "cryptography",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "msgpack": "msgpack",
}


def require(module: str) -> ModuleType:
    """Import a module of one of the packages.

    Raises:
        UnavailableError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        wanted = (name for package, name in DISTRIBUTIONS.items() if f"{module}.".startswith(f"{package}."))
        raise _missing(next(wanted, module)) from error


def check_installed() -> None:
    """Check that all packages are installed, without importing them.

    Raises:
        UnavailableError: Packages are missing; the message names all of them.
    """
    missing = [name for package, name in DISTRIBUTIONS.items() if not _is_installed(package)]
    if missing:
        raise _missing(*missing)


def _missing(*distributions: str) -> UnavailableError:
    return UnavailableError(
        f"the stand-ins for the archive and random providers need packages that are not installed: "
        f"{', '.join(distributions)}; install them with pip install 'constructs-lib[terraform-offline]'"
    )


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
