from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from constructs_lib.rules.engine import fingerprint
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.reports import FORMATS, Options, render
from tests.rules.queues import REASON, document, estate, report_on

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report

SCHEMA = Path(__file__).parent / "schemas/sarif-2.1.0-rtm.5.json"
"""The published schema of SARIF 2.1.0, as the npm package @microsoft/jest-sarif 1.0.0-beta.0 has it (MIT)."""

MISSING = fingerprint("OPS-901", "kms_master_key_id", None)
SLOW = fingerprint("OPS-902", "delay_seconds", 60)
WAIVER = {
    "rules": ["OPS-901"],
    "scope": "shop/prices",
    "reason": REASON,
    "owner": "me",
    "until": "2026-12-31",
    "accepts": [MISSING],
    "origin": "stacks/shop.py:20",
}


@pytest.fixture
def report() -> Report:
    """An error, a warning, a waived finding, a doubt, a type without rule and an opt-out."""
    notes = {
        "callers": {"shop/jobs": "stacks/shop.py:12", "shop/prices": "stacks/shop.py:19"},
        "opt_outs": [{"path": "shop/jobs", "name": "NoAlarms", "reason": "Nobody waits for these jobs"}],
        "waivers": [WAIVER],
    }
    queues = document(
        jobs={"path": "shop/jobs/Resource", "delay_seconds": 60, "kms_master_key_id": "key"},
        plain={"delay_seconds": 1},
        prices={"path": "shop/prices/Resource"},
        secret={"kms_master_key_id": "${var.key}"},
    )
    queues["variable"] = {"key": {}}
    queues["resource"]["aws_foo"] = {"one": {}, "two": {}}
    return report_on(Estate([Source("shop", Path("cdktf.out/stacks/shop"), queues, notes=notes)], "prod"))


@pytest.fixture
def clean() -> Report:
    return report_on(estate(jobs={"kms_master_key_id": "key"}))


@pytest.fixture
def awkward() -> Report:
    """A finding whose texts hold what every format has to escape."""
    return report_on(estate(None, "a|b,c:d", jobs={"kms_master_key_id": "", "path": "x<&>`y`|%\x07\n"}))


# Text.


def test_text_groups_by_level_and_rule_and_ends_with_how_much_was_checked(report: Report) -> None:
    assert (
        render(report, "text")
        == f"""\
1 ERROR
  OPS-901  SQS queue is encrypted
    shop:aws_sqs_queue.plain  cdktf.out/stacks/shop
      kms_master_key_id = null: must be set
      fingerprint: {MISSING}
    fix: Set kms_master_key_id.

1 WARNING
  OPS-902  SQS queue has a short delay
    shop:aws_sqs_queue.jobs  stacks/shop.py:12  shop/jobs/Resource
      delay_seconds = 60: must be at most 10
      fingerprint: {SLOW}
    fix: Lower delay_seconds.

waived OPS-901 shop:aws_sqs_queue.prices, until 2026-12-31 by me:
  The queue holds public prices only.

1 check undecided: a value is not known before apply
      1  var.key has no default

1 resource type without rules:
      2  aws_foo

1 error, 1 warning (1 waived, 1 opt-out). 2 rules checked 6 resources and data sources in 1 stack (prod).
"""
    )


def test_text_of_a_clean_estate_is_one_line(clean: Report) -> None:
    assert render(clean, "text") == "No findings. 2 rules checked 1 resource or data source in 1 stack (prod).\n"


def test_verbose_text_lists_the_coverage_the_doubts_and_the_opt_outs(report: Report) -> None:
    text = render(report, "text", Options(verbose=True))
    assert "  OPS-901         4  SQS queue is encrypted\n  OPS-902         4  SQS queue has a short delay\n" in text
    assert "  OPS-901 shop:aws_sqs_queue.secret kms_master_key_id: var.key has no default\n" in text
    assert "opt-out NoAlarms shop/jobs:\n  Nobody waits for these jobs\n" in text


