"""The rules over every reference stack, as `cdktf synth` runs them: no errors, no warnings, and the notes pinned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.catalogue import rules

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
STATE = {
    "TERRAFORM_STATE_BUCKET": "acme-state",
    "TERRAFORM_STATE_REGION": "eu-west-1",
    "TERRAFORM_STATE_KMS_KEY_ID": "arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
}
NOTES = {
    "dev": {"API-015", "API-025", "API-031", "API-035", "DDB-003", "DDB-020", "DDB-029", "RDS-010", "RDS-011"},
    "staging": {"API-015", "API-031", "API-035", "DDB-003", "DDB-020", "DDB-029", "RDS-010", "RDS-011"},
    "prod": set(),
}
"""What dev and staging do without, and the profiles say so: web ACLs, a second node of a cache, and load balancers, tables,
caches and databases that outlive a destroy.

In dev the trading system has no certificate either, and serves plain HTTP."""


UNPROVEN = """
API-013 API-016 API-018 API-029 API-037 API-038 API-039 API-040 API-041 API-042 API-043 API-044
DDB-019 DDB-025
ENC-006 ENC-007 ENC-008 ENC-009 ENC-015
IAM-014 IAM-015 IAM-020
LAM-027 LAM-029 LAM-030
MSG-011 MSG-012 MSG-018 MSG-022 MSG-024 MSG-025
NET-028
OPS-026 OPS-028
RDS-015 RDS-024 RDS-029 RDS-032 RDS-034 RDS-035
S3-015
STATE-014 STATE-015 STATE-017 STATE-026
"""
"""Rules that look at no block of the reference stacks; `make rule-coverage` writes why."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the findings.json of each environment."""
    read = {}
    for environment in NOTES:
        folder = tmp_path_factory.mktemp(environment)
        variables = {**os.environ, **STATE, "CDKTF_OUTDIR": str(folder), "ENVIRONMENT": environment}
        done = subprocess.run(
            [sys.executable, "main.py"],
            cwd=ROOT,
            env={**variables, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        read[environment] = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("environment", list(NOTES))
def test_reference_stacks_are_clean(reports: dict[str, dict[str, Any]], environment: str) -> None:
    findings = reports[environment]["findings"]
    assert [finding for finding in findings if finding["level"] != "info"] == []
    assert {finding["rule"] for finding in findings} == NOTES[environment]


def test_each_rule_looks_at_a_block_of_the_reference_stacks_or_is_listed_here(
    reports: dict[str, dict[str, Any]],
) -> None:
    looked_at = [report["coverage"]["looked_at"] for report in reports.values()]
    assert {rule.id for rule in rules() if not any(counts[rule.id] for counts in looked_at)} == set(UNPROVEN.split())
