from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.rules.checking import check, choose
from constructs_lib.rules.engine import fingerprint
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.rule import changed
from constructs_lib.rules.waivers import WAIVER_RULES, Waiver, check_waiver, find_file, read_file
from constructs_lib.rules.waivers.rules import GOOD, MOST_FINDINGS
from tests.rules.queues import REASON, TODAY, estate, report_on

BARE: dict[str, Any] = {"delay_seconds": 5}
PRINT = fingerprint("OPS-901", "kms_master_key_id", None)
NEXT = TODAY + timedelta(days=30)


def waiver(*rules: str, scope: str = "shop:aws_sqs_queue.jobs", until: date = NEXT, accepts: str = PRINT) -> Waiver:
    ids = rules or ("OPS-901",)
    return Waiver(ids, scope, REASON, "me", until, (accepts,) if accepts else (), "waivers.toml:1")


def messages(*waivers: Waiver, **queues: dict[str, Any]) -> list[str]:
    """Return what is found in spite of waivers, by id and message; one bare queue named jobs by default."""
    report = report_on(estate(**(queues or {"jobs": dict(BARE)})), waivers=waivers)
    return [f"{finding.id} {finding.message}" for finding in report.findings]


FOUND = "OPS-901 aws_sqs_queue.jobs: kms_master_key_id = null: must be set"


def test_without_a_waiver_there_is_a_finding_and_with_one_there_is_none() -> None:
    assert messages() == [FOUND]
    report = report_on(estate(jobs=dict(BARE)), waivers=[waiver()])
    assert report.findings == []
    assert [(one.finding.id, one.waiver.owner) for one in report.waived] == [("OPS-901", "me")]


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ("shop/orders", True),
        ("shop/orders/Resource", True),
        ("shop/orders/**", True),
        ("shop/**", True),
        ("shop/*", True),
        ("shop/*/Resource", True),
        ("shop/ord?rs", True),
        ("*/orders", True),
        ("shop", False),
        ("shop/order", False),
        ("shop/orders/Resource/more", False),
        ("shop/order/**", False),
        ("shop?orders", False),
        ("SHOP/orders", False),
        ("shop:aws_sqs_queue.jobs", True),
        ('shop:aws_sqs_queue.jobs["eu"]', True),
        ("shop:aws_sqs_queue.*", True),
        ("s*:*.jobs", True),
        ("shop:aws_sqs_queue.job", False),
        ('shop:aws_sqs_queue.jobs["us"]', False),
        ("other:aws_sqs_queue.jobs", False),
        ("aws_sqs_queue.jobs", False),
    ],
)
def test_a_scope_is_a_path_a_subtree_an_address_or_a_glob(scope: str, covers: bool) -> None:  # noqa: FBT001
    (finding,) = report_on(estate(jobs={"path": "shop/orders/Resource"})).findings
    finding = replace(finding, address='aws_sqs_queue.jobs["eu"]')
    assert waiver(scope=scope).covers(finding) is covers


def test_a_path_never_covers_a_block_without_a_construct() -> None:
    (finding,) = report_on(estate(jobs={})).findings
    assert not waiver(scope="**/*").covers(finding)


def test_a_waiver_for_another_value_lets_the_finding_return_and_says_so() -> None:
    report = report_on(estate(jobs={"kms_master_key_id": ""}), waivers=[waiver()])
    (finding,) = report.findings
    assert finding.note == (
        f"waiver of OPS-901 at shop:aws_sqs_queue.jobs (waivers.toml:1) accepts another value, {PRINT}"
    )
    assert finding.fingerprint != PRINT


