"""The stand-ins as programs: the mirror, the processes, and the real Terraform running them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib.testing import settings
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.standins import dependencies, server, write_mirror
from constructs_lib.testing.standins.providers import PROVIDERS
from constructs_lib.testing.workspace import Workspace
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

grpc = dependencies.require("grpc")

ROOT = Path(constructs_lib.__file__).parents[1]
LABEL = "[stand-in for hashicorp/random 3.7.2] "


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("standins") / "mirror"
    write_mirror(directory)
    return directory


def program(mirror: Path, name: str) -> Path:
    version = PROVIDERS[name].version
    folder = mirror / "registry.terraform.io" / "hashicorp" / name / version / "linux_amd64"
    return folder / f"terraform-provider-{name}_v{version}_x5"


def test_mirror_has_both_providers_for_both_registries_and_each_platform(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {str(path.relative_to(mirror)) for path in mirror.rglob("*") if path.is_file()}
    assert found == {
        f"{registry}/hashicorp/{name}/{version}/{system}_{machine}/terraform-provider-{name}_v{version}_x5"
        for registry in ("registry.terraform.io", "registry.opentofu.org")
        for name, version in (("archive", "2.7.1"), ("random", "3.7.2"))
        for system in ("darwin", "linux")
        for machine in ("amd64", "arm64")
    }
    with pytest.raises(FileNotFoundError, match="Python interpreter 'pythin' not found"):
        write_mirror(tmp_path, python="pythin")
    monkeypatch.setitem(dependencies.DISTRIBUTIONS, "google.nothing", "nothing")
    missing = "need packages that are not installed: nothing; install them with pip install 'constructs-lib[terraform-offline]'"
    with pytest.raises(UnavailableError, match=re.escape(missing)):
        write_mirror(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_program_runs_this_copy_of_the_library_from_anywhere_and_does_nothing_without_terraform(tmp_path: Path) -> None:
    odd = tmp_path / "it's a folder"
    odd.mkdir()
    (odd / "python").symlink_to(sys.executable)
    (odd / "random.py").write_text("raise RuntimeError('not the random module of Python')\n")
    write_mirror(odd / "mirror", python=str(odd / "python"))
    ran = subprocess.run([program(odd / "mirror", "random")], cwd=odd, env={}, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr.decode()) == (
        1,
        b"",
        LABEL + "this is a Terraform provider and must be started by Terraform\n",
    )


def test_missing_packages_are_said_where_terraform_shows_it_and_nothing_starts_the_engine() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from constructs_lib.testing.standins.server import main\n"
        "print(main(['random']), {'cdktf', 'constructs', 'jsii', 'pytest'} & {*sys.modules})"
    )
    environment = {server._COOKIE[0]: server._COOKIE[1]}
    ran = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code, ROOT], env=environment, capture_output=True, check=True
    )
    assert ran.stdout.decode() == (
        LABEL + "the stand-ins for the archive and random providers need packages that are not installed: "
        "bcrypt, cryptography, protobuf, grpcio, msgpack; "
        "install them with pip install 'constructs-lib[terraform-offline]'\n1 set()\n"
    )


@pytest.fixture
def sockets() -> Iterator[Path]:
    """Return a folder for sockets, whose paths must be short: about 100 characters."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@contextlib.contextmanager
