"""The parts that every SNS topic of the library has: encryption, a TLS-only policy, subscriptions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.notification_topic.filter_policy import Scope, check_filter_policy
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.constructs.shared.service_access import ServiceAccess
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import as_json
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.regions import is_token

SNS: Final = "sns.amazonaws.com"
SIGNATURE_VERSION: Final = 2
"""SHA-256; version 1 is SHA-1.

See https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
"""
MAX_DISPLAY_NAME: Final = 100
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+")
_HASH_LENGTH: Final = 8


class Topic(HardenedConstruct):
    """An encrypted topic with a TLS-only policy; `NotificationTopic` and `AlarmTopic` are the public ones."""

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        display_name: str | None = None,
        signature_version: int | None = SIGNATURE_VERSION,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._problems.check(
            display_name is None or (0 < len(display_name) <= MAX_DISPLAY_NAME and display_name.isprintable()),
            "display_name",
            display_name,
            f"expected 1 to {MAX_DISPLAY_NAME} printable characters",
        )
        self._problems.raise_if_any()
        self.key = key
        self.name = self._name("topic")
        self.subscriptions: list[aws.sns_topic_subscription.SnsTopicSubscription] = []
        self.resource = self._create(
            aws.sns_topic.SnsTopic,
            "Resource",
            name=self.name,
            display_name=display_name,
            kms_master_key_id=key.arn_for(self),
            signature_version=signature_version,
        )
        self._arn = self._ref(self.resource, "arn")
        document = PolicyDocument(self, "policy-document", self._statements(), kind="topic")
        self._services = ServiceAccess(self, "sns", self.name, self._arn, document, key)
        self.policy = self._create(aws.sns_topic_policy.SnsTopicPolicy, "policy", arn=self._arn, policy=document.json)

    @cached_property
    def arn(self) -> str:
        """The topic's ARN."""
        return self.resource.arn

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """Messages that could not be delivered, kept for 14 days; created with the first subscription."""
        queue = DeadLetterQueue(self, "dead-letter", region=self.region, key=self.key)
        queue.allow_service(SNS, self._arn)
        return queue

    def subscribe(
        self,
        endpoint: Queue | PaymentLambda | str,
        *,
        filter_policy: Mapping[str, Any] | None = None,
        filter_policy_scope: Scope = "MessageAttributes",
        raw_message_delivery: bool = False,
    ) -> aws.sns_topic_subscription.SnsTopicSubscription:
        """Deliver the topic's messages to a queue, a function, an HTTPS endpoint or an email address.

        Messages that cannot be delivered go to `dead_letter_queue`. The subscription of an email address or HTTPS
        endpoint is pending until the recipient confirms it; Terraform does not wait.

        Args:
            endpoint: A standard `Queue` or a `PaymentLambda` of the topic's region and stack, an `https://` URL, or an
                email address.
            filter_policy: Delivers only messages that match, at most 5 keys and 150 combinations of values; every
                message by default.
            filter_policy_scope: Where the policy looks: `MessageAttributes` (default) or `MessageBody`.
            raw_message_delivery: Whether a queue or HTTPS endpoint gets the message without SNS's envelope; False by
                default.

        Returns:
            The subscription.

        Raises:
            ConfigurationError: An endpoint that SNS cannot deliver to or that is subscribed already, or a filter policy
                that SNS refuses.

        See https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html.
        """
        problems = Problems(self.path)
        protocol, id_ = self._check_endpoint(problems, endpoint)
        if filter_policy is not None:
            check_filter_policy(problems, filter_policy, filter_policy_scope)
        problems.check(
            filter_policy is not None or filter_policy_scope == "MessageAttributes",
            "filter_policy_scope",
            filter_policy_scope,
            "has no effect without filter_policy; leave it out",
        )
        problems.check(
            not raw_message_delivery or protocol in ("sqs", "https"),
            "raw_message_delivery",
            raw_message_delivery,
            "is available for queues and HTTPS endpoints only; leave it out",
        )
        problems.check(id_ not in self.resources, "endpoint", _shown(endpoint), "duplicate subscription; remove one")
        problems.raise_if_any()
        if protocol == "https":
            self.resource.signature_version = SIGNATURE_VERSION
        address, before = self._admit(endpoint)
        stack = self.region.stack
        failed = self.dead_letter_queue
        element = self._create(
            aws.sns_topic_subscription.SnsTopicSubscription,
            id_,
            topic_arn=self._arn,
            protocol=protocol,
            endpoint=address,
            filter_policy=as_json(filter_policy) if filter_policy is not None else None,
            filter_policy_scope=filter_policy_scope if filter_policy is not None else None,
            raw_message_delivery=raw_message_delivery or None,
            redrive_policy=json.dumps({"deadLetterTargetArn": stack.reach(failed.resource, "arn")}),
            # Messages that arrive before SNS may deliver them are lost.
            depends_on=[failed.policy, *before],
        )
        self.subscriptions.append(element)
        return element

    def _statements(self) -> list[Statement]:
        """Return the statements of the policy; others are added behind them."""
        tls_only = Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sns:Publish",),
            resources=(self._arn,),
            principals=(("AWS", ("*",)),),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        )
        return [tls_only]

    def _check_endpoint(
        self, problems: Problems, endpoint: object
    ) -> tuple[Literal["sqs", "lambda", "https", "email", ""], str]:
        """Return the protocol and the id of the subscription, and report an endpoint that cannot be subscribed."""
        if isinstance(endpoint, (Queue, PaymentLambda)):
            problems.check(
                endpoint.region is self.region,
                "endpoint",
                endpoint.path,
                f"expected a construct in the topic's region and stack, {self.region.name} of {self.region.stack.path}",
            )
            problems.check(
                not (isinstance(endpoint, Queue) and endpoint.fifo),
                "endpoint",
                endpoint.path,
                "is a FIFO queue; a standard topic delivers to standard queues only",
            )
            return "sqs" if isinstance(endpoint, Queue) else "lambda", f"to-{endpoint.component}"
        text = endpoint if isinstance(endpoint, str) else ""
        if text.startswith("https://"):
            return "https", self._check_url(problems, text)
        if _EMAIL.fullmatch(text):
            return "email", f"to-{'-'.join(words(text))}"
        problems.add(
            "endpoint",
            _shown(endpoint),
            "expected a Queue, a PaymentLambda, an https:// URL or an email address; plain http:// is not encrypted",
        )
        return "", ""

    def _check_url(self, problems: Problems, url: str) -> str:
        host = urlsplit(url).hostname or ""
        problems.check(
            "@" not in urlsplit(url).netloc,
            "endpoint",
            f"https://{host}/...",
            "contains credentials, which Terraform would keep in its state; expected a URL without user and password",
        )
        problems.check(
            _HOST.fullmatch(host) and not is_token(urlsplit(url).netloc),
            "endpoint",
            url,
            "expected a plain host name after https://; the path may be a reference",
        )
        # The path may be a secret, and ids are shown in plans.
        digest = hashlib.sha256(self.region.stack.text(url).encode()).hexdigest()[:_HASH_LENGTH]
        return f"to-{'-'.join(words(host))}-{digest}"

    def _admit(self, endpoint: Queue | PaymentLambda | str) -> tuple[str, Sequence[core.ITerraformDependable]]:
        """Let SNS deliver to an endpoint, and return its address and what must exist before."""
        stack = self.region.stack
        if isinstance(endpoint, Queue):
            endpoint.allow_service(SNS, self._arn)
            return stack.reach(endpoint.resource, "arn"), [endpoint.policy]
        if isinstance(endpoint, PaymentLambda):
            permission = endpoint.allow_invoke(f"topic-{self.component}", service=SNS, source_arn=self._arn)
            return stack.reach(endpoint.alias, "arn"), [permission]
        return endpoint, []


def _shown(endpoint: object) -> object:
    """Return what names an endpoint in a message."""
    return endpoint.path if isinstance(endpoint, HardenedConstruct) else endpoint
