"""The table `[tool.constructs-lib]` of a pyproject.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.checking import check
from constructs_lib.rules.reports import Options, render
from constructs_lib.rules.settings import DEFAULTS, Settings, read_settings
from tests.rules.queues import RULES, TODAY, estate

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report

SETTINGS = """
[tool.constructs-lib]
fail-on = "warning"
skip = [{rule = "OPS-902", reason = "Queues wait on purpose."}]
severity = [
  {rule = "OPS", level = "error", reason = "Operations are strict."},
  {rule = "ops-901", level = "info", reason = "Encryption follows later."},
]
"""


@pytest.fixture(autouse=True)
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an app, which is the current one."""
    folder = tmp_path / "app"
    (folder / "cdktf.out/stacks").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def write(text: str, folder: Path = Path()) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def checked(settings: Settings) -> Report:
    return check(estate(jobs={"delay_seconds": 60}), rules=RULES, today=TODAY, settings=settings)


def refusal(text: str) -> str:
    write(text)
    with pytest.raises(ConfigurationError) as refused:
        checked(read_settings())
    return str(refused.value)


def test_without_a_table_the_defaults_hold(app: Path) -> None:
    assert read_settings() == DEFAULTS
    write("[tool.ruff]", app)
    assert read_settings() == DEFAULTS


def test_the_nearest_table_above_the_path_is_read(app: Path, tmp_path: Path) -> None:
    write("[tool.constructs-lib]\nfail-on = 'info'", tmp_path)
    write("[tool.constructs-lib]\nfail-on = 'never'", app)
    write("[tool.ruff]", app / "cdktf.out")
    assert read_settings([app / "cdktf.out/stacks"]).fail_on == "never"
    assert read_settings([tmp_path]).fail_on == "info"


def test_the_table_above_the_current_folder_is_read_where_the_path_has_none(
    app: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(SETTINGS, app)
    assert read_settings([tmp_path_factory.mktemp("elsewhere")]).fail_on == "warning"


def test_rules_are_skipped_and_report_another_level() -> None:
    write(SETTINGS)
    report = checked(read_settings())
    assert [(finding.id, finding.level) for finding in report.findings] == [("OPS-901", "info")]
    assert [rule.id for rule in report.rules] == ["OPS-901"]


def test_every_report_counts_what_is_skipped_and_changed() -> None:
    write(SETTINGS)
    report = checked(read_settings())
    counted = "1 rule skipped by pyproject.toml.\nseverity of 1 rule changed by pyproject.toml.\n"
    assert counted in render(report, "text")
    assert counted in render(report, "text", Options(brief=True))
    assert counted.strip().replace("\n", " ") in render(report, "github")
    assert counted.strip().replace("\n", " ") in render(report, "markdown")
    document = json.loads(render(report, "json"))
    assert document["skipped"] == [{"rule": "OPS-902", "reason": "Queues wait on purpose.", "source": "pyproject.toml"}]
    assert document["severity"] == [
        {"rule": "OPS-901", "level": "info", "reason": "Encryption follows later.", "source": "pyproject.toml"}
    ]
    (run,) = json.loads(render(report, "sarif"))["runs"]
    assert run["properties"]["skippedRules"] == {"OPS-902": "Queues wait on purpose."}


def test_the_verbose_text_gives_the_reasons() -> None:
    write(SETTINGS)
    text = render(checked(read_settings()), "text", Options(verbose=True))
    assert "skipped OPS-902 by pyproject.toml\n  Queues wait on purpose.\n" in text
    assert "info OPS-901 by pyproject.toml\n  Encryption follows later.\n" in text


def test_the_command_line_skips_more() -> None:
    write(SETTINGS)
    report = checked(read_settings().and_skip(["ops-901"]))
    assert [(one.rule.id, one.skip.source) for one in report.skipped] == [
        ("OPS-901", "--skip"),
        ("OPS-902", "pyproject.toml"),
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("ignore = []", "tool.constructs-lib.ignore: unknown key; expected skip, severity or fail-on"),
        ("fail-on = 'errors'", "tool.constructs-lib.fail-on='errors': expected error, warning, info, never"),
        ("skip = 'OPS-901'", "tool.constructs-lib.skip='OPS-901': expected a list of {rule = …, reason = …}"),
        ("skip = ['OPS-901']", "tool.constructs-lib.skip[0]='OPS-901': expected {rule = …, reason = …}"),
        ("skip = [{rule = 'OPS-901'}]", "tool.constructs-lib.skip[0].reason: required"),
        (
            "skip = [{rule = 'OPS-901', reason = ' '}]",
            "tool.constructs-lib.skip[0].reason=' ': expected a non-empty string",
        ),
        (
            "skip = [{rule = 'OPS-901', reason = 'x', until = 'y'}]",
            "tool.constructs-lib.skip[0].until: unknown key; expected {rule = …, reason = …}",
        ),
        (
            "severity = [{rule = 'OPS-901', level = 'note', reason = 'x'}]",
            "tool.constructs-lib.severity[0].level='note': expected error, warning, info",
        ),
        (
            "skip = [{rule = 'XYZ-901', reason = 'x'}]",
            "tool.constructs-lib.skip[0].rule='XYZ-901': rule not found; families are ",
        ),
        (
            "severity = [{rule = 'WAIVER-001', level = 'info', reason = 'x'}]",
            "tool.constructs-lib.severity[0].rule='WAIVER-001': rules about waivers cannot be skipped or changed",
        ),
    ],
)
def test_a_bad_table_is_refused_with_file_and_key(table: str, problem: str) -> None:
    assert refusal(f"[tool.constructs-lib]\n{table}").startswith(f"pyproject.toml: {problem}")


def test_toml_that_is_cut_off_is_refused() -> None:
    assert refusal("[tool.constructs-lib").startswith("pyproject.toml: invalid TOML: ")


def test_a_table_of_another_type_is_refused() -> None:
    assert refusal("[tool]\nconstructs-lib = 1") == "pyproject.toml: tool.constructs-lib=1: expected a table"
