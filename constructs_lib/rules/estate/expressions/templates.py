"""Parses templates: text with interpolations and directives, quoted or not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions import nodes
from constructs_lib.rules.estate.expressions.cursor import Cursor
from constructs_lib.rules.estate.expressions.errors import UnreadableError
from constructs_lib.rules.estate.expressions.reference import is_complete, make_reference

if TYPE_CHECKING:
    from constructs_lib.rules.estate.expressions.nodes import Node

_MARKS: Final = r"\$\$\{|%%\{|\$\{~?+|%\{~?+"
BARE: Final = re.compile(_MARKS)
QUOTED: Final = re.compile(rf'{_MARKS}|"|\n|\\(?:u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|.|\Z)')
_DOTTED: Final = re.compile(r"(([^\W\d][\w-]*+)(?:\.[^\W\d][\w-]*+)++)\}")
_ESCAPES: Final = {"\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"', "\\\\": "\\", "$${": "${", "%%{": "%{"}
_LAST_CHARACTER: Final = 0x10FFFF


class Templates(Cursor):
    """Parses templates; the subclass parses expressions."""

    def expression(self) -> Node:
        """Return the expression at the present place."""
        raise NotImplementedError

    def loop(self) -> tuple[list[str], Node]:
        """Return the names and the collection of `for k, v in collection`."""
        raise NotImplementedError

    def read(self) -> Node:
        """Return the node of the whole text.

        Raises:
            UnreadableError: Terraform cannot parse it.
        """
        return self._template(BARE, ())[0]

    def quoted(self) -> Node:
        """Return the string at the present place, and go past it."""
        around = self.lines
        node, _ = self._template(QUOTED, ())
        self.lines = around
        self.advance()
        return node

    def heredoc(self) -> Node:
        """Return the heredoc at the present place, and go past it."""
        opening = self.now.strip()
        marker = opening.lstrip("<-")
        end = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*\r?$", re.MULTILINE).search(self.text, self.position)
        if end is None:
            raise UnreadableError(f"heredoc is not closed with {marker}")
        body = self.text[self.position : end.start()]
        self.position = end.end()
        if opening.startswith("<<-"):
            lines = body.split("\n")
            indent = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
            body = "\n".join(line[indent:] for line in lines)
        inner = type(self)(body, self.references, self.bound, self.depth)
        node, _ = inner._template(BARE, ())  # noqa: SLF001  of this very class
        self.advance()
        return node

    def _template(self, pattern: re.Pattern[str], until: tuple[str, ...]) -> tuple[Node, str]:
        """Return the template at the present place, and the word of the directive that ends it, if one does."""
        self.deeper()
        begin = self.position
        parts: list[str | Node] = []
        plain = not until
        ended = ""
        if plain:
            self.trim = False
        while not ended:
            match = pattern.search(self.text, self.position)
            end = match.start() if match else len(self.text)
            self._add(parts, self.text[self.position : end], bare=pattern is BARE)
            self.position = match.end() if match else end
            mark = match[0] if match else ""
            if mark in {"", '"'}:
                if (mark == '"') != (pattern is QUOTED):
                    raise UnreadableError("string is not closed")
                break
            if not mark.startswith(("${", "%{")):
                self._add(parts, _unescape(mark), bare=pattern is BARE)
                continue
            if mark[-1] == "~":
                _strip_end(parts, bare=pattern is BARE)
            if mark == "${" and (plain_node := self._dotted()):
                parts.append(plain_node)
                continue
            around = self.open()
            if mark[0] == "$":
                parts.append(self.expression())
            else:
                plain = False
                word = self.word()
                if word in until:
                    ended = word
                else:
                    parts.append(self._directive(word, pattern))
            self._end()
            self.lines = around
        if until and not ended:
            raise UnreadableError(f"a directive without its %{{ {until[-1]} }}")
        self.depth -= 1
        return _whole((self.text, begin, self.position), parts, plain=plain), ended

    def _add(self, parts: list[str | Node], literal: str, *, bare: bool) -> None:
        if self.trim and literal:
            end = literal.find("\n") + 1 if bare else 0  # as in Terraform, not over the end of the line
            stripped = literal[: end or None].lstrip()
            self.trim = not (stripped or end)
            literal = stripped + literal[end:] if end else stripped
        if literal:
            parts.append(literal)

    def _dotted(self) -> Node | None:
        """Return a reference such as `aws_kms_key.k.arn}`, which most interpolations are, without tokens."""
        match = _DOTTED.match(self.text, self.position)
        if match is None or match[2] in self.bound or not is_complete(match[1]):
            return None
        reference = make_reference(list(match[1].split(".")), match[1])
        self.references.append(reference)
        self.position = match.end()
        return nodes.Lookup((self.text, *match.span(1)), reference, ())

    def _end(self) -> None:
        """Check that an interpolation or a directive ends here."""
        if self.now != "~}":
            self.expect("}")
        self.trim = self.now == "~}"

    def _directive(self, word: str, pattern: re.Pattern[str]) -> Node:
        """Return `%{ if }` or `%{ for }`; the present token is then what closes its end."""
        begin = self.start
        if word == "if":
            condition = self.expression()
            self._end()
            yes, ended = self._template(pattern, ("else", "endif"))
            no: Node = nodes.Literal(nodes.NOWHERE, "")
            if ended == "else":
                self._end()
                no, _ = self._template(pattern, ("endif",))
            return nodes.Conditional((self.text, begin, self.start), condition, yes, no)
        if word == "for":
            names, items = self.loop()
            self._end()
            self.bound += names
            content, _ = self._template(pattern, ("endfor",))
            del self.bound[-len(names) :]
            span = self.text, begin, self.start
            return nodes.Joined(span, nodes.For(span, tuple(names), items, None, content, None, grouped=False))
        raise UnreadableError(f"%{{ {word} }} is not a valid directive here")


def _unescape(mark: str) -> str:
    """Return the character that an escape sequence means."""
    if known := _ESCAPES.get(mark):
        return known
    if mark == "\n":
        raise UnreadableError("string spans several lines")
    digits = mark.lstrip("\\uU")
    code = int(digits, base=16) if len(mark) > len("\\u") else _LAST_CHARACTER + 1
    if code > _LAST_CHARACTER:
        raise UnreadableError(f"{mark} is no escape sequence")
    return chr(code)


def _strip_end(parts: list[str | Node], *, bare: bool) -> None:
    """Take the blanks away that stand before a `~`: as in Terraform, of one line, which quoted strings do not have."""
    while parts and isinstance(last := parts[-1], str):
        start = last.rfind("\n", 0, -1) + 1 if bare else 0
        parts[-1] = last[:start] + last[start:].rstrip()
        if parts[-1] or bare:
            return
        parts.pop()


def _whole(span: nodes.Span, parts: list[str | Node], *, plain: bool) -> Node:
    """Return one node for the parts: an interpolation that stands alone keeps its type."""
    if plain and len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return nodes.Literal(nodes.NOWHERE, "".join(texts))
    return nodes.Template(span, tuple(parts))
