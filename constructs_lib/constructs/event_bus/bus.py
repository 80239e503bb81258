"""EventBus: the bus, its archive, policy, rules and dead-letter queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.event_bus.alarms import BUS_DEAD_LETTER_ALARM, RULE_ALARMS
from constructs_lib.constructs.event_bus.arguments import check_access, check_archive, check_sources
from constructs_lib.constructs.event_bus.base import Bus, Sender
from constructs_lib.constructs.event_bus.loops import loops
from constructs_lib.constructs.event_bus.rule import SERVICE, AcceptedLoop, EventRule
from constructs_lib.constructs.event_bus.targets import EventTarget, ExternalEventBus
from constructs_lib.constructs.multi_region_key import MultiRegionKey, names_like
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import DeadLetterQueue, Queue, SqsManagedKey
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import component_words, words

Event = Mapping[str, Any]

_WITHOUT_KEY: Final = "keeps the events that EventBridge cannot encrypt or decrypt with the key of the bus"


class EventBus(Bus):
    """An encrypted EventBridge event bus with rules, an archive and a dead-letter queue.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The bus's region.
        key: Encrypts the events. The dead-letter queue has a key that SQS manages, since it keeps events for which this
            key is missing or disabled.
        description: The bus's description; none by default.
        archive_days: Days that the archive keeps every event for replays, 1 to 3650, or 0 for no archive. By default 30
            in prod and 0 in dev and staging, which are also the minimums.
        accounts: Ids of other accounts that may put events, or references to them; none by default.
        organization: Id of an AWS organization whose accounts may put events; none by default.
        allowed_sources: The values of `source` that `accounts` and `organization` may put; any by default.
        alarms: True, False, or `NoAlarms` where the environment requires alarms; by default from the environment.
        alarm_topics: ARNs of SNS topics that the alarms notify; none by default.

    Attributes:
        resource: The `aws_cloudwatch_event_bus`.
        name: The bus's name.
        dead_letter_queue: Events that could not be delivered or decrypted, kept for 14 days.
        rules: The rules, in the order they were added.
        senders: The grants of `grant_put`.

    Raises:
        ConfigurationError: An argument that EventBridge refuses, the ARN of a role among the accounts, or an
            `archive_days` below the environment's minimum. Event loops are reported at synth.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html.
    """

    @renamed_arguments(admitted_sources="allowed_sources")
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
        allowed_sources: Sequence[str] = (),
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        floor = region.profile.event_archive_days
        days = floor if archive_days is None else archive_days
        check_archive(problems, days, floor, region.environment.value)
        check_access(problems, accounts, organization, allowed_sources)
        self._alarms = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()

        self.rules: list[EventRule] = []
        self.senders: list[Sender] = []
        self.name = self._name("event-bus")
        # A lost key is what the queue is for: it gets the events that EventBridge cannot encrypt or decrypt.
        self.dead_letter_queue = DeadLetterQueue(self, "dead-letter", region=region, key=SqsManagedKey(_WITHOUT_KEY))
        own = Condition("ArnLike", "aws:SourceArn", (names_like(region, "events", self.name, "event-bus/"),))
        key.allow_service(self, SERVICE, (own,))
        bus = aws.cloudwatch_event_bus
        self.resource = self._create(
            bus.CloudwatchEventBus,
            "Resource",
            name=self.name,
            description=description,
            kms_key_identifier=key.arn_for(self),
            # For events that cannot be encrypted or decrypted, which no rule gets.
            dead_letter_config=bus.CloudwatchEventBusDeadLetterConfig(
                arn=self._ref(self.dead_letter_queue.resource, "arn")
            ),
        )
        arn = self._ref(self.resource, "arn")
        self.dead_letter_queue.allow_service(SERVICE, arn)
        # Of all rules at once: a queue policy has room for some 50 of them.
        self.dead_letter_queue.allow_service(SERVICE, region.arn("events", f"rule/{self.name}/*"))
        if days:
            self._create(
                aws.cloudwatch_event_archive.CloudwatchEventArchive,
                "archive",
                name=self._name("event-archive"),
                description=f"Every event of {self.name}",
                event_source_arn=arn,
                retention_days=days,
            )
        statements = self._policy_statements(accounts, organization, allowed_sources)
        if statements:
            self._create(
                aws.cloudwatch_event_bus_policy.CloudwatchEventBusPolicy,
                "policy",
                event_bus_name=self._ref(self.resource, "name"),
                policy=PolicyDocument(self, "policy-document", statements, kind="event-bus").json,
            )
        failed = self._ref(self.dead_letter_queue.resource, "name")
        self._alarms.add("dead-letter-alarm", BUS_DEAD_LETTER_ALARM, {"QueueName": failed})
        report_at_synth(self, lambda: loops(self, self.rules))
        self._publish("name", self._ref(self.resource, "name"), f"Name of the event bus {id_}")
        self._publish("arn", arn, f"ARN of the event bus {id_}")

    @cached_property
    def arn(self) -> str:
        """The bus's ARN."""
        return self.resource.arn

    def add_rule(
        self,
        id_: str,
        *,
        targets: Sequence[PaymentLambda | Queue | EventBus | ExternalEventBus | EventTarget],
        pattern: dict[str, Any] | None = None,
        schedule: str | None = None,
        samples: Sequence[Event] = (),
        rejects: Sequence[Event] = (),
        description: str | None = None,
        enabled: bool = True,
        loop: AcceptedLoop | None = None,
    ) -> EventRule:
        """Send events that match a pattern, or an event on a schedule, to targets.

        The pattern is tested at synth with `samples` and `rejects`. Each target is created after the permission that
        lets this rule invoke it or send to it.

        Args:
            id_: The rule's id, unique in the bus.
            targets: 1 to 5 targets; an `EventTarget` for other settings than the defaults.
            pattern: The event pattern. Either this or `schedule`.
            schedule: `rate(...)` or `cron(...)` in UTC. EventBridge supports schedules on the default bus only, where
                the rule is created; its events that cannot be delivered go to this bus's dead-letter queue.
            samples: Events that the pattern must match, at least one.
            rejects: Events that the pattern must not match; none by default.
            description: At most 512 characters; none by default.
            enabled: Whether the rule is enabled; True by default.
            loop: `AcceptedLoop(reason)` for an event loop that something else ends.

        Returns:
            The rule: `.arn`, `.resource`.

        Raises:
            ConfigurationError: A pattern or schedule that EventBridge refuses, a sample that the pattern does not
                match, a reject that it matches, or a target that EventBridge cannot deliver to.

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
        """Let a role, or a function, put events of some sources into the bus.

        Args:
            grantee: The role or function, in any stack of the app.
            sources: The allowed values of `source`, at least one.
            detail_types: The allowed values of `detail-type`; any by default.

        Raises:
            ConfigurationError: No source, or one that is reserved for AWS services.

        See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html.
        """
        problems = Problems(self.path)
        check_sources(problems, "sources", sources)
        if isinstance(detail_types, str):
            problems.add("detail_types", detail_types, "expected a list of strings")
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

    def _policy_statements(
        self, accounts: Sequence[str], organization: str | None, sources: Sequence[str]
    ) -> list[Statement]:
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
