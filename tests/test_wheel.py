"""The package as somebody else installs it: built into a wheel, put into a fresh environment, used outside this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PROGRAM = """
from pathlib import Path

import constructs_lib
from constructs_lib import App, HardenedStack, MultiRegionKey, RegionalBucket, RegionalVpc, WebTier, attach

app = App()
stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
region = stack.region("eu-west-1")
key = MultiRegionKey(stack, "key", region=region)
vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
WebTier(stack, "web", region=region, vpc=vpc, key=key, logs=logs)
attach(app)
app.synth()
print(Path(constructs_lib.__file__).parent)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as hatchling builds it."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel; requirements-dev.txt has it")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_everything_that_the_package_reads_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("constructs_lib/")}
        assert {name.partition("/")[0] for name in archive.namelist()} == {
            "constructs_lib",
            wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
        }
    tracked = subprocess.run(
        ["git", "ls-files", "constructs_lib"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert packed == set(tracked.stdout.split())


def test_an_app_elsewhere_synthesizes_with_the_installed_package(wheel: Path, tmp_path: Path) -> None:
    python = installed(wheel, tmp_path / "venv")
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text(PROGRAM, encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([python, "main.py"], cwd=app, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(tmp_path / "venv")
    document = json.loads((app / "cdktf.out" / "stacks" / "shop" / "cdk.tf.json").read_text(encoding="utf-8"))
    assert document["resource"]["aws_lb"].keys() == {"web_balancer_eu_west_1"}
    findings = json.loads((app / "cdktf.out" / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert [finding["rule"] for finding in findings if finding["level"] != "info"] == []


def installed(wheel: Path, folder: Path) -> Path:
    """Return the Python of a fresh environment with the wheel in it.

    Nothing is downloaded: a path file leads to the packages of this environment, which come after its own. pip takes the
    dependencies from there, and fails where this environment does not have what the wheel asks for.
    """
    venv.create(folder, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return python