def test_a_waiver_without_a_value_holds_and_is_told_the_fingerprint_to_add() -> None:
    assert messages(waiver(accepts="")) == [
        f'WAIVER-004 waiver of OPS-901 at shop:aws_sqs_queue.jobs: accepts any value; add accepts = ["{PRINT}"]'
    ]


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next() -> None:
    assert messages(waiver(until=TODAY)) == []
    report = report_on(estate(jobs=dict(BARE)), waivers=[waiver(until=TODAY - timedelta(days=1))])
    assert [(finding.level, finding.id, finding.message, finding.note) for finding in report.findings] == [
        (
            "error",
            "WAIVER-001",
            "waiver of OPS-901 at shop:aws_sqs_queue.jobs: expired on 2026-11-21, 1 day ago; its owner is me",
            "",
        ),
        (
            "error",
            "OPS-901",
            "aws_sqs_queue.jobs: kms_master_key_id = null: must be set",
            "waiver of OPS-901 at shop:aws_sqs_queue.jobs (waivers.toml:1) is ignored",
        ),
    ]


def test_a_waiver_of_more_than_a_year_does_not_hold() -> None:
    assert messages(waiver(until=TODAY + timedelta(days=366))) == []
    assert (
        messages(waiver(until=TODAY + timedelta(days=367)))
        == [
            FOUND,
            "WAIVER-005 waiver of OPS-901 at shop:aws_sqs_queue.jobs: until = 2027-11-24 is more than a year away",
        ][::-1]
    )


def test_an_unmatched_waiver_is_a_warning_with_the_nearest_match() -> None:
    report = report_on(estate(jobs=dict(BARE)), waivers=[waiver(scope="shop:aws_sqs_queue.job")])
    assert [(finding.level, finding.message) for finding in report.findings] == [
        ("error", FOUND.removeprefix("OPS-901 ")),
        (
            "warning",
            "waiver of OPS-901 at shop:aws_sqs_queue.job: OPS-901 has no finding there; did you mean shop:aws_sqs_queue.jobs?",
        ),
    ]


def test_each_rule_of_a_waiver_must_find_something() -> None:
    assert messages(waiver("OPS-901", "OPS-902")) == [
        "WAIVER-002 waiver of OPS-901, OPS-902 at shop:aws_sqs_queue.jobs: OPS-902 has no finding there"
    ]


def test_a_waiver_of_a_rule_that_is_not_run_is_left_in_peace() -> None:
    assert messages(waiver("OPS-901"), waiver("MSG-001", scope="shop/none")) == []


def test_a_value_that_is_not_there_any_more_is_reported() -> None:
    both = replace(waiver(), accepts=(PRINT, "0123456789ab"))
    assert messages(both) == [
        "WAIVER-002 waiver of OPS-901 at shop:aws_sqs_queue.jobs: no finding there has the fingerprint 0123456789ab any more"
    ]


@pytest.mark.parametrize("scope", ["*", "**", "**/*", "*:*", "*/**", "*:*.*", "?*"])
def test_a_scope_of_nothing_but_wildcards_is_an_error_and_does_not_hold(scope: str) -> None:
    assert messages(waiver(scope=scope)) == [
        f"WAIVER-003 waiver of OPS-901 at {scope}: scope = {scope!r} matches everything; name a construct or an address",
        FOUND,
    ]


def test_a_waiver_of_too_many_findings_is_an_error_and_does_not_hold() -> None:
    few = {f"jobs{number}": dict(BARE) for number in range(MOST_FINDINGS)}
    broad = waiver(scope="shop:aws_sqs_queue.jobs*")
    assert messages(broad, **few) == []
    found = messages(broad, **few, jobs=dict(BARE))
    assert len(found) == MOST_FINDINGS + 2
    assert found[0] == (
        "WAIVER-003 waiver of OPS-901 at shop:aws_sqs_queue.jobs*: matches 21 findings; a waiver may accept at most 20"
    )


def test_a_wildcard_for_rules_is_an_error_and_does_not_hold() -> None:
    assert (
        messages(waiver("OPS-*"))
        == [
            FOUND,
            "WAIVER-003 waiver of OPS-* at shop:aws_sqs_queue.jobs: rules = 'OPS-*' is a wildcard; write each id",
        ][::-1]
    )


