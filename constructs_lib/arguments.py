"""Whether the arguments of a construct are of the types that its signature names."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import constructs_lib
from constructs_lib._engine import aws, core
from constructs_lib.foundation.errors import Problems
from constructs_lib.notes import path_of

_NAMES: Final = {"Iterable": Iterable, "Mapping": Mapping, "Sequence": Sequence, "aws": aws, "core": core, "os": os}
"""What modules import for the type checker only and use in signatures, beside the library's public names."""


class _Names(dict[str, Any]):
    """The names of a module, with those that it imports for the type checker only; others are not judged."""

    def __missing__(self, name: str) -> object:
        if name in constructs_lib.__all__:
            return getattr(constructs_lib, name)
        return _NAMES.get(name, getattr(builtins, name, Any))


@cache
def _types(made_by: Callable[..., object]) -> dict[str, object]:
    return get_type_hints(made_by, localns=_Names(made_by.__globals__))


def misfits(class_: type, args: Sequence[object], kwargs: Mapping[str, object]) -> Problems:
    """Return the arguments for a class that are of other types than its signature says.

    A generator where a sequence is asked for is one of them: whoever checks it leaves nothing to whoever uses it.
    """
    made_by: Any = class_.__init__  # type: ignore[misc]
    given = {**dict(zip(made_by.__code__.co_varnames[1:], args, strict=False)), **kwargs}
    scope, id_ = given.get("scope"), given.get("id_")
    problems = Problems(f"{path_of(scope)}/{id_}" if isinstance(scope, core.Construct) else str(id_))
    types = _types(made_by)
    for name, value in given.items():
        problems.check(
            name not in types or _fits(value, types[name]),
            name,
            value,
            f"must be of the type {made_by.__annotations__.get(name)}, and is of the type {type(value).__name__}",
        )
    return problems


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401  a type
    kind = get_origin(hint)
    inner = get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if kind is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if kind is None:
        return _is(value, hint)
    if isinstance(value, (str, bytes)) or not isinstance(value, kind):
        return False
    if kind is Mapping:
        return all(_fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items())  # type: ignore[attr-defined]
    return kind is not Sequence or all(_fits(each, inner[0]) for each in value)  # type: ignore[attr-defined]


def _is(value: object, class_: Any) -> bool:  # noqa: ANN401  a type
    if class_ is Any or not isinstance(class_, type) or getattr(class_, "_is_protocol", False):
        return True
    if class_ in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if class_ is float else class_)
