"""When the library takes part, when it stands back, and what it does to the caller's environment."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Provider = Callable[..., str]

SCRIPTS = Path(__file__).with_name("scripts")
BIG = "cdktf_cdktf_provider_big"
LOADED = f"sorted(name for name in sys.modules if name.startswith('{BIG}.part'))"
SLOW = (
    "imported before constructs_lib: provider packages load slowly (some 10 s and 1 GB more for AWS). Put "
    "`import constructs_lib` above the other imports, and below it `# isort: split` if a tool sorts them. "
    "CONSTRUCTS_LIB_EAGER_BINDINGS=1 keeps the slow way and silences this."
)


def test_importing_the_library_imports_nothing_but_the_standard_library(run: Run) -> None:
    ended = run("""
        import sys
        before = set(sys.modules)
        import constructs_lib
        top = {name.partition(".")[0] for name in set(sys.modules) - before}
        seen = sorted(top - sys.stdlib_module_names)
    """)
    assert ended.seen == ["constructs_lib"]
    assert ended.stderr == ""


def test_installing_twice_leaves_one_finder(run: Run) -> None:
    ended = run("""
        import importlib, sys
        import constructs_lib
        before = list(sys.meta_path)
        constructs_lib._engine.bindings.install()
        importlib.reload(constructs_lib)
        seen = [len(before), before == sys.meta_path, type(before[0]).__module__]
    """)
    assert ended.seen[1:] == [True, "constructs_lib._engine.bindings"]


@pytest.mark.parametrize(("value", "lazy"), [("1", False), ("true", False), ("0", True), (" ", True)])
def test_one_variable_leaves_the_packages_as_they_are(run: Run, provider: Provider, value: str, *, lazy: bool) -> None:
    provider("big")
    ended = run(f"import sys, constructs_lib, {BIG}\nseen = {LOADED} == []", CONSTRUCTS_LIB_EAGER_BINDINGS=value)
    assert ended.seen == lazy


def test_a_module_that_another_thread_imports_meanwhile_does_no_harm(run: Run) -> None:
    ended = run("""
        import sys, types

        class Busy(types.ModuleType):
            def __getattr__(self, name):
                sys.modules["imported.meanwhile"] = self
                raise AttributeError(name)

        sys.modules["busy._jsii"] = Busy("busy._jsii")
        import constructs_lib
        seen = "imported.meanwhile" in sys.modules
    """)
    assert ended.seen
    assert ended.stderr == ""


# --- too late ---------------------------------------------------------------------------------------------------
def test_the_engine_imported_first_is_warned_about_at_the_line_to_move(run: Run) -> None:
    ended = run("""
        import constructs
        import constructs_lib
        constructs_lib._engine.bindings.install()
        seen = issubclass(constructs_lib._engine.bindings.LateBindingsWarning, RuntimeWarning)
    """)
    assert ended.seen
    assert ended.stderr.splitlines() == [f"<string>:3: LateBindingsWarning: constructs {SLOW}"]


def test_with_the_engine_imported_first_the_python_half_still_loads_lazily(run: Run, provider: Provider) -> None:
    provider("big")
    ended = run(
        f"""
        import sys, warnings
        import constructs
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            import constructs_lib
        import {BIG} as big
        seen = [len(caught), big.part_3.Part.__name__, big._jsii.options, {LOADED}]
        """,
        NODE_OPTIONS="--no-deprecation",
    )
    assert ended.seen == [1, "Part", "--no-deprecation", [f"{BIG}.part_3"]]


def test_a_provider_package_imported_first_is_left_alone_and_warned_about(run: Run, provider: Provider) -> None:
    provider("big")
    ended = run(f"import sys, {BIG}\nimport constructs_lib\nseen = len({LOADED})")
    assert ended.seen == 25
    assert ended.stderr.splitlines() == [f"<string>:2: LateBindingsWarning: {BIG} {SLOW}"]


def test_nothing_is_warned_about_when_the_variable_turns_it_off(run: Run) -> None:
    ended = run("import constructs, constructs_lib\nseen = True", CONSTRUCTS_LIB_EAGER_BINDINGS="1")
    assert ended.stderr == ""


# --- which packages ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("submodules", "init", "lazy"),
    [
        pytest.param(20, "", True, id="large"),
        pytest.param(19, "", False, id="small"),
        pytest.param(20, "def check_type(a, b, c): pass", True, id="the helper of each generated package"),
        pytest.param(20, "class Own: pass", False, id="with a class of its own"),
        pytest.param(20, "def __getattr__(name): raise AttributeError(name)", False, id="lazy by itself"),
    ],
)
def test_only_large_packages_without_types_of_their_own_are_made_lazy(
    run: Run, provider: Provider, submodules: int, init: str, *, lazy: bool
) -> None:
    provider("big", submodules, init=init)
    ended = run(f"import sys, constructs_lib, {BIG}\nseen = len({LOADED})")
    assert ended.seen == (0 if lazy else submodules)


def test_other_packages_are_none_of_its_business(run: Run, provider: Provider, site: Path) -> None:
    provider("big")
    (site / BIG).rename(site / "another_package")
    ended = run("""
        import sys, constructs_lib
        import another_package
        seen = [
            type(another_package.__spec__.loader).__module__,
            len([name for name in sys.modules if name.startswith("another_package.part")]),
        ]
    """)
    assert ended.seen == ["_frozen_importlib_external", 25]


def test_a_package_inside_another_one_runs_its_own_init(run: Run, provider: Provider, site: Path) -> None:
    provider("big")
    (site / "vendored").mkdir()
    (site / BIG).rename(site / "vendored" / BIG)
    ended = run(f"""
        import sys, constructs_lib
        import vendored.{BIG}
        seen = len([name for name in sys.modules if name.startswith("vendored.{BIG}.part")])
    """)
    assert ended.seen == 25


def test_a_zipped_package_runs_its_own_init(run: Run, provider: Provider, site: Path) -> None:
    provider("big")
    shutil.make_archive(str(site / "zipped"), "zip", site)
    shutil.rmtree(site / BIG)
    ended = run(f"""
        import sys, constructs_lib
        sys.path.append({str(site / "zipped.zip")!r})
        import {BIG}
        seen = [len({LOADED}), type({BIG}.__spec__.loader).__name__]
    """)
    assert ended.seen == [25, "zipimporter"]


def test_a_package_that_is_not_installed_is_missed_as_usual(run: Run) -> None:
    ended = run(f"""
        import constructs_lib
        try:
            import {BIG}
        except ModuleNotFoundError as error:
            seen = str(error)
    """)
    assert ended.seen == f"No module named '{BIG}'"


def test_a_star_import_imports_everything_as_asked(run: Run, provider: Provider) -> None:
    provider("big")
    ended = run(f"import sys, constructs_lib\nfrom {BIG} import *\nseen = [part_7.Part.__name__, len({LOADED})]")
    assert ended.seen == ["Part", 25]


def test_an_error_inside_a_submodule_is_not_taken_for_a_bad_name(run: Run, provider: Provider, site: Path) -> None:
    provider("big")
    (site / BIG / "part_3" / "__init__.py").write_text("import no_such_module")
    ended = run(f"""
        import constructs_lib, {BIG} as big
        try:
            big.part_3
        except ImportError as error:
            seen = str(error)
    """)
    assert ended.seen == "No module named 'no_such_module'"


# --- jsii -------------------------------------------------------------------------------------------------------
def test_a_map_of_types_that_jsii_has_already_is_kept_and_completed(run: Run, provider: Provider) -> None:
    provider("big", 20)
    ended = run(f"""
        import constructs_lib, jsii
        seen = jsii._reference_map._submodule_fqn_map
        seen["@cdktf/provider-big.part3"] = "its.own.module"
        import {BIG}._jsii
    """)
    expected = {f"@cdktf/provider-big.part{number}": f"{BIG}.part_{number}" for number in range(20)}
    assert ended.seen == expected | {"@cdktf/provider-big.part3": "its.own.module"}


@pytest.mark.parametrize("private", ["jsii._reference_map._submodule_fqn_map", "__jsii_assembly__"])
def test_a_jsii_with_other_inner_workings_loads_packages_all_the_same(
    run: Run, provider: Provider, site: Path, private: str
) -> None:
    assembly = site / provider("big") / "_jsii" / "__init__.py"
    assembly.write_text(f"{assembly.read_text()}\ndel {private}")
    ended = run(f"import constructs_lib, {BIG} as big\nseen = big.part_3.Part.__name__")
    assert ended.seen == "Part"


# --- NODE_OPTIONS -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [None, "", "--no-deprecation"])
def test_node_options_hold_the_hook_while_the_first_assembly_loads_and_never_after(
    run: Run, provider: Provider, before: str | None
) -> None:
    provider("inner")
    provider("big", assembly="import cdktf_cdktf_provider_inner._jsii")
    provider("later")
    ended = run(
        """
        import os, constructs_lib
        import cdktf_cdktf_provider_big._jsii as big
        import cdktf_cdktf_provider_later._jsii as later
        import cdktf_cdktf_provider_inner._jsii as inner
        hook = constructs_lib._engine.bindings._HOOK.as_posix()
        options = [module.options for module in (inner, big, later)]
        seen = [[text and text.replace(hook, "HOOK") for text in options], os.environ.get("NODE_OPTIONS")]
        """,
        **({} if before is None else {"NODE_OPTIONS": before}),
    )
    during = f'{before} --require "HOOK"' if before else '--require "HOOK"'
    assert ended.seen == [[during, during, before], before]


def test_node_options_come_back_when_the_kernel_does_not_start_and_a_second_try_has_the_hook(
    run: Run, provider: Provider
) -> None:
    provider("big", assembly="if 'failed' not in os.environ: os.environ['failed'] = options; raise OSError('no node')")
    ended = run("""
        import importlib, os, constructs_lib
        try:
            importlib.import_module("cdktf_cdktf_provider_big._jsii")
        except OSError as error:
            seen = [str(error), os.environ.get("NODE_OPTIONS")]
        options = importlib.import_module("cdktf_cdktf_provider_big._jsii").options
        seen += [options == os.environ["failed"], "lazy_index.cjs" in options, os.environ.get("NODE_OPTIONS")]
    """)
    assert ended.seen == ["no node", None, True, True, None]


def test_of_threads_that_start_the_kernel_at_once_the_last_one_out_restores_node_options(run: Run) -> None:
    ended = run(
        """
        import os, constructs_lib
        hook = constructs_lib._engine.bindings._node_hook
        seen = []
        for step in (hook.__enter__, hook.__enter__, hook.__exit__, hook.__exit__):
            step()
            seen.append(os.environ["NODE_OPTIONS"].count("--require"))
        seen.append(os.environ["NODE_OPTIONS"])
        """,
        NODE_OPTIONS="--no-deprecation",
    )
    assert ended.seen == [1, 1, 1, 0, "--no-deprecation"]


def test_without_the_hook_file_node_starts_as_it_always_did(
    run: Run, tmp_path: Path, copy_of_the_library: Callable[[Path], Path]
) -> None:
    root = copy_of_the_library(tmp_path)
    (root / "constructs_lib" / "_engine" / "lazy_index.cjs").unlink()
    ended = run(
        """
        import constructs_lib, constructs
        seen = [constructs_lib.__file__, constructs.RootConstruct("root").node.path]
        """,
        root=root,
    )
    assert ended.seen == [str(root / "constructs_lib" / "__init__.py"), "root"]


# --- other JavaScript -------------------------------------------------------------------------------------------
def test_only_the_kernel_gets_the_lazy_index_of_a_package(tmp_path: Path) -> None:
    for name in ("bindings", "plain"):
        package = tmp_path / "node_modules" / name
        for folder in ("lib", "dist"):
            (package / folder).mkdir(parents=True)
            for file in ("index.js", "lazy-index.js", "vpc.js"):
                (package / folder / file).touch()
        (package / "package.json").write_text('{"main": "lib/index.js"}')
    (tmp_path / "node_modules" / "plain" / "lib" / "lazy-index.js").unlink()
    hook = Path(__file__).parents[2] / "constructs_lib" / "_engine" / "lazy_index.cjs"
    command = ["node", "--require", str(hook), str(SCRIPTS / "resolve.cjs"), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    bindings = "node_modules/bindings/lib"
    assert json.loads(ended.stdout) == {
        "kernel": f"{bindings}/lazy-index.js",
        "kernel, package without a lazy index": "node_modules/plain/lib/index.js",
        "kernel, another file": f"{bindings}/vpc.js",
        "kernel, another folder": "node_modules/bindings/dist/index.js",
        "kernel, its own choice": f"{bindings}/lazy-index.js",
        "a file": f"{bindings}/index.js",
        "a file named like the kernel": f"{bindings}/index.js",
        "a name that begins like it": f"{bindings}/index.js",
        "a name that ends like it": f"{bindings}/index.js",
        "a file inside the kernel": f"{bindings}/index.js",
    }
