"""Fixtures of the real Terraform, a local AWS and the processes of both; tests are skipped with the reason if one is missing."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from constructs_lib.testing import settings
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.local_aws.infidelities import FOUND
from constructs_lib.testing.settings import Terraform, find_providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module", autouse=True)
def answers_follow_the_models() -> Iterator[None]:
    """Fail if a local AWS of this file was asked, or answered, otherwise than AWS's own models say."""
    before = len(FOUND)
    yield
    if found := FOUND[before:]:
        listed = "".join(f"\n  {infidelity}" for infidelity in found)
        pytest.fail(
            f"not as AWS's models say; mend it in the fixes, or add it to KNOWN_INFIDELITIES:{listed}", pytrace=False
        )


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    """The Terraform of this machine."""
    try:
        return Terraform.discover()
    except UnavailableError as error:
        pytest.skip(f"the real Terraform: {error}")


@pytest.fixture(scope="session")
def aws_provider(terraform: Terraform) -> Terraform:
    """The Terraform of this machine, which also has the AWS provider."""
    try:
        find_providers(terraform, {"terraform": {"required_providers": {"aws": {}}}})
    except UnavailableError as error:
        pytest.skip(f"the real AWS provider: {error}")
    return terraform


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    """A local AWS with nothing in it, shared by the tests of one file."""
    try:
        aws = LocalAws()
    except UnavailableError as error:
        pytest.skip(f"the local AWS: {error}")
    with aws:
        yield aws


@pytest.fixture
def write_stack(tmp_path: Path, scratch: None) -> Callable[..., Path]:  # noqa: ARG001
    """Write a stack by hand: sections of `cdk.tf.json`, with a provider for eu-west-1 when it requires AWS."""

    def write(*, required: dict[str, str] | None = None, **sections: Any) -> Path:
        folder = tmp_path / "cdktf.out" / "stacks" / "shop"
        folder.mkdir(parents=True)
        document = {"terraform": {"backend": {"local": {"path": "../../../elsewhere.tfstate"}}}, **sections}
        if required:
            sources = {name: {"source": f"hashicorp/{name}", "version": range_} for name, range_ in required.items()}
            document["terraform"]["required_providers"] = sources
            document["provider"] = {"aws": [{"alias": "eu", "region": "eu-west-1"}]}
        (folder / "cdk.tf.json").write_text(json.dumps(document, indent=2))
        return folder

    return write


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test leaves behind, such as logs of failures, in its own folder."""
    # Not by TMPDIR: plugins make sockets there, whose paths must be short.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def sleeper(write_stack: Callable[..., Path], tmp_path: Path) -> Callable[[], Path]:
    """A stack that needs no provider and whose apply hangs, once it has written the file `started`."""

    def write() -> Path:
        command = f"echo > {tmp_path / 'started'}; sleep 3600; true"
        block = {"provisioner": {"local-exec": {"command": command}}, "//": {"metadata": {"path": "shop/sleeper"}}}
        return write_stack(resource={"terraform_data": {"sleeper": block}})

    return write


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Make up a machine: programs by name and version, mirrors with the AWS provider, no registry."""
    monkeypatch.setattr(settings, "_reachable", lambda host: host == "reachable")
    monkeypatch.setattr(settings, "MIRROR_GLOBS", ("~/plugins/*",))

    def make(*mirrors: str, **programs: str) -> dict[str, str]:
        for name, version in programs.items():
            program = tmp_path / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
            program.chmod(0o755)
        for mirror in mirrors:
            (tmp_path / "plugins" / mirror / "registry.terraform.io/hashicorp/aws/5.100.0").mkdir(parents=True)
        return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}

    return make


@pytest.fixture
def descendants(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return the command lines of all processes that this test started, by a mark in their environment."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc to look for processes in")
    marker = f"started-by-{uuid4().hex}"
    monkeypatch.setenv("CONSTRUCTS_LIB_TEST", marker)

    def find() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marker.encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return [command for command in found if command]

    return find
