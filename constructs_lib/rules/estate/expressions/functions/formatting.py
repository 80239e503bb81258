"""`format` and `formatlist`, with the verbs that Terraform supports."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.conversions import (
    LARGEST,
    LONGEST,
    Number,
    boolean,
    items,
    kind_of,
    number,
    text,
    whole,
    written,
)
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.functions.encoding import to_json
from constructs_lib.rules.estate.expressions.functions.registry import function
from constructs_lib.rules.estate.values import Unknown, unknown_in

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERB: Final = re.compile(
    r"%(?:(?P<flags>[ +\-0#]*+)(?P<width>\d++)?+(?:\.(?P<precision>\d*+))?+"
    r"(?:\[(?P<place>\d++)\])?+(?P<verb>[a-zA-Z%])|)"
)
_WIDEST: Final = 10_000


@function("none")
def _format(pattern: object, /, *arguments: object) -> object:
    """Format values; with unknown values, return a template that contains them."""
    if isinstance(pattern, Unknown):
        return Unknown(pattern.reason)
    return _fill(text(pattern), arguments)


def _fill(pattern: str, arguments: Sequence[object]) -> object:
    pieces: list[str | Unknown] = []
    following = used = end = 0
    for match in _VERB.finditer(pattern):
        pieces.append(pattern[end : match.start()])
        end = match.end()
        verb = match["verb"]
        if verb == "%":
            pieces.append("%")
            continue
        if verb is None or len(match[0]) > 30:  # noqa: PLR2004  no real verb is as long
            raise RefusedError(f"{pattern[match.start() :][:10]!r} is not a format verb")
        place = int(match["place"]) if match["place"] else following + 1
        if not 1 <= place <= len(arguments):
            raise RefusedError(f"no argument {place} for {match[0]}")
        following = place
        used = max(used, place)
        pieces.append(_one(match, arguments[place - 1]))
    pieces.append(pattern[end:])
    if used < len(arguments) and not ("[" in pattern and following):
        raise RefusedError(f"{len(arguments)} arguments for {used} verbs")
    if sum(len(piece) for piece in pieces if isinstance(piece, str)) > LONGEST:
        raise UndecidedError("too large")
    unknown = next((piece for piece in pieces if isinstance(piece, Unknown)), None)
    return Unknown(unknown.reason, written(pieces)) if unknown else "".join(map(str, pieces))


def _one(match: re.Match[str], value: object) -> str | Unknown:
    """Return one value, formatted."""
    if unknown := unknown_in(value):
        return unknown if unknown is value else Unknown(unknown.reason)
    flags, width, verb = match["flags"], int(match["width"] or 0), match["verb"]
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    if width > _WIDEST or (precision or 0) > _WIDEST:
        raise UndecidedError("too large")
    shown = _show(verb, flags, precision, value)
    if verb == "t":
        return shown
    numeric = kind_of(value) == "number" or verb in "bdoxXeEfFgG"
    if "-" in flags:
        return shown.ljust(width)
    if "0" in flags:
        sign = shown[:1] if numeric and shown[:1] in "+-" else ""
        return sign + shown[len(sign) :].rjust(width - len(sign), "0")
    return shown.rjust(width)


def _show(verb: str, flags: str, precision: int | None, value: object) -> str:
    if value is None:
        raise RefusedError(f"null is not allowed for %{verb}")
    if verb == "v":
        verb = {"number": "g", "string": "s", "bool": "t"}.get(kind_of(value), "#") if "#" not in flags else "#"
        if verb == "g" and precision is None:
            return text(value)
    if verb == "#":
        return to_json(value)
    if verb == "t":
        return text(boolean(value))
    if verb in "sq":
        cut = text(value)[:precision] if precision is not None else text(value)
        return json.dumps(cut, ensure_ascii=False) if verb == "q" else cut
    if verb in "bdoxX":
        return _sign(flags, whole(value)) + format(abs(whole(value)), verb)
    if verb in "eEfF":
        given = number(value)
        return _sign(flags, given) + format(abs(float(given)), f".{6 if precision is None else precision}{verb}")
    if verb in "gG" and precision is None and isinstance(value, (int, float)):
        raise UndecidedError(f"%{verb} is not written here")
    raise RefusedError(f"%{verb} is not a format verb")


def _sign(flags: str, value: Number) -> str:
    return "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""


@function("none")
def _formatlist(pattern: object, /, *arguments: object) -> object:
    """Format once for each element of the lists among the arguments."""
    for argument in (pattern, *arguments):
        if isinstance(argument, Unknown):
            return Unknown(argument.reason)
    lengths = {len(argument) for argument in arguments if isinstance(argument, list)}
    if len(lengths) > 1:
        raise RefusedError("lists of different lengths")
    count = lengths.pop() if lengths else 1
    if count * len(text(pattern)) > LONGEST or count > LARGEST:
        raise UndecidedError("too large")
    return [
        _fill(
            text(pattern),
            [items(argument)[turn] if isinstance(argument, list) else argument for argument in arguments],
        )
        for turn in range(count)
    ]
