"""The layout: which folders of the library a folder may import, and no circle of imports."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import constructs_lib

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "constructs_lib"

ROOMS: dict[str, set[str]] = {
    "_engine": set(),
    "foundation": set(),
    "core": {"_engine", "foundation"},
    "constructs": {"_engine", "core", "foundation"},
    "rules": {"foundation"},
    "analysis": {"foundation", "rules"},
    "testing": {"_engine", "analysis", "core", "foundation", "rules"},
    "cli": {"analysis", "constructs", "core", "foundation", "rules", "testing"},
}
"""Each folder of the library, with the other folders that its modules may import."""

DEFERRED = {
    "core/checks.py": {"rules"},
    "core/metadata.py": {"rules"},
}
"""What a module may import besides, in functions and for type checkers only: synth without `attach` loads no rule."""

PURE = ("foundation", "rules", "analysis")
"""Folders that work without the engine."""

ENGINE = ("cdktf", "constructs")


class Import(NamedTuple):
    """A module that is imported, or a name of one; deferred in a function and under TYPE_CHECKING."""

    module: str
    name: str
    deferred: bool

    @property
    def target(self) -> str:
        """The module itself: `from package import module` imports a module too."""
        inner = f"{self.module}.{self.name}"
        return inner if inner in MODULES else self.module

    @property
    def room(self) -> str:
        """The folder of the library that the module is in; empty for other modules."""
        top, _, rest = self.target.partition(".")
        room = rest.partition(".")[0]
        return room if top == "constructs_lib" and room in ROOMS else ""


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(file): file for file in LIBRARY.rglob("*.py")}
PROGRAMS = [*(ROOT / "stacks").glob("*.py"), ROOT / "main.py"]


@cache
def imports(file: Path) -> tuple[Import, ...]:
    return tuple(_imports(ast.parse(file.read_text(encoding="utf-8")), deferred=False))


def _imports(parent: ast.AST, *, deferred: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"line {node.lineno}: relative import"
            assert not node.level, f"line {node.lineno}: relative import"
            yield from (Import(node.module, alias.name, deferred) for alias in node.names)
        else:
            later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            )
            yield from _imports(node, deferred=deferred or later)


def rooms_of(file: Path, *, deferred: bool) -> set[str]:
    return {one.room for one in imports(file) if one.room and one.deferred == deferred}


def test_every_folder_of_the_library_is_a_room() -> None:
    assert {file.relative_to(LIBRARY).parts[0] for file in LIBRARY.glob("*/**/*.py")} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    for file in (LIBRARY / room).rglob("*.py"):
        name = file.relative_to(LIBRARY).as_posix()
        allowed = {room, *ROOMS[room]}
        assert rooms_of(file, deferred=False) - allowed == set(), name
        assert rooms_of(file, deferred=True) - allowed - DEFERRED.get(name, set()) == set(), name


def test_a_deferred_import_that_is_allowed_is_used() -> None:
    assert {name: rooms_of(LIBRARY / name, deferred=True) & allowed for name, allowed in DEFERRED.items()} == DEFERRED


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Deferred imports count too: a circle of them is two modules that cannot be understood apart."""
    graph = {name: {one.target for one in imports(file)} & MODULES.keys() for name, file in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # the error names the circle


def test_stacks_import_the_public_names_and_what_constructs_are_built_on() -> None:
    for file in PROGRAMS:
        rooms = rooms_of(file, deferred=False) | rooms_of(file, deferred=True)
        assert rooms - {"core", "foundation"} == set(), file.name


def test_rules_do_not_read_the_profiles_that_constructs_take_their_defaults_from() -> None:
    for file in (LIBRARY / "rules").rglob("*.py"):
        assert "constructs_lib.foundation.environment" not in {one.target for one in imports(file)}, file.name


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_do_not_import_the_engine(room: str) -> None:
    for file in (LIBRARY / room).rglob("*.py"):
        assert {one.module.partition(".")[0] for one in imports(file)} & {*ENGINE, "jsii"} == set(), file.name


def test_only_one_room_knows_the_engines_package_names() -> None:
    for file in [*MODULES.values(), *PROGRAMS]:
        if "_engine" not in file.parts:
            tops = {one.module.partition(".")[0] for one in imports(file)}
            assert {top for top in tops if top in ENGINE or top.startswith(("cdktf_", "cdktn"))} == set(), file.name


@pytest.mark.parametrize("module", ["constructs_lib", "constructs_lib.foundation.addresses", "constructs_lib.cli"])
def test_importing_a_pure_module_does_not_start_the_engine(module: str) -> None:
    script = f"import sys, {module}; sys.exit('jsii' in sys.modules or 'cdktf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_every_public_name_can_be_imported() -> None:
    for name in constructs_lib.__all__:
        assert getattr(constructs_lib, name) is not None, name
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = constructs_lib.Nonsense  # type: ignore[attr-defined]
