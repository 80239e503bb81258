"""DeadLetterQueue: an encrypted SQS queue for messages and events that could not be processed."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.queue.encrypted import EncryptedQueue, SqsManagedKey
from constructs_lib.core.stack import Region

RETENTION_SECONDS: Final = 14 * 24 * 60 * 60
"""The maximum of SQS: someone has to analyze the messages first."""
VISIBILITY_SECONDS: Final = 6 * 300
"""Six times the longest timeout of a `PaymentLambda`, so that any of them can consume the queue."""


class DeadLetterQueue(EncryptedQueue):
    """An encrypted SQS queue that keeps messages for 14 days and denies connections without TLS.

    Args:
        scope: The construct whose failed messages or events it receives.
        id_: The construct's id.
        region: The queue's region.
        key: Encrypts the queue; `SqsManagedKey(reason)` for a key that SQS manages.
        fifo: Whether the source is a FIFO queue, whose dead-letter queue must be one too; False by default.

    Raises:
        ConfigurationError: The key has no replica in the region.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey | SqsManagedKey,
        fifo: bool = False,
    ) -> None:
        super().__init__(scope, id_, region=region, key=key, fifo=fifo)
        self._create_queue(message_retention_seconds=RETENTION_SECONDS, visibility_timeout_seconds=VISIBILITY_SECONDS)
