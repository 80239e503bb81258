"""DeadLetterQueue: an encrypted queue for what could not be processed, reached over TLS only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib._engine import aws
from constructs_lib.construct import HardenedConstruct
from constructs_lib.iam import Condition, PolicyDocument, ServiceRole, Statement

if TYPE_CHECKING:
    from constructs_lib._engine import core
    from constructs_lib.multi_region_key import MultiRegionKey
    from constructs_lib.stack import Region

RETENTION_SECONDS: Final = 14 * 24 * 60 * 60
"""The longest that SQS keeps a message: somebody has to look at it first."""
VISIBILITY_SECONDS: Final = 6 * 300
"""Six times the longest timeout of a function of this library, so that any of them can work the queue off."""
DATA_KEY_REUSE_SECONDS: Final = 300


class DeadLetterQueue(HardenedConstruct):
    """A queue encrypted with a customer key that keeps messages for 14 days and refuses connections without TLS.

    Args:
        scope: The construct whose failed work it keeps.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts it.

    Raises:
        ConfigurationError: The key has no replica in the region.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region, key: MultiRegionKey) -> None:
        super().__init__(scope, id_, region=region)
        self._key = key
        self.resource = self._create(
            aws.sqs_queue.SqsQueue,
            "Resource",
            name=self._name("queue"),
            kms_master_key_id=key.arn_for(self),
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
            message_retention_seconds=RETENTION_SECONDS,
            visibility_timeout_seconds=VISIBILITY_SECONDS,
        )
        self.arn = self._ref(self.resource, "arn")
        tls_only = Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sqs:*",),
            resources=(self.arn,),
            principals=(("AWS", ("*",)),),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        )
        self._create(
            aws.sqs_queue_policy.SqsQueuePolicy,
            "policy",
            queue_url=self._ref(self.resource, "id"),
            policy=PolicyDocument(self, "policy-document", [tls_only]).json,
        )

    def grant_send(self, role: ServiceRole) -> None:
        """Let a role put messages into the queue, and use the key for it."""
        role.grant(Statement(sid="DeadLetters", actions=("sqs:SendMessage",), resources=(self.arn,)))
        key_actions = ("kms:Decrypt", "kms:GenerateDataKey")
        role.grant(self._key.statement_for(self, sid="DeadLetterKey", actions=key_actions))
