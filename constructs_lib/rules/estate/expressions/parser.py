"""Reads expressions by precedence climbing over the tokens of one regular expression.

python-hcl2 8.1.4 gives a tree of an expression as well, but takes 1.2 s for the first and then 0.3 ms (a reference) to
1.1 ms (a policy document) for each, nearly all of it in lark: 30,000 strings would take 20 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions import nodes
from constructs_lib.rules.estate.expressions.conversions import read_number
from constructs_lib.rules.estate.expressions.reference import Step, make_reference
from constructs_lib.rules.estate.expressions.templates import Templates
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from constructs_lib.rules.estate.expressions.nodes import Node

_POWERS: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!="), 3),
    **dict.fromkeys(("<", ">", "<=", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "%"), 6),
}
_WORDS: Final = {"true": True, "false": False, "null": None}
_ENDS: Final = frozenset(",]}\n")
_SPLAT: Final = "*"


class Parser(Templates):
    """Reads one text."""

    def expression(self) -> Node:
        """Return the expression at the present place, and go past it."""
        self.deeper()
        begin = self.start
        node = self._operation(0)
        if self.now == "?":
            self.advance()
            yes = self.expression()
            self.take(":")
            no = self.expression()
            node = nodes.Conditional(self._since(begin), node, yes, no)
        self.depth -= 1
        return node

    def loop(self) -> tuple[list[str], Node]:
        """Return the names and the collection of `for k, v in collection`; the present token is behind `for`."""
        names = [self.word()]
        if self.now == ",":
            self.advance()
            names.append(self.word())
        self.take("in")
        return names, self.expression()

    def _since(self, begin: int) -> nodes.Span:
        return self.text, begin, self.last

    def _operation(self, minimum: int) -> Node:
        begin = self.start
        left = self._term()
        while (power := _POWERS.get(self.now, 0)) > minimum:
            sign = self.now
            self.advance()
            right = self._operation(power)
            left = nodes.Binary(self._since(begin), sign, left, right)
        return left

    def _term(self) -> Node:
        begin, kind, now = self.start, self.kind, self.now
        node: Node
        if kind == "string":
            self.advance()
            node = nodes.Literal(nodes.NOWHERE, now[1:-1])
        elif kind == "name":
            self.advance()
            node = self._named(now, begin)
        elif kind == "quote":
            node = self.quoted()
        elif kind == "number":
            self.advance()
            node = nodes.Literal(nodes.NOWHERE, read_number(now))
        elif now == "(":
            around = self.open()
            node = self.expression()
            self.close(")", around=around)
        elif now == "[":
            node = self._tuple(begin)
        elif now == "{":
            node = self._object(begin)
        elif kind == "heredoc":
            node = self.heredoc()
        elif now in {"-", "!"}:
            self.deeper()
            self.advance()
            operand = self._term()
            self.depth -= 1
            return nodes.Unary(self._since(begin), now, operand)
        else:
            raise self.surprise("a value")
        return self._rest(node, begin) if self.now in {".", "["} else node

    def _named(self, name: str, begin: int) -> Node:
        while self.now == "::":
            self.advance()
            name += f"::{self.word()}"
            if self.now != "::":
                self.expect("(")
        if self.now == "(":
            return self._call(name.removeprefix("core::"), begin)
        if name in _WORDS:
            return nodes.Literal(nodes.NOWHERE, _WORDS[name])
        if name in self.bound:
            return nodes.Variable(self._since(begin), name)
        return self._reference(name, begin)

    def _reference(self, name: str, begin: int) -> Node:
        steps: list[Step] = [name]
        indexes: list[tuple[int, Node]] = []
        place = len(self.references)
        while self.now in {".", "["}:
            if self.now == ".":
                self.advance()
                if self.now == _SPLAT:
                    self.advance()
                    steps += [_SPLAT, *self._attributes()]
                    break
                steps += self._attribute()
                continue
            around = self.open()
            if self.now == _SPLAT:
                self.advance()
                steps.append(_SPLAT)
            else:
                index = self.expression()
                known = index.content if isinstance(index, nodes.Literal) else None
                if isinstance(known, (str, int)) and not isinstance(known, bool):
                    steps.append(known)
                else:
                    indexes.append((len(steps), index))
                    steps.append(Unknown(f"the index {index.source} is an expression", index.template))
            self.close("]", around=around)
        reference = make_reference(steps, self.text[begin : self.last])
        self.references.insert(place, reference)
        before = len(steps) - len(reference.path)
        inside = tuple((position - before, node) for position, node in indexes)
        return nodes.Lookup(self._since(begin), reference, inside)

    def _attribute(self) -> list[Step]:
        """Return the steps of a name or number behind a dot; `0.1` of `.0.1` is one token."""
        if self.kind != "number":
            return [self.word()]
        digits = self.now.split(".")
        if not all(part.isdigit() for part in digits):
            raise self.surprise("an index")
        self.advance()
        return [int(part[:9]) for part in digits]

    def _attributes(self) -> list[Step]:
        steps: list[Step] = []
        while self.now == ".":
            self.advance()
            steps += self._attribute()
        return steps

    def _rest(self, node: Node, begin: int) -> Node:
        """Return a value with the attributes, indexes and splats behind it."""
        while self.now in {".", "["}:
            if self.now == ".":
                self.advance()
                if self.now == _SPLAT:
                    self.advance()
                    item = self._chain(nodes.Variable(self._since(begin), _SPLAT), self._attributes(), begin)
                    node = nodes.Splat(self._since(begin), node, item)
                else:
                    node = self._chain(node, self._attribute(), begin)
                continue
            around = self.open()
            if self.now == _SPLAT:
                self.advance()
                self.close("]", around=around)
                self.deeper()
                item = self._rest(nodes.Variable(self._since(begin), _SPLAT), begin)
                self.depth -= 1
                return nodes.Splat(self._since(begin), node, item)
            index = self.expression()
            self.close("]", around=around)
            node = nodes.Get(self._since(begin), node, index)
        return node

    def _chain(self, node: Node, steps: list[Step], begin: int) -> Node:
        for step in steps:
            node = nodes.Get(self._since(begin), node, nodes.Literal(nodes.NOWHERE, step))
        return node

    def _call(self, name: str, begin: int) -> Node:
        around = self.open()
        arguments: list[Node] = []
        expanded = False
        while self.now != ")":
            arguments.append(self.expression())
            if self.now == "...":
                self.advance()
                expanded = True
                break
            if self.now != ",":
                break
            self.advance()
        self.close(")", around=around)
        return nodes.Call(self._since(begin), name, tuple(arguments), expanded=expanded)

    def _tuple(self, begin: int) -> Node:
        around = self.open()
        if self.now == "for":
            return self._for(begin, "]", around=around)
        items: list[str | Node] = []
        while self.now != "]":
            items.append(self._part())
            if self.now != ",":
                break
            self.advance()
        self.close("]", around=around)
        return nodes.Tuple(self._since(begin), tuple(items))

    def _object(self, begin: int) -> Node:
        around = self.open(lines=True)
        self.skip_lines()
        if self.now == "for":
            self.lines = False
            return self._for(begin, "}", around=around)
        items: list[tuple[str | Node, str | Node]] = []
        while self.now != "}":
            key = self._key()
            if self.now not in {"=", ":"}:
                raise self.surprise("'='")
            self.advance()
            self.skip_lines()
            items.append((key, self._part()))
            if self.now not in {",", "\n"}:
                break
            self.skip_lines()
            if self.now == ",":
                self.advance()
                self.skip_lines()
        self.close("}", around=around)
        return nodes.Object(self._since(begin), tuple(items))

    def _key(self) -> str | Node:
        """Return the key of an object's item: a bare name is a string there."""
        if self.kind == "name":
            return self.word()
        return self._part()

    def _part(self) -> str | Node:
        """Return the expression at the present place, a plain text as that: most parts are, and nodes cost memory."""
        if self.kind == "string" and self.text[self.position : self.position + 1] in _ENDS:
            known = self.now[1:-1]
            self.advance()
            return known
        part = self.expression()
        return part.content if isinstance(part, nodes.Literal) and isinstance(part.content, str) else part

    def _for(self, begin: int, end: str, *, around: bool) -> Node:
        self.advance()
        names, items = self.loop()
        self.take(":")
        self.bound += names
        key = None
        content = self.expression()
        if end == "}":
            self.take("=>")
            key, content = content, self.expression()
        grouped = end == "}" and self.now == "..."
        if grouped:
            self.advance()
        condition = None
        if self.now == "if":
            self.advance()
            condition = self.expression()
        del self.bound[-len(names) :]
        self.close(end, around=around)
        return nodes.For(self._since(begin), tuple(names), items, key, content, condition, grouped=grouped)