def test_a_rule_that_does_not_exist_is_an_error_with_the_nearest_one() -> None:
    assert messages(waiver("OPS-991")) == [
        "WAIVER-006 waiver of OPS-991 at shop:aws_sqs_queue.jobs: rule OPS-991 not found; did you mean OPS-901?",
        FOUND,
    ]


def test_a_waiver_in_code_travels_with_the_stack() -> None:
    notes = {"waivers": [replace(waiver(scope="shop/orders"), origin="stacks/shop.py:9").as_document()]}
    report = report_on(estate(notes, jobs={"path": "shop/orders/Resource"}))
    assert report.findings == []
    assert [one.waiver.origin for one in report.waived] == ["stacks/shop.py:9"]


def test_notes_that_hold_no_waiver_are_a_clear_error() -> None:
    with pytest.raises(ConfigurationError) as refused:
        report_on(estate({"waivers": [7]}, jobs={}))
    assert str(refused.value).startswith(
        "cdktf.out/stacks/shop/constructs.json: waiver=7: unknown key; a waiver has rules,"
    )


# Fields.


def problems_of(**fields: Any) -> list[str]:
    good = {"rule": "OPS-901", "scope": "shop/a", "reason": REASON, "owner": "me", "until": "2027-01-01"}
    problems = Problems("waiver")
    made = check_waiver({name: value for name, value in {**good, **fields}.items() if value is not None}, problems)
    assert (made is None) is bool(problems.found)
    return problems.found


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"rule": "net-3"}, "rules=['net-3']: must be ids of rules such as 'NET-003', without wildcards"),
        ({"rule": "NET-*"}, "rules=['NET-*']: must be ids of rules such as 'NET-003', without wildcards"),
        ({"rule": None}, "rules=[]: must be ids of rules such as 'NET-003', without wildcards"),
        ({"rule": "WAIVER-001"}, "rules=['WAIVER-001']: must be ids of rules such as 'NET-003', without wildcards"),
        ({"rules": ["NET-001", "NET-001"]}, "rules=['NET-001', 'NET-001']: duplicate rule"),
        (
            {"scope": ""},
            "scope='': must be a construct path ('shop/orders', 'shop/orders/**') or an address ('shop:aws_sqs_queue.orders')",
        ),
        (
            {"reason": "too short"},
            "reason='too short': must be a sentence of at least 20 characters and 4 words",
        ),
        (
            {"reason": "x" * 40},
            f"reason='{'x' * 40}': must be a sentence of at least 20 characters and 4 words",
        ),
        ({"owner": " "}, "owner=' ': must be the responsible team or person"),
        ({"owner": None}, "owner=None: must be the responsible team or person"),
        ({"until": "soon"}, "until='soon': must be the last valid day, such as 2027-03-31"),
        (
            {"accepts": "xyz"},
            "accepts='xyz': must be fingerprints of findings, 12 hexadecimal digits each",
        ),
        ({"accepts": 7}, "accepts=7: must be fingerprints of findings, 12 hexadecimal digits each"),
        ({"ticket": "A-1"}, "ticket='A-1': unknown key; a waiver has rules, scope, reason, owner, until and accepts"),
    ],
)
def test_a_field_that_is_not_right_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert problems_of(**fields) == [problem]


@pytest.mark.parametrize("until", [date(2027, 1, 1), datetime(2027, 1, 1, 12), "2027-01-01"])  # noqa: DTZ001
def test_a_day_may_be_a_date_or_its_text(until: object) -> None:
    assert problems_of(until=until) == []


# The file.

ENTRY = f"""
[[waiver]]
rule = "OPS-901"
scope = "shop/orders"
reason = "{REASON}"
owner = "me"
until = 2027-01-01
accepts = ["{PRINT}"]
"""


