"""The app as a whole: main.py, the CLI, both generations of bindings, stable bytes, counted calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from constructs_lib.testing import read_stack

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
STACKS = ("events", "payments", "platform", "state-backend", "ticketing", "trading")


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TERRAFORM_STATE")}
    environment = {**environment, "PYTHONPATH": str(ROOT), "CHECKPOINT_DISABLE": "1", **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def stacks(folder: Path) -> dict[str, str]:
    return {file.parent.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("stacks/*/cdk.tf.json"))}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    done = run([sys.executable, "main.py"], CDKTF_OUTDIR=str(folder), ENVIRONMENT="prod")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_app_synthesizes_every_reference_stack(app: Path) -> None:
    assert tuple(stacks(app)) == STACKS
    for text in stacks(app).values():
        assert json.loads(text)["output"]["deployment_summary"]["value"]["environment"] == "prod"


def test_a_second_run_gives_the_same_bytes(app: Path, tmp_path: Path) -> None:
    assert run([sys.executable, "main.py"], CDKTF_OUTDIR=str(tmp_path), ENVIRONMENT="prod").returncode == 0
    assert stacks(tmp_path) == stacks(app)


def test_the_context_chooses_the_environment_too(tmp_path: Path) -> None:
    context = json.dumps({"environment": "staging"})
    done = run([sys.executable, "main.py"], CDKTF_OUTDIR=str(tmp_path), CDKTF_CONTEXT_JSON=context, ENVIRONMENT="")
    assert done.returncode == 0, done.stderr
    for name in STACKS:
        assert read_stack(tmp_path / "stacks" / name).outputs["deployment_summary"]["environment"] == "staging"


def test_an_unknown_environment_stops_the_app_with_one_clear_line(tmp_path: Path) -> None:
    done = run([sys.executable, "main.py"], CDKTF_OUTDIR=str(tmp_path), ENVIRONMENT="production")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith(
        "ConfigurationError: main.py: environment='production': must be one of dev, staging, prod"
    )


def test_the_program_of_the_readme_synthesizes(tmp_path: Path) -> None:
    program = ROOT / "docs" / "examples" / "quickstart.py"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```python\n{program.read_text(encoding='utf-8')}```" in readme
    done = run([sys.executable, str(program)], CDKTF_OUTDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    stack = read_stack(tmp_path / "stacks" / "hello")
    assert stack.resource("aws_api_gateway_method")["http_method"] == "GET"
    assert stack.outputs["deployment_summary"]["regions"]["eu-west-1"]["hello"]


def test_the_program_of_the_regions_guide_synthesizes(tmp_path: Path) -> None:
    program = ROOT / "docs" / "examples" / "regions.py"
    done = run([sys.executable, str(program)], CDKTF_OUTDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (peering,) = read_stack(tmp_path / "stacks" / "shop").resources("aws_vpc_peering_connection")
    assert peering["vpc_id"] == "${aws_vpc.vpc_eu_west_1.id}"
    assert peering["peer_region"] == "us-east-1"


def test_the_newest_bindings_give_the_same_json(app: Path, tmp_path: Path) -> None:
    python = os.environ.get("BINDINGS_21_PYTHON")
    if not python:
        pytest.skip("BINDINGS_21_PYTHON names no Python with cdktf-cdktf-provider-aws 21.22.1; `make test` makes one")
    done = run([python, "main.py"], CDKTF_OUTDIR=str(tmp_path), ENVIRONMENT="prod")
    assert done.returncode == 0, done.stderr
    assert stacks(tmp_path) == stacks(app)


@pytest.mark.npm
def test_cdktf_synth_writes_what_main_py_writes(app: Path, tmp_path: Path) -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is not on PATH")
    command = [
        npx,
        "--yes",
        "cdktf-cli@0.21.0",
        "synth",
        "--app",
        f"{sys.executable} main.py",
        "--output",
        str(tmp_path),
    ]
    done = run(command, ENVIRONMENT="prod", CI="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stacks(tmp_path) == stacks(app)


COUNT = """
import os, sys, json
import constructs_lib
from jsii._kernel.providers import process
sent = 0
send = process._NodeProcess.send
def counted(self, *arguments, **keywords):
    global sent
    sent += 1
    return send(self, *arguments, **keywords)
process._NodeProcess.send = counted
from constructs_lib import App
from stacks.payments import PaymentsStack
PaymentsStack(app := App(outdir=os.environ["OUT"]), "payments", environment="prod")
app.synth()
prefix = "cdktf_cdktf_provider_aws."
modules = sorted(name.removeprefix(prefix) for name in sys.modules if name.startswith(prefix))
packages = sorted(name for name in sys.modules if name.startswith("cdktf_cdktf_provider_") and "." not in name)
print(json.dumps({"sent": sent, "modules": modules, "packages": packages}))
"""


def test_the_engine_is_called_at_most_2_6_times_a_resource_and_only_used_modules_load(
    tmp_path: Path,
) -> None:
    done = run([sys.executable, "-c", COUNT], OUT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    stack = read_stack(tmp_path / "stacks" / "payments")
    assert counted["sent"] / len(stack.blocks) <= 2.6
    assert counted["packages"] == ["cdktf_cdktf_provider_archive", "cdktf_cdktf_provider_aws"]
    types = {block.address.rsplit(".", 1)[0] for block in stack.blocks}
    used = {type_.replace("data.aws_", "data_aws_").removeprefix("aws_") for type_ in types} - {"data.archive_file"}
    loaded = {module for module in counted["modules"] if "." not in module} - {"_jsii", "provider"}
    assert loaded == used
