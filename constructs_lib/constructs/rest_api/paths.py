"""Paths of an API: their syntax, and names of their resources that do not contain parameter names."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.regions import is_token

METHODS: Final = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._:-]+")
_PARAMETER: Final = re.compile(r"\{(?P<name>[A-Za-z0-9._-]+)(?P<greedy>\+?)\}")
_ANY_PARAMETER: Final = "{}"
_HASH_LENGTH: Final = 6

Position = tuple[str, ...]
"""The parts of a path without parameter names: API Gateway allows one parameter at each position."""


@dataclass(frozen=True)
class ApiPath:
    """A path of an API."""

    text: str
    parts: tuple[str, ...]

    @property
    def position(self) -> Position:
        """The parts of the path without parameter names."""
        return tuple(_ANY_PARAMETER if _PARAMETER.fullmatch(part) else part for part in self.parts)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(found["name"] for part in self.parts if (found := _PARAMETER.fullmatch(part)))

    @property
    def arn_part(self) -> str:
        """The path as the end of an `execute-api` ARN, with `*` for parameters."""
        return "/".join("*" if part == _ANY_PARAMETER else part for part in self.position)

    @property
    def settings_key(self) -> str:
        """The path as stage settings spell it: `~1` for each slash, as in a JSON pointer."""
        return self.text.replace("/", "~1")


def parse_path(problems: Problems, path: object) -> ApiPath:
    """Return the path, and report what is wrong with it.

    Args:
        problems: The problems to add to.
        path: `/`, or parts that each start with a slash: letters, digits and `._:-`, or a parameter such as `{id}`;
            `{proxy+}` as the last part only.
    """
    if is_token(path) or not isinstance(path, str):
        problems.add(
            "path", path, "must be a string without references, such as '/payments/{id}': its parts become resources"
        )
        return ApiPath(str(path), ())
    if path == "/":
        return ApiPath(path, ())
    if not path.startswith("/") or path.endswith("/") or "//" in path:
        problems.add("path", path, "must start with '/', must not end with it, and must not have empty parts")
        return ApiPath(path, ())
    parsed = ApiPath(path, tuple(path[1:].split("/")))
    for index, part in enumerate(parsed.parts):
        parameter = _PARAMETER.fullmatch(part)
        problems.check(
            parameter or _LITERAL.fullmatch(part),
            "path",
            path,
            f"the part {part!r} is not valid; expected letters, digits and ._:- or a parameter such as {{id}}",
        )
        problems.check(
            not (parameter and parameter["greedy"]) or index == len(parsed.parts) - 1,
            "path",
            path,
            f"{part} is a greedy path variable; it must be the last part",
        )
    for name in sorted({name for name in parsed.parameters if parsed.parameters.count(name) > 1}):
        problems.add("path", path, f"duplicate path parameter {name!r}")
    return parsed


class PathNames:
    """Unique names for the paths of one API, unique without hyphens too.

    They do not contain parameter names: renaming `{id}` then updates the resource in place. At another Terraform
    address it would be created before the old one is deleted, which API Gateway refuses.
    """

    def __init__(self) -> None:
        self._taken: dict[str, Position] = {}

    def of(self, position: Position) -> str:
        """Return the path's words, with a hash if another path has the same words."""
        named = (["param"] if part == _ANY_PARAMETER else words(part) for part in position)
        slug = "-".join(word for part in named for word in part) or "root"
        if self._taken.setdefault(slug.replace("-", ""), position) != position:
            digest = hashlib.sha256("/".join(position).encode()).hexdigest()[:_HASH_LENGTH]
            slug = f"{slug}-{digest}"
        return slug
