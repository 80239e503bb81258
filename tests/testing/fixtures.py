"""The real Terraform and a local AWS, or a loud word on why there is none."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from constructs_lib import HardenedStack, archive, aws
from constructs_lib.testing import settings
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.settings import Terraform, find_providers
from constructs_lib.testing.workspace import Timeouts, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App


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
def write_stack(tmp_path: Path) -> Callable[..., Path]:
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


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test leaves behind, such as logs of failures, in its own folder."""
    # Not by TMPDIR: plugins make sockets there, whose paths must be short.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def sleeper(write_stack: Callable[..., Path], tmp_path: Path) -> Callable[[], Path]:
    """A stack that needs no provider and whose apply hangs, once it has written the file `started`."""

    def write() -> Path:
        command = f"echo > {tmp_path / 'started'}; sleep 300; true"
        block = {"provisioner": {"local-exec": {"command": command}}, "//": {"metadata": {"path": "shop/sleeper"}}}
        return write_stack(resource={"terraform_data": {"sleeper": block}})

    return write


@pytest.fixture
def hanging(
    sleeper: Callable[[], Path],
    descendants: object,  # noqa: ARG001  the mark must be set before anything starts
    terraform: object,  # noqa: ARG001  skips
) -> Iterator[Workspace]:
    """A workspace whose apply hangs until it times out, with a local AWS of its own."""
    with LocalAws() as aws, Workspace(sleeper(), aws=aws, timeouts=Timeouts(apply=4)) as workspace:
        workspace.init()
        yield workspace


def build(app: App) -> None:
    """Put a stack of fast resources into an app: two regions, a data source, something protected, something moto lacks."""
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    here, there = stack.region("eu-west-1"), stack.region("us-east-1")
    # No KMS key: it takes 20 s with its replica, and the reference stacks have some.
    log_group = aws.cloudwatch_log_group.CloudwatchLogGroup
    log_group(stack, "logs", provider=there.provider, name="shop-logs", retention_in_days=365)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = aws.iam_role.IamRole(stack, "role", provider=here.provider, name="shop", assume_role_policy=trust)
    stack.output("role_arn", role.arn, "ARN of the role")
    source: dict[str, Any] = {"source_content": "print()", "source_content_filename": "index.py", "type": "zip"}
    provider = stack.provider_for("archive")
    archive.data_archive_file.DataArchiveFile(stack, "code", provider=provider, output_path="code.zip", **source)
    secret = {"name": "/shop/secret", "type": "SecureString", "value": "first"}
    aws.ssm_parameter.SsmParameter(stack, "secret", provider=here.provider, **secret)
    aws.dynamodb_table.DynamodbTable(
        stack,
        "table",
        provider=here.provider,
        name="shop",
        hash_key="id",
        attribute=[aws.dynamodb_table.DynamodbTableAttribute(name="id", type="S")],
        billing_mode="PAY_PER_REQUEST",
        deletion_protection_enabled=True,
    )
    alarm = aws.cloudwatch_composite_alarm.CloudwatchCompositeAlarm
    alarm(stack, "lacking", provider=here.provider, alarm_name="a", alarm_rule="ALARM(x)")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def seen(synthesize: Any, aws_provider: Terraform) -> Any:
    """What one whole cycle shows, with a change behind Terraform's back in its middle."""
    stack = synthesize(build)["shop"]
    app = stack.directory.parents[1]
    seen = SimpleNamespace(before=contents(app))
    with LocalAws() as local, Workspace(stack, aws=local, terraform=aws_provider) as workspace:
        workspace.init()
        seen.planned, seen.made, seen.drift = workspace.plan(), workspace.apply(), workspace.drift()
        logs, parameters = local.client("logs", "us-east-1"), local.client("ssm", "eu-west-1")
        logs.put_retention_policy(logGroupName="shop-logs", retentionInDays=7)
        parameters.put_parameter(Name="/shop/secret", Value="changed", Overwrite=True)
        seen.later, seen.outputs, seen.destroyed = workspace.drift(), workspace.outputs(), workspace.destroy()
        seen.left = [logs.describe_log_groups()["logGroups"], parameters.describe_parameters()["Parameters"]]
        seen.after, seen.copy, seen.left_out = contents(app), workspace.directory, workspace.left_out
    return seen


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
def wait_for() -> Callable[..., None]:
    """Wait until something is so."""

    def wait(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
            time.sleep(0.05)

    return wait


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
