"""Every alarm is on a metric that its service publishes with those dimensions, by docs/metrics.toml."""

from __future__ import annotations

from typing import Any

import pytest

from docs.alarms_page import alarms, source_of, sources


def test_every_alarm_is_on_a_metric_that_the_service_publishes() -> None:
    known = sources()
    made = list(alarms())
    lost = [(owner, alarm["metric_name"]) for owner, alarm in made if source_of(alarm, known) is None]
    assert lost == []
    assert len(made) > 50


@pytest.mark.parametrize(
    "alarm",
    [
        {"namespace": "AWS/SQS", "metric_name": "Errors", "dimensions": {"QueueName": "q"}},
        {"namespace": "AWS/SQS", "metric_name": "SentMessageSize", "dimensions": {"Queue": "q"}},
        {"namespace": "AWS/SNS", "metric_name": "SentMessageSize", "dimensions": {"QueueName": "q"}},
        {"namespace": "AWS/SQS", "metric_name": "SentMessageSize"},
    ],
)
def test_a_metric_or_dimensions_that_nobody_publishes_are_found(alarm: dict[str, Any]) -> None:
    assert source_of(alarm, sources()) is None
