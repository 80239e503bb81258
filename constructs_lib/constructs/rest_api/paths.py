"""Paths of an API: their syntax, and names for them that outlive the renaming of a parameter."""

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
"""The parts of a path without the names of its parameters: API Gateway allows one parameter in a place."""


@dataclass(frozen=True)
class ApiPath:
    """A path whose syntax API Gateway accepts."""

    text: str
    parts: tuple[str, ...]

    @property
    def position(self) -> Position:
        """The path with its parameters made nameless."""
        return tuple(_ANY_PARAMETER if _PARAMETER.fullmatch(part) else part for part in self.parts)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(found["name"] for part in self.parts if (found := _PARAMETER.fullmatch(part)))

    @property
    def arn_part(self) -> str:
        """The path as the end of an `execute-api` ARN, where a parameter is a star."""
        return "/".join("*" if part == _ANY_PARAMETER else part for part in self.position)

    @property
    def settings_key(self) -> str:
        """The path as the settings of a stage spell it: a JSON pointer's escape in place of each slash."""
        return self.text.replace("/", "~1")


def parse_path(problems: Problems, path: object) -> ApiPath:
    """Return the path, and note what is wrong with it.

    Args:
        problems: Where to note it.
        path: `/`, or parts that each start with a slash: letters, digits and `._:-`, or a parameter such as `{id}`;
            `{proxy+}` last only.
    """
    if is_token(path) or not isinstance(path, str):
        problems.add(
            "path", path, "must be a plain string such as '/payments/{id}', because resources are made from it"
        )
        return ApiPath(str(path), ())
    if path == "/":
        return ApiPath(path, ())
    if not path.startswith("/") or path.endswith("/") or "//" in path:
        problems.add("path", path, "must start with '/', not end with it, and have no empty part")
        return ApiPath(path, ())
    parsed = ApiPath(path, tuple(path[1:].split("/")))
    for index, part in enumerate(parsed.parts):
        parameter = _PARAMETER.fullmatch(part)
        problems.check(
            parameter or _LITERAL.fullmatch(part),
            "path",
            path,
            f"the part {part!r} must be letters, digits and ._:- or a whole parameter such as {{id}}",
        )
        problems.check(
            not (parameter and parameter["greedy"]) or index == len(parsed.parts) - 1,
            "path",
            path,
            f"{part} takes the rest of the path and must be its last part",
        )
    for name in sorted({name for name in parsed.parameters if parsed.parameters.count(name) > 1}):
        problems.add("path", path, f"names the parameter {name!r} twice")
    return parsed


class PathNames:
    """Gives each path of one API a slug that is no other path's, even without its hyphens.

    A parameter's name is no part of it: renaming `{id}` then changes the resource in place. Under another Terraform
    address it would be created before the old one is gone, which API Gateway refuses.
    """

    def __init__(self) -> None:
        self._taken: dict[str, Position] = {}

    def of(self, position: Position) -> str:
        """Return the slug: the path's words, with a hash when another path has the same words."""
        named = (["param"] if part == _ANY_PARAMETER else words(part) for part in position)
        slug = "-".join(word for part in named for word in part) or "root"
        if self._taken.setdefault(slug.replace("-", ""), position) != position:
            digest = hashlib.sha256("/".join(position).encode()).hexdigest()[:_HASH_LENGTH]
            slug = f"{slug}-{digest}"
        return slug
