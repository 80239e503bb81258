from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.checking import Place, check
from constructs_lib.rules.engine import fingerprint
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from tests.rules.queues import TODAY, document, encrypted, report_on

if TYPE_CHECKING:
    import pytest


def test_without_a_caller_a_finding_points_to_its_block_in_the_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stacks/shop"
    folder.mkdir(parents=True)
    body: dict[str, Any] = {
        "data": {"aws_sqs_queue": {"later": {"name": "x"}}},
        **document(first={}, jobs={}, later={}),
    }
    (folder / "cdk.tf.json").write_text(json.dumps(body, indent=2), encoding="utf-8")
    report = report_on(Estate([Source("shop", folder, body)], "prod"))
    lines = (folder / "cdk.tf.json").read_text(encoding="utf-8").splitlines()
    places = {finding.address: report.place(finding) for finding in report.findings}
    assert {place.file for place in places.values()} == {"stacks/shop/cdk.tf.json"}
    assert [lines[(places[f"aws_sqs_queue.{name}"].line or 0) - 1].strip() for name in ("first", "jobs", "later")] == [
        '"first": {},',
        '"jobs": {},',
        '"later": {}',
    ]


def test_a_file_written_on_one_line_is_pointed_to_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "main.tf.json").write_text(json.dumps(document(jobs={})), encoding="utf-8")
    report = report_on(Estate([Source("x", tmp_path, document(jobs={}))], "prod"))
    assert report.place(report.findings[0]) == Place((tmp_path / "main.tf.json").as_posix())


def test_the_types_that_a_rule_looks_at_are_not_listed_though_only_some_rules_were_chosen() -> None:
    body: dict[str, Any] = {
        "resource": {"aws_sqs_queue": {"a": {}}, "aws_lambda_event_source_mapping": {"b": {}}, "aws_foo": {"c": {}}}
    }
    report = check(Estate([Source("shop", Path(), body)], "prod"), rules=[encrypted], today=TODAY)
    assert dict(report.result.without_rule) == {"aws_foo": 1}


def test_a_fingerprint_follows_rule_attribute_and_value_and_not_what_the_engine_notes() -> None:
    body = {"name": "a", "//": {"metadata": {"path": "shop/a"}}}
    first = fingerprint("OPS-901", "", body)
    assert first == fingerprint("OPS-901", "", {**body, "//": {"metadata": {"path": "shop/renamed"}}})
    others = [("OPS-902", "", body), ("OPS-901", "name", body), ("OPS-901", "", {"name": "b"}), ("OPS-901", "", None)]
    assert len({first, *(fingerprint(*other) for other in others)}) == 5
