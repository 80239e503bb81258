"""Whether the arguments of a construct and of its methods are of the types that their signatures name."""

from __future__ import annotations

import builtins
import importlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial, wraps
from inspect import isfunction
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import jsii

import constructs_lib
from constructs_lib._engine import aws, core
from constructs_lib.core.metadata import path_of
from constructs_lib.foundation.errors import ConfigurationError, Problems

T = TypeVar("T")

_NAMES: Final = {
    "Callable": Callable,
    "Iterable": Iterable,
    "Mapping": Mapping,
    "Sequence": Sequence,
    "aws": aws,
    "core": core,
    "os": os,
}
"""What modules import for the type checker only and use in signatures, beside the library's public names."""


_PROTOCOLS: Final = {
    "ApiFunction": "constructs_lib.constructs.rest_api.options",
    "Backend": "constructs_lib.foundation.backend",
    "Connectable": "constructs_lib.constructs.security_group",
    "Grantee": "constructs_lib.core.iam",
}
"""Where the protocols are that signatures name."""


class ArgumentTypeError(ConfigurationError):
    """An argument of another type than the signature says."""


class _Names(dict[str, Any]):
    """The names of a module, with those that it imports for the type checker only; others are not judged."""

    def __missing__(self, name: str) -> object:
        if name.startswith("__"):
            raise KeyError(name)
        if name in constructs_lib.__all__:
            return getattr(constructs_lib, name)
        if name in _PROTOCOLS:
            return getattr(importlib.import_module(_PROTOCOLS[name]), name)
        return _NAMES.get(name, getattr(builtins, name, Any))


@cache
def _types(function: Callable[..., object]) -> dict[str, object]:
    return get_type_hints(function, localns=_Names(function.__globals__))


class CheckedArguments(jsii.JSIIMeta):
    """Refuses arguments of other types than a signature says, to whoever makes an object or calls a public method.

    What the library itself says about an argument comes first. A generator where a sequence is asked for is of another
    type: whoever checks it leaves nothing to whoever uses it. What callers define themselves is not judged.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:  # noqa: N805
        super().__init__(name, bases, namespace)
        for key, member in namespace.items():
            if isfunction(member) and not key.startswith("_") and _is_ours(member):
                setattr(cls, key, _checked(member))

    def __call__(cls: type[T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401, D102, N805  for every signature
        given = {**dict(zip(("scope", "id_"), args, strict=False)), **kwargs}
        scope, id_ = given.get("scope"), str(given.get("id_"))
        above = path_of(scope) if isinstance(scope, core.Construct) else ""
        call: Callable[[], T] = partial(super().__call__, *args, **kwargs)  # type: ignore[misc]
        return _explain(f"{above}/{id_}" if above else id_, cls.__init__, call, args, kwargs)


def _is_ours(function: Callable[..., object]) -> bool:
    return function.__module__.partition(".")[0] == constructs_lib.__name__


def _checked(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401  any object and signature
        return _explain(self.path, method, partial(method, self, *args, **kwargs), args, kwargs)

    return checked


def _explain(
    path: str, function: Callable[..., object], call: Callable[[], T], args: Sequence[object], kwargs: Mapping[str, Any]
) -> T:
    """Return what a call returns; refuse arguments of other types, whether it failed or not."""
    try:
        result = call()
    except Exception as error:
        # What an argument led to further inside says less than the argument itself.
        if isinstance(error, ConfigurationError) and not isinstance(error, ArgumentTypeError):
            raise
        _check(path, function, args, kwargs)
        raise
    _check(path, function, args, kwargs)
    return result


def _check(path: str, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    if not _is_ours(function):
        return
    problems = Problems(path)
    types = _types(function)
    given = {
        **dict(zip(function.__code__.co_varnames[1 : function.__code__.co_argcount], args, strict=False)),
        **kwargs,
    }
    for name, value in given.items():
        problems.check(
            name not in types or _fits(value, types[name]),
            name,
            value,
            f"must be of the type {function.__annotations__.get(name)}, and is of the type {type(value).__name__}",
        )
    if problems.found:
        raise ArgumentTypeError(path, *problems.found) from None


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
    if class_ is Any or not isinstance(class_, type):
        return True
    if getattr(class_, "_is_protocol", False):
        # Properties are not read: some of them refuse to be.
        return {name for name in vars(class_) if not name.startswith("_")} <= set(dir(value))
    if class_ in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if class_ is float else class_)
