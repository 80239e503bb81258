"""The reference systems as their post-mortems found them, and as they ought to be: each raw mistake is found.

`seeds/<system>/bad` holds the mistakes in Terraform JSON, `seeds/<system>/good` the same system without them. Both are
read for dev, staging and prod.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from constructs_lib.rules.lessons import LESSONS
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.workspace import Workspace

if TYPE_CHECKING:
    from constructs_lib.rules.engine import Finding

SEEDS: Final = Path(__file__).parent / "seeds"
SYSTEMS: Final = {"payments": "PAY", "platform": "PLAT", "ticketing": "TICK", "events": "EVT", "trading": "TRD"}

_SOURCE: Final = "def handler(event, context):\n    return {'statusCode': 200}\n"
SOURCES: Final[dict[str, dict[str, bytes]]] = {
    # Written here, as no formatter or type checker could read such files.
    "payments/bad": {"lambda/handler.py": _SOURCE.encode("utf-16"), "lambda/validator.zip": b"a renamed text"},
    "payments/good": {"lambda/handler.py": _SOURCE.encode()},
    "platform/good": {"lambda/index.py": _SOURCE.encode()},
}

EXPECTED: Final[dict[str, set[str]]] = {
    "PAY-1": {"REG-015"},
    "PAY-2": {"LAM-001", "LAM-006"},
    "PAY-3": {"STATE-002", "STATE-003"},
    "PAY-4": {"NAME-002"},
    "PAY-5": {"NET-003", "NET-004", "NET-005"},
    "PAY-7": {"REG-013", "REG-014"},
    "PLAT-1": {"RDS-001", "RDS-006"},
    "PLAT-2": {"STATE-006", "STATE-010"},
    "PLAT-3": {"LAM-001"},
    "PLAT-5": {"NET-016"},
    "PLAT-6": {"RDS-030"},
    "PLAT-7": {"STATE-023"},
    "PLAT-8": {"STATE-008", "S3-002", "S3-004", "S3-008"},
    "PLAT-9": {"IAM-003"},
    "PLAT-10": {"LAM-016", "LAM-017"},
    "PLAT-12": {"STATE-015"},
    "PLAT-13": {"RDS-024"},
    "TICK-1": {"LAM-005", "STATE-023"},
    "TICK-2": {"NAME-001"},
    "TICK-3": {"NAME-001"},
    "TICK-4": {"STATE-020"},
    "TICK-7": {"LAM-024", "LAM-025", "NET-002"},
    "EVT-1": {"STATE-001"},
    "EVT-2": {"LAM-001"},
    "EVT-3": {"NAME-013"},
    "EVT-4": {"NAME-001"},
    "EVT-5": {"LAM-023"},
    "EVT-6": {"API-001", "API-002"},
    "EVT-7": {"ENC-010"},
    "EVT-8": {"API-010", "API-011", "API-013", "LAM-021", "LAM-022"},
    "EVT-9": {"API-003"},
    "EVT-10": {"MSG-011"},
    "EVT-11": {"MSG-001", "MSG-003", "MSG-007"},
    "EVT-12": {"API-039", "API-044"},
    "EVT-13": {"STATE-001"},
    "EVT-15": {"REG-011"},
    "EVT-16": {"LAM-003"},
    "EVT-17": {"STATE-004"},
    "EVT-18": {"LAM-008"},
    "EVT-19": {"NAME-006"},
    "EVT-20": {"STATE-021"},
    "TRD-1": {"STATE-016"},
    "TRD-2": {"NAME-004", "NAME-005"},
    "TRD-3": {"NET-006", "NET-014"},
    "TRD-4": {"API-025", "API-026", "API-029"},
    "TRD-5": {"RDS-008", "RDS-013", "RDS-016", "RDS-017", "RDS-018", "RDS-019", "RDS-020"},
    "TRD-6": {"OPS-006", "OPS-007", "OPS-008"},
    "TRD-7": {"OPS-010", "OPS-017"},
    "TRD-8": {"STATE-006", "STATE-015"},
    "TRD-9": {"STATE-026"},
    "TRD-10": {"STATE-022"},
    "TRD-11": {"API-030"},
    "TRD-12": {"NAME-010", "NAME-011"},
    "TRD-13": {"S3-002", "S3-004", "S3-008", "S3-021"},
}
"""Rules that find the raw mistake of each lesson in its system; a lesson without any says why in `LESSONS`."""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """What all rules say, by system and kind, in the three environments."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for system in SYSTEMS:
        for kind in ("bad", "good"):
            for environment in ("dev", "staging", "prod"):
                folder = tmp_path_factory.mktemp(environment) / system
                shutil.copytree(SEEDS / system / kind, folder)
                for name, content in SOURCES.get(f"{system}/{kind}", {}).items():
                    (folder / name).parent.mkdir(exist_ok=True)
                    (folder / name).write_bytes(content)
                values = json.dumps({"environment_suffix": environment})
                (folder / "terraform.tfvars.json").write_text(values, encoding="utf-8")
                found[f"{system}/{kind}"].extend(run(load([folder]), rules()).findings)
    return found


def about(lesson: str, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if lesson in finding.rule.lessons]


def system_of(lesson: str) -> str:
    prefix = lesson.partition("-")[0]
    return next(system for system, word in SYSTEMS.items() if word == prefix)


@pytest.mark.parametrize("lesson", EXPECTED)
def test_the_raw_mistake_is_found_by_rules_that_name_the_lesson(
    lesson: str, findings: dict[str, list[Finding]]
) -> None:
    found = {finding.id for finding in about(lesson, findings[f"{system_of(lesson)}/bad"])}
    assert EXPECTED[lesson] <= found


@pytest.mark.parametrize("lesson", EXPECTED)
def test_the_mended_system_is_clean_for_the_lesson(lesson: str, findings: dict[str, list[Finding]]) -> None:
    found = about(lesson, findings[f"{system_of(lesson)}/good"])
    # Dev may leave out what production needs, and is told so.
    assert [str(finding) for finding in found if finding.level != "info" or finding.environment != "dev"] == []


@pytest.mark.terraform
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_mended_system_is_valid_for_the_real_provider(system: str, tmp_path: Path) -> None:
    document = load([SEEDS / system / "good"]).stacks[0].source.document
    (tmp_path / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")
    try:
        workspace = Workspace(tmp_path)
    except UnavailableError as error:
        pytest.skip(str(error))
    with workspace:
        workspace.init()
        assert workspace.validate() == ()


def test_every_lesson_has_rules_or_says_why_there_are_none() -> None:
    named = {lesson for rule in rules() for lesson in rule.lessons}
    assert named <= LESSONS.keys()
    assert set(EXPECTED) == {lesson for lesson, (_, _, reason) in LESSONS.items() if not reason}
    assert not named & (LESSONS.keys() - EXPECTED.keys())


def test_every_lesson_says_what_it_is_and_what_prevents_it() -> None:
    counts = {prefix: sum(lesson.startswith(f"{prefix}-") for lesson in LESSONS) for prefix in SYSTEMS.values()}
    assert counts == {"PAY": 7, "PLAT": 13, "TICK": 7, "EVT": 20, "TRD": 13}
    for lesson, (mistake, prevented, reason) in LESSONS.items():
        assert mistake, lesson
        assert prevented, lesson
        assert not reason or reason.endswith("."), lesson
