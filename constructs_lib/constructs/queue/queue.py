"""Queue: an encrypted SQS queue with a dead-letter queue and a visibility timeout that follows its consumers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.queue.alarms import REDRIVE_ALARM, age_alarm, depth_alarm
from constructs_lib.constructs.queue.arguments import VISIBILITY_FACTOR, Fifo, check_fifo, check_sizes, check_times
from constructs_lib.constructs.queue.dead_letter import DeadLetterQueue
from constructs_lib.constructs.queue.encrypted import EncryptedQueue, SqsManagedKey
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.protocols import QueueConsumer
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import ConfigurationError

LONG_POLL_SECONDS: Final = 20
DEFAULT_VISIBILITY: Final = 30
"""The default of SQS, for a queue without consumers in the app."""
_DAY: Final = 24 * 60 * 60


class Queue(EncryptedQueue):
    """An encrypted SQS queue with a dead-letter queue.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The queue's region.
        key: Encrypts the queue and its dead-letter queue; `SqsManagedKey(reason)` for a key that SQS manages.
        fifo: `Fifo(...)` for a FIFO queue, whose name ends in `.fifo`; a standard queue by default.
        visibility_timeout: Visibility timeout in seconds, 0 to 43200 and not less than the consumers need. By default
            six times the longest timeout of the functions that consume the queue, plus their batching window; 30
            without consumers.
        retention_days: Message retention period in days, 1 to 14; 4 by default.
        delay_seconds: Delivery delay in seconds, 0 to 900; 0 by default.
        max_message_bytes: Maximum message size in bytes, 1024 to 262144; 262144 by default.
        max_receive_count: Receives of a message before SQS moves it to the dead-letter queue, 1 to 1000; 5 by default.
        age_alarm_seconds: Alarm threshold for the age of the oldest message in seconds, at least 60 and less than the
            retention period; 900 by default.
        depth_alarm_messages: Alarm threshold for the number of visible messages, at least 1; 1000 by default.
        alarms: True, False, or `NoAlarms` where the environment requires alarms; by default from the environment.
        alarm_topics: ARNs of SNS topics that the alarms notify; none by default.

    Attributes:
        resource: The `aws_sqs_queue`.
        dead_letter_queue: The dead-letter queue: `.arn`, `.url`, `.name`. It keeps messages for 14 days.
        consumers: The functions that consume the queue, in the order they were added.
        max_receive_count: Receives of a message before SQS moves it to the dead-letter queue.

    Raises:
        ConfigurationError: An argument that SQS refuses, or a key without a replica in the region.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html.
    """

    @renamed_arguments(max_age_seconds="age_alarm_seconds", max_depth="depth_alarm_messages")
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
        age_alarm_seconds: int = 900,
        depth_alarm_messages: int = 1000,
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
            age_alarm_seconds=age_alarm_seconds,
            depth_alarm_messages=depth_alarm_messages,
        )
        check_times(
            problems, visibility_timeout=visibility_timeout, retention_days=retention_days, age_alarm=age_alarm_seconds
        )
        check_fifo(problems, fifo)
        created = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        if isinstance(key, SqsManagedKey):
            self._record(key)

        self.fifo_options = fifo
        self.consumers: list[QueueConsumer] = []
        self.max_receive_count = max_receive_count
        self._given_visibility = visibility_timeout
        self._visibility = DEFAULT_VISIBILITY if visibility_timeout is None else visibility_timeout
        self.dead_letter_queue = DeadLetterQueue(self, "dead-letter", region=region, key=key, fifo=self.fifo)
        dead_letter_arn = self._ref(self.dead_letter_queue.resource, "arn")
        redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": max_receive_count}
        self._create_queue(
            redrive_policy=json.dumps(redrive),
            visibility_timeout_seconds=self._visibility,
            message_retention_seconds=retention_days * _DAY,
            max_message_size=max_message_bytes,
            delay_seconds=delay_seconds,
            receive_wait_time_seconds=LONG_POLL_SECONDS,
            **_fifo_settings(fifo),
        )
        dead_letter_url = self._ref(self.dead_letter_queue.resource, "id")
        only_this = {"redrivePermission": "byQueue", "sourceQueueArns": [self._arn]}
        self._create(
            aws.sqs_queue_redrive_allow_policy.SqsQueueRedriveAllowPolicy,
            "redrive-allow-policy",
            queue_url=dead_letter_url,
            redrive_allow_policy=json.dumps(only_this),
        )
        name, failed = self._ref(self.resource, "name"), self._ref(self.dead_letter_queue.resource, "name")
        created.add("age-alarm", age_alarm(age_alarm_seconds), {"QueueName": name})
        created.add("depth-alarm", depth_alarm(depth_alarm_messages), {"QueueName": name})
        created.add("dead-letter-alarm", REDRIVE_ALARM, {"QueueName": failed})
        self._publish("url", self._url, f"URL of the queue {id_}")
        self._publish("arn", self._arn, f"ARN of the queue {id_}")
        self._publish("dead_letter_url", dead_letter_url, f"URL of the dead-letter queue of {id_}")

    def add_consumer(self, consumer: QueueConsumer, batching_window: int) -> None:
        """Raise the visibility timeout to what a function needs; `PaymentLambda.add_queue` calls this.

        Args:
            consumer: The function.
            batching_window: Seconds that Lambda waits for a batch to fill, 0 to 300.

        Raises:
            ConfigurationError: The queue's `visibility_timeout` argument is too short for the function.

        See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
        """
        needed = VISIBILITY_FACTOR * consumer.timeout + batching_window
        given = self._given_visibility
        if given is not None and given < needed:
            raise ConfigurationError(
                self.path,
                f"visibility_timeout={given!r}: shorter than {consumer.path} needs, so that messages are received "
                f"again while it works on them; expected at least {needed}, {VISIBILITY_FACTOR} times its "
                f"timeout={consumer.timeout} plus batching_window={batching_window}. Leave visibility_timeout out to "
                "have it follow the consumers",
            )
        self.consumers.append(consumer)
        if needed > self._visibility:
            self._visibility = needed
            self.resource.visibility_timeout_seconds = needed


def _fifo_settings(fifo: Fifo | None) -> dict[str, Any]:
    if fifo is None:
        return {}
    return {
        "content_based_deduplication": fifo.content_based_deduplication,
        "deduplication_scope": fifo.deduplication_scope,
        "fifo_throughput_limit": fifo.throughput_limit,
    }
