"""Functions on text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.expressions.conversions import LONGEST, items, text, whole, written
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.functions.patterns import compile_pattern, expand
from constructs_lib.rules.estate.expressions.functions.registry import function
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


def _each_letter(value: str, change: Callable[[str], str]) -> str:
    """Change the case; a letter for which Unicode has no single other one stays, as in Go."""
    if value.isascii():
        return change(value)
    return "".join(changed if len(changed := change(letter)) == 1 else letter for letter in value)


@function()
def _lower(value: object, /) -> object:
    return _each_letter(text(value), str.lower)


@function()
def _upper(value: object, /) -> object:
    return _each_letter(text(value), str.upper)


@function()
def _title(value: object, /) -> object:
    """Make the first letter of each word a capital, and leave the others."""
    result: list[str] = []
    before = " "
    for letter in text(value):
        separated = before.isspace() or (before.isascii() and not before.isalnum() and before != "_")
        result.append(letter.upper() if separated else letter)
        before = letter
    return "".join(result)


@function()
def _trim(value: object, letters: object, /) -> object:
    return text(value).strip(text(letters))


@function()
def _trimspace(value: object, /) -> object:
    return text(value).strip()


@function()
def _trimprefix(value: object, prefix: object, /) -> object:
    return text(value).removeprefix(text(prefix))


@function()
def _trimsuffix(value: object, suffix: object, /) -> object:
    return text(value).removesuffix(text(suffix))


@function()
def _startswith(value: object, prefix: object, /) -> object:
    return text(value).startswith(text(prefix))


@function()
def _endswith(value: object, suffix: object, /) -> object:
    return text(value).endswith(text(suffix))


@function()
def _strcontains(value: object, part: object, /) -> object:
    return text(part) in text(value)


@function()
def _chomp(value: object, /) -> object:
    return text(value).rstrip("\r\n")


@function()
def _strrev(value: object, /) -> object:
    return text(value)[::-1]


@function()
def _indent(spaces: object, value: object, /) -> object:
    width, given = whole(spaces), text(value)
    if width * given.count("\n") > LONGEST:
        raise UndecidedError("too large")
    return given.replace("\n", "\n" + " " * width)


@function()
def _substr(value: object, offset: object, length: object, /) -> object:
    given, start, size = text(value), whole(offset), whole(length)
    if start < 0:
        start += len(given)
    elif size == 0:
        return ""
    rest = given[max(start, 0) :]
    return rest if size <= 0 else rest[:size]


@function()
def _split(separator: object, value: object, /) -> object:
    by, given = text(separator), text(value)
    return given.split(by) if by else list(given)


@function("none")
def _join(separator: object, first: object, /, *others: object) -> object:
    """Join the elements of lists; unknown ones make a text in which they stand."""
    if isinstance(separator, Unknown):
        return Unknown(separator.reason)
    by = text(separator)
    pieces: list[str | Unknown] = []
    for given in (first, *others):
        if isinstance(given, Unknown):
            return Unknown(given.reason)
        pieces += [piece if isinstance(piece, Unknown) else text(piece) for piece in items(given)]
    if len(by) * len(pieces) > LONGEST:
        raise UndecidedError("too large")
    unknown = next((piece for piece in pieces if isinstance(piece, Unknown)), None)
    if unknown is None:
        return by.join(map(str, pieces))
    separated = [part for piece in pieces for part in (by, piece)][1:]
    return Unknown(unknown.reason, written(separated))


@function()
def _replace(value: object, old: object, new: object, /) -> object:
    """Replace a text, or what matches a pattern between slashes."""
    given, part, other = text(value), text(old), text(new)
    if len(part) > 1 and part.startswith("/") and part.endswith("/"):
        pattern = compile_pattern(part[1:-1], given)
        count = sum(1 for _ in pattern.finditer(given))
        if count * len(other) + len(given) > LONGEST:
            raise UndecidedError("too large")
        return pattern.sub(lambda match: expand(other, match), given)
    if given.count(part) * len(other) + len(given) > LONGEST:
        raise UndecidedError("too large")
    return given.replace(part, other)


def _captured(match: re.Match[str]) -> object:
    if names := match.groupdict():
        return names
    return list(match.groups()) if match.groups() else match[0]


@function()
def _regex(pattern: object, value: object, /) -> object:
    match = compile_pattern(text(pattern), text(value)).search(text(value))
    if match is None:
        raise RefusedError("the pattern does not match")
    return _captured(match)


@function()
def _regexall(pattern: object, value: object, /) -> object:
    return [_captured(match) for match in compile_pattern(text(pattern), text(value)).finditer(text(value))]


@function()
def _basename(path: object, /) -> object:
    return text(path).rstrip("/").rpartition("/")[2] or ("/" if text(path) else ".")


@function()
def _dirname(path: object, /) -> object:
    head, slash, _ = text(path).rpartition("/")
    return head.rstrip("/") or slash or "."
