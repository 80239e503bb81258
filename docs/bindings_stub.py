"""The list of generated modules that type checkers see: those that the library uses."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Final

from constructs_lib._engine import PROVIDERS

_USE: Final = re.compile(r"\baws\.([a-z0-9_]+)\b")


def bindings_stub(library: Path) -> str:
    """Return `_engine/aws.pyi`: the package's own index would make type checkers read 2,135 modules."""
    package = PROVIDERS["aws"]
    used = {name for file in library.rglob("*.py") for name in _USE.findall(file.read_text(encoding="utf-8"))}
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    known = {folder.name for place in places or () for folder in Path(place).iterdir()}
    lines = [f"from {package} import {name} as {name}" for name in sorted(used & known)]
    # Other modules exist too, and are not checked.
    return "\n".join(["from typing import Any", "", *lines, "", "def __getattr__(name: str) -> Any: ...", ""])
