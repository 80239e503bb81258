"""How a fix takes hold of moto: by names that must exist, so that a moto that has moved on is noticed at the start."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Wrapper = TypeVar("Wrapper", bound="Callable[..., Any]")


def around(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Put the decorated function around a method; it is given the original and then what the method is given."""
    original: Callable[..., Any] = getattr(owner, name)

    def install(wrapper: Wrapper) -> Wrapper:
        @functools.wraps(original)
        def method(*args: object, **kwargs: object) -> object:
            return wrapper(original, *args, **kwargs)

        setattr(owner, name, method)
        return wrapper

    return install


def around_property(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Put the decorated function around a property; it is given what the property gave, and the object."""
    original: property = owner.__dict__[name]

    def install(wrapper: Wrapper) -> Wrapper:
        def value(self: object) -> object:
            return wrapper(original.__get__(self), self)

        setattr(owner, name, property(value))
        return wrapper

    return install


def add(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Give a class the decorated function as a method that it lacks."""
    if hasattr(owner, name):
        raise AttributeError(f"moto has {owner.__name__}.{name} by now: the fix that adds it can go")

    def install(method: Wrapper) -> Wrapper:
        setattr(owner, name, method)
        return method

    return install


def kept(owner: object, name: str, new: Callable[[], T]) -> T:
    """Return what a fix keeps on an object of moto's under a name of its own; made when it is first asked for."""
    value: T = vars(owner).setdefault(f"constructs_lib_{name}", new())
    return value


def keep(owner: object, name: str, value: object) -> None:
    """Keep a value on an object of moto's, for `kept` to find."""
    vars(owner)[f"constructs_lib_{name}"] = value
