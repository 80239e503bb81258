"""AlarmTopic: an encrypted SNS topic that the account's CloudWatch alarms notify."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from constructs_lib._engine import core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.notification_topic.topic import Topic
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import Queue
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import warn_renamed
from constructs_lib.foundation.environment import Environment
from constructs_lib.foundation.errors import warn

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"
RDS_EVENTS: Final = "events.rds.amazonaws.com"


class AlarmTopic(Topic):
    """An encrypted SNS topic that CloudWatch alarms of this account notify.

    In prod a topic without subscribers warns at synth: its alarms would notify no one.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The topic's region; alarms notify topics of their own region only.
        key: Encrypts the topic and its dead-letter queue.
        subscribers: Who is notified: email addresses, `https://` URLs, `Queue`s and `PaymentLambda`s; none by default.
            `subscribe` adds more.

    Attributes:
        name: The topic's name.
        key: The key that encrypts it.
        policy: The topic policy, for resources that depend on it.
        subscriptions: The subscriptions, in the order they were added.

    Raises:
        ConfigurationError: The key has no replica in the region, or a subscriber that SNS cannot deliver to.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        subscribers: Sequence[Queue | PaymentLambda | str] = (),
    ) -> None:
        self._own_account = (Condition("StringEquals", "aws:SourceAccount", (region.account_id,)),)
        # Topics of earlier releases have SNS's default; an HTTPS subscriber raises it.
        super().__init__(scope, id_, region=region, key=key, signature_version=None)
        key.allow_service(self, CLOUDWATCH, self._own_account)
        self._publish("arn", self._arn, "ARN of the topic that alarms tell")
        for subscriber in subscribers:
            self.subscribe(subscriber)
        if region.environment is Environment.PROD:
            topics: list[AlarmTopic] = vars(region.stack).setdefault("_alarm_topics", [])
            if not topics:
                region.stack.at_synth(partial(_warn_without_subscribers, region.stack.path, topics))
            topics.append(self)

    @property
    def id(self) -> str:
        """The topic's ARN; deprecated, use `arn`."""
        warn_renamed("AlarmTopic.", "id", "arn")
        return self.arn

    def allow_databases(self) -> None:
        """Allow RDS to publish events of this account's databases in the region; again has no effect.

        See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.GrantingPermissions.html.
        """
        self._services.allow(RDS_EVENTS, self.region.arn("rds", "*"))

    def _statements(self) -> list[Statement]:
        alarms = Statement(
            sid="OwnAlarms",
            actions=("sns:Publish",),
            resources=(self._arn,),
            principals=(("Service", (CLOUDWATCH,)),),
            conditions=self._own_account,
        )
        return [alarms, *super()._statements()]


def _warn_without_subscribers(stack: str, topics: list[AlarmTopic]) -> None:
    """Warn once a stack of its topics that notify no one."""
    silent = [topic for topic in topics if not topic.subscriptions]
    if silent:
        listed = ", ".join("/".join(topic.components) for topic in silent)
        where = f" ({silent[0].caller})" if silent[0].caller else ""
        warn(
            f"{stack}{where}: subscribers=(): {listed} without subscribers: alarms in prod notify no one; give "
            "subscribers=['on-call@example.com'] or call subscribe()"
        )
