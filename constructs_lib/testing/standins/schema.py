"""A resource type of a provider: attributes, validation, planning, and creation of its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Values: TypeAlias = dict[str, Any]  # a Terraform object: attribute name to str, number, bool, list, dict or None
Type: TypeAlias = str | tuple[str, str]  # "string", ("set", "string"): as Terraform writes it in JSON

_INT64: Final = range(-(2**63), 2**63)


class Unknown(Enum):
    """Terraform's placeholder for a value that is known after apply."""

    UNKNOWN = "(known after apply)"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Problem:
    """A diagnostic: the summary that Terraform prints after `Error:`, the detail, and the argument."""

    summary: str
    detail: str
    attribute: str | None = None


class RefusedError(Exception):
    """A request that ends in diagnostics."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{problem.summary}: {problem.detail}" for problem in problems))


def _always(_old: object, _new: object) -> bool:
    return True


@dataclass(frozen=True)
class Attribute:
    """One attribute of a resource type.

    Attributes:
        type: Terraform's type.
        mode: Whether the configuration must, may or cannot set it; `defaulted` is optional with a default.
        default: For `defaulted`, returns the default for a configuration.
        sensitive: Whether Terraform hides the value.
        deprecated: Whether Terraform warns about its use.
        replaces: Whether the change from the old to the new value requires a replacement.
    """

    type: Type
    mode: Literal["required", "optional", "defaulted", "computed"]
    default: Callable[[Values], object] | None = None
    sensitive: bool = False
    deprecated: bool = False
    replaces: Callable[[object, object], bool] = _always


def required(of: Type) -> Attribute:
    """Return an attribute that the configuration must set; a change replaces the resource."""
    return Attribute(of, "required")


def optional(of: Type, *, replaces: Callable[[object, object], bool] = _always) -> Attribute:
    """Return an attribute that the configuration may set; without it the value is null."""
    return Attribute(of, "optional", replaces=replaces)


def defaulted(of: Type, default: object) -> Attribute:
    """Return an optional attribute with a default."""
    return Attribute(of, "defaulted", default=lambda _config: default)


def computed(of: Type, *, sensitive: bool = False) -> Attribute:
    """Return an attribute that only the provider sets."""
    return Attribute(of, "computed", sensitive=sensitive)


def _no_problems(_config: Values) -> Iterator[Problem]:
    yield from ()


def _as_stored(state: Values) -> Values:
    return state


@dataclass(frozen=True)
class ResourceType:
    """A resource type or data source.

    Attributes:
        attributes: Attributes by name.
        create: Returns the planned values with the computed values filled in.
        check: Yields the problems of a configuration, in which values may be unknown or null.
        refresh: Returns the current values of a stored resource.
        blocks: Nested blocks, each a set of objects, by name.
        version: Schema version, stored with the state.
        keeps_results: Whether an update in place keeps the computed values.
    """

    attributes: Mapping[str, Attribute]
    create: Callable[[Values], Values]
    check: Callable[[Values], Iterable[Problem]] = _no_problems
    refresh: Callable[[Values], Values] = _as_stored
    blocks: Mapping[str, Mapping[str, Attribute]] = field(default_factory=dict)
    version: int = 0
    keeps_results: bool = True

    @property
    def computed(self) -> list[str]:
        """Names of the attributes that only the provider sets."""
        return [name for name, attribute in self.attributes.items() if attribute.mode == "computed"]

    @property
    def arguments(self) -> list[str]:
        """Names of the attributes and blocks that the configuration can set."""
        return [name for name in (*self.attributes, *self.blocks) if name not in self.computed]

    def refuse_bad(self, config: Values) -> None:
        """Raise `RefusedError` with all problems of a configuration."""
        problems = list(self._not_whole(config)) or list(self.check(config))
        if problems:
            raise RefusedError(*problems)

    def plan(self, prior: Values | None, proposed: Values, config: Values) -> tuple[Values, list[str]]:
        """Return the planned values and the arguments whose change requires a replacement.

        Args:
            prior: The stored values, or None for a new resource.
            proposed: Terraform's merge of the configuration and the stored values.
            config: The configuration.
        """
        planned = proposed | {
            name: attribute.default(config)
            for name, attribute in self.attributes.items()
            if attribute.default and config[name] is None
        }
        if prior is None:
            return planned | dict.fromkeys(self.computed, UNKNOWN), []
        changed = [name for name in self.arguments if planned[name] != prior[name]]
        replaced = [name for name in changed if self._replaces(name, prior[name], planned[name])]
        again = replaced or (changed and not self.keeps_results)
        return planned | {name: UNKNOWN if again else prior[name] for name in self.computed}, replaced

    def _replaces(self, name: str, old: object, new: object) -> bool:
        return name in self.blocks or self.attributes[name].replaces(old, new)

    def _not_whole(self, config: Values) -> Iterator[Problem]:
        """Yield a problem for each number that is not a 64-bit integer."""
        for name, attribute in self.attributes.items():
            value = config[name]
            if attribute.type != "number" or value in (None, UNKNOWN):
                continue
            if not isinstance(value, int) or value not in _INT64:
                yield Problem("Invalid number", f"{name} must be a 64-bit integer, got {value}.", name)
