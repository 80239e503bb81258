"""The command `init`: what it writes, and that the app works with the installed package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from constructs_lib.cli import main

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_an_app_is_written_with_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = tmp_path / "apps" / "shop"
    assert main(["init", str(app)]) == 0
    assert capsys.readouterr().out == (
        f"Created an app in {app}. Next:\n  cd {app}\n  pip install -r requirements.txt\n  make synth\n  make test\n"
    )
    assert files(app) == [
        ".github/workflows/ci.yml",
        ".gitignore",
        "Makefile",
        "README.md",
        "cdktf.json",
        "functions/process_order/handler.py",
        "main.py",
        "orders/__init__.py",
        "orders/stack.py",
        "pyproject.toml",
        "requirements.txt",
        "tests/test_orders.py",
        "tests/test_process_order.py",
    ]


def test_every_app_has_a_project_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        main(["init", str(tmp_path / name)])
        ids.add(json.loads((tmp_path / name / "cdktf.json").read_text(encoding="utf-8"))["projectId"])
    assert len(ids) == 2
    assert "00000000-0000-0000-0000-000000000000" not in ids


def test_the_version_of_the_library_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.2.3")
    main(["init", str(tmp_path / "app")])
    assert (tmp_path / "app/requirements.txt").read_text(encoding="utf-8").splitlines()[0] == "constructs-lib==1.2.3"


def test_a_folder_with_files_is_refused_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text("print(1)", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "main.py"):
        assert main(["init", str(folder)]) == 2
        assert capsys.readouterr().err == f"{folder}: not an empty folder; choose another one\n"
    assert files(tmp_path) == ["main.py"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "main.py").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_rules_find_no_error_in_the_app(environment: str, tmp_path: Path) -> None:
    main(["init", str(tmp_path)])
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ENVIRONMENT": environment}
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    findings = json.loads((tmp_path / "cdktf.out/findings.json").read_text(encoding="utf-8"))["findings"]
    expected = ["STATE-012"] if environment == "prod" else []  # the state is a local file
    assert [finding["rule"] for finding in findings] == expected


@pytest.mark.slow
def test_the_app_works_with_the_installed_wheel_alone(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel; requirements-dev.txt has it")
    run(ROOT, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"))
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    pip = (str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(tmp_path, *pip, str(wheel))
    run(tmp_path, str(programs / "constructs-lib"), "init", "app")
    app = tmp_path / "app"
    run(app, *pip, "-r", "requirements.txt")
    assert " dev  eu-west-1 " in run(app, "make", "synth", path=programs)
    assert " passed" in run(app, "make", "test", path=programs)
    assert "No findings" in run(app, "make", "check", path=programs)
    assert run(app, str(programs / "constructs-lib"), "--version").startswith("constructs-lib 0.")


def run(folder: Path, *command: str, path: Path | None = None) -> str:
    """Run a program outside of this environment, and return what it prints."""
    ours = ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "MAKEFLAGS", "MAKELEVEL")
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(("COV_", "PYTEST_"))
    }
    if path:
        variables["PATH"] = f"{path}{os.pathsep}{variables['PATH']}"
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
