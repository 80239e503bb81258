"""The command `local`, as a person uses it: it stays up between commands, and says what is missing."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.cli import main
from constructs_lib.testing import settings, workspace
from constructs_lib.testing.local_aws import process
from constructs_lib.testing.local_aws.background import BackgroundAws
from constructs_lib.testing.local_folder import LocalFolder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REAL = pytest.mark.terraform
ROOT = Path(__file__).parents[2]
AWS = {"aws": ">= 5.100.0, < 7.0.0"}
NO_PROVIDER: dict[str, Any] = {"resource": {"terraform_data": {"one": {"input": "x"}}}}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": "real", "AWS_ENDPOINT_URL_S3": "https://s3.example"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFolder]:
    """The folder of the local AWS, ended with the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_AWS_DIRECTORY", "aws")
    folder = LocalFolder(tmp_path / "aws")
    yield folder
    with contextlib.suppress(NotADirectoryError):
        if aws := folder.find_server():
            aws.stop()


@pytest.fixture
def local(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `local` and return its exit code, what it said, and its errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["local", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def kill(folder: LocalFolder) -> None:
    aws = folder.find_server()
    assert aws
    os.kill(aws.pid, signal.SIGKILL)
    wait_for(lambda: not aws.alive, "the end of the server")


def retention(folder: LocalFolder) -> list[int]:
    aws = folder.find_server()
    assert aws
    with contextlib.closing(aws):
        groups = aws.client("logs", "eu-west-1").describe_log_groups()["logGroups"]
        return [group["retentionInDays"] for group in groups]


def resource_rows(status: str) -> list[list[str]]:
    return [line.split()[:3] for line in status.splitlines()[3:]]


# Up and down.


@REAL
@pytest.mark.usefixtures("aws_provider")
def test_a_stack_stays_up_is_changed_by_the_next_up_and_goes_with_down(
    local: Any, folder: LocalFolder, write_stack: Any, descendants: Any
) -> None:
    group = {"provider": "aws.eu", "name": "shop-logs", "retention_in_days": 365}
    outputs = {
        "arn": {"value": "${aws_cloudwatch_log_group.logs.arn}"},
        "list": {"value": ["a", "b"]},
        "nested": {"value": {"a": 1}},
        "secret": {"value": "never shown", "sensitive": True},
    }
    stack = write_stack(required=AWS, resource={"aws_cloudwatch_log_group": {"logs": group}}, output=outputs)
    code, said, hinted = local("up")
    aws = folder.find_server()
    assert aws
    assert code == 0, hinted
    assert hinted.startswith(f"local AWS: {aws.endpoint}, started in ")
    assert "\n  plan: 1 to add, 0 to change, 0 to destroy\n" in said
    assert re.search(r"\n  apply: 1 created in \d+ s\n", said)
    assert re.search(r"\narn +arn:aws:logs:eu-west-1:123456789012:log-group:shop-logs\nlist +a, b\n", said)
    assert "never shown" not in said
    assert "\nnested: nested\n" in said
    assert f"\n1 resources of shop are running on {aws.endpoint}, a local AWS.\n" in said

    code, said, _ = local("status")
    assert (code, resource_rows(said)) == (0, [["shop", "1", "complete"]])
    assert said.startswith(f"local AWS: {aws.endpoint}, running since {aws.since.astimezone():%Y-%m-%d %H:%M:%S}, ")

    text = (stack / "cdk.tf.json").read_text()
    (stack / "cdk.tf.json").write_text(text.replace("365", "400"))
    code, said, _ = local("up", "shop")
    assert code == 0
    assert "\n  apply: 1 changed in " in said
    assert retention(folder) == [400]
    assert workspace.APPLIED["shop"] == {"aws_cloudwatch_log_group"}

    # What is destroyed is what was deployed, whatever lies in the output folder by now.
    shutil.rmtree(stack)
    code, said, _ = local("down")
    assert code == 0
    assert re.search(r"\n  destroy: 1 destroyed in \d+ s\nstopped the local AWS at http://127", said)
    assert not folder.path.exists()
    assert descendants() == []
    assert local("status") == (0, "local AWS: not running; start it with `constructs-lib local up`\n", "")
    assert local("down") == (0, "local AWS: not running\n", "")


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_server_that_died_is_told_and_the_next_up_starts_afresh(
    local: Any, folder: LocalFolder, write_stack: Any
) -> None:
    write_stack(**NO_PROVIDER)
    assert local("up")[0] == 0
    kill(folder)
    code, _, hinted = local("status")
    assert code == 2
    assert re.search(
        r"^the local AWS started at .* is not running any more and its state is lost; state of shop is left\n`local up`",
        hinted,
    )
    code, said, hinted = local("up")
    assert (code, "\n  plan: 1 to add, " in said) == (0, True)
    assert re.match(
        r"the local AWS started at .* is not running any more and its state is lost; starting a new one\n", hinted
    )
    kill(folder)
    code, said, _ = local("down")
    assert code == 0
    assert re.match(
        r"the local AWS started at .* is not running any more and its state is lost; deleting its folder\n", said
    )
    assert not folder.path.exists()


@contextlib.contextmanager
def up_in_the_middle(started: Path) -> Iterator[subprocess.Popen[str]]:
    """Start an `up` of its own, as from a terminal, and wait until it applies."""
    script = "import signal, sys; signal.signal(2, signal.default_int_handler); from constructs_lib.cli import main"
    command = [sys.executable, "-c", f"{script}; sys.exit(main(['local', 'up']))"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True) as up:
        wait_for(started.exists, "the apply")
        yield up


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_server_that_dies_in_the_middle_is_told(
    local: Any, folder: LocalFolder, sleeper: Any, tmp_path: Path
) -> None:
    sleeper()
    with up_in_the_middle(tmp_path / "started") as up:
        kill(folder)
        _, hinted = up.communicate(timeout=300)
    assert up.returncode == 2
    assert re.search(r"\napply: the local AWS started at .* has ended, and its resources are lost:\n", hinted)
    assert "Traceback" not in hinted
    assert local("down")[0] == 0
    assert not folder.path.exists()


@REAL
@pytest.mark.usefixtures("terraform")
def test_an_interrupted_up_leaves_what_down_cleans(
    *, local: Any, folder: LocalFolder, sleeper: Any, descendants: Any, tmp_path: Path
) -> None:
    sleeper()
    with up_in_the_middle(tmp_path / "started") as up:
        assert local("status")[0] == 0
        assert local("down")[::2] == (2, f"{folder.path}: another `local` command is running; wait until it ends\n")
        # A terminal sends the signal to the whole group.
        os.killpg(up.pid, signal.SIGINT)
        _, hinted = up.communicate(timeout=300)
    assert up.returncode == 130
    assert hinted.endswith(
        "interrupted; `constructs-lib local status` shows the state, `constructs-lib local down` cleans up\n"
    )
    wait_for(lambda: all("local_aws.server" in found for found in descendants()), "the end of Terraform")
    code, said, _ = local("status")
    assert code == 0
    assert "the last apply was interrupted" in said
    assert local("down")[0] == 0
    assert descendants() == []
    assert not folder.path.exists()


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_destroy_that_fails_is_told_and_nothing_stays_but_the_logs(
    local: Any, folder: LocalFolder, write_stack: Any, descendants: Any
) -> None:
    refuses = {"provisioner": {"local-exec": {"when": "destroy", "command": "false"}}}
    write_stack(resource={"terraform_data": {"one": refuses}})
    assert local("up")[0] == 0
    code, _, hinted = local("down")
    assert code == 2
    assert hinted.startswith("shop: destroy: exit code 1\nerror: local-exec provisioner error [terraform_data.one]")
    assert hinted.endswith("The local AWS is stopped and its state deleted nevertheless; the logs are kept.\n")
    log = Path(re.findall(r"^log: (.*)$", hinted, re.MULTILINE)[0])
    assert log.read_text().startswith("# terraform ")
    assert descendants() == []
    assert local("down") == (0, "local AWS: not running; deleting its folder\n", "")
    assert not folder.path.exists()


# For cdktf and Terraform.


@REAL
@pytest.mark.usefixtures("aws_provider")
def test_the_server_alone_comes_with_the_variables_to_export_and_nothing_of_the_callers(
    local: Any, folder: LocalFolder, write_stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = write_stack(required=AWS)
    document = json.loads((stack / "cdk.tf.json").read_text())
    document["provider"]["aws"][0]["allowed_account_ids"] = ["111122223333"]
    (stack / "cdk.tf.json").write_text(json.dumps(document))
    (stack.parents[1] / "manifest.json").write_text('{"version": "0.21.0", "stacks": {"shop": {}, "other": {}}}')
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    code, said, hinted = local("up", "--server-only")
    aws = folder.find_server()
    assert aws
    assert code == 0
    assert {line.split()[0] for line in said.splitlines()} == {"unset", "export"}
    assert {"unset AWS_SESSION_TOKEN", "unset AWS_ENDPOINT_URL_S3"} < set(said.splitlines())
    assert f"export AWS_ENDPOINT_URL={aws.endpoint}\n" in said
    assert "export AWS_ACCESS_KEY_ID=testing\n" in said
    assert "export CDKTF_DISABLE_PLUGIN_CACHE_ENV=1\n" in said
    offered = folder.path / "cdktf.out"
    assert f"  cdktf deploy shop --output {offered} --skip-synth --auto-approve --skip-provider-lock\n" in hinted
    assert json.loads((offered / "manifest.json").read_text()) == {"version": "0.21.0", "stacks": {"shop": {}}}
    override = json.loads((offered / "stacks" / "shop" / "override.tf.json").read_text())
    assert override["provider"]["aws"] == [{"alias": "eu", "max_retries": 2, "allowed_account_ids": ["123456789012"]}]
    assert override["terraform"]["backend"]["local"]["path"] == str(folder.stack("shop") / "terraform.tfstate")
    assert [file.name for file in stack.iterdir()] == ["cdk.tf.json"]


# What is missing.


def test_nothing_synthesized_is_told(local: Any, folder: LocalFolder) -> None:
    assert local("up", "shop") == (
        2,
        "",
        "cdktf.out: no synthesized stacks found (stacks/*/cdk.tf.json); run `cdktf synth` first\n",
    )
    assert not folder.path.exists()


def test_a_stack_that_is_not_there_or_for_another_environment_is_told(local: Any, write_stack: Any) -> None:
    summary = {"deployment_summary": {"value": {"environment": "prod"}}}
    stack = write_stack(output=summary, **NO_PROVIDER)
    assert local("up", "ship") == (2, "", "cdktf.out: stack 'ship' not found; choose one of shop\n")
    shutil.copytree(stack, stack.with_name("other"))
    assert local("up") == (2, "", "cdktf.out: several stacks found; choose one of other, shop\n")
    for given in ("shop", str(stack)):
        assert local("up", given, "--environment", "dev")[::2] == (
            2,
            f"{stack} was synthesized for prod, not dev; synthesize it again with ENVIRONMENT=dev\n",
        )
    assert local("up", "shop", "--invoke", "f")[::2] == (
        2,
        "--invoke requires --event, and --event requires --invoke\n",
    )


def test_no_terraform_is_told(
    local: Any, write_stack: Any, folder: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(**NO_PROVIDER)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("TERRAFORM_BINARY_NAME", raising=False)
    assert local("up") == (2, "", "neither terraform nor tofu was found on PATH\n")
    assert not folder.path.exists()


@pytest.fixture
def fake(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a Terraform that tells its version, no mirror and no registry."""
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_DIR", "TERRAFORM_BINARY_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in machine(terraform="1.11.4").items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("fake")
def test_no_provider_is_told(local: Any, write_stack: Any, folder: LocalFolder) -> None:
    write_stack(required=AWS, **NO_PROVIDER)
    code, _, hinted = local("up")
    assert code == 2
    assert hinted.startswith(
        f"{settings.REGISTRIES['terraform']} cannot be reached, and hashicorp/aws is in no mirror "
    )
    assert not folder.path.exists()


@pytest.mark.usefixtures("fake")
def test_no_moto_is_told(local: Any, write_stack: Any, folder: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(**NO_PROVIDER)
    monkeypatch.setattr(process, "MOTO_VERSION", "9.9.9")
    code, _, hinted = local("up")
    assert code == 2
    assert hinted.startswith("the local AWS requires moto 9.9.9, and ")
    assert not folder.path.exists()


@pytest.mark.usefixtures("fake")
def test_a_port_that_is_taken_is_told(local: Any, write_stack: Any, folder: LocalFolder) -> None:
    write_stack(**NO_PROVIDER)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert local("up", "--port", str(port)) == (
            2,
            "",
            f"port={port}: 127.0.0.1:{port} is in use; choose another port, or omit it for any free port\n",
        )
    assert local("status") == (0, "local AWS: not running; start it with `constructs-lib local up`\n", "")
    assert local("down") == (0, "local AWS: not running; deleting its folder\n", "")
    assert not folder.path.exists()


@pytest.mark.usefixtures("fake")
def test_a_folder_of_somebody_elses_is_neither_used_nor_removed(
    local: Any, write_stack: Any, folder: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(**NO_PROVIDER)
    folder.path.mkdir()
    (folder.path / "mine").touch()
    assert local("up") == (
        2,
        "",
        f"{folder.path}: has files that are not of a local AWS; set LOCAL_AWS_DIRECTORY to another folder\n",
    )
    assert local("down") == (0, "local AWS: not running\n", "")
    assert (folder.path / "mine").exists()
    monkeypatch.setenv("LOCAL_AWS_DIRECTORY", "aws/mine/below")
    assert local("up")[::2] == (
        2,
        f"{tmp_path}/aws/mine/below: folder cannot be created: Not a directory; set LOCAL_AWS_DIRECTORY to another folder\n",
    )


# The server in the background.


@pytest.mark.slow
def test_a_server_is_found_again_by_its_folder_and_ends_when_that_is_removed(
    folder: LocalFolder, descendants: Any
) -> None:
    folder.make()
    started = BackgroundAws.start(folder.path)
    found = BackgroundAws.find(folder.path)
    assert found
    assert (found.endpoint, found.pid, found.since, found.alive) == (
        started.endpoint,
        started.pid,
        started.since,
        True,
    )
    with (folder.path / "alive").open() as alive, pytest.raises(BlockingIOError):
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert os.getsid(found.pid) == found.pid
    shutil.rmtree(folder.path)
    wait_for(lambda: not descendants(), "the end of the server")
