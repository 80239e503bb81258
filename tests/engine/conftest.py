"""Starts fresh interpreters: what is imported, and in which order, is the subject of these tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).with_name("scripts")
OURS = {"NODE_OPTIONS", "CONSTRUCTS_LIB_EAGER_BINDINGS", "PYTHONPATH", "PYTHONWARNINGS"}
PREFIX = "cdktf_cdktf_provider_"

BINDINGS_21 = os.environ.get("BINDINGS_21_PYTHON")
needs_bindings_21 = pytest.mark.skipif(
    not BINDINGS_21, reason="BINDINGS_21_PYTHON is not set to a Python that has the AWS bindings 21.22.1"
)


@dataclass(frozen=True)
class Ended:
    """What an interpreter left behind: the variable `seen` of its code, and its standard error."""

    seen: Any
    stderr: str


def start(python: str, *arguments: str, path: list[Path], env: dict[str, str]) -> tuple[str, str]:
    """Run an interpreter with `path` on its PYTHONPATH and nothing of the caller's in its variables."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    kept |= {"PYTHONPATH": os.pathsep.join(map(str, path)), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    ended = subprocess.run(
        [python, *arguments], env=kept | env, capture_output=True, text=True, timeout=900, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, ended.stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of made-up packages that is on the path of `run`."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def run(site: Path) -> Callable[..., Ended]:
    """Run code in a fresh interpreter (-P: not from the working directory) and return its variable `seen`."""

    def run(code: str, *, root: Path = ROOT, **env: str) -> Ended:
        code = f"{dedent(code)}\nimport json as _json\nprint(_json.dumps(seen))"
        stdout, stderr = start(sys.executable, "-P", "-c", code, path=[root, site], env=env)
        return Ended(json.loads(stdout.splitlines()[-1]), stderr)

    return run


@pytest.fixture
def provider(site: Path) -> Callable[..., str]:
    """Write a made-up provider package that looks like generated bindings and starts no kernel."""

    def provider(name: str, submodules: int = 25, *, init: str = "", assembly: str = "") -> str:
        package = f"{PREFIX}{name}"
        folder = site / package
        (folder / "_jsii").mkdir(parents=True)
        (folder / "_jsii" / "__init__.py").write_text(
            "import os, types\nimport jsii\n"
            "options = os.environ.get('NODE_OPTIONS')\n"
            f"{assembly}\n"
            f"__jsii_assembly__ = types.SimpleNamespace(name='@cdktf/provider-{name}', version='1.0.0')\n"
        )
        parts = [f"part_{number}" for number in range(submodules)]
        imports = "".join(f"from . import {part}\n" for part in parts)
        (folder / "__init__.py").write_text(f"{init}\nfrom ._jsii import *\n{imports}")
        for part in parts:
            (folder / part).mkdir()
            (folder / part / "__init__.py").write_text("from .._jsii import *\nclass Part: pass\n")
        return package

    return provider


@pytest.fixture(scope="session")
def copy_of_the_library() -> Callable[[Path], Path]:
    """Copy the library into a folder and return the folder."""

    def copy(folder: Path) -> Path:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "constructs_lib", folder / "constructs_lib", ignore=ignored)
        return folder

    return copy


@pytest.fixture(scope="session", params=["pinned", pytest.param("bindings 21", marks=needs_bindings_21)])
def python(request: pytest.FixtureRequest) -> str:
    """Each of the supported bindings of the AWS provider, as the interpreter that has them."""
    return BINDINGS_21 if request.param == "bindings 21" and BINDINGS_21 else sys.executable


@pytest.fixture(scope="session")
def run_script() -> Callable[..., tuple[str, str]]:
    """Run a file of `scripts` in a given interpreter."""

    def run_script(python: str, name: str, *arguments: Path, root: Path = ROOT, **env: str) -> tuple[str, str]:
        return start(python, str(SCRIPTS / name), *map(str, arguments), path=[root], env=env)

    return run_script
