from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, MultiRegionKey
from constructs_lib.cli import main
from constructs_lib.testing import synthesize

if TYPE_CHECKING:
    from constructs_lib import App

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="prod", owner="me")
        us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
        MultiRegionKey(stack, "key", region=us, replicas=[eu])

    folder = tmp_path_factory.mktemp("cli")
    synthesize(build, folder)
    return folder / "cdktf.out"


HEAVY = ("boto3", "cdktf", "constructs_lib.rules.catalogue", "constructs_lib.testing", "jsii", "moto", "tabulate")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_the_summary_has_a_line_for_each_stack_and_what_to_run_next(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", str(output)]) == 0
    assert capsys.readouterr().out == (
        "stack  env   regions               resources  outputs\n"
        "shop   prod  us-east-1, eu-west-1          4        3\n"
        f"\nNext: cdktf deploy shop, or terraform -chdir={output}/stacks/shop init\n"
    )


def test_the_verbose_summary_lists_files_and_resource_types(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(output), "--verbose"]) == 0
    assert (
        f"\nshop: {output}/stacks/shop/cdk.tf.json\n      2  aws_kms_alias\n      1  aws_kms_key\n"
        "      1  aws_kms_replica_key\n      2  data sources\n\n"
    ) in capsys.readouterr().out


def test_the_summary_counts_regions_where_their_names_do_not_fit(
    output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["summary", str(output)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["shop", "prod", "2", "4", "3"]


def test_a_folder_without_stacks_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}: no synthesized stacks found (stacks/*/cdk.tf.json); run `cdktf synth` first\n"
    )


@pytest.mark.parametrize("command", ["check", "summary", "cost", "permissions"])
def test_the_output_folder_is_the_default_and_must_exist(
    command: str,
    output: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 2
    assert capsys.readouterr().err == ("cdktf.out: folder not found; run `cdktf synth` first, or name another path\n")
    monkeypatch.chdir(output.parent)
    assert main([command]) in (0, 1)
    assert "shop" in capsys.readouterr().out


def test_a_file_that_is_not_json_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "stacks/shop/cdk.tf.json"
    file.parent.mkdir(parents=True)
    file.write_text("{", encoding="utf-8")
    assert main(["summary", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}: ")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr().out
    assert re.findall(r"^    (\w+) ", printed, re.MULTILINE) == [
        "init",
        "check",
        "summary",
        "cost",
        "permissions",
        "local",
    ]


def test_an_interrupted_command_ends_without_a_traceback(
    output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("constructs_lib.analysis.summary.summarize", interrupt)
    assert main(["summary", str(output)]) == 130
    assert capsys.readouterr() == ("", "")


def test_an_unknown_command_prints_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["nonsense"])
    assert stop.value.code == 2
    assert "usage: constructs-lib " in capsys.readouterr().err


def test_the_version_is_that_of_the_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"1.2.3 of {name}")
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == "constructs-lib 1.2.3 of constructs-lib\n"


@pytest.mark.parametrize("command", ["check", "cost", "local up", "permissions", "summary"])
def test_help_imports_nothing_heavy(command: str) -> None:
    script = (
        "import sys; from constructs_lib.cli import main\n"
        f"try: main({[*command.split(), '--help']})\n"
        f"except SystemExit: sys.exit(', '.join(sorted({{*{HEAVY}}} & {{*sys.modules}})) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["check"], ["check", "--help"], ["cost"], ["summary"], ["summary", "--verbose"]])
def test_a_closed_pipe_is_not_an_error(arguments: list[str], output: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "constructs_lib", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with os.fdopen(writer, "w", encoding="utf-8") as closed:
        done = subprocess.run(
            program, cwd=output.parent, env=environment, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")


def test_commands_but_local_run_without_fcntl(output: Path, tmp_path: Path) -> None:
    (tmp_path / "fcntl.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'fcntl'\", name='fcntl')", encoding="utf-8"
    )
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from constructs_lib.cli import main; sys.exit(main())"

    def run(*arguments: str) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        program = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(program, cwd=output.parent, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    assert run("summary") == (0, "")
    assert run("check", "--fail-on", "never") == (0, "")
    assert run("cost") == (0, "")
    assert run("local", "status") == (
        2,
        "local: requires Linux, macOS or WSL, because it locks files with fcntl\n",
    )
