"""The functions that are evaluated here, and which of their arguments must be known."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.conversions import bounded, first_unknown
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.values import Unknown, unknown_in

if TYPE_CHECKING:
    from collections.abc import Callable

    Body = Callable[..., object]


@dataclass(frozen=True)
class Function:
    """A function that is evaluated here.

    Attributes:
        body: What it does; raises RefusedError where Terraform refuses, UndecidedError where this library stops.
        needs: `all`: every argument is known at any depth; `own`: arguments are known, their elements may not be;
            `none`: arguments may be unknown.
        least: How many arguments it takes at least.
        most: How many it takes at most.
    """

    body: Body
    needs: str
    least: int
    most: float


FUNCTIONS: Final[dict[str, Function]] = {}


def function(needs: str = "all") -> Callable[[Body], Body]:
    """Register a function under its name, without the underscore in front."""

    def register(body: Body) -> Body:
        parameters = inspect.signature(body).parameters.values()
        positional = [each for each in parameters if each.kind is each.POSITIONAL_ONLY]
        least = sum(each.default is each.empty for each in positional)
        variadic = any(each.kind is each.VAR_POSITIONAL for each in parameters)
        name = body.__name__.removeprefix("_")
        FUNCTIONS[name] = Function(body, needs, least, float("inf") if variadic else len(positional))
        return body

    return register


def call(name: str, found: Function, arguments: list[object]) -> object:
    """Return the result of a function.

    Raises:
        RefusedError: Terraform rejects the arguments.
        UndecidedError: The result cannot be determined here, or is too large.
    """
    if not found.least <= len(arguments) <= found.most:
        raise RefusedError(f"{name}() does not take {len(arguments)} arguments")
    bounded(arguments)
    if found.needs == "all":
        unknown = first_unknown(arguments)
    elif found.needs == "own":
        unknown = next((argument for argument in arguments if isinstance(argument, Unknown)), None)
    else:
        unknown = None
    if unknown:
        return Unknown(unknown.reason)
    try:
        return bounded(found.body(*arguments))
    except RefusedError as error:
        raise RefusedError(f"{name}(): {error}") from error
    except UndecidedError as error:
        raise UndecidedError(f"{name}(): {error}") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise UndecidedError(f"{name}() cannot be evaluated here: {error}") from error


def known(values: list[object]) -> list[object]:
    """Return values that are known at any depth.

    Raises:
        UndecidedError: One is not.
    """
    for value in values:
        if found := unknown_in(value):
            raise UndecidedError(found.reason)
    return values
