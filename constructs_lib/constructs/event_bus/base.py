"""The attributes of an event bus that its rules and targets use."""

from __future__ import annotations

from typing import NamedTuple

from constructs_lib._engine import aws
from constructs_lib.constructs.queue import DeadLetterQueue
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Grantee


class Sender(NamedTuple):
    """A grant of `EventBus.grant_put`."""

    grantee: Grantee
    sources: tuple[str, ...]
    detail_types: tuple[str, ...]


class Bus(HardenedConstruct):
    """The base of `EventBus`."""

    name: str
    resource: aws.cloudwatch_event_bus.CloudwatchEventBus
    dead_letter_queue: DeadLetterQueue
    senders: list[Sender]
