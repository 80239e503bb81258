"""Event subscriptions of a cluster and its instances."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.notification_topic import AlarmTopic
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

CLUSTER_EVENTS: Final = ("failover", "failure", "maintenance")
INSTANCE_EVENTS: Final = ("failure", "low storage", "maintenance", "recovery")
"""See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html."""


def check_event_topic(problems: Problems, region: Region, topic: AlarmTopic | None) -> None:
    """Report a topic of another region."""
    if topic is not None:
        problems.check(
            topic.region.name == region.name,
            "event_topic",
            topic.path,
            f"is in {topic.region.name}; expected a topic in {region.name}",
        )


class EventSubscriptions(HardenedConstruct):
    """The subscriptions of a topic to the events of a cluster and of its instances.

    RDS refuses a topic that it may not publish to, so the topic policy comes first.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.GrantingPermissions.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        topic: AlarmTopic,
        cluster: str,
        instances: list[str],
    ) -> None:
        super().__init__(scope, id_, region=region)
        topic.allow_databases()
        for name, source_type, sources, categories in (
            ("cluster", "db-cluster", [cluster], CLUSTER_EVENTS),
            ("instances", "db-instance", instances, INSTANCE_EVENTS),
        ):
            self._create(
                aws.db_event_subscription.DbEventSubscription,
                name,
                name=self._name("db-event-subscription", name),
                sns_topic=region.stack.reach(topic.resource, "arn"),
                source_type=source_type,
                source_ids=sources,
                event_categories=list(categories),
                depends_on=[topic.policy] if topic.region.stack is region.stack else None,
            )
