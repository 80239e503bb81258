"""RegionalMap: a mapping with one value for each region of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from constructs_lib.core.stack import HardenedStack, Region
from constructs_lib.foundation.errors import ConfigurationError

V = TypeVar("V")


class RegionalMap(Mapping[str, V], Generic[V]):
    """A read-only mapping with exactly one value for each region of a stack.

    Keys are region names; a lookup also takes a `Region`.

    Args:
        stack: The stack. Regions that it gets later are not checked.
        values: Values by region name, in any order; the map is in the order of the stack's regions.
        name: The map's name in errors; `RegionalMap` by default.

    Raises:
        ConfigurationError: A region of the stack has no value, or a value is for a region that the stack does not have.
    """

    def __init__(self, stack: HardenedStack, values: Mapping[str, V], *, name: str = "RegionalMap") -> None:
        if not isinstance(stack, HardenedStack):
            raise ConfigurationError(name, f"stack={stack!r}: expected a HardenedStack")
        if not isinstance(values, Mapping):
            raise ConfigurationError(f"{stack.path}/{name}", f"values={values!r}: expected a dict of values by region")
        missing = [region for region in stack.regions if region not in values]
        extra = [region for region in values if region not in stack.regions]
        problems = [f"no value for {region}, a region of the stack; add one" for region in missing]
        known = ", ".join(stack.regions) or "it has none"
        problems += [
            f"a value for {region!r}, which is not a region of the stack ({known}); remove it, or call stack.region() "
            "first"
            for region in extra
        ]
        if problems:
            raise ConfigurationError(f"{stack.path}/{name}", *problems)
        self._values = {region: values[region] for region in stack.regions}

    def __getitem__(self, region: str | Region) -> V:
        return self._values[region if isinstance(region, str) else region.name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
