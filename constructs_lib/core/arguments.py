"""The metaclass of constructs and stacks: it checks the types of arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import isfunction
from typing import Any, TypeVar

import jsii

from constructs_lib._engine import core
from constructs_lib.core.metadata import path_of
from constructs_lib.foundation.argument_types import explain

T = TypeVar("T")


class CheckedArguments(jsii.JSIIMeta):
    """Refuses arguments of other types than the signature of a constructor or public method of the library says."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:  # noqa: N805
        super().__init__(name, bases, namespace)
        if cls.__module__.partition(".")[0] != __name__.partition(".")[0]:
            return
        for key, member in namespace.items():
            if isfunction(member) and not key.startswith("_"):
                setattr(cls, key, _checked(member))

    def __call__(cls: type[T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401, D102, N805  for every signature
        given = {**dict(zip(("scope", "id_"), args, strict=False)), **kwargs}
        scope, id_ = given.get("scope"), str(given.get("id_"))
        above = path_of(scope) if isinstance(scope, core.Construct) else ""
        call: Callable[[], T] = partial(super().__call__, *args, **kwargs)  # type: ignore[misc]
        return explain(f"{above}/{id_}" if above else id_, cls.__init__, call, args, kwargs)


def _checked(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401  any object and signature
        return explain(self.path, method, partial(method, self, *args, **kwargs), args, kwargs)

    return checked
