"""The parts that every SQS queue of the library has: encryption, a TLS-only policy, grants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.shared.service_access import ServiceAccess
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import RenamedAttribute
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.naming import component_words
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.principals import without_account

DATA_KEY_REUSE_SECONDS: Final = 300
FIFO_SUFFIX: Final = ".fifo"
_SEND_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")
_CONSUME: Final = (
    *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    *("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
)


@dataclass(frozen=True)
class SqsManagedKey(OptOut):
    """Messages are encrypted with a key that SQS owns: no key policy, and no CloudTrail events of its use."""


class EncryptedQueue(HardenedConstruct):
    """An encrypted SQS queue that denies connections without TLS; `Queue` and `DeadLetterQueue` are the public ones.

    Attributes:
        name: The queue's name.
        fifo: Whether it is a FIFO queue.
        key: The key that encrypts it; None with `SqsManagedKey`.
        policy: The access policy, for resources that depend on it.
    """

    qualified_arn = RenamedAttribute("arn")

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
            self._problems.stop("key", key, "expected a MultiRegionKey, or SqsManagedKey(reason)")
        self.key: MultiRegionKey | None = None if isinstance(key, SqsManagedKey) else key
        self.fifo = fifo
        self.name = self._name("fifo-queue") + FIFO_SUFFIX if fifo else self._name("queue")

    def _create_queue(self, **settings: Any) -> None:  # noqa: ANN401  arguments of the generated class
        """Create the queue and its access policy, once the subclass has checked its arguments."""
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
        self._arn = self._ref(self.resource, "arn")
        self._url = self._ref(self.resource, "id")
        tls_only = Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sqs:*",),
            resources=(self._arn,),
            principals=(("AWS", ("*",)),),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        )
        document = PolicyDocument(self, "policy-document", [tls_only], kind="queue")
        self._services = ServiceAccess(self, "sqs", self.name, self._arn, document, self.key)
        self.policy = self._create(
            aws.sqs_queue_policy.SqsQueuePolicy, "policy", queue_url=self._url, policy=document.json
        )

    @cached_property
    def arn(self) -> str:
        """The queue's ARN."""
        return self.resource.arn

    @cached_property
    def url(self) -> str:
        """The queue's URL."""
        return self.resource.id

    def grant_send(self, grantee: Grantee) -> None:
        """Let a role, or a function, send messages to the queue.

        Args:
            grantee: The role or function, of the same stack.

        Raises:
            ConfigurationError: The role or function belongs to another stack.

        See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html.
        """
        self._check_grantee(grantee)
        for statement in self.send_statements():
            grantee.grant(statement)

    def grant_consume(self, grantee: Grantee) -> None:
        """Let a role, or a function, receive and delete messages of the queue.

        Args:
            grantee: The role or function, of the same stack.

        Raises:
            ConfigurationError: The role or function belongs to another stack.

        See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html.
        """
        self._check_grantee(grantee)
        grantee.grant(Statement(sid=f"Consume{self._sid}", actions=_CONSUME, resources=(self._arn,)))
        if self.key:
            grantee.grant(self.key.statement_for(self, sid=f"ConsumeKey{self._sid}", actions=("kms:Decrypt",)))

    def allow_service(self, service: str, source_arn: str) -> None:
        """Let an AWS service send messages to the queue on behalf of one resource.

        The service may use the queue's key as well, for queues of the project and environment only. Sources of one
        service are one statement; a policy above the quota of SQS is refused at synth.

        Args:
            service: A service principal such as `events.amazonaws.com`, `sns.amazonaws.com` or `s3.amazonaws.com`.
            source_arn: The ARN of the rule, topic or bucket that the service sends for. A bucket must belong to this
                account.

        Raises:
            ConfigurationError: Not a service principal, a source ARN that other accounts' resources match, or a FIFO
                queue for S3.

        See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html.
        """
        problems = Problems(self.path)
        self._services.check(problems, service, source_arn)
        problems.check(
            not (self.fifo and without_account(service)),
            "service",
            service,
            "S3 cannot send to FIFO queues; expected a standard queue",
        )
        problems.raise_if_any()
        self._services.allow(service, source_arn)

    def send_statements(self, sid: str | None = None, key_sid: str | None = None) -> list[Statement]:
        """Return what a role of the queue's stack needs to send messages: the queue's and the key's permissions.

        Args:
            sid: The first statement's id; by default made from the construct path.
            key_sid: The id of the key's statement; by default made from the construct path.
        """
        sid, key_sid = sid or f"Send{self._sid}", key_sid or f"SendKey{self._sid}"
        statements = [Statement(sid=sid, actions=("sqs:SendMessage",), resources=(self._arn,))]
        if self.key:
            statements.append(self.key.statement_for(self, sid=key_sid, actions=_SEND_KEY))
        return statements

    @property
    def _sid(self) -> str:
        return "".join(word.title() for word in component_words(self.components))

    def _check_grantee(self, grantee: Grantee) -> None:
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: belongs to another stack; expected a role or function of "
                f"{self.region.stack.path}. Add a statement with the queue's arn to the role there",
            )
