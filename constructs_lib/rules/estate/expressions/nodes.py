"""The syntax tree of an expression, and how its nodes are evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.arithmetic import calculate
from constructs_lib.rules.estate.expressions.conversions import (
    LARGEST,
    LONGEST,
    boolean,
    bounded,
    equal,
    items,
    number,
    text,
    tidy,
    written,
)
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.navigation import element, pairs_of, spread, step
from constructs_lib.rules.estate.values import Encoded, Invalid, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from constructs_lib.rules.estate.expressions.reference import Reference

Span = tuple[str, int, int]
"""A text, where a part of it begins, and where it ends."""

NOWHERE: Final[Span] = ("", 0, 0)
_LONGEST_SOURCE: Final = 2_000


@dataclass(slots=True)
class Scope:
    """The values of references and variables.

    Attributes:
        resolve: What references mean.
        names: What the variables of for-expressions mean.
        turns: Turns that all loops together may still take, in a list that all scopes share.
    """

    resolve: Callable[[Reference], object]
    names: dict[str, object] = field(default_factory=dict)
    turns: list[int] = field(default_factory=lambda: [LARGEST])

    def within(self, names: Iterable[str], values: Iterable[object]) -> Scope:
        """Return the scope of one turn of a loop."""
        self.turns[0] -= 1
        if self.turns[0] < 0:
            raise UndecidedError("too large")
        return Scope(self.resolve, {**self.names, **dict(zip(names, values, strict=True))}, self.turns)


@dataclass(slots=True)
class Node:
    """A part of an expression."""

    span: Span

    @property
    def source(self) -> str:
        """The source text."""
        whole, begin, end = self.span
        return whole[begin:end] if end - begin <= _LONGEST_SOURCE else f"{whole[begin : begin + _LONGEST_SOURCE]}…"

    @property
    def template(self) -> str:
        """The source text within a template."""
        return f"${{{self.source.strip()}}}"

    def value(self, scope: Scope) -> object:
        """Return its value.

        Raises:
            RefusedError: Terraform fails to evaluate it.
            UndecidedError: The value cannot be determined here.
        """
        raise NotImplementedError

    def unknown(self, because: Unknown) -> Unknown:
        """Return that it is unknown, for the reason that a part of it is."""
        return Unknown(because.reason, self.template)


@dataclass(slots=True)
class Literal(Node):
    """A literal value."""

    content: object

    def value(self, scope: Scope) -> object:  # noqa: ARG002
        """Return it."""
        return self.content


@dataclass(slots=True)
class Variable(Node):
    """A variable of a for-expression."""

    name: str

    def value(self, scope: Scope) -> object:
        """Return what it is in this turn."""
        return scope.names[self.name]


@dataclass(slots=True)
class Lookup(Node):
    """A reference, and those of its indexes that are expressions."""

    reference: Reference
    indexes: tuple[tuple[int, Node], ...]

    def value(self, scope: Scope) -> object:
        """Return what the caller says."""
        reference = self.reference
        if self.indexes:
            path = list(reference.path)
            for position, node in self.indexes:
                index = node.value(scope)
                path[position] = index if isinstance(index, Unknown) else step(index)
            reference = replace(reference, path=tuple(path))
        return resolved(reference, self.template, scope.resolve)


def resolved(reference: Reference, template: str, resolve: Callable[[Reference], object]) -> object:
    """Return the value of a reference; an unknown value has the reference as its text."""
    value = resolve(reference)
    if isinstance(value, Invalid):
        raise RefusedError(value.reason)
    if isinstance(value, Unknown) and not ("${" in value.text or "%{" in value.text):
        return replace(value, text=template)
    return value


@dataclass(slots=True)
class Template(Node):
    """Text with expressions in it."""

    parts: tuple[str | Node, ...]

    def value(self, scope: Scope) -> object:
        """Return the text; if a part of it is unknown, with what is known."""
        pieces: list[str | Unknown] = []
        first: Unknown | None = None
        length = 0
        for part in self.parts:
            value = part if isinstance(part, str) else part.value(scope)
            if isinstance(value, Unknown):
                first = first or value
                pieces.append(value)
            else:
                pieces.append(text(value))
            length += len(pieces[-1]) if isinstance(pieces[-1], str) else 0
            if length > LONGEST:
                raise UndecidedError("too large")
        if first is None:
            return "".join(map(str, pieces))
        return Unknown(first.reason, written(pieces))


@dataclass(slots=True)
class Tuple(Node):
    """`[a, b]`."""

    elements: tuple[str | Node, ...]

    def value(self, scope: Scope) -> object:
        """Return a list."""
        return [part if isinstance(part, str) else part.value(scope) for part in self.elements]


@dataclass(slots=True)
class Object(Node):
    """`{a = b}`."""

    pairs: tuple[tuple[str | Node, str | Node], ...]

    def value(self, scope: Scope) -> object:
        """Return a dict; an unknown key makes it unknown."""
        found: dict[str, object] = {}
        for key, content in self.pairs:
            name = key if isinstance(key, str) else key.value(scope)
            if isinstance(name, Unknown):
                return self.unknown(name)
            found[text(name)] = content if isinstance(content, str) else content.value(scope)
        return found


@dataclass(slots=True)
class Conditional(Node):
    """`a ? b : c`."""

    condition: Node
    yes: Node
    no: Node

    def value(self, scope: Scope) -> object:
        """Return the branch that a known condition takes."""
        condition = self.condition.value(scope)
        if isinstance(condition, Unknown):
            return self.unknown(condition)
        taken, other = (self.yes, self.no) if boolean(condition) else (self.no, self.yes)
        value = taken.value(scope)
        if isinstance(value, (int, float)):  # becomes text if the other branch is text
            try:
                value = text(value) if isinstance(other.value(scope), str) else value
            except (RefusedError, UndecidedError):
                return value
        return value


@dataclass(slots=True)
class Unary(Node):
    """`-a` or `!a`."""

    sign: str
    operand: Node

    def value(self, scope: Scope) -> object:
        """Return the opposite."""
        value = self.operand.value(scope)
        if isinstance(value, Unknown):
            return self.unknown(value)
        return not boolean(value) if self.sign == "!" else tidy(-number(value))


@dataclass(slots=True)
class Binary(Node):
    """A binary operator with its operands."""

    sign: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> object:
        """Return the result."""
        if self.sign in {"&&", "||"}:
            return self._logical(scope)
        left, right = self.left.value(scope), self.right.value(scope)
        if self.sign in {"==", "!="}:
            same = equal(left, right)
            if isinstance(same, Unknown):
                return self.unknown(same)
            return same == (self.sign == "==")
        for side in (left, right):
            if isinstance(side, Unknown):
                return self.unknown(side)
        return calculate(self.sign, left, right)

    def _logical(self, scope: Scope) -> object:
        decisive = self.sign == "||"
        open_: Unknown | None = None
        for side in (self.left, self.right):
            value = side.value(scope)
            if isinstance(value, Unknown):
                open_ = open_ or value
            elif boolean(value) is decisive:
                return decisive
        return self.unknown(open_) if open_ else not decisive


@dataclass(slots=True)
class Get(Node):
    """`a[b]` or `a.b`, where a is no reference."""

    base: Node
    key: Node

    def value(self, scope: Scope) -> object:
        """Return the element."""
        base, key = self.base.value(scope), self.key.value(scope)
        for part in (base, key):
            if isinstance(part, Unknown):
                return self.unknown(part)
        return element(base, step(key))


@dataclass(slots=True)
class Splat(Node):
    """`a[*].b`, where a is no reference."""

    base: Node
    item: Node

    def value(self, scope: Scope) -> object:
        """Return the list of what each element has."""
        base = self.base.value(scope)
        if isinstance(base, Unknown):
            return self.unknown(base)
        return [self.item.value(scope.within("*", [item])) for item in spread(base)]


@dataclass(slots=True)
class For(Node):
    """`[for k, v in a : b if c]` or `{for k, v in a : b => c... if d}`."""

    names: tuple[str, ...]
    items: Node
    key: Node | None
    content: Node
    condition: Node | None
    grouped: bool

    def value(self, scope: Scope) -> object:
        """Return a list or a dict; an unknown condition or key makes it unknown."""
        given = self.items.value(scope)
        if isinstance(given, Unknown):
            return self.unknown(given)
        results: list[object] = []
        by_key: dict[str, object] = {}
        for pair in pairs_of(given):
            inner = scope.within(self.names, pair[2 - len(self.names) :])
            keep = self.condition.value(inner) if self.condition else True
            key = self.key.value(inner) if self.key else ""
            for part in (keep, key):
                if isinstance(part, Unknown):
                    return self.unknown(part)
            if not boolean(keep):
                continue
            content = self.content.value(inner)
            if self.key is None:
                results.append(content)
            else:
                self._put(by_key, text(key), content)
        return bounded(results if self.key is None else by_key)

    def _put(self, found: dict[str, object], key: str, content: object) -> None:
        if self.grouped:
            group = found.setdefault(key, [])
            if isinstance(group, list):
                group.append(content)
        elif key in found:
            raise RefusedError(f"duplicate key {key!r}")
        else:
            found[key] = content


@dataclass(slots=True)
class Joined(Node):
    """`%{ for x in a }b%{ endfor }`."""

    loop: For

    def value(self, scope: Scope) -> object:
        """Return the text of all turns."""
        turns = self.loop.value(scope)
        if isinstance(turns, Unknown):
            return self.unknown(turns)
        return Template(self.span, tuple(Literal(NOWHERE, turn) for turn in items(turns))).value(scope)


@dataclass(slots=True)
class Call(Node):
    """`f(a, b)`."""

    name: str
    arguments: tuple[Node, ...]
    expanded: bool

    def value(self, scope: Scope) -> object:
        """Return the result; `try` and `can` look at their arguments themselves."""
        if self.name in {"try", "can"}:
            return self._attempt(scope)
        from constructs_lib.rules.estate.expressions.functions import apply  # noqa: PLC0415  most texts call none

        values = [argument.value(scope) for argument in self.arguments]
        if self.expanded and values:
            last = values.pop()
            if isinstance(last, Unknown):
                return self.unknown(last)
            if not isinstance(last, list):
                raise RefusedError("only a list can be expanded with ...")
            values += last
        found = apply(self.name, values)
        if isinstance(found, Unknown) and not found.text:
            return self.unknown(found)
        return found

    def _attempt(self, scope: Scope) -> object:
        for argument in self.arguments:
            try:
                value = argument.value(scope)
            except RefusedError:
                continue
            if isinstance(value, Unknown) and not isinstance(value, Encoded):
                return self.unknown(value)
            return value if self.name == "try" else True
        if self.name == "can":
            return False
        raise RefusedError("try() has no argument that can be evaluated")
