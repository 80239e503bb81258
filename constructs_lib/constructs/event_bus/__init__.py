"""EventBus: an encrypted bus with rules that are tried on sample events, and nothing that gets lost."""

from constructs_lib.constructs.event_bus.bus import EventBus
from constructs_lib.constructs.event_bus.rule import AcceptedLoop, EventRule
from constructs_lib.constructs.event_bus.targets import EventTarget, ForeignBus, InputTransformer

__all__ = ["AcceptedLoop", "EventBus", "EventRule", "EventTarget", "ForeignBus", "InputTransformer"]
