"""NotificationTopic: an encrypted SNS topic with subscriptions, a dead-letter queue and alarms."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from constructs_lib._engine import core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.notification_topic.alarms import DELIVERY_ALARMS, TOPIC_DEAD_LETTER_ALARM
from constructs_lib.constructs.notification_topic.topic import Topic
from constructs_lib.constructs.queue import DeadLetterQueue
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.iam import Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import component_words

_PUBLISH_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")


class NotificationTopic(Topic):
    """An encrypted SNS topic with subscriptions, a dead-letter queue and alarms.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The topic's region.
        key: Encrypts the topic and its dead-letter queue.
        display_name: The sender that email subscribers see, 1 to 100 characters; the topic's name by default.
        alarms: True, False, or `NoAlarms` where the environment requires alarms; by default from the environment.
        alarm_topics: ARNs of SNS topics that the alarms notify; none by default.

    Attributes:
        name: The topic's name.
        key: The key that encrypts it.
        policy: The topic policy, for resources that depend on it.
        subscriptions: The subscriptions, in the order they were added.

    Raises:
        ConfigurationError: The key has no replica in the region, or an argument that SNS refuses.

    See https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        display_name: str | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region, key=key, display_name=display_name)
        self._alarms = Alarms(self, self._problems, alarms=alarms, alarm_topics=alarm_topics)
        self._problems.raise_if_any()
        topic = {"TopicName": self._ref(self.resource, "name")}
        for name, alarm in DELIVERY_ALARMS.items():
            self._alarms.add(f"{name}-alarm", alarm, topic)
        self._publish("arn", self._arn, f"ARN of the topic {id_}")

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """Messages that could not be delivered, kept for 14 days; created with the first subscription."""
        queue = super().dead_letter_queue
        name = self._ref(queue.resource, "name")
        self._alarms.add("dead-letter-alarm", TOPIC_DEAD_LETTER_ALARM, {"QueueName": name})
        return queue

    def grant_publish(self, grantee: Grantee) -> None:
        """Let a role, or a function, publish messages to the topic.

        Args:
            grantee: The role or function, in any stack of the app.

        See https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
        """
        sid = "".join(word.title() for word in component_words(self.components))
        stack = grantee.region.stack
        key = stack.reach(self.key.keys[self.region.name], "arn")
        grantee.grant(Statement(f"Publish{sid}", ("sns:Publish",), (stack.reach(self.resource, "arn"),)))
        grantee.grant(Statement(f"PublishKey{sid}", _PUBLISH_KEY, (key,)))

    def allow_service(self, service: str, source_arn: str) -> None:
        """Let an AWS service publish to the topic on behalf of one resource.

        The service may use the topic's key as well, for topics of the project and environment only.

        Args:
            service: A service principal such as `events.amazonaws.com` or `s3.amazonaws.com`.
            source_arn: The ARN of the rule, bucket or other resource that the service publishes for.

        Raises:
            ConfigurationError: Not a service principal, or a source ARN that other accounts' resources match.

        See https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html.
        """
        problems = Problems(self.path)
        self._services.check(problems, service, source_arn)
        problems.raise_if_any()
        self._services.allow(service, source_arn)
