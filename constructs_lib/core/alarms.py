"""Alarms on CloudWatch metrics: what a construct wants to be told, and whom it tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

Comparison = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
]
Statistic = Literal["Average", "Maximum", "Minimum", "SampleCount", "Sum"]
MissingData = Literal["breaching", "ignore", "missing", "notBreaching"]

SHORT_PERIODS: Final = (10, 20, 30)
_PERCENTILE: Final = re.compile(r"p(?:100|[0-9]{1,2}(?:\.[0-9]{1,10})?)")
_TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_DAY: Final = 24 * 60 * 60
_HOUR: Final = 60 * 60


@dataclass(frozen=True)
class NoAlarms(OptOut):
    """Nobody is told when something goes wrong, although the environment asks for alarms."""


@dataclass(frozen=True)
class Alarm:
    """One metric, and when it calls for attention.

    Attributes:
        namespace: Such as `AWS/RDS`.
        metric: The metric's name.
        comparison: How the threshold is crossed.
        threshold: In the metric's unit.
        description: What is wrong then, and what to look at.
        statistic: What is made of the values of a period; None with `percentile`.
        percentile: Such as `p99`, in place of `statistic`.
        period: Seconds that one value stands for: 10, 20, 30 or a multiple of 60.
        evaluation_periods: Periods that are looked at.
        datapoints: Periods among them that must cross the threshold; all of them by default.
        missing_data: What a period without a value counts as.

    Raises:
        ConfigurationError: What CloudWatch refuses.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html.
    """

    namespace: str
    metric: str
    comparison: Comparison
    threshold: float
    description: str
    statistic: Statistic | None = "Average"
    percentile: str | None = None
    period: int = 300
    evaluation_periods: int = 3
    datapoints: int | None = None
    missing_data: MissingData = "missing"

    def __post_init__(self) -> None:
        """Refuse what CloudWatch refuses."""
        problems = Problems("Alarm")
        for name, text in (
            ("namespace", self.namespace),
            ("metric", self.metric),
            ("description", self.description),
        ):
            problems.check(isinstance(text, str) and text.strip(), name, text, "must be a text")
        for name, value, allowed in (
            ("comparison", self.comparison, get_args(Comparison)),
            ("missing_data", self.missing_data, get_args(MissingData)),
        ):
            problems.check(value in allowed, name, value, f"must be one of {', '.join(allowed)}")
        self._check_statistic(problems)
        self._check_time(problems)
        problems.raise_if_any()

    @property
    def needed(self) -> int:
        """Periods that must cross the threshold."""
        return self.evaluation_periods if self.datapoints is None else self.datapoints

    def _check_statistic(self, problems: Problems) -> None:
        if self.percentile is None:
            allowed = get_args(Statistic)
            problems.check(
                self.statistic in allowed, "statistic", self.statistic, f"must be one of {', '.join(allowed)}"
            )
            return
        problems.check(
            self.statistic is None, "percentile", self.percentile, "takes the place of statistic; give statistic=None"
        )
        problems.check(
            _PERCENTILE.fullmatch(str(self.percentile)),
            "percentile",
            self.percentile,
            "must be such as 'p99' or 'p99.9'",
        )

    def _check_time(self, problems: Problems) -> None:
        fine = problems.check(
            _is_count(self.period) and (self.period in SHORT_PERIODS or self.period % 60 == 0),
            "period",
            self.period,
            "must be 10, 20, 30 or a multiple of 60 seconds",
        )
        fine &= problems.check(
            _is_count(self.evaluation_periods),
            "evaluation_periods",
            self.evaluation_periods,
            "must be a whole number of at least 1",
        )
        if not fine:
            return
        problems.check(
            _is_count(self.needed) and self.needed <= self.evaluation_periods,
            "datapoints",
            self.datapoints,
            f"must be a whole number from 1 to evaluation_periods={self.evaluation_periods}",
        )
        days = 7 if self.period >= _HOUR else 1
        problems.check(
            self.period * self.evaluation_periods <= days * _DAY,
            "evaluation_periods",
            self.evaluation_periods,
            f"CloudWatch looks back {days} days at most with period={self.period}",
        )


class Alarms:
    """What the arguments `alarms` and `alarm_topics` of a construct come to, and the alarms it makes of them.

    Every construct with alarms takes the same two arguments:

    - `alarms: bool | NoAlarms | None = None`: by default from the environment; True makes them where it does not ask
      for them; where it does, only `NoAlarms` leaves them out.
    - `alarm_topics: Iterable[str] = ()`: ARNs of SNS topics of the same region that are told of an alarm and of its
      end. Without one, alarms show their state and call nobody.

    Args:
        owner: The construct that is watched.
        problems: Where a bad argument is noted.
        alarms: As above.
        alarm_topics: As above.

    Attributes:
        wanted: Whether there are alarms.
        topics: The ARNs.
    """

    def __init__(
        self,
        owner: HardenedConstruct,
        problems: Problems,
        *,
        alarms: bool | NoAlarms | None,
        alarm_topics: Iterable[str],
    ) -> None:
        asked = owner.region.profile.alarms
        self._owner = owner
        self.topics = [] if isinstance(alarm_topics, str) else list(alarm_topics)
        self.wanted = asked if alarms is None else alarms is True
        problems.check(
            alarms is None or isinstance(alarms, (bool, NoAlarms)),
            "alarms",
            alarms,
            "must be True, False, or NoAlarms(reason)",
        )
        problems.check(
            not (asked and alarms is False),
            "alarms",
            alarms,
            f"{owner.region.environment.value} asks for alarms; give NoAlarms(reason) where nobody needs them",
        )
        if isinstance(alarm_topics, str):
            problems.add("alarm_topics", alarm_topics, "must be a list of ARNs")
        for topic in self.topics:
            self._check_topic(problems, topic)
        if asked and isinstance(alarms, NoAlarms):
            owner.region.stack.opt_outs.append((owner.path, alarms))

    def add(
        self, id_: str, alarm: Alarm, dimensions: Mapping[str, str]
    ) -> aws.cloudwatch_metric_alarm.CloudwatchMetricAlarm | None:
        """Create an alarm if they are wanted.

        Args:
            id_: Its id in the construct, such as `cpu-alarm`.
            alarm: What it looks at.
            dimensions: Which of the metrics of that name: values may be references.
        """
        if not self.wanted:
            return None
        owner = self._owner
        element = owner.region.create(
            owner,
            (*owner.components, id_),
            aws.cloudwatch_metric_alarm.CloudwatchMetricAlarm,
            alarm_name=owner.region.naming.name((*owner.components, id_), "alarm"),
            alarm_description=alarm.description,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=dict(dimensions),
            statistic=alarm.statistic,
            extended_statistic=alarm.percentile,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            period=alarm.period,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.needed,
            treat_missing_data=alarm.missing_data,
            actions_enabled=True,
            alarm_actions=self.topics or None,
            ok_actions=self.topics or None,
        )
        owner.resources[id_] = element
        return element

    def _check_topic(self, problems: Problems, topic: object) -> None:
        named = _TOPIC.fullmatch(topic) if isinstance(topic, str) else None
        if problems.check(named or is_token(topic), "alarm_topics", topic, "must be the ARN of an SNS topic"):
            here = self._owner.region.name
            problems.check(
                named is None or named["region"] == here,
                "alarm_topics",
                topic,
                f"must be in {here}, because an alarm tells topics of its own region only",
            )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