def running(mirror: Path, sockets: Path) -> Iterator[tuple[subprocess.Popen[str], Any, str]]:
    """Start a stand-in as Terraform does; give the process, an encrypted channel to it and the socket's address."""
    environment = {
        server._COOKIE[0]: server._COOKIE[1],
        "PLUGIN_PROTOCOL_VERSIONS": "5,6",
        "PLUGIN_CLIENT_CERT": "asks for AutoMTLS",
        "PLUGIN_UNIX_SOCKET_DIR": str(sockets),
    }
    pipe = subprocess.PIPE
    with subprocess.Popen([program(mirror, "random")], env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout
            core, protocol, network, address, kind, encoded = process.stdout.readline().rstrip("\n").split("|")
            assert (core, protocol, network, kind) == ("1", "5", "unix", "grpc")
            certificate = ssl.DER_cert_to_PEM_cert(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
            credentials = grpc.ssl_channel_credentials(certificate.encode())
            options = [("grpc.ssl_target_name_override", "localhost")]
            with grpc.secure_channel(f"unix:{address}", credentials, options) as channel:
                yield process, channel, address
        finally:
            process.kill()


def is_healthy(channel: Any) -> bool:
    return bool(channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=300) == b"\x08\x01")


def test_automtls_encrypts_the_socket_that_only_the_user_can_reach(mirror: Path, sockets: Path) -> None:
    with running(mirror, sockets) as (process, channel, address):
        assert is_healthy(channel)
        assert Path(address).parent.stat().st_mode & 0o777 == 0o700
        with grpc.insecure_channel(f"unix:{address}") as plain, pytest.raises(grpc.RpcError):
            is_healthy(plain)
        assert channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=300) == b""
        assert process.wait(300) == 0
        assert process.stderr
        assert process.stderr.read() == (
            LABEL + "stand-in of constructs_lib, not the real provider: archive bytes and random values differ\n"
        )
    assert list(sockets.iterdir()) == []


def test_ctrl_c_leaves_the_end_to_terraform_and_sigterm_ends_at_once(mirror: Path, sockets: Path) -> None:
    with running(mirror, sockets) as (process, channel, _):
        process.send_signal(signal.SIGINT)
        assert is_healthy(channel)
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    assert list(sockets.iterdir()) == []


