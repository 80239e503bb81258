"""Where a rule sends events: functions, queues and other buses, what they are given, how often it is tried."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from constructs_lib.constructs.event_bus.arguments import is_json, resolve
from constructs_lib.constructs.event_bus.base import Bus
from constructs_lib.constructs.payment_lambda import PaymentLambda
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.core.protocols import QueueConsumer
from constructs_lib.core.stack import Region
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
"""Names of a template that EventBridge fills in by itself begin with it."""


@dataclass(frozen=True)
class ForeignBus:
    """A bus that no stack of this app makes, of another account or region.

    Attributes:
        arn: Its ARN, or a reference to it. Its own policy must admit this account.
    """

    arn: str


@dataclass(frozen=True)
class InputTransformer:
    """What a target is given in place of the event.

    Attributes:
        paths: JSON paths into the event by name, such as `{"id": "$.detail.id"}`; at most 100.
        template: Text or JSON with the names in angle brackets: `'{"order": <id>}'`; at most 8,192 characters.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
    """

    paths: Mapping[str, str]
    template: str


@dataclass(frozen=True)
class EventTarget:
    """One target of a rule, and how events come to it; give the construct alone where the defaults do.

    Attributes:
        to: A `PaymentLambda`, whose alias is invoked, a `Queue`, an `EventBus` or a `ForeignBus`.
        max_age_seconds: Seconds that a delivery is tried, 60 to 86400; an hour by default.
        max_attempts: Further attempts, 0 to 185; 30 by default.
        dead_letter_queue: A standard queue for events that could not be delivered; the bus's own by default.
        input: JSON that it is given in place of the event.
        input_path: The part of the event that it is given, such as `$.detail`.
        transformer: What it is given, made of the event.
        message_group: The group that messages of a FIFO queue belong to; required there.
    """

    to: PaymentLambda | Queue | Bus | ForeignBus
    max_age_seconds: int = 3600
    max_attempts: int = 30
    dead_letter_queue: DeadLetterQueue | None = None
    input: str | None = None
    input_path: str | None = None
    transformer: InputTransformer | None = field(default=None)
    message_group: str | None = None

    @property
    def name(self) -> str:
        """What the target is called in ids: the component of a construct, the name of a bus elsewhere."""
        if isinstance(self.to, ForeignBus):
            named = _BUS.fullmatch(self.to.arn)
            return "-".join(["bus", *words(f"{named['name']}-{named['account']}")]) if named else "bus"
        return self.to.component

    @property
    def functions(self) -> list[QueueConsumer]:
        """The functions that events come to, directly or through a queue."""
        if isinstance(self.to, PaymentLambda):
            return [self.to]
        return list(self.to.consumers) if isinstance(self.to, Queue) else []


def as_target(target: object) -> EventTarget:
    """Return a target with the defaults when it is a construct alone."""
    return target if isinstance(target, EventTarget) else EventTarget(target)  # type: ignore[arg-type]


def check_target(
    problems: Problems, argument: str, target: EventTarget, region: Region, samples: Sequence[Mapping[str, Any]]
) -> None:
    """Note what EventBridge refuses of a target, or delivers nowhere."""
    to = target.to
    if not isinstance(to, (PaymentLambda, Queue, Bus, ForeignBus)):
        problems.add(
            argument, to, "must be a PaymentLambda, a Queue, an EventBus, a ForeignBus, or an EventTarget with one"
        )
        return
    for name, value, (low, high) in (
        ("max_age_seconds", target.max_age_seconds, MAX_AGE),
        ("max_attempts", target.max_attempts, MAX_ATTEMPTS),
    ):
        problems.check_whole(f"{argument}.{name}", value, low, high)
    if isinstance(to, (PaymentLambda, Queue)):
        problems.check(
            to.region is region,
            argument,
            to.path,
            f"must be in the bus's region and stack, {region.name} of {region.stack.path}; send to an EventBus there",
        )
    fifo = isinstance(to, Queue) and to.fifo
    problems.check(
        bool(target.message_group) == fifo,
        f"{argument}.message_group",
        target.message_group,
        "is required for a FIFO queue" if fifo else "has an effect on FIFO queues only; leave it out",
    )
    problems.check(
        not isinstance(to, Queue) or to.fifo_options is None or to.fifo_options.content_based_deduplication,
        argument,
        getattr(to, "path", to),
        "must have fifo=Fifo(content_based_deduplication=True): EventBridge gives its messages no deduplication id",
    )
    dead = target.dead_letter_queue
    if dead is not None:
        problems.check(
            dead.region is region and not dead.fifo,
            f"{argument}.dead_letter_queue",
            dead.path,
            "must be a standard queue of the bus's region and stack",
        )
    if isinstance(to, ForeignBus):
        named = _BUS.fullmatch(to.arn) if isinstance(to.arn, str) else None
        problems.check(
            is_token(to.arn) or (named and named["partition"] == region.partition),
            argument,
            to.arn,
            f"must be the ARN of a bus, arn:{region.partition}:events:region:account:event-bus/name",
        )
    _check_input(problems, argument, target, samples)


def _check_input(problems: Problems, argument: str, target: EventTarget, samples: Sequence[Mapping[str, Any]]) -> None:
    given = {
        name: value for name in ("input", "input_path", "transformer") if (value := getattr(target, name)) is not None
    }
    problems.check(len(given) <= 1, argument, sorted(given), "must have one of input, input_path and transformer")
    if given and not isinstance(target.to, (PaymentLambda, Queue)):
        problems.add(argument, sorted(given), "has no effect on a bus, which is given the whole event; leave it out")
    if target.input is not None:
        problems.check(is_json(target.input), f"{argument}.input", target.input, "must be JSON")
    paths = dict(target.transformer.paths) if target.transformer else {}
    if target.input_path is not None:
        _check_path(problems, f"{argument}.input_path", target.input_path, samples)
    for name, path in paths.items():
        problems.check(
            _NAME.fullmatch(name) and not name.upper().startswith("AWS"),
            f"{argument}.transformer.paths",
            name,
            "must be letters, digits and underscores, and not begin with AWS",
        )
        _check_path(problems, f"{argument}.transformer.paths[{name!r}]", path, samples)
    if target.transformer:
        _check_template(problems, f"{argument}.transformer", target.transformer)


def _check_path(problems: Problems, argument: str, path: str, samples: Sequence[Mapping[str, Any]]) -> None:
    if problems.check(
        isinstance(path, str) and _PATH.fullmatch(path), argument, path, "must be a path such as '$.detail.id'"
    ):
        problems.check(
            not samples or any(resolve(path, sample) is not None for sample in samples),
            argument,
            path,
            "names nothing in any of the samples, and the target would be given nothing",
        )


def _check_template(problems: Problems, argument: str, transformer: InputTransformer) -> None:
    problems.check(
        len(transformer.paths) <= MAX_PATHS, f"{argument}.paths", len(transformer.paths), f"must be at most {MAX_PATHS}"
    )
    problems.check(
        0 < len(transformer.template) <= MAX_INPUT,
        f"{argument}.template",
        transformer.template,
        f"must have 1 to {MAX_INPUT} characters",
    )
    used = {name for name in _PLACEHOLDER.findall(transformer.template) if not name.startswith(_OWN)}
    for name in sorted(used - set(transformer.paths)):
        problems.add(f"{argument}.template", f"<{name}>", "is no name of paths")
    for name in sorted(set(transformer.paths) - used):
        problems.add(f"{argument}.paths", name, "is not used in the template")
