"""EventBus: an encrypted EventBridge bus whose rules have tested patterns, retries and a dead-letter queue."""

from constructs_lib.constructs.event_bus.bus import EventBus
from constructs_lib.constructs.event_bus.rule import AcceptedLoop, EventRule
from constructs_lib.constructs.event_bus.targets import EventTarget, ExternalEventBus, InputTransformer

__all__ = ["AcceptedLoop", "EventBus", "EventRule", "EventTarget", "ExternalEventBus", "InputTransformer"]
