"""What an event is, and the message in which the functions hand it on.

    {"id": "order-4711-created", "type": "order.created", "occurred_at": "2026-11-22T09:30:00Z", "data": {...}}

`id` is the caller's and makes the event what it is: one that comes twice is stored once. `type` becomes the detail
type on the bus. `occurred_at` is RFC 3339 with an offset, and is kept in UTC. `data` is any JSON object; the whole
event may have 65,536 bytes.

A message is what travels as the detail of a bus event and in the queues: `{"event": {...}, "metadata": {...}}`. The
metadata are texts, `correlation_id` and `received_at` among them.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

MAX_EVENT_BYTES = 65_536

ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
TYPE = re.compile(r"(?=.{1,64}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)")
FIELDS = ("id", "type", "occurred_at", "data")
METADATA = ("correlation_id", "received_at")


@dataclass(frozen=True)
class Problem:
    """One reason why something is refused; the message never repeats a value of the request."""

    code: str
    message: str
    field: str | None = None


class InvalidError(Exception):
    """An event or a message is refused, for these problems; it will be refused again."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def codes(self) -> list[str]:
        """The codes of the problems, for a log."""
        return sorted({problem.code for problem in self.problems})


@dataclass(frozen=True)
class Event:
    """An event that passed every check."""

    id: str
    type: str
    occurred_at: str
    data: dict[str, object] = field(repr=False)


@dataclass(frozen=True)
class Message:
    """An event on its way, and what the functions noted about it."""

    event: Event
    metadata: dict[str, str]

    def text(self) -> str:
        """Return the message as JSON."""
        return compact(asdict(self))


def compact(value: object) -> str:
    """Return JSON without spaces, its keys sorted: the same content is the same text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=True)


def size(text: str) -> int:
    """Return the bytes of a text."""
    return len(text.encode())


def read_json(text: str) -> object:
    """Return what a JSON text says.

    Raises:
        InvalidError: It is not JSON, or a key occurs twice in an object: Python alone would keep the last.
    """
    try:
        # Python also reads NaN, Infinity and -Infinity; as an `int` they are a ValueError.
        return json.loads(text, object_pairs_hook=_object_of_unique_keys, parse_constant=int)
    except (ValueError, RecursionError):
        raise InvalidError(Problem("invalid_json", "the body is not valid JSON")) from None


def parse_event(value: object) -> Event:
    """Return an event.

    Raises:
        InvalidError: Every problem in it.
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
    """Return a message.

    Raises:
        InvalidError: It is none, or its event is none.
    """
    metadata = value.get("metadata") if isinstance(value, dict) else None
    texts = isinstance(metadata, dict) and all(isinstance(text, str) for text in metadata.values())
    if not isinstance(value, dict) or not isinstance(metadata, dict) or not texts or set(METADATA) - metadata.keys():
        raise InvalidError(Problem("invalid_message", "a message must be an event and its metadata"))
    return Message(parse_event(value.get("event")), metadata)


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return _text_of(datetime.now(UTC))


def _object_of_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


def _moment(value: object) -> str | None:
    """Return a time in UTC, or None where it is no time."""
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
        length = size(compact(value))
    except (ValueError, RecursionError):  # half a surrogate pair, or a number that is infinite as a float
        return [Problem("invalid_value", "data holds a text or a number that cannot be sent on", "data")]
    if length > MAX_EVENT_BYTES:
        return [Problem("event_too_large", f"an event may have {MAX_EVENT_BYTES} bytes at most")]
    return []
