"""Patches methods of moto by name; a name that does not exist fails when the server starts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Wrapper = TypeVar("Wrapper", bound="Callable[..., Any]")


def around(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Wrap a method in the decorated function, which takes the original method and then its arguments."""
    original: Callable[..., Any] = getattr(owner, name)

    def install(wrapper: Wrapper) -> Wrapper:
        @functools.wraps(original)
        def method(*args: object, **kwargs: object) -> object:
            return wrapper(original, *args, **kwargs)

        setattr(owner, name, method)
        return wrapper

    return install


def around_property(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Wrap a property in the decorated function, which takes the original value and the object."""
    original: property = owner.__dict__[name]

    def install(wrapper: Wrapper) -> Wrapper:
        def value(self: object) -> object:
            return wrapper(original.__get__(self), self)

        setattr(owner, name, property(value))
        return wrapper

    return install


def add(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Add the decorated function to a class that has no method of that name."""
    if hasattr(owner, name):
        raise AttributeError(f"moto supports {owner.__name__}.{name}: remove the fix that adds it")

    def install(method: Wrapper) -> Wrapper:
        setattr(owner, name, method)
        return method

    return install


def kept(owner: object, name: str, new: Callable[[], T]) -> T:
    """Return the value that a fix stores on an object of moto; created on first use."""
    value: T = vars(owner).setdefault(f"constructs_lib_{name}", new())
    return value


def keep(owner: object, name: str, value: object) -> None:
    """Store a value on an object of moto, for `kept` to return."""
    vars(owner)[f"constructs_lib_{name}"] = value
