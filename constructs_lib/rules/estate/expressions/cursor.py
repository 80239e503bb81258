"""A position in a string, and the token at it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.errors import UnreadableError

if TYPE_CHECKING:
    from constructs_lib.rules.estate.expressions.reference import Reference

DEEPEST: Final = 80
"""Levels of nesting; a policy document has about ten."""

_COMMENT: Final = r"(?:\#|//)[^\n]*+ | /\*(?s:.*?)\*/"
_ALTERNATIVES: Final = r"""
    (?P<name>[^\W\d][\w-]*+)
  | (?P<number>\d++(?:\.\d++)?+(?:[eE][+-]?+\d++)?+)
  | (?P<string>"[^"\\$%\n]*+")
  | (?P<quote>")
  | (?P<heredoc><<-?+[^\W\d][\w-]*+[ \t]*+\r?+\n)
  | (?P<sign>\.\.\.|=>|==|!=|<=|>=|&&|\|\||::|~\}|[-+*/%<>!?:.,()\[\]{}=\n])
  | (?P<end>\Z)
"""
_ON_ONE_LINE: Final = re.compile(rf"(?: [ \t\r]++ | {_COMMENT} )*+ (?: {_ALTERNATIVES} )", re.VERBOSE)
_ON_ANY_LINE: Final = re.compile(rf"(?: [ \t\r\n]++ | {_COMMENT} )*+ (?: {_ALTERNATIVES} )", re.VERBOSE)
_KINDS: Final = ("", *_ON_ANY_LINE.groupindex)


@dataclass
class Cursor:
    """Steps through a string token by token.

    Attributes:
        text: The template string.
        references: The references found so far.
        bound: Names that for-expressions around the present place declare.
        depth: Levels of nesting around the present place.
        kind: Kind of the present token, such as `name`.
        now: The present token.
        start: Where it starts.
        position: Where it ends.
        last: Where the token before it ends.
        lines: Whether the end of a line is a token, as within `{}`.
        trim: Whether a `~}` takes the blanks away that follow.
    """

    text: str
    references: list[Reference] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    depth: int = 0
    kind: str = ""
    now: str = ""
    start: int = 0
    position: int = 0
    last: int = 0
    lines: bool = False
    trim: bool = False

    def advance(self) -> None:
        """Go to the next token."""
        match = (_ON_ONE_LINE if self.lines else _ON_ANY_LINE).match(self.text, self.position)
        if match is None:
            raise UnreadableError(f"unexpected character after {self._before(self.position)}")
        group = match.lastindex or 0
        self.kind, self.now, self.last = _KINDS[group], match[group], self.position
        self.start, self.position = match.span(group)

    def expect(self, token: str) -> None:
        """Raise an error unless the current token is this one."""
        if self.now != token:
            found = repr(self.now) if self.now else "the end"
            raise UnreadableError(f"{token!r} expected instead of {found} after {self._before(self.start)}")

    def take(self, token: str) -> None:
        """Consume the current token."""
        self.expect(token)
        self.advance()

    def word(self) -> str:
        """Consume a name and return it."""
        if self.kind != "name":
            raise UnreadableError(f"a name expected after {self._before(self.start)}")
        name = self.now
        self.advance()
        return name

    def open(self, *, lines: bool = False) -> bool:
        """Consume an opening bracket; return the state that `close` restores."""
        around, self.lines = self.lines, lines
        self.advance()
        return around

    def close(self, token: str, *, around: bool) -> None:
        """Consume the closing bracket of `open`."""
        self.expect(token)
        self.lines = around
        self.advance()

    def deeper(self) -> None:
        """Enter a level of nesting.

        Raises:
            UnreadableError: There are too many.
        """
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError("nested too deeply")

    def skip_lines(self) -> None:
        """Skip line breaks."""
        while self.now == "\n":
            self.advance()

    def surprise(self, wanted: str) -> UnreadableError:
        """Return the error for an unexpected token."""
        found = repr(self.now) if self.now else "the end"
        return UnreadableError(f"{wanted} expected instead of {found} after {self._before(self.start)}")

    def _before(self, position: int) -> str:
        return repr(self.text[max(0, position - 20) : position])
