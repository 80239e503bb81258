"""The rules over every reference stack, as `cdktf synth` runs them: no errors, no warnings, and the notes pinned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("environment", list(NOTES))
def test_reference_stacks_are_clean(tmp_path: Path, environment: str) -> None:
    variables = {**os.environ, **STATE, "CDKTF_OUTDIR": str(tmp_path), "ENVIRONMENT": environment}
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=ROOT,
        env={**variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    loud = [finding for finding in report["findings"] if finding["level"] != "info"]
    assert loud == []
    assert {finding["rule"] for finding in report["findings"]} == NOTES[environment]
