"""The Queue construct: a queue, its dead-letter queue, and how long a message stays hidden from other consumers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.queue.arguments import VISIBILITY_FACTOR, Fifo, check_fifo, check_sizes, check_times
from constructs_lib.constructs.queue.dead_letter import DeadLetterQueue
from constructs_lib.constructs.queue.encrypted import EncryptedQueue, SqsManagedKey
from constructs_lib.constructs.queue.watch import DEAD_LETTER_ALARM, age_alarm, depth_alarm
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.protocols import QueueConsumer
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError

LONG_POLL_SECONDS: Final = 20
DEFAULT_VISIBILITY: Final = 30
"""SQS's own, while nothing of this library consumes the queue."""
_DAY: Final = 24 * 60 * 60


class Queue(EncryptedQueue):
    """An encrypted SQS queue whose messages go to a dead-letter queue of its own when nobody can process them.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts both queues, or `SqsManagedKey` with a reason.
        fifo: `Fifo(...)` for a queue that keeps the order; its name ends in `.fifo`. None by default.
        visibility_timeout: Seconds that a received message is hidden from others, up to 43200; by default six times
            the longest timeout among the functions that consume it, plus what they wait for a batch. Never less.
        retention_days: 1 to 14; 4 by default. The dead-letter queue keeps messages for 14.
        delay_seconds: 0 to 900 before a message can be received; 0 by default.
        max_message_bytes: 1024 to 262144, the default.
        max_receive_count: Times that a message is received before it goes to the dead-letter queue, 1 to 1000; 5 by
            default.
        max_age_seconds: The age of the oldest message that calls for attention; 900 by default.
        max_depth: The number of waiting messages that calls for attention; 1000 by default.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told.

    Attributes:
        dead_letter_queue: Where messages go that failed `max_receive_count` times.
        consumers: The functions that `PaymentLambda.add_queue` has subscribed.

    Raises:
        ConfigurationError: An argument that SQS refuses, or a key without replica in the region.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey | SqsManagedKey,
        fifo: Fifo | None = None,
        visibility_timeout: int | None = None,
        retention_days: int = 4,
        delay_seconds: int = 0,
        max_message_bytes: int = 262_144,
        max_receive_count: int = 5,
        max_age_seconds: int = 900,
        max_depth: int = 1000,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region, key=key, fifo=fifo is not None)
        problems = self._problems
        check_sizes(
            problems,
            retention_days=retention_days,
            delay_seconds=delay_seconds,
            max_message_bytes=max_message_bytes,
            max_receive_count=max_receive_count,
            max_age_seconds=max_age_seconds,
            max_depth=max_depth,
        )
        check_times(
            problems, visibility_timeout=visibility_timeout, retention_days=retention_days, max_age=max_age_seconds
        )
        check_fifo(problems, fifo)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        if isinstance(key, SqsManagedKey):
            self._record(key)

        self.fifo_options = fifo
        self.consumers: list[QueueConsumer] = []
        self.max_receive_count = max_receive_count
        self._given_visibility = visibility_timeout
        self._visibility = DEFAULT_VISIBILITY if visibility_timeout is None else visibility_timeout
        self.dead_letter_queue = DeadLetterQueue(self, "dead-letter", region=region, key=key, fifo=self.fifo)
        redrive = {"deadLetterTargetArn": self.dead_letter_queue.arn, "maxReceiveCount": max_receive_count}
        self._create_queue(
            redrive_policy=json.dumps(redrive),
            visibility_timeout_seconds=self._visibility,
            message_retention_seconds=retention_days * _DAY,
            max_message_size=max_message_bytes,
            delay_seconds=delay_seconds,
            receive_wait_time_seconds=LONG_POLL_SECONDS,
            **_order(fifo),
        )
        only_this = {"redrivePermission": "byQueue", "sourceQueueArns": [self.arn]}
        self._create(
            aws.sqs_queue_redrive_allow_policy.SqsQueueRedriveAllowPolicy,
            "redrive-allow-policy",
            queue_url=self.dead_letter_queue.url,
            redrive_allow_policy=json.dumps(only_this),
        )
        self._watch(watch, max_age_seconds, max_depth)
        self._publish("url", self.url, f"URL of the queue {id_}")
        self._publish("arn", self.arn, f"ARN of the queue {id_}")
        self._publish("dead_letter_url", self.dead_letter_queue.url, f"URL of the dead-letter queue of {id_}")

    def subscribe(self, consumer: QueueConsumer, batching_window: int) -> None:
        """Hide messages for long enough from others while a function works on them; `PaymentLambda.add_queue` calls it.

        Args:
            consumer: The function.
            batching_window: Seconds that Lambda waits for a batch to fill.

        Raises:
            ConfigurationError: `visibility_timeout` is given and too short for it.
        """
        needed = VISIBILITY_FACTOR * consumer.timeout + batching_window
        given = self._given_visibility
        if given is not None and given < needed:
            raise ConfigurationError(
                self.path,
                f"visibility_timeout={given!r}: must be at least {needed} for {consumer.path}: {VISIBILITY_FACTOR} "
                f"times its timeout={consumer.timeout} plus batching_window={batching_window}, or others receive what "
                "it is still working on; leave it out to have it follow",
            )
        self.consumers.append(consumer)
        if needed > self._visibility:
            self._visibility = needed
            self.resource.visibility_timeout_seconds = needed

    def _watch(self, watch: Alarms, max_age: int, max_depth: int) -> None:
        here, failed = self._ref(self.resource, "name"), self._ref(self.dead_letter_queue.resource, "name")
        watch.add("age-alarm", age_alarm(max_age), {"QueueName": here})
        watch.add("depth-alarm", depth_alarm(max_depth), {"QueueName": here})
        watch.add("dead-letter-alarm", DEAD_LETTER_ALARM, {"QueueName": failed})


def _order(fifo: Fifo | None) -> dict[str, Any]:
    if fifo is None:
        return {}
    return {
        "content_based_deduplication": fifo.content_based_deduplication,
        "deduplication_scope": fifo.deduplication_scope,
        "fifo_throughput_limit": fifo.throughput_limit,
    }
