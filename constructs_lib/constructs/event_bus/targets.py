"""Targets of a rule: functions, queues and other buses, with input, retry policy and dead-letter queue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib.constructs.event_bus.arguments import is_json, resolve
from constructs_lib.constructs.event_bus.base import Bus
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.core.protocols import QueueConsumer
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_fields
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.regions import is_token

MAX_AGE: Final = (60, 86_400)
MAX_ATTEMPTS: Final = (0, 185)
MAX_PATHS: Final = 100
MAX_INPUT: Final = 8192
_BUS: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):events:[a-z0-9-]+:(?P<account>[0-9]{12}):event-bus/(?P<name>[\w./-]+)", re.ASCII
)
_PATH: Final = re.compile(r"\$(\.[\w-]+(\[\d+\])*)*", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"<([\w.-]+)>", re.ASCII)
_NAME: Final = re.compile(r"\w+", re.ASCII)
_OWN: Final = "aws.events."
"""The prefix of the variables that EventBridge itself defines in input templates."""


@dataclass(frozen=True)
class ExternalEventBus:
    """An event bus outside of the app, in this or another account or region.

    Attributes:
        arn: The bus's ARN, or a reference to it. The policy of a bus in another account must allow this account.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html.
    """

    arn: str


@dataclass(frozen=True)
class InputTransformer:
    """An input transformer: builds the target's input from values of the event.

    Attributes:
        paths: The input path: JSON paths by variable name, such as `{"id": "$.detail.id"}`; at most 100.
        template: The input template: text or JSON with variables in angle brackets, such as `'{"order": <id>}'`; 1 to
            8192 characters.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
    """

    paths: Mapping[str, str]
    template: str


@renamed_fields(
    max_age_seconds="maximum_event_age_seconds",
    max_attempts="maximum_retry_attempts",
    transformer="input_transformer",
    message_group="message_group_id",
)
@dataclass(frozen=True)
class EventTarget:
    """A target of a rule with its retry policy, dead-letter queue and input.

    A target gets the whole event, or one of `input`, `input_path` and `input_transformer`; buses always get the whole
    event.

    Attributes:
        to: A `PaymentLambda`, whose alias is invoked, a `Queue`, an `EventBus` or an `ExternalEventBus`.
        maximum_event_age_seconds: Seconds that EventBridge retries an event, 60 to 86400; 3600 by default.
        maximum_retry_attempts: Retries of an event, 0 to 185; 30 by default.
        dead_letter_queue: A standard queue for events that could not be delivered; the bus's dead-letter queue by
            default.
        input: JSON text that replaces the event.
        input_path: A JSON path to a part of the event, such as `$.detail`.
        input_transformer: Builds the input from values of the event.
        message_group_id: The message group ID; required for a FIFO queue, and allowed for it only.

    See https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html.
    """

    to: PaymentLambda | Queue | Bus | ExternalEventBus
    maximum_event_age_seconds: int = 3600
    maximum_retry_attempts: int = 30
    dead_letter_queue: DeadLetterQueue | None = None
    input: str | None = None
    input_path: str | None = None
    input_transformer: InputTransformer | None = None
    message_group_id: str | None = None

    @property
    def name(self) -> str:
        """The target's name in ids of constructs and targets."""
        if isinstance(self.to, ExternalEventBus):
            named = _BUS.fullmatch(self.to.arn)
            return "-".join(["bus", *words(f"{named['name']}-{named['account']}")]) if named else "bus"
        return self.to.component

    @property
    def functions(self) -> list[QueueConsumer]:
        """The functions that process the events, directly or through a queue."""
        if isinstance(self.to, PaymentLambda):
            return [self.to]
        return list(self.to.consumers) if isinstance(self.to, Queue) else []


def as_target(target: object) -> EventTarget:
    """Return an `EventTarget` for what may be given in its place."""
    return target if isinstance(target, EventTarget) else EventTarget(target)  # type: ignore[arg-type]


