"""What rules and targets know of an event bus."""

from __future__ import annotations

from typing import NamedTuple

from constructs_lib._engine import aws
from constructs_lib.constructs.queue import DeadLetterQueue
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Grantee


class Sender(NamedTuple):
    """Who may put which events into a bus."""

    grantee: Grantee
    sources: tuple[str, ...]
    detail_types: tuple[str, ...]


class Bus(HardenedConstruct):
    """A bus; `EventBus` creates one."""

    name: str
    resource: aws.cloudwatch_event_bus.CloudwatchEventBus
    dead_letter_queue: DeadLetterQueue
    senders: list[Sender]