def test_text_is_coloured_when_asked_and_says_the_same(report: Report) -> None:
    coloured = render(report, "text", Options(colour=True))
    assert coloured.startswith("\x1b[31m1 ERROR\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == render(report, "text")


def test_text_says_what_was_not_looked_at() -> None:
    body: dict[str, Any] = {"resource": {"aws_foo": {"one": {}}}}
    text = render(report_on(Estate([Source("shop", Path(), body, unread=["main.tf"])], "prod")), "text")
    assert "\n2 of 2 rules matched no resources.\nshop: HCL files not read: main.tf.\nNo findings." in text


def test_long_text_is_wrapped_and_long_lists_are_cut() -> None:
    queues = document(**{f"q{number}": {"kms_master_key_id": f"${{var.v{number}}}"} for number in range(9)})
    queues["variable"] = {f"v{number}": {} for number in range(9)}
    text = render(report_on(Estate([Source("shop", Path(), queues)], "prod")), "text", Options(width=40))
    assert "      1  var.v4 has no default\n         and 4 more reasons; list them with --verbose\n" in text
    bare = render(report_on(estate(a_queue_with_quite_a_long_name={})), "text", Options(width=40))
    assert "      kms_master_key_id = null: must be\n      set\n" in bare


def test_notes_are_counted_by_rule_and_their_titles_fit_the_width() -> None:
    found = report_on(estate(jobs={}, more={}))
    found.findings = [replace(finding, level="info") for finding in found.findings]
    wide, narrow = (render(found, "text", Options(width=width)) for width in (80, 36))
    rule = found.findings[0].rule
    assert wide.startswith(f"2 NOTES\n  {rule.id}  {rule.title}  \N{MULTIPLICATION SIGN}2\n\n")
    assert max(map(len, narrow.splitlines()[:2])) <= 36
    assert "…" not in wide
    in_full = render(found, "text", Options(fail_on="info"))
    assert "  shop:aws_sqs_queue.jobs  " in in_full
    assert "  shop:aws_sqs_queue.jobs  " in render(found, "text", Options(verbose=True))


def test_a_brief_report_leaves_out_values_that_are_cut_off() -> None:
    found = report_on(estate(jobs={"kms_master_key_id": "k", "delay_seconds": 60}))
    (finding,) = found.findings
    for value, shown in (("60", "delay_seconds = 60: "), ("[1, 2…", "delay_seconds: ")):
        message = f"{finding.address}: delay_seconds = {value}: must be at most 10"
        found.findings = [replace(finding, message=message)]
        assert f"\n      {shown}must be at most 10\n" in render(found, "text", Options(brief=True))
        assert f"\n      delay_seconds = {value}: must be at most 10\n" in render(found, "text")


# JSON.


def test_json_holds_everything_with_a_version(report: Report) -> None:
    given = json.loads(render(report, "json", Options(fail_on="warning")))
    assert list(given) == [
        *("version", "tool", "fail_on", "failed", "counts", "stacks", "findings", "waived", "baseline", "opt_outs"),
        *("skipped", "severity", "undecided", "broken", "coverage"),
    ]
    assert given["version"] == 1
    assert given["failed"] is True
    assert given["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert given["stacks"] == [{"name": "shop", "environment": "prod", "resources": 6, "unread": []}]
    assert given["findings"][1] == {
        "rule": "OPS-902",
        "title": "SQS queue has a short delay",
        "level": "warning",
        "environment": "prod",
        "stack": "shop",
        "address": "aws_sqs_queue.jobs",
        "path": "shop/jobs/Resource",
        "attribute": "delay_seconds",
        "message": "aws_sqs_queue.jobs: delay_seconds = 60: must be at most 10",
        "note": "",
        "fix": "Lower delay_seconds.",
        "page": "https://docs.aws.amazon.com/delays",
        "file": "stacks/shop.py",
        "line": 12,
        "fingerprint": SLOW,
    }
    assert [(one["address"], one["waiver"]) for one in given["waived"]] == [("aws_sqs_queue.prices", WAIVER)]
    assert given["undecided"] == [
        {
            "rule": "OPS-901",
            "stack": "shop",
            "address": "aws_sqs_queue.secret",
            "attribute": "kms_master_key_id",
            "reason": "var.key has no default",
        }
    ]
    assert given["coverage"] == {
        "resources": 6,
        "looked_at": {"OPS-901": 4, "OPS-902": 4},
        "without_rule": {"aws_foo": 2},
    }
    assert given["opt_outs"] == [{"path": "shop/jobs", "name": "NoAlarms", "reason": "Nobody waits for these jobs"}]


# SARIF.


def sarif(report: Report) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(render(report, "sarif"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(given)
    return given


def test_sarif_keeps_the_published_schema(report: Report, clean: Report, awkward: Report) -> None:
    for one in (report, clean, awkward):
        assert sarif(one)["version"] == "2.1.0"


def test_the_schema_refuses_what_sarif_is_not() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate({"version": "2.1.0"})


def test_sarif_points_to_the_callers_line(report: Report) -> None:
    (run,) = sarif(report)["runs"]
    result = next(result for result in run["results"] if result["ruleId"] == "OPS-902")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "OPS-902"
    assert result["level"] == "warning"
    assert result["message"] == {
        "text": "aws_sqs_queue.jobs: delay_seconds = 60: must be at most 10\nLower delay_seconds."
    }
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "stacks/shop.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 12},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "shop:aws_sqs_queue.jobs", "kind": "resource"},
                {"fullyQualifiedName": "shop/jobs/Resource", "kind": "construct"},
            ],
        }
    ]
    assert result["partialFingerprints"]["value/v1"] == SLOW


def test_sarif_shows_rules_with_help_and_waived_findings_as_suppressed(report: Report) -> None:
    (run,) = sarif(report)["runs"]
    first = run["tool"]["driver"]["rules"][0]
    assert first["help"]["text"] == (
        "Messages are stored in plain text.\n\nFix: Set kms_master_key_id.\n\nhttps://docs.aws.amazon.com/queues"
    )
    assert first["properties"]["tags"] == ["security", "fsbp:SQS.1", "TOY-1"]
    assert [result["suppressions"] for result in run["results"] if "suppressions" in result] == [
        [{"kind": "inSource", "status": "accepted", "justification": f"{REASON} (me, until 2026-12-31)"}]
    ]


# JUnit.


def parse(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  our own text


def test_junit_has_a_suite_for_each_stack_and_a_case_for_each_rule(report: Report) -> None:
    suites = parse(render(report, "junit"))
    assert suites.attrib == {"name": "constructs-lib check", "tests": "2", "failures": "1"}
    (suite,) = suites
    assert suite.get("name") == "shop"
    first, second = suite
    assert first.get("name") == "OPS-901 SQS queue is encrypted"
    failure = first.find("failure")
    assert failure is not None
    assert failure.get("message") == "aws_sqs_queue.plain: kms_master_key_id = null: must be set"
    assert failure.text == (
        "cdktf.out/stacks/shop: aws_sqs_queue.plain: kms_master_key_id = null: must be set\nfix: Set kms_master_key_id."
    )
    assert second.find("failure") is None
    assert second.findtext("system-out") == (
        "warning: stacks/shop.py:12: aws_sqs_queue.jobs: delay_seconds = 60: must be at most 10"
    )


def test_junit_replaces_what_xml_cannot_hold() -> None:
    assert parse(render(report_on(estate(None, "a\x07b", q={})), "junit"))[0].get("name") == "a\ufffdb"


def test_junit_fails_from_the_level_on_that_fails_the_check(report: Report) -> None:
    assert parse(render(report, "junit", Options(fail_on="warning"))).get("failures") == "2"
    assert parse(render(report, "junit", Options(fail_on="never"))).get("failures") == "0"


# Markdown.


def test_markdown_is_a_table_with_the_rest_folded(report: Report) -> None:
    assert (
        render(report, "markdown")
        == f"""\
### ❌ 1 error, 1 warning

| | Rule | Location | Finding |
| --- | --- | --- | --- |
| error | [OPS-901](https://docs.aws.amazon.com/queues) SQS queue is encrypted | `cdktf.out/stacks/shop` | aws_sqs_queue.plain: kms_master_key_id = null: must be set `{MISSING}` |
| warning | [OPS-902](https://docs.aws.amazon.com/delays) SQS queue has a short delay | `stacks/shop.py:12` | aws_sqs_queue.jobs: delay_seconds = 60: must be at most 10 `{SLOW}` |

<details><summary>How to fix</summary>

- **OPS-901**: Set kms_master_key_id.
- **OPS-902**: Lower delay_seconds.

</details>

<details><summary>1 waived</summary>

- OPS-901 `shop:aws_sqs_queue.prices` until 2026-12-31 by me: The queue holds public prices only.

</details>

<details><summary>1 check undecided</summary>

- 1: var.key has no default

</details>

<details><summary>1 resource type without rules</summary>

- 2: `aws_foo`

</details>

2 rules checked 6 resources and data sources in 1 stack (prod).
"""
    )


def test_markdown_of_a_clean_estate_says_so(clean: Report) -> None:
    assert render(clean, "markdown").startswith("### ✅ No findings\n")


def test_markdown_shows_a_hundred_findings() -> None:
    many = report_on(estate(**{f"q{number}": {} for number in range(120)}))
    text = render(many, "markdown")
    assert text.count("| error |") == 100
    assert "\nAnd 20 more.\n" in text


# GitHub.


def test_github_gets_a_command_for_each_finding_and_a_summary(report: Report) -> None:
    assert render(report, "github") == (
        "::error file=cdktf.out/stacks/shop,title=OPS-901 SQS queue is encrypted::aws_sqs_queue.plain: "
        f"kms_master_key_id = null: must be set%0ASet kms_master_key_id.%0Afingerprint: {MISSING}\n"
        "::warning file=stacks/shop.py,line=12,title=OPS-902 SQS queue has a short delay::aws_sqs_queue.jobs: "
        f"delay_seconds = 60: must be at most 10%0ALower delay_seconds.%0Afingerprint: {SLOW}\n"
        "1 error, 1 warning. 2 rules checked 6 resources and data sources in 1 stack (prod).\n"
    )


def test_github_has_no_file_for_a_line_outside_of_the_repository() -> None:
    notes = {"callers": {"shop/q": "/usr/lib/shared.py:3"}}
    text = render(report_on(estate(notes, q={"path": "shop/q"})), "github")
    assert text.startswith("::error title=OPS-901 SQS queue is encrypted::")


def test_github_escapes_what_ends_a_property_or_a_line() -> None:
    notes = {"callers": {"shop/q": "a,b:c%.py:3"}}
    report = report_on(estate(notes, q={"path": "shop/q"}))
    report.findings = [replace(report.findings[0], message="100%: a\r\nb")]
    assert render(report, "github").splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25.py,line=3,title=OPS-901 SQS queue is encrypted::100%25: a%0D%0Ab%0ASet "
        f"kms_master_key_id.%0Afingerprint: {MISSING}"
    )


# All of them.


@pytest.mark.parametrize("format_", FORMATS)
def test_awkward_characters_are_escaped(awkward: Report, format_: str) -> None:
    text = render(awkward, format_)
    assert text.endswith("\n")
    if format_ == "junit":
        assert parse(text)[0].get("name") == "a|b,c:d"
    elif format_ in ("json", "sarif"):
        json.loads(text)
    elif format_ == "github":
        assert "\n::" not in text[1:]
        assert "%0A" in text
    elif format_ == "markdown":
        (row,) = (line for line in text.splitlines() if line.startswith("| error"))
        assert len(re.findall(r"(?<!\\)\|", row)) == 5


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_report_gives_the_same_text(report: Report, format_: str) -> None:
    assert render(report, format_) == render(report, format_)


@pytest.mark.parametrize(
    ("fail_on", "ids"),
    [("error", ["OPS-901"]), ("warning", ["OPS-901", "OPS-902"]), ("info", ["OPS-901", "OPS-902"]), ("never", [])],
)
def test_a_level_says_what_fails(report: Report, fail_on: str, ids: list[str]) -> None:
    assert [finding.id for finding in report.failing(fail_on)] == ids
