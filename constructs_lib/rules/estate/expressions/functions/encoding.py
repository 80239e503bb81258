"""Functions that encode, decode and hash."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import math
import re
from typing import Any
from urllib.parse import quote_plus

from constructs_lib.rules.estate.expressions.conversions import text, text_of, tidy
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.functions.registry import function
from constructs_lib.rules.estate.values import Encoded, Unknown, unknown_in

_EXPONENT = re.compile(r"\de-\d")
_ESCAPES = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"})


def _stand_in(value: object) -> object:
    """Return the placeholder of an unknown leaf in JSON."""
    if isinstance(value, Unknown):
        return text_of(value)
    raise TypeError(f"{type(value).__name__} is not a Terraform value")


def _normal(value: object) -> object:
    return tidy(value) if isinstance(value, float) else value


def to_json(value: object) -> str:
    """Return JSON as Terraform writes it."""
    plain = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_stand_in
    )
    if _EXPONENT.search(plain):
        _refuse_exponents(value)
    return plain.translate(_ESCAPES)


def _refuse_exponents(value: object) -> None:
    """Reject numbers that Python writes with an exponent and Terraform without."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_exponents(item)
    elif isinstance(value, float) and "e" in repr(value):
        raise UndecidedError("a number is too small")


@function("own")
def _jsonencode(value: object, /) -> object:
    """Encode JSON; unknown leaves are templates in the text, and the structure is kept."""
    written = to_json(value)
    unknown = unknown_in(value)
    return Encoded(unknown.reason, written, value) if unknown else written


def _number(digits: str) -> int | float:
    return tidy(float(digits)) if not math.isinf(float(digits)) else tidy(math.inf)


@function("none")
def _jsondecode(value: object, /) -> object:
    """Decode JSON; text of `jsonencode` with unknown leaves keeps them."""
    if isinstance(value, Encoded):
        return value.value
    if isinstance(value, Unknown):
        return Unknown(value.reason)
    try:
        return json.loads(text(value), parse_float=_number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise RefusedError(f"not JSON: {error}") from error


def _refuse_constant(name: str) -> Any:  # noqa: ANN401  json's interface
    raise RefusedError(f"not JSON: {name}")


@function()
def _base64encode(value: object, /) -> object:
    return base64.b64encode(text(value).encode()).decode()


@function()
def _base64decode(value: object, /) -> object:
    try:
        return base64.b64decode(text(value), validate=True).decode()
    except ValueError as error:
        raise RefusedError(f"not base64-encoded UTF-8: {error}") from error


@function()
def _urlencode(value: object, /) -> object:
    return quote_plus(text(value))


@function()
def _csvdecode(value: object, /) -> object:
    try:
        header, *rows = [row for row in csv.reader(text(value).splitlines(keepends=True), strict=True) if row]
        if len(set(header)) < len(header):
            raise RefusedError("duplicate column name")
        return [dict(zip(header, row, strict=True)) for row in rows]
    except (ValueError, csv.Error) as error:
        raise RefusedError(f"not CSV: {error}") from error


def _digest(algorithm: str, value: object) -> bytes:
    return hashlib.new(algorithm, text(value).encode(), usedforsecurity=False).digest()


@function()
def _md5(value: object, /) -> object:
    return _digest("md5", value).hex()


@function()
def _sha1(value: object, /) -> object:
    return _digest("sha1", value).hex()


@function()
def _sha256(value: object, /) -> object:
    return _digest("sha256", value).hex()


@function()
def _sha512(value: object, /) -> object:
    return _digest("sha512", value).hex()


@function()
def _base64sha256(value: object, /) -> object:
    return base64.b64encode(_digest("sha256", value)).decode()


@function()
def _base64sha512(value: object, /) -> object:
    return base64.b64encode(_digest("sha512", value)).decode()
