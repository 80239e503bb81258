"""Decimal arithmetic, as in Terraform: 0.1 + 0.2 is 0.3."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions.conversions import Number, number, tidy
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISONS: Final = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def calculate(sign: str, first: object, second: object) -> Number | bool:
    """Return the result of an operation on numbers.

    Raises:
        RefusedError: An operand is no number, or zero where none may be.
        UndecidedError: The result is too large.
    """
    left, right = number(first), number(second)
    if sign in _COMPARISONS:
        return bool(_COMPARISONS[sign](left, right))
    try:
        return _calculate(sign, left, right)
    except (ArithmeticError, ValueError) as error:
        raise UndecidedError(f"{sign} cannot be evaluated here: {error}") from error


def _calculate(sign: str, left: Number, right: Number) -> Number:
    whole = isinstance(left, int) and isinstance(right, int)
    one: Any = left if whole else _decimal(left)
    other: Any = right if whole else _decimal(right)
    if sign in _OPERATIONS:
        return tidy(_OPERATIONS[sign](one, other))
    if right == 0:
        raise RefusedError("division by zero")
    if sign == "%":
        return tidy((abs(one) % abs(other)) * (-1 if left < 0 else 1))
    return tidy(one // other if whole and one % other == 0 else _decimal(left) / _decimal(right))


def _decimal(value: Number) -> Decimal:
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))