def file(folder: Path, text: str) -> Path:
    written = folder / "waivers.toml"
    written.write_text(text, encoding="utf-8")
    return written


def test_a_file_of_waivers_is_read_with_the_line_of_each(tmp_path: Path) -> None:
    path = file(tmp_path, f"# Ours.\n{ENTRY}{ENTRY.replace('OPS-901', 'OPS-902')}")
    first, second = read_file(path)
    assert first == Waiver(
        ("OPS-901",), "shop/orders", REASON, "me", date(2027, 1, 1), (PRINT,), origin=f"{path.as_posix()}:3"
    )
    assert (second.rules, second.origin) == (("OPS-902",), f"{path.as_posix()}:11")


def test_an_empty_file_has_no_waivers(tmp_path: Path) -> None:
    assert read_file(file(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ENTRY.replace('owner = "me"\n', ""), "waiver 1, line 2: owner=None: must be the responsible team or person"),
        (
            ENTRY + ENTRY.replace("until", "till"),
            "waiver 2, line 10: till=datetime.date(2027, 1, 1): unknown key; a waiver has rules, scope, reason, owner, until and accepts\n{file}: waiver 2, line 10: until=None: must be the last valid day, such as 2027-03-31",
        ),
        ("[[waiver]", "invalid TOML: Expected ']]' at the end of an array declaration (at line 1, column 9)"),
        ("[waiver]\nrule = 1", "waiver={{'rule': 1}}: must be [[waiver]] tables"),
        ("[[waivers]]", "waivers=[{{}}]: unknown key; expected [[waiver]] tables"),
    ],
)
def test_a_file_that_is_not_right_names_the_entry(tmp_path: Path, text: str, problem: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        read_file(path)
    assert str(refused.value) == f"{path}: {problem.format(file=path)}"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_bytes(b"# \xff")
    with pytest.raises(ConfigurationError, match="invalid UTF-8: byte 0xff"):
        read_file(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        read_file(tmp_path / "none.toml")


def test_the_file_is_looked_for_beside_the_path_and_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there/cdktf.out"
    here.mkdir()
    there.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert find_file([there]) is None
    file(here, "")
    assert find_file([there]) == Path("waivers.toml")
    file(there.parent, "")
    assert find_file([there]) == there.parent / "waivers.toml"
    file(there, "")
    assert find_file([there]) == there / "waivers.toml"
    assert find_file([there / "plan.json"]) == there / "waivers.toml"


def test_beside_a_path_that_cannot_be_read_there_is_no_file_of_waivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as closed:
        closed.setattr(Path, "is_dir", refuse)
        assert find_file([tmp_path / "main.tf.json"]) is None


# The rules about waivers.


def judged(document: dict[str, Any]) -> tuple[list[str], int]:
    """Return which rules about waivers find something, and how many findings are waived."""
    queue = {"resource": {"aws_sqs_queue": {"jobs": {"name": "jobs"}}}}
    problems = Problems("waiver")
    waivers = [check_waiver(entry, problems, globs=True) for entry in document["waiver"]]
    assert problems.found == []
    given = Estate([Source("shop", Path(), queue)], "prod")
    report = check(given, rules=choose(["MSG-001", "MSG-002"]), waivers=[one for one in waivers if one], today=TODAY)
    return [finding.id for finding in report.findings if finding.id.startswith("WAIVER")], len(report.waived)


def test_the_good_waiver_of_the_documentation_is_right() -> None:
    assert judged(changed(GOOD, {})) == ([], 1)


@pytest.mark.parametrize(
    ("id_", "number"), [(rule.id, number) for rule in WAIVER_RULES for number in range(len(rule.breaks))]
)
def test_each_bad_waiver_of_the_documentation_is_found(id_: str, number: int) -> None:
    (rule,) = (rule for rule in WAIVER_RULES if rule.id == id_)
    assert judged(changed(GOOD, rule.breaks[number]))[0] == [id_]
