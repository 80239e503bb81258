"""One document as large as they get, from its file to what every rule says of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from tests.bench.rules import document

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RESOURCES = 10_000
BYTES = 50_000_000
LIMIT = 6.0
"""Seconds of one core, twice of what was measured."""


def test_a_document_of_50_mb_is_read_and_checked_in_seconds(tmp_path: Path) -> None:
    stack = document(0, RESOURCES)
    # The largest definition that API Gateway imports: one string of 6 MB, which rules look into for references.
    definition = json.dumps({"info": {"description": "${aws_kms_key.key.arn} " + "x" * 6_000_000}})
    stack["resource"]["aws_api_gateway_rest_api"] = {"api": {"name": "api", "body": definition}}
    # The engine can note where in the program each resource is made, and then that is most of the document.
    frames = ["    at new Function (stacks/shop.py:62:17) of ${aws_kms_key.key.arn}"] * 65
    for named in stack["resource"].values():
        for label, block in named.items():
            block["//"] = {"metadata": {"path": f"shop/{label}/Resource", "stackTrace": frames}}
    file = tmp_path / "cdk.tf.json"
    file.write_text(json.dumps(stack), encoding="utf-8")
    assert file.stat().st_size >= BYTES

    start = time.process_time()
    estate = load([file])
    result = run(estate, rules())
    seconds = time.process_time() - start

    assert sum(1 for _ in estate.blocks) > RESOURCES
    assert result.looked_at["MSG-001"] == len(stack["resource"]["aws_sqs_queue"])
    assert seconds < LIMIT