class Terraform:
    """A working directory, and the commands run in it."""

    def __init__(self, directory: Path, mirror: Path, sockets: Path) -> None:
        found = shutil.which("terraform") or shutil.which("tofu")
        if not found:
            pytest.skip(
                "neither terraform nor tofu is on PATH: nothing shows that the stand-ins work with the real one"
            )
        self.program, self.directory, self.sockets, self.log = found, directory, sockets, directory / "log"
        (directory / "rc").write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")} | {
            "CHECKPOINT_DISABLE": "1",
            "PLUGIN_UNIX_SOCKET_DIR": str(sockets),
            "TF_CLI_CONFIG_FILE": str(directory / "rc"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_LOG_PATH": str(self.log),
            "TF_LOG_PROVIDER": "debug",
        }

    def write(self, **blocks: Any) -> None:
        versions = {name: {"source": f"hashicorp/{name}", "version": p.version} for name, p in PROVIDERS.items()}
        config = {"terraform": {"required_providers": versions}, **blocks}
        (self.directory / "main.tf.json").write_text(json.dumps(config))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [self.program, *arguments], cwd=self.directory, env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: str, status: int = 0) -> str:
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=60)
        assert process.returncode == status, f"{arguments}: {output}{errors}"
        assert list(self.sockets.iterdir()) == []
        return output

    def outputs(self) -> dict[str, Any]:
        state = json.loads((self.directory / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}


@pytest.fixture
def terraform(tmp_path: Path, mirror: Path, sockets: Path) -> Terraform:
    return Terraform(tmp_path, mirror, sockets)


@pytest.mark.terraform
def test_terraform_applies_finds_no_changes_replaces_by_keepers_and_destroys(terraform: Terraform) -> None:
    (terraform.directory / "src").mkdir()
    (terraform.directory / "src" / "handler.py").write_text("pass\n")
    keepers = {"keepers": {"round": "${var.round}"}}
    zip_ = {"type": "zip", "source_dir": "src", "output_path": "build/data.zip"}
    source = [{"filename": "id", "content": "${random_id.i.hex}"}, {"filename": "a", "content": "a"}]
    terraform.write(
        variable={"round": {"default": "1"}},
        data={"archive_file": {"code": zip_}},
        resource={
            "archive_file": {"made": {"type": "zip", "source": source, "output_path": "build/made.zip"}},
            "random_password": {"p": {"length": 20, "min_special": 2, **keepers}},
            "random_string": {"s": {"length": 8}},
            "random_id": {"i": {"byte_length": 4, **keepers}},
            "random_uuid": {"u": keepers},
            "random_integer": {"n": {"min": 1, "max": 6, "seed": "dice"}},
        },
        output={
            "code": {"value": "${data.archive_file.code.output_base64sha256}"},
            "made": {"value": "${archive_file.made.output_base64sha256}"},
            "password": {"value": "${random_password.p.result}", "sensitive": True},
            "string": {"value": "${random_string.s.result}"},
            "integer": {"value": "${random_integer.n.result}"},
            "uuid": {"value": "${random_uuid.u.result}"},
        },
    )
    terraform.run("init")
    assert "6 added, 0 changed, 0 destroyed" in terraform.run("apply", "-auto-approve", "-no-color")
    first = terraform.outputs()
    code = (terraform.directory / "build" / "data.zip").read_bytes()
    assert first["code"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert "No changes" in terraform.run("plan", "-detailed-exitcode")

    applied = terraform.run("apply", "-auto-approve", "-no-color", "-var=round=2")
    assert "4 added, 0 changed, 4 destroyed" in applied
    assert first["password"] not in applied
    second = terraform.outputs()
    assert {name for name in first if first[name] != second[name]} == {"made", "password", "uuid"}
    assert "6 destroyed" in terraform.run("destroy", "-auto-approve", "-no-color", "-refresh=false")

    logged = [line.partition("_x5: ")[2] for line in terraform.log.read_text().splitlines() if "_x5: " in line]
    labels = tuple(provider.label for provider in PROVIDERS.values())
    assert {line for line in logged if not line.startswith(labels)} == set()
    assert {line[: len(label)] for line in logged for label in labels if line.startswith(label)} == {*labels}


@pytest.mark.terraform
def test_terraform_points_at_the_wrong_argument(terraform: Terraform) -> None:
    terraform.write(
        data={"archive_file": {"bad": {"type": "tar.gz", "source_file": "f", "source_dir": "d", "output_path": "x"}}},
        resource={"random_password": {"bad": {"length": 3, "min_upper": 4}}},
    )
    terraform.run("init")
    found = json.loads(terraform.run("validate", "-json", status=1))["diagnostics"]
    assert sorted(f"{one['address']} {one['summary']}: {one['detail']}" for one in found) == [
        'data.archive_file.bad Archive type not supported: type must be "zip", got "tar.gz"; this stand-in does not support tar.gz.',
        "data.archive_file.bad Invalid Attribute Combination: source_dir cannot be combined with source_file.",
        "random_password.bad Invalid Attribute Value: length must be at least min_upper + min_lower + min_numeric + min_special = 4, got 3.",
    ]


@pytest.mark.terraform
def test_no_stand_in_outlives_a_terraform_that_is_killed(terraform: Terraform) -> None:
    wait = {"local-exec": {"command": "echo $$ > waiting; exec sleep 3600"}}
    terraform.write(resource={"random_uuid": {"u": {"provisioner": [wait]}}})
    terraform.run("init")
    waiting, sockets = terraform.directory / "waiting", terraform.sockets
    with terraform.start("apply", "-auto-approve") as process:
        try:
            wait_for(lambda: waiting.exists() and waiting.read_text(), "the apply")
            children = {int(line.split()[0]) for line in _processes() if int(line.split()[1]) == process.pid}
            assert len(list(sockets.iterdir())) == 1
        finally:
            process.kill()
            if waiting.exists():
                os.kill(int(waiting.read_text()), signal.SIGKILL)
    assert len(children) == 2, "the stand-in and the shell of local-exec"
    wait_for(lambda: not any(sockets.iterdir()), "the end of the sockets")
    wait_for(lambda: not children & {int(line.split()[0]) for line in _processes()}, "the end of the children")


def _processes() -> list[str]:
    """Return process id and parent's id of each process that runs."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, check=True, text=True).stdout
    return [line for line in listed.splitlines() if not line.split()[2].startswith("Z")]


def test_stand_ins_stay_out_of_the_callers_plugin_cache(machine: Any, write_stack: Any, tmp_path: Path) -> None:
    terraform = settings.Terraform.discover({**machine("a", terraform="1.11.4"), "TF_PLUGIN_CACHE_DIR": str(tmp_path)})
    stack = write_stack(required={"aws": "5.100.0", "random": "3.7.2"})
    with Workspace(stack, terraform=terraform) as workspace:
        assert workspace.providers.stand_ins == ("hashicorp/random",)
        assert "TF_PLUGIN_CACHE_DIR" not in workspace._environment()
