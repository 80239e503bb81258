"""Whether arguments have the types that a signature names, and the fields of option objects theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, partial, wraps
from inspect import signature
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from constructs_lib.foundation.errors import ConfigurationError, Problems

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

P = ParamSpec("P")
T = TypeVar("T")

_LIBRARY = __name__.partition(".")[0]


class ArgumentTypeError(ConfigurationError):
    """An argument of another type than the signature says."""


def checked_function(function: Callable[P, T]) -> Callable[P, T]:
    """Check the arguments of a function of the library when it is called."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        return explain(function.__name__, function, partial(function, *args, **kwargs), args, kwargs, first=0)

    return checked


def explain(  # noqa: PLR0917  internal
    path: str,
    function: Callable[..., object],
    call: Callable[[], T],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    first: int = 1,
) -> T:
    """Return what a call returns; refuse arguments of other types, whether it failed or not.

    What the library itself says about an argument comes first. Functions of callers are not judged.

    Args:
        path: The construct path, or the name of the object.
        function: Whose signature counts.
        call: Calls it.
        args: What was given by position.
        kwargs: What was given by name.
        first: The position of the first argument that counts: 1 behind `self`.

    Raises:
        ArgumentTypeError: An argument of another type.
    """
    try:
        result = call()
    except Exception as error:
        # What an argument led to further inside says less than the argument itself.
        if not isinstance(error, ConfigurationError) or isinstance(error, ArgumentTypeError):
            _check(path, function, args, kwargs, first)
        raise
    _check(path, function, args, kwargs, first)
    return result


@cache
def _parameters(function: Callable[..., object]) -> tuple[list[str], dict[str, Any], dict[str, str]]:
    """Return the names by position, the types, and the types as they are written."""
    parameters = signature(function).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind <= parameter.POSITIONAL_OR_KEYWORD]
    hints = get_type_hints(function)
    return names, hints, {parameter.name: str(parameter.annotation) for parameter in parameters}


def _check(
    path: str, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object], first: int
) -> None:
    if not is_ours(function):
        return
    names, hints, written = _parameters(function)
    problems = Problems(path)
    for name, value in {**dict(zip(names[first:], args, strict=False)), **kwargs}.items():
        if name in hints:
            _check_value(problems, name, value, hints[name], written[name])
    if problems.found:
        raise ArgumentTypeError(path, *problems.found) from None


def is_ours(made: type | Callable[..., object]) -> bool:
    """Return whether a class or function is the library's."""
    return made.__module__.partition(".")[0] == _LIBRARY


def _check_value(problems: Problems, at: str, value: object, hint: object, written: str) -> None:
    """Report a value of another type; of an option object, or of a list or mapping of them, each field."""
    if problems.check(
        fits(value, hint), at, value, f"must be of the type {written}, and is of the type {type(value).__name__}"
    ):
        for where, options in _option_objects(at, value):
            hints = _field_types(type(options))
            for field in fields(options):
                given = getattr(options, field.name)
                _check_value(problems, f"{where}.{field.name}", given, hints[field.name], str(field.type))


_field_types = cache(get_type_hints)


def _option_objects(at: str, value: object) -> Iterator[tuple[str, DataclassInstance]]:
    if is_dataclass(value) and not isinstance(value, type):
        if is_ours(type(value)):
            yield at, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _option_objects(f"{at}[{key!r}]", each)
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from _option_objects(f"{at}[{index}]", each)


def fits(value: object, hint: Any) -> bool:  # noqa: ANN401, PLR0911  a type; one answer for each kind of it
    """Return whether a value is of a type; a generator is not looked into, since that would use it up."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(fits(value, each) for each in inner)
    if kind is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if kind is None:
        return _is(value, hint)
    if isinstance(value, (str, bytes)) or not isinstance(value, kind):
        return False
    if issubclass(kind, Mapping):
        return not inner or all(fits(key, inner[0]) and fits(each, inner[1]) for key, each in value.items())  # type: ignore[attr-defined]
    if not isinstance(value, (Sequence, Mapping, set, frozenset)) or not inner:
        return True
    if kind is tuple and inner[-1] is not ...:
        return len(value) == len(inner) and all(map(fits, value, inner))
    return all(fits(each, inner[0]) for each in value)


def _is(value: object, class_: Any) -> bool:  # noqa: ANN401  a type
    if class_ is Any or not isinstance(class_, type):
        return True
    if getattr(class_, "_is_protocol", False):
        # Properties are not read: some of them refuse to be.
        return protocol_members(class_) <= set(dir(value))
    if class_ in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if class_ is float else class_)


@cache
def protocol_members(protocol: type) -> frozenset[str]:
    """Return the names of a protocol's own members and of the protocols it extends."""
    classes: Iterable[type] = (each for each in protocol.__mro__ if getattr(each, "_is_protocol", False))
    return frozenset(name for each in classes for name in vars(each) if not name.startswith("_"))
