"""Old names that keep working for one release: each use warns, and names the new one."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from constructs_lib.foundation.errors import ConfigurationError, warn

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=type)


def warn_renamed(what: str, old: str, new: str) -> None:
    """Warn on the caller's line that something has a new name."""
    warn(f"{what}{old} is deprecated and will be removed in the next release; use {new}", DeprecationWarning)


def renamed_arguments(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function or method take keyword arguments under their old names too.

    Args:
        **names: New names by old ones.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for old, new in names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise ConfigurationError(function.__qualname__, f"{old}: is the old name of {new}; give one")
                    warn_renamed("argument ", old, new)
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def renamed_fields(**names: str) -> Callable[[C], C]:
    """Let an option object be made with keyword arguments under their old names too.

    Args:
        **names: New names by old ones.
    """

    def decorate(class_: C) -> C:
        class_.__init__ = renamed_arguments(**names)(class_.__init__)  # type: ignore[misc]
        return class_

    return decorate


class RenamedAttribute:
    """An attribute under its old name: `qualified_arn = RenamedAttribute("arn")` in the body of a class."""

    def __init__(self, new: str) -> None:
        self._new = new

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the old name."""
        self._class, self._old = owner.__name__, name

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401  whatever the attribute is
        """Return the attribute under its new name."""
        if instance is None:
            return self
        warn_renamed(f"{self._class}.", self._old, self._new)
        return getattr(instance, self._new)
