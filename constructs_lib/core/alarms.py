"""CloudWatch alarms, and the SNS topics they notify."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.foundation.errors import ConfigurationError, Problems
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
    """No alarms, although the environment requires them."""


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm on one metric.

    Attributes:
        namespace: The metric's namespace, such as `AWS/RDS`.
        metric: The metric's name.
        comparison: The comparison operator.
        threshold: The threshold, in the metric's unit.
        description: The alarm's description: what is wrong, and where to look.
        statistic: The statistic; None with `percentile`.
        percentile: A percentile such as `p99`, instead of `statistic`.
        period: The period in seconds: 10, 20, 30 or a multiple of 60.
        evaluation_periods: The number of periods that are evaluated.
        datapoints: The number of periods that must breach the threshold; all of them by default.
        missing_data: How missing data is treated.

    Raises:
        ConfigurationError: CloudWatch does not accept the alarm.

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
        """Refuse an alarm that CloudWatch does not accept."""
        problems = Problems("Alarm")
        for name, text in (
            ("namespace", self.namespace),
            ("metric", self.metric),
            ("description", self.description),
        ):
            problems.check(isinstance(text, str) and text.strip(), name, text, "expected a non-empty string")
        for name, value, allowed in (
            ("comparison", self.comparison, get_args(Comparison)),
            ("missing_data", self.missing_data, get_args(MissingData)),
        ):
            problems.check(value in allowed, name, value, f"expected one of {', '.join(allowed)}")
        self._check_statistic(problems)
        self._check_time(problems)
        problems.raise_if_any()

    @property
    def needed(self) -> int:
        """The number of periods that must breach the threshold."""
        return self.evaluation_periods if self.datapoints is None else self.datapoints

    def _check_statistic(self, problems: Problems) -> None:
        if self.percentile is None:
            allowed = get_args(Statistic)
            problems.check(
                self.statistic in allowed, "statistic", self.statistic, f"expected one of {', '.join(allowed)}"
            )
            return
        problems.check(
            self.statistic is None,
            "percentile",
            self.percentile,
            "cannot be combined with statistic; pass statistic=None",
        )
        problems.check(
            _PERCENTILE.fullmatch(str(self.percentile)),
            "percentile",
            self.percentile,
            "expected a percentile such as 'p99' or 'p99.9'",
        )

    def _check_time(self, problems: Problems) -> None:
        fine = problems.check(
            _is_count(self.period) and (self.period in SHORT_PERIODS or self.period % 60 == 0),
            "period",
            self.period,
            "expected 10, 20, 30 or a multiple of 60 seconds",
        )
        fine &= problems.check(
            _is_count(self.evaluation_periods),
            "evaluation_periods",
            self.evaluation_periods,
            "expected a whole number of at least 1",
        )
        if not fine:
            return
        problems.check(
            _is_count(self.needed) and self.needed <= self.evaluation_periods,
            "datapoints",
            self.datapoints,
            f"expected a whole number from 1 to evaluation_periods={self.evaluation_periods}",
        )
        days = 7 if self.period >= _HOUR else 1
        problems.check(
            self.period * self.evaluation_periods <= days * _DAY,
            "evaluation_periods",
            self.evaluation_periods,
            f"evaluates more than {days} {'day' if days == 1 else 'days'}, the most that CloudWatch allows with "
            f"period={self.period}",
        )


class Alarms:
    """The alarms of a construct, from its arguments `alarms` and `alarm_topics`.

    Every construct with alarms takes the same two arguments:

    - `alarms: bool | NoAlarms | None = None`: by default from the environment; True creates them in every
      environment; where the environment requires them, only `NoAlarms` leaves them out.
    - `alarm_topics: Iterable[str] = ()`: ARNs of SNS topics in the same region, notified when an alarm enters and
      leaves the ALARM state. Without one, alarms only show their state and notify no one.

    Args:
        owner: The construct that the alarms are about.
        problems: Collects invalid arguments.
        alarms: As above.
        alarm_topics: As above.

    Attributes:
        wanted: Whether the alarms are created.
        topics: The ARNs of the topics.
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
        self._ids: set[str] = set()
        self.topics = [] if isinstance(alarm_topics, str) else list(alarm_topics)
        self.wanted = asked if alarms is None else alarms is True
        problems.check(
            alarms is None or isinstance(alarms, (bool, NoAlarms)),
            "alarms",
            alarms,
            "expected True, False or NoAlarms(reason)",
        )
        problems.check(
            not (asked and alarms is False),
            "alarms",
            alarms,
            f"{owner.region.environment.value} requires alarms; pass NoAlarms(reason) to leave them out",
        )
        if isinstance(alarm_topics, str):
            problems.add("alarm_topics", alarm_topics, "expected a list of ARNs")
        for topic in self.topics:
            self._check_topic(problems, topic)
        if asked and isinstance(alarms, NoAlarms):
            owner.region.stack.opt_outs.append((owner.path, alarms))

    def add(
        self, id_: str, alarm: Alarm, dimensions: Mapping[str, str]
    ) -> aws.cloudwatch_metric_alarm.CloudwatchMetricAlarm | None:
        """Create an alarm, unless alarms are not wanted.

        Args:
            id_: Its id in the construct, such as `cpu-alarm`.
            alarm: The alarm.
            dimensions: The metric's dimensions; values may be references.

        Returns:
            The alarm, or None where alarms are not wanted.

        Raises:
            ConfigurationError: Another alarm of the construct has the id.
        """
        if id_ in self._ids:
            raise ConfigurationError(self._owner.path, f"{id_!r}: duplicate alarm id; give the alarm another one")
        self._ids.add(id_)
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
        if problems.check(named or is_token(topic), "alarm_topics", topic, "expected the ARN of an SNS topic"):
            here = self._owner.region.name
            problems.check(
                named is None or named["region"] == here,
                "alarm_topics",
                topic,
                f"is in {named and named['region']}; an alarm notifies topics of its own region only, {here}",
            )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
