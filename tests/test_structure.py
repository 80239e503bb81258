"""Who may import whom, and where the engine's package names may stand."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import constructs_lib

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "constructs_lib"
PURE = ("foundation", "rules", "analysis")
"""Rooms that never import the engine or a room that does."""

ALLOWED = {
    "foundation": {"foundation"},
    "rules": {"foundation", "rules"},
    "analysis": {"foundation", "rules", "analysis"},
}


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("room", [room for room in PURE if (LIBRARY / room).is_dir()])
def test_pure_rooms_import_only_what_lies_below_them(room: str) -> None:
    files = list((LIBRARY / room).rglob("*.py"))
    assert files
    for file in files:
        for name in imports(file):
            top, *rest = name.split(".")
            assert top not in ("cdktf", "constructs", "jsii"), f"{file.name} imports {name}"
            if top == "constructs_lib" and rest:
                assert rest[0] in ALLOWED[room], f"{file.name} imports {name}"


def test_rules_do_not_read_the_profiles_that_constructs_take_their_defaults_from() -> None:
    for file in (LIBRARY / "rules").rglob("*.py"):
        assert "constructs_lib.foundation.environment.PROFILES" not in imports(file), file.name


def test_constructs_and_stacks_never_import_what_stands_above_them() -> None:
    for file in [*LIBRARY.glob("*.py"), *(ROOT / "stacks").glob("*.py")]:
        if file.name not in ("cli.py", "__main__.py"):
            above = {
                name for name in imports(file) if name.startswith(("constructs_lib.testing", "constructs_lib.cli"))
            }
            assert above == set(), file.name


def test_only_one_module_knows_the_engines_package_names() -> None:
    for file in [*LIBRARY.rglob("*.py"), *(ROOT / "stacks").rglob("*.py"), ROOT / "main.py"]:
        if "_engine" not in file.parts:
            engine = {name for name in imports(file) if name.split(".")[0] in ("cdktf", "constructs")}
            generated = {name for name in imports(file) if name.startswith(("cdktf_", "cdktn"))}
            assert engine | generated == set(), file.name


@pytest.mark.parametrize("module", ["constructs_lib", "constructs_lib.foundation.addresses", "constructs_lib.cli"])
def test_importing_a_pure_module_does_not_start_the_engine(module: str) -> None:
    script = f"import sys, {module}; sys.exit('jsii' in sys.modules or 'cdktf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_every_public_name_can_be_imported() -> None:
    for name in constructs_lib.__all__:
        assert getattr(constructs_lib, name) is not None, name
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = constructs_lib.Nonsense  # type: ignore[attr-defined]