def check_target(
    problems: Problems, argument: str, target: EventTarget, region: Region, samples: Sequence[Mapping[str, Any]]
) -> None:
    """Report targets that EventBridge refuses, or cannot deliver to."""
    to = target.to
    if not isinstance(to, (PaymentLambda, Queue, Bus, ExternalEventBus)):
        problems.add(
            argument, to, "expected a PaymentLambda, Queue, EventBus or ExternalEventBus, or an EventTarget with one"
        )
        return
    for name, value, (low, high) in (
        ("maximum_event_age_seconds", target.maximum_event_age_seconds, MAX_AGE),
        ("maximum_retry_attempts", target.maximum_retry_attempts, MAX_ATTEMPTS),
    ):
        problems.check_whole(f"{argument}.{name}", value, low, high)
    if isinstance(to, (PaymentLambda, Queue)):
        problems.check(
            to.region is region,
            argument,
            to.path,
            f"expected a construct in the bus's region and stack, {region.name} of {region.stack.path}; for "
            "others give the EventBus there as target, and add a rule to that bus",
        )
    fifo = isinstance(to, Queue) and to.fifo
    problems.check(
        bool(target.message_group_id) == fifo,
        f"{argument}.message_group_id",
        target.message_group_id,
        "is required for a FIFO queue" if fifo else "applies to FIFO queues only; leave it out",
    )
    problems.check(
        not isinstance(to, Queue) or to.fifo_options is None or to.fifo_options.content_based_deduplication,
        argument,
        getattr(to, "path", to),
        "has no content-based deduplication, and EventBridge sends no deduplication ID; expected a queue with "
        "fifo=Fifo(content_based_deduplication=True)",
    )
    dead = target.dead_letter_queue
    if dead is not None:
        problems.check(
            dead.region is region and not dead.fifo,
            f"{argument}.dead_letter_queue",
            dead.path,
            "expected a standard queue in the bus's region and stack",
        )
    if isinstance(to, ExternalEventBus):
        named = _BUS.fullmatch(to.arn) if isinstance(to.arn, str) else None
        problems.check(
            is_token(to.arn) or (named and named["partition"] == region.partition),
            argument,
            to.arn,
            f"expected the ARN of an event bus, arn:{region.partition}:events:region:account:event-bus/name",
        )
    _check_input(problems, argument, target, samples)


def _check_input(problems: Problems, argument: str, target: EventTarget, samples: Sequence[Mapping[str, Any]]) -> None:
    options = ("input", "input_path", "input_transformer")
    given = [name for name in options if getattr(target, name) is not None]
    problems.check(len(given) <= 1, argument, given, f"cannot be combined; expected one of {', '.join(options)}")
    if given and not isinstance(target.to, (PaymentLambda, Queue)):
        problems.add(argument, given, "not available for a bus, which gets the whole event; leave it out")
    if target.input is not None:
        problems.check(is_json(target.input), f"{argument}.input", target.input, "expected JSON")
    paths = dict(target.input_transformer.paths) if target.input_transformer else {}
    if target.input_path is not None:
        _check_path(problems, f"{argument}.input_path", target.input_path, samples)
    for name, path in paths.items():
        problems.check(
            _NAME.fullmatch(name) and not name.upper().startswith("AWS"),
            f"{argument}.input_transformer.paths",
            name,
            "expected letters, digits and underscores; the prefix AWS is reserved",
        )
        _check_path(problems, f"{argument}.input_transformer.paths[{name!r}]", path, samples)
    if target.input_transformer:
        _check_template(problems, f"{argument}.input_transformer", target.input_transformer)


def _check_path(problems: Problems, argument: str, path: str, samples: Sequence[Mapping[str, Any]]) -> None:
    if problems.check(
        isinstance(path, str) and _PATH.fullmatch(path), argument, path, "expected a JSON path such as '$.detail.id'"
    ):
        problems.check(
            not samples or any(resolve(path, sample) is not None for sample in samples),
            argument,
            path,
            "not found in any of the samples; expected a path to a value of an event that the rule matches",
        )


def _check_template(problems: Problems, argument: str, transformer: InputTransformer) -> None:
    problems.check(
        len(transformer.paths) <= MAX_PATHS,
        f"{argument}.paths",
        len(transformer.paths),
        f"expected at most {MAX_PATHS} paths",
    )
    problems.check(
        0 < len(transformer.template) <= MAX_INPUT,
        f"{argument}.template",
        transformer.template,
        f"expected 1 to {MAX_INPUT} characters",
    )
    used = {name for name in _PLACEHOLDER.findall(transformer.template) if not name.startswith(_OWN)}
    for name in sorted(used - set(transformer.paths)):
        problems.add(f"{argument}.template", f"<{name}>", "not defined in paths; add it there")
    for name in sorted(set(transformer.paths) - used):
        problems.add(f"{argument}.paths", name, "not used in the template; remove it")
