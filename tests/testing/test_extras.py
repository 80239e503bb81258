"""The extra `terraform` is enough for everything but the stand-ins, which have the extra `terraform-offline`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import constructs_lib.testing
from constructs_lib.testing import settings
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.standins import dependencies
from constructs_lib.testing.workspace import Workspace

KIT = Path(constructs_lib.testing.__file__).parent
ROOT = KIT.parents[1]
MODULES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for file in sorted(KIT.rglob("*.py"))
    if "standins" not in file.parts
]
IMPORT = """
import importlib, sys
blocked, modules = (argument.split() for argument in sys.argv[1:])
sys.modules.update(dict.fromkeys(blocked))  # None makes an import fail
for module in modules:
    importlib.import_module(module)
"""


def extras() -> dict[str, list[str]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, list[str]] = tomllib.load(file)["project"]["optional-dependencies"]
    return found


IN_THE_SERVER = ("local_aws.fixes", "local_aws.models", "local_aws.refusals")


@pytest.mark.parametrize("patches_moto", [False, True])
def test_only_the_stand_ins_import_what_they_need(*, patches_moto: bool) -> None:
    modules = [module for module in MODULES if any(part in module for part in IN_THE_SERVER) == patches_moto]
    # moto imports cryptography for its own keys and certificates.
    blocked = dependencies.DISTRIBUTIONS.keys() - ({"cryptography"} if patches_moto else set())
    command = [sys.executable, "-c", IMPORT, " ".join(blocked), " ".join(modules)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_packages_of_the_stand_ins_have_an_extra_of_their_own() -> None:
    names = {extra: {one.partition(">")[0].partition("=")[0] for one in listed} for extra, listed in extras().items()}
    assert names == {
        "terraform": {"boto3", "moto[server]"},
        "terraform-offline": {"constructs-lib[terraform]", *dependencies.DISTRIBUTIONS.values()},
    }


def test_a_stack_that_needs_a_stand_in_names_the_extra_that_is_missing(
    machine: Any, write_stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dependencies.DISTRIBUTIONS, "google.nothing", "nothing")
    terraform = settings.Terraform.discover(machine("a", terraform="1.11.4"))
    with pytest.raises(UnavailableError) as raised:
        Workspace(write_stack(required={"aws": "5.100.0", "random": "3.7.2"}), terraform=terraform)
    assert str(raised.value) == (
        "the stand-ins for the archive and random providers need packages that are not installed: nothing; "
        "install them with pip install 'constructs-lib[terraform-offline]'"
    )
