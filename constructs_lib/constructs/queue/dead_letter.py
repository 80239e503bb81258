"""DeadLetterQueue: an encrypted queue for what could not be processed, reached over TLS only."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.queue.encrypted import EncryptedQueue, SqsManagedKey
from constructs_lib.core.stack import Region

RETENTION_SECONDS: Final = 14 * 24 * 60 * 60
"""The longest that SQS keeps a message: somebody has to look at it first."""
VISIBILITY_SECONDS: Final = 6 * 300
"""Six times the longest timeout of a function of this library, so that any of them can work the queue off."""


class DeadLetterQueue(EncryptedQueue):
    """A queue encrypted with a customer key that keeps messages for 14 days and refuses connections without TLS.

    Args:
        scope: The construct whose failed work it keeps.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts it, or `SqsManagedKey` with a reason.
        fifo: Whether what failed comes from a FIFO queue, whose dead-letter queue must be one too; False by default.

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
