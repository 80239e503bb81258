"""What every queue of the library has: encryption, a policy that wants TLS, grants, senders that act for a source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.naming import component_words
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.principals import check_source_arn, is_service, without_account

DATA_KEY_REUSE_SECONDS: Final = 300
FIFO_SUFFIX: Final = ".fifo"
_SEND_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")
_CONSUME: Final = (
    *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    *("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
)


@dataclass(frozen=True)
class SqsManagedKey(OptOut):
    """The messages are encrypted with a key of SQS's, whose use nobody can refuse, limit or look up."""


class EncryptedQueue(HardenedConstruct):
    """A queue that is encrypted and refuses connections without TLS; the base of the library's queues.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts it, or `SqsManagedKey` with a reason.
        fifo: Whether it keeps the order of messages.

    Attributes:
        name: The queue's name, a plain string.
        arn: A reference to its ARN, for use inside the stack.
        url: A reference to its URL, for use inside the stack.
        policy: The queue's policy, for resources that need it first.

    Raises:
        ConfigurationError: No key, or one without replica in the region.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey | SqsManagedKey,
        fifo: bool,
    ) -> None:
        super().__init__(scope, id_, region=region)
        if not isinstance(key, (MultiRegionKey, SqsManagedKey)):
            self._problems.stop("key", key, "must be a MultiRegionKey, or SqsManagedKey(reason)")
        self.key: MultiRegionKey | None = None if isinstance(key, SqsManagedKey) else key
        self.fifo = fifo
        self.name = self._name("fifo-queue") + FIFO_SUFFIX if fifo else self._name("queue")

    def _create_queue(self, **settings: Any) -> None:  # noqa: ANN401  arguments of the generated class
        """Create the queue and its policy, once the arguments of the subclass are checked."""
        encryption: dict[str, Any] = (
            {"kms_master_key_id": self.key.arn_for(self), "kms_data_key_reuse_period_seconds": DATA_KEY_REUSE_SECONDS}
            if self.key
            else {"sqs_managed_sse_enabled": True}
        )
        self.resource = self._create(
            aws.sqs_queue.SqsQueue,
            "Resource",
            name=self.name,
            fifo_queue=self.fifo or None,
            **encryption,
            **settings,
        )
        self.arn = self._ref(self.resource, "arn")
        self.url = self._ref(self.resource, "id")
        self._senders: list[tuple[str, str]] = []
        tls_only = Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sqs:*",),
            resources=(self.arn,),
            principals=(("AWS", ("*",)),),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        )
        self._document = PolicyDocument(self, "policy-document", [tls_only])
        self.policy = self._create(
            aws.sqs_queue_policy.SqsQueuePolicy, "policy", queue_url=self.url, policy=self._document.json
        )

    @cached_property
    def qualified_arn(self) -> str:
        """The ARN, for use in any stack."""
        return self.resource.arn

    def send_statements(self, sid: str, key_sid: str) -> list[Statement]:
        """Return what a role needs to put messages into the queue, the key's permissions among it."""
        statements = [Statement(sid=sid, actions=("sqs:SendMessage",), resources=(self.arn,))]
        if self.key:
            statements.append(self.key.statement_for(self, sid=key_sid, actions=_SEND_KEY))
        return statements

    def grant_send(self, grantee: Grantee) -> None:
        """Let a role, or a function, put messages into the queue.

        Raises:
            ConfigurationError: It belongs to another stack.
        """
        self._check_grantee(grantee)
        for statement in self.send_statements(f"Send{self.sid}", f"SendKey{self.sid}"):
            grantee.grant(statement)

    def grant_consume(self, grantee: Grantee) -> None:
        """Let a role, or a function, receive and delete messages of the queue.

        Raises:
            ConfigurationError: It belongs to another stack.
        """
        self._check_grantee(grantee)
        grantee.grant(Statement(sid=f"Consume{self.sid}", actions=_CONSUME, resources=(self.arn,)))
        if self.key:
            grantee.grant(self.key.statement_for(self, sid=f"ConsumeKey{self.sid}", actions=("kms:Decrypt",)))

    def allow_service(self, service: str, source_arn: str) -> None:
        """Let an AWS service put messages into the queue on behalf of one resource.

        The service may use the queue's key too, for this queue and no other.

        Args:
            service: A service principal such as `events.amazonaws.com`, `sns.amazonaws.com` or `s3.amazonaws.com`.
            source_arn: The rule, topic or bucket that it acts for; a bucket must be the account's own.

        Raises:
            ConfigurationError: No service principal, or a source that would let others in.

        See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html.
        """
        problems = Problems(self.path)
        if not is_service(service):
            problems.stop("service", service, "must be a service principal such as 'events.amazonaws.com'")
        check_source_arn(problems, service, str(source_arn))
        problems.check(
            not (self.fifo and without_account(service)), "service", service, "S3 sends to standard queues only"
        )
        problems.raise_if_any()
        if (service, source_arn) in self._senders:
            return
        self._senders.append((service, source_arn))
        conditions = [Condition("ArnEquals", "aws:SourceArn", (source_arn,))]
        if without_account(service):
            conditions.append(Condition("StringEquals", "aws:SourceAccount", (self.region.account_id,)))
        self._document.add(
            Statement(
                sid=f"{service.split('.', 1)[0].title()}{len(self._senders)}",
                actions=("sqs:SendMessage",),
                resources=(self.arn,),
                principals=(("Service", (service,)),),
                conditions=tuple(conditions),
            )
        )
        if self.key:
            # SQS itself names the queue to KMS, whoever sends. The name is plain: a reference would make the key wait
            # for the queue, which waits for the key.
            queue = self.region.arn("sqs", self.name)
            self.key.allow_service(
                self, service, (Condition("StringEquals", "kms:EncryptionContext:aws:sqs:arn", (queue,)),)
            )

    @property
    def sid(self) -> str:
        """What the queue is called in the sids of policies."""
        return "".join(word.title() for word in component_words(self.components))

    def _check_grantee(self, grantee: Grantee) -> None:
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: belongs to another stack; write its grant there, with the queue's outputs",
            )
