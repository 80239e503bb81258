"""The schema of an event, and of the message that carries it from function to function.

    {"id": "order-4711-created", "type": "order.created", "occurred_at": "2026-11-22T09:30:00Z", "data": {...}}

`id` is chosen by the caller and is the idempotency key: an event that is sent twice is stored once. `type` is the
detail type on the bus. `occurred_at` is RFC 3339 with an offset, and is converted to UTC. `data` is any JSON object of
at most 100 levels. The event has at most 65,536 bytes. Numbers are exact: they keep all digits, and trailing zeros.

A message is the detail of a bus event and the body of a queue's message: `{"event": {...}, "metadata": {...}}`. The
metadata are strings and include `correlation_id` and `received_at`.
"""

import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

MAX_EVENT_BYTES = 65_536
MAX_LEVELS = 100
_MESSAGE_LEVELS = MAX_LEVELS + 2

ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
TYPE = re.compile(r"(?=.{1,64}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)")
FIELDS = ("id", "type", "occurred_at", "data")
METADATA = ("correlation_id", "received_at")


@dataclass(frozen=True)
class Problem:
    """A reason for a refusal; its message never contains a value of the request."""

    code: str
    message: str
    field: str | None = None


class InvalidError(Exception):
    """An event or a message is invalid; a retry does not help."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def codes(self) -> list[str]:
        """The codes of the problems, for logs."""
        return sorted({problem.code for problem in self.problems})


@dataclass(frozen=True)
class Event:
    """A valid event."""

    id: str
    type: str
    occurred_at: str
    data: dict[str, object] = field(repr=False)


@dataclass(frozen=True)
class Message:
    """An event and its metadata."""

    event: Event
    metadata: dict[str, str]

    def text(self) -> str:
        """Return the message as JSON."""
        event = {name: getattr(self.event, name) for name in FIELDS}
        return compact({"event": event, "metadata": self.metadata}, _MESSAGE_LEVELS)


def compact(value: object, levels: int = _MESSAGE_LEVELS) -> str:
    """Return JSON without spaces, with sorted keys and exact numbers; `json` has no exact ones.

    Raises:
        ValueError: A number that is infinite as a float, which other JSON parsers refuse, or too many levels.
    """
    if isinstance(value, (dict, list)) and not levels:
        raise ValueError("too many levels")
    if isinstance(value, dict):
        return f"{{{','.join(f'{compact(key)}:{compact(value[key], levels - 1)}' for key in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(compact(item, levels - 1) for item in value)}]"
    if isinstance(value, Decimal):
        if not math.isfinite(float(value)):
            raise ValueError("a number beyond the range of a float")
        return str(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def is_same(one: object, other: object) -> bool:
    """Return whether two JSON values are equal; numbers are equal by value, as 12.50 and 12.5 are."""
    if isinstance(one, bool) or isinstance(other, bool):  # in Python, True == 1
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return one == other


def size(text: str) -> int:
    """Return the size of a string in bytes."""
    return len(text.encode())


def read_json(text: str) -> object:
    """Return the value of a JSON text; numbers with a fraction or an exponent are `Decimal`.

    Raises:
        InvalidError: Not JSON, or a duplicate key in an object, of which `json` would keep the last.
    """
    try:
        # `json` also accepts NaN, Infinity and -Infinity; `int` refuses them with a ValueError.
        return json.loads(text, object_pairs_hook=_object_of_unique_keys, parse_constant=int, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        raise InvalidError(Problem("invalid_json", "the body is not valid JSON")) from None


def parse_event(value: object) -> Event:
    """Return a valid event.

    Raises:
        InvalidError: With all problems of the event.
    """
    if not isinstance(value, dict):
        raise InvalidError(Problem("not_an_object", "an event must be a JSON object"))
    problems = [Problem("missing_field", f"{name} is required", name) for name in FIELDS if name not in value]
    if value.keys() - set(FIELDS):
        problems.append(Problem("unknown_field", f"an event has the fields {', '.join(FIELDS)} and no others"))
    id_, type_, data = value.get("id"), value.get("type"), value.get("data")
    occurred_at = _moment(value.get("occurred_at"))
    if "id" in value and not (isinstance(id_, str) and ID.fullmatch(id_)):
        message = "id must be a string of 8 to 64 letters, digits, hyphens and underscores"
        problems.append(Problem("invalid_format", message, "id"))
    if "type" in value and not (isinstance(type_, str) and TYPE.fullmatch(type_)):
        message = (
            "type must be lower-case words with dots between them, such as order.created, of at most 64 characters"
        )
        problems.append(Problem("invalid_format", message, "type"))
    if "occurred_at" in value and occurred_at is None:
        message = "occurred_at must be a time with its offset, such as 2026-11-22T09:30:00Z (RFC 3339)"
        problems.append(Problem("invalid_format", message, "occurred_at"))
    if "data" in value and not isinstance(data, dict):
        problems.append(Problem("invalid_type", "data must be a JSON object", "data"))
    if not problems:
        problems.extend(_size_problems(value))
    if problems:
        raise InvalidError(*problems)
    return Event(str(id_), str(type_), str(occurred_at), data if isinstance(data, dict) else {})


def parse_message(value: object) -> Message:
    """Return a valid message.

    Raises:
        InvalidError: Not a message, or its event is invalid.
    """
    metadata = value.get("metadata") if isinstance(value, dict) else None
    texts = isinstance(metadata, dict) and all(isinstance(text, str) for text in metadata.values())
    if not isinstance(value, dict) or not isinstance(metadata, dict) or not texts or set(METADATA) - metadata.keys():
        raise InvalidError(Problem("invalid_message", "a message must be an event and its metadata"))
    return Message(parse_event(value.get("event")), metadata)


def now() -> str:
    """Return the current time in UTC with milliseconds."""
    return _text_of(datetime.now(UTC))


def _object_of_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


def _moment(value: object) -> str | None:
    """Return a time in UTC; None if the value is not a time."""
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        return None
    try:
        return _text_of(datetime.fromisoformat(value.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _text_of(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _size_problems(value: dict[str, object]) -> list[Problem]:
    try:
        length = size(compact(value, MAX_LEVELS + 1))
    except ValueError:  # half a surrogate pair, a number that is infinite as a float, or too many levels
        message = f"data has a string or a number that other JSON parsers refuse, or more than {MAX_LEVELS} levels"
        return [Problem("invalid_value", message, "data")]
    if length > MAX_EVENT_BYTES:
        return [Problem("event_too_large", f"an event may have {MAX_EVENT_BYTES} bytes at most")]
    return []
