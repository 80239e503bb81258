from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.cli import main
from constructs_lib.rules import checking
from tests.rules.queues import RULES, broken, document

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the catalogue the two rules about queues, and the terminal wide."""
    monkeypatch.setattr(checking, "catalogue", lambda: RULES)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a stack named shop in production below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stacks/shop"
    folder.mkdir(parents=True)

    def run(**queues: dict[str, Any]) -> Path:
        text = json.dumps({**document(**queues), "variable": {"key": {}}}, indent=2)
        (folder / "cdk.tf.json").write_text(text, encoding="utf-8")
        return Path("stacks/shop")

    return run


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["check", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


Capture = pytest.CaptureFixture[str]


def test_a_clean_estate_ends_with_0(write: Callable[..., Path], capsys: Capture) -> None:
    code, out, err = check(capsys, write(jobs={"kms_master_key_id": "key"}))
    assert (code, err) == (0, "")
    assert out == "No findings. 2 rules checked 1 resource or data source in 1 stack (prod).\n"


def test_findings_end_with_1_and_point_to_the_block(write: Callable[..., Path], capsys: Capture) -> None:
    code, out, err = check(capsys, write(jobs={}))
    assert (code, err) == (1, "")
    assert "  OPS-901  SQS queue is encrypted\n    shop:aws_sqs_queue.jobs  stacks/shop/cdk.tf.json:4\n" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--fail-on", "warning"), 0),
        (("--fail-on", "info"), 1),
        (("--env", "staging", "--fail-on", "warning"), 1),
        (("--env", "prod"), 1),
        (("--env", "prod", "--fail-on", "never"), 0),
        (("--env", "prod", "--rule", "OPS-902"), 0),
        (("--env", "prod", "--rule", "ops-901", "--rule", "OPS-902"), 1),
        (("--env", "prod", "--rule", "OPS"), 1),
    ],
)
def test_the_level_in_the_environment_decides(
    write: Callable[..., Path], capsys: Capture, arguments: tuple[str, ...], code: int
) -> None:
    path = write(jobs={"tags": {"Environment": "dev"}})
    assert check(capsys, path, *arguments)[0] == code


def test_several_paths_are_one_estate(write: Callable[..., Path], capsys: Capture, tmp_path: Path) -> None:
    other = tmp_path / "bank" / "main.tf.json"
    other.parent.mkdir()
    other.write_text(json.dumps(document(b={})), encoding="utf-8")
    out = check(capsys, write(a={}), other)[1]
    assert out.endswith("2 errors. 2 rules checked 2 resources and data sources in 2 stacks (prod).\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none",), "none: file or folder not found"),
        ((), "cdktf.out: folder not found; run `cdktf synth` first, or name another path"),
        (("stacks", "--skip", "OPS-991"), "--skip: --skip OPS-991: rule not found; did you mean OPS-901?"),
        (("stacks", "--skip", "WAIVER"), "--skip: --skip WAIVER: rules about waivers cannot be skipped or changed"),
        (("stacks", "--rule", "OPS-991"), "rules: 'OPS-991': rule not found; did you mean OPS-901?"),
        (("stacks", "--rule", "XYZ"), "rules: 'XYZ': rule not found; families are OPS, WAIVER"),
        (("stacks", "--waivers", "none.toml"), "none.toml: cannot be read: No such file or directory"),
        (("stacks", "--baseline", "none.json"), "none.json: file not found; --update-baseline writes it"),
        (("stacks", "--update-baseline"), "check: --update-baseline: requires --baseline FILE"),
        (("stacks", "--output", "stacks"), "stacks: cannot be written: Is a directory"),
        (("--explain", "NET-000"), "rules: 'NET-000': rule not found; families are OPS, WAIVER"),
    ],
)
def test_input_that_cannot_be_used_ends_with_2_and_one_line(
    write: Callable[..., Path], capsys: Capture, arguments: tuple[str, ...], message: str
) -> None:
    write(jobs={})
    assert check(capsys, *arguments) == (2, "", f"{message}\n")


def test_json_that_is_cut_off_ends_with_2(write: Callable[..., Path], capsys: Capture) -> None:
    file = write(jobs={}) / "cdk.tf.json"
    file.write_text(file.read_text(encoding="utf-8")[:-4], encoding="utf-8")
    code, out, err = check(capsys, "stacks")
    assert (code, out) == (2, "")
    assert err.startswith("stacks/shop/cdk.tf.json: line ")


def test_a_mistake_in_a_rule_ends_with_2_after_the_report(
    write: Callable[..., Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "catalogue", lambda: (*RULES, broken))
    code, out, err = check(capsys, write(jobs={}))
    assert code == 2
    assert out.startswith("1 ERROR\n")
    assert err == "1 check failed with an error in the rule: OPS-903 at shop:aws_sqs_queue.jobs: KeyError: 'jobs'\n"


def test_an_unknown_option_prints_the_usage(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check", "--format", "xml"])
    assert stop.value.code == 2
    assert "usage: constructs-lib check" in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "junit", "markdown", "github"])
def test_every_format_may_be_written_to_a_file(write: Callable[..., Path], capsys: Capture, format_: str) -> None:
    path = write(jobs={})
    printed = check(capsys, path, "--format", format_)[1]
    code, out, _ = check(capsys, path, "--format", format_, "--output", f"reports/{format_}")
    assert code == 1
    assert Path("reports", format_).read_text(encoding="utf-8") == printed
    assert out == (
        f"1 error. 2 rules checked 1 resource or data source in 1 stack (prod). Written to reports/{format_}.\n"
    )


def test_waivers_beside_the_path_hold(write: Callable[..., Path], capsys: Capture) -> None:
    path = write(jobs={})
    (mark,) = re.findall(r"fingerprint: (\w+)", check(capsys, path)[1])
    soon = datetime.now(UTC).date() + timedelta(days=9)
    Path("stacks/waivers.toml").write_text(
        '[[waiver]]\nrule = "OPS-901"\nscope = "shop:aws_sqs_queue.jobs"\nowner = "me"\n'
        f'reason = "The queue holds public prices only."\nuntil = {soon}\naccepts = "{mark}"\n',
        encoding="utf-8",
    )
    code, out, _ = check(capsys, path)
    assert code == 0
    assert "waived OPS-901 shop:aws_sqs_queue.jobs" in out


# The baseline.


def test_a_baseline_accepts_what_is_there_and_reports_what_is_new(write: Callable[..., Path], capsys: Capture) -> None:
    arguments = (write(jobs={}, prices={}), "--baseline", "baseline.json")
    assert check(capsys, *arguments, "--update-baseline") == (0, "baseline.json: 2 findings written\n", "")
    code, out, _ = check(capsys, *arguments)
    assert (code, out) == (
        0,
        "No findings (2 in the baseline). 2 rules checked 2 resources and data sources in 1 stack (prod).\n",
    )
    write(jobs={}, prices={}, later={})
    code, out, _ = check(capsys, *arguments)
    assert code == 1
    assert "aws_sqs_queue.later" in out
    assert "aws_sqs_queue.jobs" not in out


def test_a_value_that_changed_is_new(write: Callable[..., Path], capsys: Capture) -> None:
    arguments = (write(jobs={"delay_seconds": 60, "kms_master_key_id": "k"}), "--baseline", "baseline.json")
    check(capsys, *arguments, "--update-baseline")
    write(jobs={"delay_seconds": 600, "kms_master_key_id": "k"})
    out = check(capsys, *arguments)[1]
    assert "delay_seconds = 600" in out
    assert out.endswith("1 entry of the baseline no longer found; remove with --update-baseline.\n")


def test_a_renamed_block_stays_known_and_another_one_is_new(write: Callable[..., Path], capsys: Capture) -> None:
    arguments = (write(old={}), "--baseline", "baseline.json")
    check(capsys, *arguments, "--update-baseline")
    write(new={})
    assert check(capsys, *arguments)[0] == 0
    write(old={"kms_master_key_id": "key"}, new={})
    assert check(capsys, *arguments)[0] == 1


def test_a_baseline_is_the_same_text_for_the_same_findings(write: Callable[..., Path], capsys: Capture) -> None:
    check(capsys, write(b={}, a={}), "--baseline", "one.json", "--update-baseline")
    check(capsys, write(a={}, b={}), "--baseline", "two.json", "--update-baseline")
    assert Path("one.json").read_text(encoding="utf-8") == Path("two.json").read_text(encoding="utf-8")
    assert json.loads(Path("one.json").read_text(encoding="utf-8"))["findings"][0]["address"] == "aws_sqs_queue.a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a baseline of version 1; --update-baseline writes one"),
        ('{"version": 2, "findings": []}', "not a baseline of version 1; --update-baseline writes one"),
        (
            '{"version": 1, "findings": [{"rule": "OPS-901"}]}',
            "findings: {'rule': 'OPS-901'}: expected rule, stack, address, at, fingerprint, each a string",
        ),
    ],
)
def test_what_is_no_baseline_is_refused(write: Callable[..., Path], capsys: Capture, text: str, message: str) -> None:
    Path("baseline.json").write_text(text, encoding="utf-8")
    assert check(capsys, write(jobs={}), "--baseline", "baseline.json") == (2, "", f"baseline.json: {message}\n")


# One rule.


def test_a_rule_explains_itself(capsys: Capture) -> None:
    code, out, _ = check(capsys, "--explain", "ops-901")
    assert code == 0
    assert out.startswith(
        "OPS-901  SQS queue is encrypted\n\nWhy\n  Messages are stored in plain text.\n\nFix\n  Set kms_master_key_id.\n\n"
        "family       Operations: logs, alarms and scaling\nchecks       aws_sqs_queue\n"
        "severity     info in dev, warning in staging, error in prod\nFSBP         SQS.1\nlessons      TOY-1\n"
        "page         https://docs.aws.amazon.com/queues\n\nBad\n  {\n"
    )
    assert out.count('"kms_master_key_id": "key"') == 1


def test_a_rule_about_waivers_shows_waivers(capsys: Capture) -> None:
    out = check(capsys, "--explain", "WAIVER-001")[1]
    assert "Bad\n  [[waiver]]\n  rules = [" in out
    assert "\n  until = 2026-10-31\n" in out


# As a program.


def program(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "constructs_lib", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_program_has_no_colours_in_a_file_and_ends_with_the_code(write: Callable[..., Path]) -> None:
    done = program("check", write(jobs={}), "--rule", "MSG-001")
    assert (done.returncode, done.stderr) == (1, "")
    assert "\x1b" not in done.stdout


def test_a_terminal_without_unicode_still_gets_its_report(write: Callable[..., Path]) -> None:
    path = write(jobs={"name": "prix-é"})
    done = program("check", path, "--rule", "MSG-001", "--format", "markdown", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("### ? 1 error")


def test_the_note_that_a_rule_is_skipped_names_the_option(write: Callable[..., Path], capsys: Capture) -> None:
    code, out, _ = check(capsys, write(jobs={}), "--skip", "OPS-901")
    assert (code, out) == (
        0,
        "1 rule skipped by --skip.\nNo findings. 1 rule checked 1 resource or data source in 1 stack (prod).\n",
    )
