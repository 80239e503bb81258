"""Access of AWS services to a queue or topic: one statement for each service, and the use of the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.constructs.multi_region_key import MultiRegionKey, names_like
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.principals import check_source_arn, is_service, without_account

_ACTIONS: Final = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_ENCRYPTION_CONTEXTS: Final = {"sqs": "aws:sqs:arn", "sns": "aws:sns:topicArn"}
"""SQS and SNS name the queue or topic to KMS, whichever service sends; EventBridge names no source or account."""


@dataclass
class ServiceAccess:
    """Lets AWS services send to a queue, or publish to a topic, on behalf of other resources.

    Attributes:
        owner: The queue or topic.
        kind: `sqs` or `sns`.
        name: Its name.
        arn: A reference to its ARN, for use in its stack.
        policy: Its access policy.
        key: The key that encrypts it; None for a key that AWS manages.
    """

    owner: HardenedConstruct
    kind: Literal["sqs", "sns"]
    name: str
    arn: str
    policy: PolicyDocument
    key: MultiRegionKey | None

    def check(self, problems: Problems, service: str, source_arn: str) -> None:
        """Report a principal that is not a service, and a source ARN that other accounts' resources match."""
        if not is_service(service):
            problems.stop("service", service, "expected a service principal such as 'events.amazonaws.com'")
        check_source_arn(problems, service, source_arn)

    def allow(self, service: str, source_arn: str) -> None:
        """Add a source to the statement of a service, and let the service use the key for this project's resources."""
        region = self.owner.region
        conditions = [Condition("ArnEquals", "aws:SourceArn", (source_arn,))]
        if without_account(service):
            conditions.append(Condition("StringEquals", "aws:SourceAccount", (region.account_id,)))
        self.policy.add(
            Statement(
                sid=service.split(".", 1)[0].title(),
                actions=(_ACTIONS[self.kind],),
                resources=(self.arn,),
                principals=(("Service", (service,)),),
                conditions=tuple(conditions),
            )
        )
        if self.key:
            context = f"kms:EncryptionContext:{_ENCRYPTION_CONTEXTS[self.kind]}"
            own = names_like(region, self.kind, self.name)
            self.key.allow_service(self.owner, service, (Condition("StringLike", context, (own,)),))
