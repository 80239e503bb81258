"""The page that lists every alarm: docs/alarms.md, from constructs in prod and docs/metrics.toml."""

from __future__ import annotations

import re
import tempfile
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from constructs_lib import Environment, HardenedStack, HostedZone, MultiRegionKey, NotificationTopic
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.foundation.errors import ConfigurationWarning
from constructs_lib.testing import synthesize
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

METRICS = Path(__file__).with_name("metrics.toml")
ALARM = "aws_cloudwatch_metric_alarm"

PAGE = """\
# Alarms

The CloudWatch alarms of each construct, with the settings of prod. Arguments of a construct change thresholds; see its
page. [Alarms](constructs/alarms.md) describes how to switch alarms on and off and how to be notified.
Metrics in the namespace `Application` are published by the handlers of the reference stacks, which create their alarms.

{tables}
## See also

- [AlarmTopic](constructs/alarm_topic.md): the topic that alarms notify, and its subscribers
- [CloudWatch: alarms](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html)

Generated from the constructs and `docs/metrics.toml` by `make docs`.
"""

COMPARED = {
    "GreaterThanOrEqualToThreshold": "≥",
    "GreaterThanThreshold": ">",
    "LessThanOrEqualToThreshold": "≤",
    "LessThanThreshold": "<",
}


@dataclass(frozen=True)
class Source:
    """Metrics that a service publishes with the same dimensions."""

    namespace: str
    page: str
    dimensions: frozenset[frozenset[str]]
    metrics: frozenset[str]


def sources() -> tuple[Source, ...]:
    """Return docs/metrics.toml."""
    tables = tomllib.loads(METRICS.read_text(encoding="utf-8")).values()
    return tuple(
        Source(
            table["namespace"],
            table["page"],
            frozenset(frozenset(names) for names in table["dimensions"]),
            frozenset(table["metrics"]),
        )
        for table in tables
    )


def source_of(alarm: dict[str, Any], known: tuple[Source, ...]) -> Source | None:
    """Return who publishes the metric of an alarm with its dimensions; None if nobody does."""
    dimensions = frozenset(alarm.get("dimensions") or ())
    return next(
        (
            source
            for source in known
            if source.namespace == alarm["namespace"]
            and alarm["metric_name"] in source.metrics
            and dimensions in source.dimensions
        ),
        None,
    )


def gallery(app: App) -> None:
    """Add every construct that has alarms, in prod."""
    for stack in (EventsStack, PaymentsStack, PlatformStack, TicketingStack):
        stack(app, stack.__name__.removesuffix("Stack").lower(), environment=Environment.PROD)
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
    TradingStack(app, "trading", environment=Environment.PROD, zone=zone)
    rest = HardenedStack(app, "rest", environment=Environment.PROD, owner="team")
    region = rest.region("eu-west-1")
    key = MultiRegionKey(rest, "key", region=region)
    NotificationTopic(rest, "topic", region=region, key=key).subscribe("team@example.com")


def alarms() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the alarms of the gallery: class of the construct, block."""
    made: list[tuple[str, str, str]] = []

    def build(app: App) -> None:
        gallery(app)
        for construct in app.node.find_all():
            if isinstance(construct, HardenedConstruct):
                made.extend(
                    (type(construct).__name__, construct.region.stack.node.id, element.friendly_unique_id)
                    for element in construct.resources.values()
                    if getattr(element, "terraform_resource_type", "") == ALARM
                )

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*without subscribers", ConfigurationWarning)
        stacks: dict[str, SynthesizedStack] = synthesize(build, Path(folder))
        for owner, stack, name in made:
            yield owner, stacks[stack].at(f"{ALARM}.{name}").config


def alarms_page() -> str:
    """Return docs/alarms.md."""
    known = sources()
    tables: dict[str, dict[tuple[str, ...], None]] = {}
    for owner, alarm in alarms():
        source = source_of(alarm, known)
        if source is None:
            shown = ", ".join(alarm.get("dimensions") or ())
            raise ValueError(
                f"{owner}: {alarm['namespace']} {alarm['metric_name']} with {shown} is not in metrics.toml"
            )
        metric = f"[{alarm['namespace']} `{alarm['metric_name']}`]({source.page})"
        row = (
            metric,
            ", ".join(alarm.get("dimensions") or ("none",)),
            _condition(alarm),
            alarm["treat_missing_data"],
            _reason(alarm["alarm_description"]),
        )
        tables.setdefault(owner, {})[row] = None
    heads = ["Metric", "Dimensions", "Condition", "Missing data", "Meaning"]
    sections = [
        f"## {owner}\n\n{tabulate(list(rows), headers=heads, tablefmt='github', disable_numparse=True)}\n"
        for owner, rows in sorted(tables.items())
    ]
    return PAGE.format(tables="\n".join(sections))


def _condition(alarm: dict[str, Any]) -> str:
    statistic = alarm.get("statistic") or alarm.get("extended_statistic")
    compared, threshold = COMPARED[alarm["comparison_operator"]], f"{alarm['threshold']:,.10g}"
    periods = f"{alarm['datapoints_to_alarm']} of {alarm['evaluation_periods']}"
    return f"{statistic} {compared} {threshold}, {periods} periods of {alarm['period']} s"


def _reason(description: str) -> str:
    return re.sub(r"\$\{[^}]*\}", "…", description).replace("|", "\\|")
