"""The pages about checks: what is generated, and that the commands in docs/checks.md do what they say."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib.cli import main
from constructs_lib.rules.checking import all_rules
from constructs_lib.rules.rule import FAMILIES
from tests.rules.queues import RULES

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/checks.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ constructs-lib (.+)$", PAGE, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rule_pages", ROOT / "docs/rule_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the example of docs/checks.md, with a day that is never over."""
    folder = tmp_path_factory.mktemp("checked")
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    program = (ROOT / "docs/examples/checked.py").read_text(encoding="utf-8")
    assert "date(2027, 6, 30)" in program
    text = program.replace("date(2027, 6, 30)", f"date({soon.year}, {soon.month}, {soon.day})")
    (folder / "main.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_example_is_synthesized_with_its_finding_waived(app: Path) -> None:
    given = json.loads((app / "cdktf.out/findings.json").read_text(encoding="utf-8"))
    assert [(one["rule"], one["file"], one["fingerprint"]) for one in given["waived"]] == [
        ("MSG-001", "main.py", "33b5287f2c57")
    ]
    assert [one["rule"] for one in given["findings"] if one["rule"].startswith("WAIVER")] == []


def test_the_page_shows_commands() -> None:
    assert len(COMMANDS) == 8


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_each_command_of_the_page_runs(
    app: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(app)
    if "--baseline" in COMMANDS[number] and "--update-baseline" not in COMMANDS[number]:
        main(shlex.split(f"{COMMANDS[number]} --update-baseline"))
    code = main(shlex.split(COMMANDS[number]))
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out
    assert code in ((0, 1) if "--env prod" in COMMANDS[number] else (0,))


def test_every_rule_has_a_section_on_the_page_of_its_family(pages: ModuleType) -> None:
    written = pages.rule_pages(all_rules())
    for rule in all_rules():
        page = written[f"{rule.check.__module__.split('.')[-2]}.md"]
        assert page.count(f"\n## {rule.id}\n") == 1
        assert f"| [{rule.id}](#{rule.id.lower()}) |" in page
    assert {page.splitlines()[0] for name, page in written.items() if name != "README.md"} == {
        f"# {title}" for title in FAMILIES.values()
    }


def test_the_pages_of_rules_are_small_enough_to_be_rendered(pages: ModuleType) -> None:
    sizes = {name: len(page.encode()) for name, page in pages.rule_pages(all_rules()).items()}
    assert {name: size for name, size in sizes.items() if size > 100_000} == {}


def test_the_index_links_every_family_with_its_number_of_rules(pages: ModuleType) -> None:
    written = pages.rule_pages(RULES)
    assert list(written) == ["README.md", "rules.md"]
    assert f"\n| [{FAMILIES['OPS']}](rules.md) | `OPS` | {len(RULES)} |\n" in written["README.md"]


def test_a_page_shows_its_rules_and_the_example_of_the_first_one(pages: ModuleType) -> None:
    page = pages.rule_pages(RULES)["rules.md"]
    severity = "info in dev, warning in staging, error in prod"
    assert f"\n| [OPS-901](#ops-901) | SQS queue is encrypted | {severity} | `aws_sqs_queue` | TOY-1 |\n" in page
    assert (
        "\n## OPS-901\n\n**SQS queue is encrypted.** Messages are stored in plain text.\n\nFix: Set kms_master_key_id.\n\n"
        "[Documentation](https://docs.aws.amazon.com/queues)\n" in page
    )
    assert '\n+        "kms_master_key_id": "key",\n' in page
    assert page.count("```diff\n") == 1


def test_a_lesson_shows_its_default_its_rules_and_its_tests(pages: ModuleType) -> None:
    lessons = {
        "TOY-1": ("no | key", "`Queue` encrypts", ""),
        "TOY-2": ("no tests", "the kit", "tests are not Terraform"),
    }
    page = pages.lessons_page(lessons, RULES, {"TOY-1": ["`tests/test_a.py` (2)"]})
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in page.splitlines() if "TOY" in line
    ]
    assert rows == [
        ["TOY-1", r"no \| key", "`Queue` encrypts", "[OPS-901](rules/rules.md#ops-901)", "`tests/test_a.py` (2)"],
        ["TOY-2", "no tests", "the kit", "tests are not Terraform", ""],
    ]


def test_a_lesson_without_rule_and_reason_is_refused(pages: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"neither a rule nor a reason: \['TOY-3'\]"):
        pages.lessons_page({"TOY-1": ("a", "b", ""), "TOY-3": ("c", "d", "")}, RULES, {})


def test_a_lesson_that_only_a_rule_names_is_refused(pages: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"not defined: \['TOY-1'\]"):
        pages.lessons_page({}, RULES, {})


def test_tests_are_found_under_the_headings_of_their_lessons(pages: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_a.py").write_text(
        "# PAY-1: one\ndef test_x(): ...\n# PAY-2, PAY-3: two\ndef test_y(): ...\ndef test_z(): ...\n", encoding="utf-8"
    )
    (folder / "test_b.py").write_text('EXPECTED = {"PAY-1": "REG-001"}\n', encoding="utf-8")
    found = pages.lesson_tests(folder)
    assert {id_: found[id_] for id_ in ("PAY-1", "PAY-2", "PAY-3")} == {
        "PAY-1": ["`tests/test_a.py` (1)", "`tests/test_b.py`"],
        "PAY-2": ["`tests/test_a.py` (2)"],
        "PAY-3": ["`tests/test_a.py` (2)"],
    }
