"""Converts Terraform's regular expressions (RE2) to Python's; slow ones are not evaluated."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEPS: Final = 1_000_000_000
"""Steps that a search may take at worst."""
_PIECE: Final = re.compile(r"\\.|\[:\w+:\]|\[\^?\]?|\(\?P?<?[=!]?|.", re.DOTALL)
_REFERENCE: Final = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_REFUSED: Final = ("(?=", "(?!", "(?<=", "(?<!", "(?P=")
_UNKNOWN_ESCAPES: Final = frozenset("pPQECzaAbBfv")
_POSIX: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_LONGEST_PATTERN: Final = 2_000


def compile_pattern(pattern: str, subject: str) -> re.Pattern[str]:
    """Return a pattern that is searched for in a subject in reasonable time.

    Raises:
        RefusedError: Terraform would refuse the pattern.
        UndecidedError: Python could take too long for it, or may mean something else by it.
    """
    compiled, (repeats, ways) = _compile(pattern)
    starts = 1 if pattern.startswith("^") and "|" not in pattern else len(subject) + 1
    if starts * ways * math.comb(len(subject) + repeats, repeats) > _STEPS:
        raise UndecidedError("the pattern may take too long")
    return compiled


@lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[re.Pattern[str], tuple[int, int]]:
    if len(pattern) > _LONGEST_PATTERN:
        raise UndecidedError("the pattern is too long")
    translated = _translate(pattern)
    try:
        compiled = re.compile(translated, re.ASCII)
        parsed = re._parser.parse(translated, re.ASCII)  # type: ignore[attr-defined]  # noqa: SLF001  the one parser
    except re.error as error:
        raise UndecidedError(f"the pattern cannot be read: {error}") from error
    return compiled, _cost(parsed, inside=False)


def _translate(pattern: str) -> str:
    result: list[str] = []
    within = False
    for piece in _PIECE.findall(pattern):
        if within and piece.startswith("[:"):
            result.append(_posix(piece[2:-2]))
        elif within:
            result.append("\\[" if piece.startswith("[") else piece)
            if piece.startswith("[") and piece != "[":
                raise UndecidedError("the pattern nests character classes")
            within = piece != "]"
        elif piece.startswith("["):
            within = True
            result.append(piece)
        elif piece.startswith("(?") and piece in _REFUSED:
            raise RefusedError(f"{piece} is not supported by RE2")
        else:
            result.append("\\Z" if piece == "$" else piece)
        if piece[0] == "\\" and piece[1:]:
            _check_escape(piece[1])
    return "".join(result)


def _posix(name: str) -> str:
    if name not in _POSIX:
        raise UndecidedError(f"[:{name}:] is not read here")
    return _POSIX[name]


def _check_escape(letter: str) -> None:
    if letter in "123456789":
        raise RefusedError("RE2 does not support backreferences")
    if letter in _UNKNOWN_ESCAPES and letter not in "bBAfva":
        raise UndecidedError(f"\\{letter} is not read here")


def _cost(parsed: Iterable[Any], *, inside: bool) -> tuple[int, int]:
    """Return how many repetitions a pattern has, and how many ways there are through its alternatives.

    Raises:
        UndecidedError: One of them is within a repetition, which can take time without end.
    """
    repeats, ways = 0, 1
    for operation, argument in parsed:
        name = str(operation)
        if name.endswith("_REPEAT"):
            least, most, body = argument
            if most != least and inside:
                raise UndecidedError("the pattern nests repetitions")
            within = _cost(body, inside=inside or most > 1)
            repeats += within[0] + (most != least and most > 1)
            ways *= within[1] * (2 if most != least else 1)
        elif name == "SUBPATTERN":
            within = _cost(argument[-1], inside=inside)
            repeats, ways = repeats + within[0], ways * within[1]
        elif name == "BRANCH":
            if inside:
                raise UndecidedError("the pattern repeats alternatives")
            branches = [_cost(branch, inside=inside) for branch in argument[1]]
            repeats += max(branch[0] for branch in branches)
            ways *= sum(branch[1] for branch in branches)
    return repeats, ways


def expand(replacement: str, match: re.Match[str]) -> str:
    """Return a replacement with `$1` and `${name}` filled in."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, replacement)
