"""References of expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from constructs_lib.rules.estate.expressions.errors import UnreadableError
from constructs_lib.rules.estate.values import Unknown

Step = str | int | Unknown

TYPED: Final = frozenset({"data", "ephemeral", "resource"})
"""Words that a type and a name follow."""
NAMED: Final = frozenset({"local", "var", "module", "each", "count", "path", "terraform"})
"""Words that a name follows."""

_NAME: Final = r"[^\W\d][\w-]*+"
_STEPS: Final = rf"(?:\.{_NAME}|\.\d{{1,9}}+|\[\d{{1,9}}+\]|\[\"[^\"\\$%\n]*+\"\])"
_DOTTED: Final = re.compile(rf"\$\{{({_NAME}(?:\.{_NAME})++)\}}")
_PLAIN: Final = re.compile(rf"\$\{{\s*+({_NAME}{_STEPS}++)\s*+\}}")
_STEP: Final = re.compile(rf"\.({_NAME})|[.\[](\d++)\]?|\[\"([^\"]*+)\"\]")
_WITHIN: Final = re.compile(rf"(?<![\w.\"-]){_NAME}{_STEPS}++")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to something that the configuration declares, or that Terraform provides.

    Attributes:
        kind: `resource`, `data`, `ephemeral`, `local`, `var`, `module`, `each`, `count`, `path`, `terraform`, `self`.
        type: The type of a resource or data source, else empty.
        name: The name of the block; `key`, `value`, `index`, `workspace`, `module`, `root` of what Terraform provides;
            empty for `self`.
        path: What follows: names of attributes, known indexes and keys, `*` for a splat; an index that is itself an
            expression is Unknown.
        text: As written, such as `aws_kms_key.k.arn`.
    """

    kind: str
    type: str
    name: str
    path: tuple[Step, ...]
    text: str

    @property
    def block(self) -> str:
        """Address of the block: `aws_kms_key.k`, `data.aws_x.y`, `local.a`, `var.b`, `module.m`."""
        if self.kind == "resource":
            return f"{self.type}.{self.name}"
        return ".".join(part for part in (self.kind, self.type, self.name) if part)


def make_reference(steps: list[Step], text: str) -> Reference:
    """Return the reference that a name and the steps after it are.

    Raises:
        UnreadableError: Too few steps, such as a resource type without a name.
    """
    first = steps[0]
    if first in TYPED:
        kind, length = str(first), 3
    elif first in NAMED:
        kind, length = str(first), 2
    elif first == "self":
        return Reference("self", "", "", tuple(steps[1:]), text)
    else:
        kind, length = "resource", 2
    words = [step for step in steps[:length] if isinstance(step, str) and step != "*"]
    if len(words) < length:
        raise UnreadableError(f"{text} does not name a {kind}")
    named = kind in NAMED
    return Reference(kind, "" if named else words[-2], words[-1], tuple(steps[length:]), text)


def plain_reference(text: str) -> Reference | None:
    """Return the reference of a string such as `${aws_kms_key.k.arn}`, or None for any other string."""
    if match := _DOTTED.fullmatch(text):
        return make_reference(list(match[1].split(".")), match[1]) if is_complete(match[1]) else None
    if (match := _PLAIN.fullmatch(text)) and is_complete(match[1]):
        return _read_reference(match[1])
    return None


def scan(text: str) -> tuple[Reference, ...]:
    """Return what looks like references in a string that cannot be parsed."""
    start = text.find("${")
    start = text.find("%{") if start < 0 else start
    if start < 0:
        return ()
    found = (match[0] for match in _WITHIN.finditer(text, start))
    likely = (each for each in found if is_complete(each) and (_head(each) in TYPED | NAMED or "_" in _head(each)))
    return tuple(_read_reference(each) for each in likely)


def _head(text: str) -> str:
    return text.partition(".")[0].partition("[")[0]


def is_complete(text: str) -> bool:
    """Whether enough names follow the first one."""
    names = text.split("[", 1)[0].split(".")
    if names[0] in {"true", "false", "null"}:
        return False
    wanted = 3 if names[0] in TYPED else 1 if names[0] == "self" else 2
    return len(names) >= wanted and not any(name.isdigit() for name in names[:wanted])


def _read_reference(text: str) -> Reference:
    head = _head(text)
    steps: list[Step] = [head]
    for name, index, key in _STEP.findall(text, len(head)):
        steps.append(name or (int(index) if index else key))
    return make_reference(steps, text)
