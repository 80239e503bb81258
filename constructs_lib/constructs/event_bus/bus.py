"""The EventBus construct: the bus, its archive, whom it admits, its rules, and what could not be delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from constructs_lib._engine import aws, core
from constructs_lib.constructs.event_bus.arguments import check_admitted, check_archive, check_sources
from constructs_lib.constructs.event_bus.base import Bus, Sender
from constructs_lib.constructs.event_bus.loops import loops
from constructs_lib.constructs.event_bus.rule import SERVICE, AcceptedLoop, EventRule
from constructs_lib.constructs.event_bus.targets import EventTarget, ForeignBus
from constructs_lib.constructs.event_bus.watch import RULE_ALARMS
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.constructs.queue.alarms import DEAD_LETTER_ALARM
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import component_words, words

Event = Mapping[str, Any]


class EventBus(Bus):
    """A bus of EventBridge, encrypted, with an archive in production and a dead-letter queue for all of its rules.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: Encrypts the events and the dead-letter queue.
        description: What the bus is for.
        archive_days: Days that every event is kept to be replayed, 1 to 3650, or 0 for no archive; by default from the
            environment, and not less than that.
        accounts: Ids of other accounts, or references to them, that may put events into it; none by default.
        organization: The id of an organization whose accounts may; none by default.
        admitted_sources: The sources that the admitted may name; any by default.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told.

    Attributes:
        dead_letter_queue: Events that could not be delivered, or decrypted, for 14 days.
        rules: Its rules, in the order they were added.
        senders: Whom `grant_put` has let in.

    Raises:
        ConfigurationError: An argument that EventBridge refuses, a role's ARN among the accounts, or fewer days than
            the environment asks for. Events that go round are reported at synth.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        description: str | None = None,
        archive_days: int | None = None,
        accounts: Sequence[str] = (),
        organization: str | None = None,
        admitted_sources: Sequence[str] = (),
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        floor = region.profile.event_archive_days
        days = floor if archive_days is None else archive_days
        check_archive(problems, days, floor, region.environment.value)
        check_admitted(problems, accounts, organization, admitted_sources)
        self._alarms = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()

        self.rules: list[EventRule] = []
        self.senders: list[Sender] = []
        self.name = self._name("event-bus")
        """The bus's name, a plain string."""
        self.dead_letter_queue = DeadLetterQueue(self, "dead-letter", region=region, key=key)
        # The bus's plain name: a reference would make the key wait for the bus, which waits for the key.
        own = Condition("ArnEquals", "aws:SourceArn", (region.arn("events", f"event-bus/{self.name}"),))
        key.allow_service(self, SERVICE, (own,))
        bus = aws.cloudwatch_event_bus
        self.resource = self._create(
            bus.CloudwatchEventBus,
            "Resource",
            name=self.name,
            description=description,
            kms_key_identifier=key.arn_for(self),
            # For events that the key fails for, which reach no rule.
            dead_letter_config=bus.CloudwatchEventBusDeadLetterConfig(
                arn=self._ref(self.dead_letter_queue.resource, "arn")
            ),
        )
        reference = self._ref(self.resource, "arn")
        self.dead_letter_queue.allow_service(SERVICE, reference)
        if days:
            self._create(
                aws.cloudwatch_event_archive.CloudwatchEventArchive,
                "archive",
                name=self._name("event-archive"),
                description=f"Every event of {self.name}",
                event_source_arn=reference,
                retention_days=days,
            )
        admitted = self._admitted(accounts, organization, admitted_sources)
        if admitted:
            self._create(
                aws.cloudwatch_event_bus_policy.CloudwatchEventBusPolicy,
                "policy",
                event_bus_name=self._ref(self.resource, "name"),
                policy=PolicyDocument(self, "policy-document", admitted).json,
            )
        failed = self._ref(self.dead_letter_queue.resource, "name")
        self._alarms.add("dead-letter-alarm", DEAD_LETTER_ALARM, {"QueueName": failed})
        report_at_synth(self, lambda: loops(self, self.rules))
        self._publish("name", self._ref(self.resource, "name"), f"Name of the event bus {id_}")
        self._publish("arn", reference, f"ARN of the event bus {id_}")

    @cached_property
    def arn(self) -> str:
        """The bus's ARN, for use in any stack."""
        return self.resource.arn

    def add_rule(
        self,
        id_: str,
        *,
        targets: Sequence[PaymentLambda | Queue | EventBus | ForeignBus | EventTarget],
        pattern: dict[str, Any] | None = None,
        schedule: str | None = None,
        samples: Sequence[Event] = (),
        rejects: Sequence[Event] = (),
        description: str | None = None,
        enabled: bool = True,
        loop: AcceptedLoop | None = None,
    ) -> EventRule:
        """Send the events that match a pattern, or one at each time of a schedule, to targets.

        Args:
            id_: The rule's id, unique in the bus.
            targets: 1 to 5 targets; give an `EventTarget` for anything but the defaults.
            pattern: What an event must be like. Either this or `schedule`.
            schedule: `rate(...)` or `cron(...)` in UTC. EventBridge keeps such rules on the default bus, where this one
                is made.
            samples: Events that the pattern must match, at least one.
            rejects: Events that it must not match; none by default.
            description: At most 512 characters.
            enabled: Whether it sends anything; True by default.
            loop: `AcceptedLoop` with the reason why events that go round come to an end.

        Raises:
            ConfigurationError: A pattern that EventBridge refuses or that decides otherwise than it should, a schedule
                that is none, targets that cannot be reached.

        See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html.
        """
        rule = EventRule(
            self,
            id_,
            region=self.region,
            bus=self,
            pattern=pattern,
            schedule=schedule,
            targets=targets,
            samples=samples,
            rejects=rejects,
            description=description,
            enabled=enabled,
            loop=loop,
        )
        self.rules.append(rule)
        for name, alarm in RULE_ALARMS.items():
            self._alarms.add(f"{id_}-{name}-alarm", alarm, rule.dimensions)
        return rule

    def grant_put(self, grantee: Grantee, *, sources: Sequence[str], detail_types: Sequence[str] = ()) -> None:
        """Let a role, or a function, put events into the bus, and only events of these sources.

        Args:
            grantee: The role or function.
            sources: What it may give as `source`, at least one.
            detail_types: What it may give as `detail-type`; anything by default.

        Raises:
            ConfigurationError: No source, or one that AWS keeps for itself.

        See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html.
        """
        problems = Problems(self.path)
        check_sources(problems, "sources", sources)
        if isinstance(detail_types, str):
            problems.add("detail_types", detail_types, "must be a list of texts")
        problems.raise_if_any()
        self.senders.append(Sender(grantee, tuple(sources), tuple(detail_types)))
        conditions = [Condition("StringEquals", "events:source", tuple(sources))]
        if detail_types:
            conditions.append(Condition("StringEquals", "events:detail-type", tuple(detail_types)))
        named = (
            *component_words(self.components),
            *(word for text in (*sources, *detail_types) for word in words(text)),
        )
        grantee.grant(
            Statement(
                sid="Put" + "".join(word.title() for word in named),
                actions=("events:PutEvents",),
                resources=(grantee.region.stack.reach(self.resource, "arn"),),
                conditions=tuple(conditions),
            )
        )

    def _admitted(self, accounts: Sequence[str], organization: str | None, sources: Sequence[str]) -> list[Statement]:
        only = (Condition("StringEquals", "events:source", tuple(sources)),) if sources else ()
        here = (self._ref(self.resource, "arn"),)
        statements = []
        if accounts:
            roots = tuple(f"arn:{self.region.partition}:iam::{account}:root" for account in accounts)
            statements.append(Statement("Accounts", ("events:PutEvents",), here, (("AWS", roots),), only))
        if organization:
            member = Condition("StringEquals", "aws:PrincipalOrgID", (organization,))
            everybody = (("AWS", ("*",)),)
            statements.append(Statement("Organization", ("events:PutEvents",), here, everybody, (member, *only)))
        return statements
