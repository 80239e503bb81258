"""Plans: no findings about the configuration."""

from __future__ import annotations

from pathlib import Path

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.estate.values import Unknown
from tests.rules.asking import RULES
from tests.rules.catalogue.state.documents import PROVIDER


def test_plans_have_no_findings_about_the_configuration() -> None:
    said = Unknown("a plan does not say")
    plan = {
        "terraform": {"backend": said, "required_version": said, "required_providers": said},
        "provider": PROVIDER,
        "variable": {"environment": {"default": "prod"}},
        "resource": {
            "aws_sqs_queue": {"jobs": {"name": "${var.name}-${terraform.workspace}", "count": 1}, "Jobs": {}},
            "random_password": {"p": {}},
        },
        "output": {"url": {"value": "${aws_sqs_queue.jobs.url}"}, "p": {"value": "${random_password.p.result}"}},
    }
    result = run(
        Estate([Source("plan", Path(), plan)], "prod"), [rule for rule in RULES.values() if rule.family == "STATE"]
    )
    assert result.findings == []
    assert result.doubts == []
