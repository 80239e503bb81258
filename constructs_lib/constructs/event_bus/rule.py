"""A rule of a bus, its targets, and the permissions that the targets need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.event_bus.arguments import check_events, check_schedule
from constructs_lib.constructs.event_bus.base import Bus
from constructs_lib.constructs.event_bus.targets import EventTarget, ExternalEventBus, as_target, check_target
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import Queue
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.event_pattern import as_json
from constructs_lib.foundation.naming import fit
from constructs_lib.foundation.opt_out import OptOut

Event = Mapping[str, Any]

SERVICE: Final = "events.amazonaws.com"
MAX_TARGETS: Final = 5
MAX_DESCRIPTION: Final = 512
MAX_TARGET_ID: Final = 64


@dataclass(frozen=True)
class AcceptedLoop(OptOut):
    """The rule's targets may put events that the rule matches again; something else ends the event loop."""


class EventRule(HardenedConstruct):
    """A rule of a bus with its targets; `EventBus.add_rule` creates it and describes the arguments.

    Attributes:
        bus: The bus.
        pattern: The event pattern; None for a schedule.
        samples: Events that the pattern matches.
        targets: The targets.
        loop: The accepted event loop, or None.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        bus: Bus,
        pattern: dict[str, Any] | None,
        schedule: str | None,
        targets: Sequence[object],
        samples: Sequence[Event],
        rejects: Sequence[Event],
        description: str | None,
        enabled: bool,
        loop: AcceptedLoop | None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.bus, self.pattern, self.samples, self.loop = bus, pattern, samples, loop
        self._check(schedule, rejects, description)
        self.targets = self._check_targets(targets)
        self._problems.raise_if_any()
        if loop:
            self._record(loop)

        # EventBridge supports schedules on the default bus only.
        self._bus_name = self._ref(bus.resource, "name") if schedule is None else None
        self.resource = self._create(
            aws.cloudwatch_event_rule.CloudwatchEventRule,
            "Resource",
            name=self._name("event-rule"),
            description=description,
            event_bus_name=self._bus_name,
            event_pattern=as_json(pattern) if pattern else None,
            schedule_expression=schedule,
            state="ENABLED" if enabled else "DISABLED",
        )
        self._arn = self._ref(self.resource, "arn")
        for target in self.targets:
            self._create_target(target)

    @cached_property
    def arn(self) -> str:
        """The rule's ARN."""
        return self.resource.arn

    @cached_property
    def dimensions(self) -> dict[str, str]:
        """The dimensions of the rule's CloudWatch metrics."""
        rule = {"RuleName": self.resource.name}
        return {"EventBusName": self.bus.resource.name, **rule} if self._bus_name else rule

    def _create_target(self, target: EventTarget) -> None:
        name, to = target.name, target.to
        dead = target.dead_letter_queue or self.bus.dead_letter_queue
        if dead is not self.bus.dead_letter_queue or self._bus_name is None:
            dead.allow_service(SERVICE, self._arn)
        before: list[core.ITerraformDependable] = [dead.policy]
        role = None
        if isinstance(to, PaymentLambda):
            arn = self._ref(to.alias, "arn")
            before.append(to.allow_invoke(f"rule-{self.component}", service=SERVICE, source_arn=self._arn))
        elif isinstance(to, Queue):
            arn = self._ref(to.resource, "arn")
            to.allow_service(SERVICE, self._arn)
            before.append(to.policy)
        else:
            arn = to.arn if isinstance(to, ExternalEventBus) else self.region.stack.reach(to.resource, "arn")
            role = self._sending_role(name, arn)
            before.append(role.policy)
        struct = aws.cloudwatch_event_target
        transformer = target.input_transformer
        self._create(
            struct.CloudwatchEventTarget,
            f"to-{name}",
            rule=self._ref(self.resource, "name"),
            event_bus_name=self._bus_name,
            target_id=fit(name, MAX_TARGET_ID),
            arn=arn,
            role_arn=self._ref(role.resource, "arn") if role else None,
            input=target.input,
            input_path=target.input_path,
            input_transformer=struct.CloudwatchEventTargetInputTransformer(
                input_paths=dict(transformer.paths), input_template=transformer.template
            )
            if transformer
            else None,
            sqs_target=struct.CloudwatchEventTargetSqsTarget(message_group_id=target.message_group_id)
            if target.message_group_id
            else None,
            dead_letter_config=struct.CloudwatchEventTargetDeadLetterConfig(arn=self._ref(dead.resource, "arn")),
            retry_policy=struct.CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=target.maximum_event_age_seconds,
                maximum_retry_attempts=target.maximum_retry_attempts,
            ),
            # Events that match before EventBridge is allowed to deliver them are lost.
            depends_on=before,
        )

    def _sending_role(self, name: str, bus_arn: str) -> ServiceRole:
        return ServiceRole(
            self,
            f"to-{name}-role",
            region=self.region,
            service=SERVICE,
            description=f"Sends what the rule {self.path} matches to another bus",
            statements=[Statement(sid="PutEvents", actions=("events:PutEvents",), resources=(bus_arn,))],
            conditions=(
                Condition("ArnEquals", "aws:SourceArn", (self._arn,)),
                Condition("StringEquals", "aws:SourceAccount", (self.region.account_id,)),
            ),
        )

    def _check(self, schedule: str | None, rejects: Sequence[Event], description: str | None) -> None:
        problems = self._problems
        if (self.pattern is None) == (schedule is None):
            problems.stop("pattern", self.pattern, "expected either pattern or schedule")
        if schedule is None:
            check_events(problems, self.pattern, self.samples, rejects)
        else:
            check_schedule(problems, schedule, self.samples, rejects)
        problems.check(
            len(description or "") <= MAX_DESCRIPTION,
            "description",
            description,
            f"expected at most {MAX_DESCRIPTION} characters",
        )

    def _check_targets(self, given: Sequence[object]) -> list[EventTarget]:
        problems = self._problems
        if not isinstance(given, (list, tuple)) or not 1 <= len(given) <= MAX_TARGETS:
            problems.stop("targets", given, f"expected a list of 1 to {MAX_TARGETS} targets")
        targets = [as_target(target) for target in given]
        for index, target in enumerate(targets):
            argument = f"targets[{index}]"
            check_target(problems, argument, target, self.region, self.samples)
            problems.check(
                target.to is not self.bus,
                argument,
                self.bus.path,
                "event loop: the target is the rule's own bus, where the event would match again",
            )
            problems.check(
                all(target.to is not other.to for other in targets[:index]),
                argument,
                getattr(target.to, "path", target.to),
                "duplicate target; remove one",
            )
        return targets
