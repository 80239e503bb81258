"""The real bindings of the AWS provider, in each supported version, in one process a version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPTS = Path(__file__).with_name("scripts")
PACKAGE = "cdktf_cdktf_provider_aws"
USED = ["provider", "subnet", "vpc"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, copy_of_the_library: Callable[[Path], Path]) -> Path:
    """A folder whose name a command line has to quote, with a copy of the library in it."""
    folder = tmp_path_factory.mktemp("bindings") / 'a "quoted" \\ folder'
    folder.mkdir()
    return copy_of_the_library(folder)


@pytest.fixture(scope="module")
def options(folder: Path) -> str:
    """What the caller has in NODE_OPTIONS."""
    shutil.copy(SCRIPTS / "probe.cjs", folder)
    return f"--require {json.dumps(str(folder / 'probe.cjs'))} --no-deprecation"


@pytest.fixture(scope="module")
def notes(folder: Path, python: str) -> Path:
    """Where the Node processes of the run leave their notes."""
    notes = folder / f"notes of {python.replace('/', '_')}"
    notes.mkdir()
    return notes


@pytest.fixture(scope="module")
def seen(
    folder: Path,
    notes: Path,
    options: str,
    python: str,
    run_script: Callable[..., tuple[str, str]],
) -> dict[str, Any]:
    """What an app saw that uses the bindings through the library in the folder."""
    result = notes.with_suffix(".json")
    outdir = notes.with_suffix(".out")
    variables = {"NODE_OPTIONS": options, "PROBE_NOTES": str(notes), "PYTHONWARNINGS": "error::RuntimeWarning"}
    run_script(python, "use_bindings.py", result, outdir, root=folder, **variables)
    seen: dict[str, Any] = json.loads(result.read_text())
    assert seen["library"] == str(folder / "constructs_lib" / "__init__.py")
    return seen


@pytest.fixture(scope="module")
def kernel(seen: dict[str, Any], notes: Path) -> dict[str, Any]:
    """What the kernel's process noted, which is the one that loaded the bindings."""
    assert seen
    found: list[dict[str, Any]] = []

    def is_written() -> bool:
        found[:] = [note for file in notes.glob("*.json") if (note := json.loads(file.read_text()))["files"]]
        return bool(found)

    # The kernel's process may outlive the interpreter that started it.
    wait_for(is_written, "the kernel's notes")
    (kernel,) = found
    return kernel


def test_a_look_at_the_package_loads_no_submodule_and_starts_no_kernel(seen: dict[str, Any]) -> None:
    assert seen["found, not imported"]
    assert seen["after a look"] == {"submodules": [], "kernel": False}


def test_the_package_shows_its_file_path_spec_source_resources_and_names(seen: dict[str, Any]) -> None:
    assert seen["package"] == {
        "file": True,
        "path": True,
        "spec": PACKAGE,
        "package": PACKAGE,
        "source": True,
        "resource": True,
        "dir": True,
        "all": True,
        "on disk": True,
    }


def test_a_bad_name_fails_as_on_any_package(seen: dict[str, Any]) -> None:
    assert seen["bad names"] == {
        "attribute": f"AttributeError: module '{PACKAGE}' has no attribute 'no_such_thing'",
        "has": False,
        "from": f"ImportError: cannot import name 'no_such_thing' from '{PACKAGE}'",
        "import": f"ModuleNotFoundError: No module named '{PACKAGE}.no_such_thing'",
    }


def test_attribute_access_and_from_import_load_one_submodule_each(seen: dict[str, Any]) -> None:
    assert seen["counter"] == {"submodules": ["subnet", "vpc"], "subnet": "Subnet", "has": True}


def test_an_app_loads_the_submodules_it_uses_and_no_more(seen: dict[str, Any]) -> None:
    assert seen["app"]["submodules"] == USED
    assert seen["app"]["resource"]
    assert seen["app"]["resources"]["aws_subnet"]["subnet"]["vpc_id"] == "${aws_vpc.vpc.id}"


def test_the_types_of_arguments_are_checked_and_worked_out_once(seen: dict[str, Any]) -> None:
    assert seen["checks"] == {
        "worked out again": 0,
        "asked again": True,
        "refused": "TypeError: type of argument id_ must be str; got int instead",
        "everybody's": True,
        "engine's": True,
    }


def test_the_kernel_requires_the_files_of_the_types_created_and_no_more(kernel: dict[str, Any]) -> None:
    created = [f"lib/{name}/index.js" for name in ("provider", "sns-topic", "subnet", "vpc")]
    assert kernel["files"] == ["lib/lazy-index.js", *created]


def test_a_type_that_javascript_returns_is_imported_on_arrival(seen: dict[str, Any]) -> None:
    assert seen["type from JavaScript"] == {
        "imported before": False,
        "type": f"{PACKAGE}.sns_topic.SnsTopic",
        "instance": True,
    }


def test_jsii_finds_the_module_of_each_name_that_the_javascript_package_has(
    seen: dict[str, Any], kernel: dict[str, Any]
) -> None:
    assert seen["javascript names"] == sorted(set(kernel["names"]) - {"__esModule"})


def test_a_class_pickles_by_reference_and_shows_its_source(seen: dict[str, Any]) -> None:
    assert seen["pickle"]
    assert seen["source of a class"]


def test_a_reloaded_package_keeps_its_submodules_and_stays_lazy(seen: dict[str, Any]) -> None:
    assert seen["reload"] == {"same": True, "loaded": True, "lazy": "SqsQueue", "submodule": "SnsTopic"}


def test_threads_may_ask_for_submodules_at_once(seen: dict[str, Any]) -> None:
    assert seen["threads"]


def test_small_packages_run_their_own_init(seen: dict[str, Any]) -> None:
    own = {"loader": "SourceFileLoader", "all loaded": True, "lazy": False}
    assert seen["small"] == {f"cdktf_cdktf_provider_{name}": own for name in ("random", "archive")}


def test_the_callers_node_options_reach_the_kernel_with_the_hook_once_behind(
    kernel: dict[str, Any], options: str, folder: Path
) -> None:
    hook = json.dumps(str(folder / "constructs_lib" / "_engine" / "lazy_index.cjs"))
    assert kernel["options"] == f"{options} --require {hook}"


def test_the_callers_node_options_are_his_own_again_afterwards(seen: dict[str, Any], options: str) -> None:
    assert seen["node options"] == {"variable": options, "other process": options}


@pytest.mark.slow
def test_lazy_and_eager_bindings_synthesize_the_same_bytes(
    tmp_path: Path, python: str, run_script: Callable[..., tuple[str, str]]
) -> None:
    outputs = {}
    for kind, eager in (("lazy", "0"), ("eager", "1")):
        outdir = tmp_path / kind / "cdktf.out"
        outdir.parent.mkdir()
        loaded, _ = run_script(python, "estate.py", outdir, CONSTRUCTS_LIB_EAGER_BINDINGS=eager)
        assert (int(loaded) > 2000) == (kind == "eager")
        outputs[kind] = {
            str(file.relative_to(outdir)): file.read_bytes() for file in outdir.rglob("*") if file.is_file()
        }
    assert {"manifest.json", "stacks/network/cdk.tf.json", "stacks/service/cdk.tf.json"} <= set(outputs["lazy"])
    assert b"terraform_remote_state" in outputs["lazy"]["stacks/service/cdk.tf.json"]
    assert outputs["lazy"] == outputs["eager"]
