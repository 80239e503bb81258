"""Waiting, once, for the index that jsii writes of a package it meets for the first time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]
    Provider = Callable[..., str]

BIG = "cdktf_cdktf_provider_big"
MESSAGE = f"{BIG}: first use, waiting for jsii's index of it (once)"


@pytest.fixture
def entry(tmp_path: Path, provider: Provider) -> Path:
    """A folder of jsii's cache with a package in it that has no index."""
    provider("big")
    entry = tmp_path / "cache" / "@cdktf" / "provider-big" / "1.0.0" / "digest"
    entry.mkdir(parents=True)
    (entry / "package.json").touch()
    return entry


@pytest.fixture
def at_exit(tmp_path: Path) -> str:
    """Code that imports the package and notes at exit, when jsii would stop the kernel, whether the index is there."""
    return f"""
        import atexit, os, pathlib, sys, time
        import constructs_lib

        manifest = pathlib.Path(os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"])
        manifest = manifest / "@cdktf" / "provider-big" / "1.0.0" / "digest" / ".jsii.runtime.v1.json"
        note = pathlib.Path({str(tmp_path / "note")!r})
        atexit.register(lambda: note.write_text(str(manifest.exists())))
        before = atexit._ncallbacks()
        import {BIG}._jsii
        """


def test_an_app_that_ends_early_waits_for_the_index(run: Run, entry: Path, at_exit: str, tmp_path: Path) -> None:
    worker = """
        # The wait sleeps until the worker has written the index.
        time.sleep = lambda _: manifest.touch()
        seen = atexit._ncallbacks() - before
    """
    ended = run(at_exit + worker, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(entry.parents[3]))
    assert ended.seen == 1
    assert ended.stderr.splitlines() == [MESSAGE]
    assert (tmp_path / "note").read_text() == "True"


def test_it_gives_up_on_an_index_that_does_not_come(run: Run, entry: Path, at_exit: str, tmp_path: Path) -> None:
    timeout = "\n        constructs_lib._engine.bindings._INDEX_TIMEOUT = seen = 0.1"
    ended = run(at_exit + timeout, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(entry.parents[3]))
    assert ended.stderr.splitlines() == [MESSAGE]
    assert (tmp_path / "note").read_text() == "False"


def test_it_says_nothing_when_the_index_is_there_before_the_app_ends(run: Run, entry: Path, at_exit: str) -> None:
    soon = "\n        seen = atexit._ncallbacks() - before\n        manifest.touch()"
    ended = run(at_exit + soon, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(entry.parents[3]))
    assert ended.seen == 1
    assert ended.stderr == ""


def test_it_does_not_wait_where_no_index_is_to_come(run: Run, entry: Path, tmp_path: Path) -> None:
    """Each line turns one condition off and puts it back; the last one shows that nothing else held it up."""
    ended = run(
        f"""
        import atexit, os, pathlib, shutil, sys
        import constructs_lib, {BIG}._jsii

        bindings = constructs_lib._engine.bindings
        root, entry = pathlib.Path({str(tmp_path / "cache")!r}), pathlib.Path({str(entry)!r})

        def waits(**env):
            old = dict(os.environ)
            os.environ.update({{"JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(root)}} | env)
            before = atexit._ncallbacks()
            bindings._let_index_finish("{BIG}")
            os.environ.clear()
            os.environ.update(old)
            return atexit._ncallbacks() - before

        seen = {{"cache disabled": waits(JSII_RUNTIME_PACKAGE_CACHE="Disabled")}}
        seen["cache enabled"] = waits(JSII_RUNTIME_PACKAGE_CACHE="Enabled")
        seen["another cache"] = waits(JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(root / "none"))
        seen["unusable cache"] = waits(JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(root / ("long" * 100)))
        (entry / ".jsii.runtime.v2.json").touch()
        seen["index is there"] = waits()
        (entry / ".jsii.runtime.v2.json").unlink()
        access, os.access = os.access, lambda path, mode: mode != os.W_OK
        seen["read-only"] = waits()
        os.access = access
        file, sys.modules["jsii"].__file__ = sys.modules["jsii"].__file__, "elsewhere/__init__.py"
        seen["jsii without the worker"] = waits()
        sys.modules["jsii"].__file__ = file
        home, pathlib.Path.home = pathlib.Path.home, lambda: (_ for _ in ()).throw(RuntimeError("no home"))
        seen["no home"] = waits(JSII_RUNTIME_PACKAGE_CACHE_ROOT="")
        pathlib.Path.home = home
        default = {{"darwin": "Library/Caches/com.amazonaws.jsii"}}.get(sys.platform, ".cache/aws/jsii")
        (root / default).mkdir(parents=True)
        shutil.copytree(root / "@cdktf", root / default / "package-cache" / "@cdktf")
        seen["default cache"] = waits(JSII_RUNTIME_PACKAGE_CACHE_ROOT="", HOME=str(root))
        seen["given cache"] = waits()
        bindings._INDEX_TIMEOUT = 0
        """
    )
    assert ended.seen == {
        "cache disabled": 0,
        "cache enabled": 1,
        "another cache": 0,
        "unusable cache": 0,
        "index is there": 0,
        "read-only": 0,
        "jsii without the worker": 0,
        "no home": 0,
        "default cache": 1,
        "given cache": 1,
    }


def test_it_waits_for_provider_packages_only(run: Run, entry: Path, site: Path) -> None:
    (site / BIG).rename(site / "another_package")
    ended = run(
        """
        import atexit, constructs_lib, jsii
        before = atexit._ncallbacks()
        import another_package._jsii as assembly
        seen = [assembly.__jsii_assembly__.name, atexit._ncallbacks() - before]
        """,
        JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(entry.parents[3]),
    )
    assert ended.seen == ["@cdktf/provider-big", 0]


@pytest.mark.slow
def test_after_the_first_run_of_an_app_jsii_has_its_index(
    tmp_path: Path, run_script: Callable[..., tuple[str, str]]
) -> None:
    errors = []
    for number in range(2):
        files = tmp_path / f"{number}.json", tmp_path / f"{number}.out"
        cache = str(tmp_path / "cache")
        variables = {"NODE_OPTIONS": "--no-deprecation", "JSII_RUNTIME_PACKAGE_CACHE_ROOT": cache}
        errors.append(run_script(sys.executable, "use_bindings.py", *files, **variables)[1])
        assert list((tmp_path / "cache" / "@cdktf" / "provider-aws").rglob(".jsii.runtime.v*.json"))
    first, second = ([line for line in error.splitlines() if "waiting for jsii's index" in line] for error in errors)
    # Once for each package at most: how many of their indexes are ready before the run ends depends on the machine.
    assert len(first) == len(set(first))
    assert second == []
