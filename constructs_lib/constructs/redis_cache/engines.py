"""Engines, their versions, and the end of standard support."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from constructs_lib.foundation.cache_versions import READ_ON, SOURCE, VERSIONS, end_of_support, family
from constructs_lib.foundation.errors import Problems, warn
from constructs_lib.foundation.regions import is_token

EngineName = Literal["valkey", "redis"]

WARNING_DAYS: Final = 180
"""Days before the end of standard support from which every synth warns."""


@dataclass(frozen=True)
class Engine:
    """An ElastiCache engine.

    Attributes:
        name: The name in the API.
        default: The default version.
        versions: The end of standard support of each version, oldest first; None where AWS has announced no date.
        iam_since: The first version with IAM authentication.
        compatible_since: The first version with the cluster mode `compatible`.
    """

    name: EngineName
    default: str
    versions: Mapping[str, date | None]
    iam_since: str
    compatible_since: str

    def family(self, version: str) -> str:
        """Return the parameter group family of a known version."""
        return family(self.name, version)

    def has_iam(self, version: str) -> bool:
        """Whether a known version supports IAM authentication."""
        return self._is_since(version, self.iam_since)

    def has_compatible(self, version: str) -> bool:
        """Whether a known version supports the cluster mode `compatible`."""
        return self._is_since(version, self.compatible_since)

    def _is_since(self, version: str, first: str) -> bool:
        known = list(self.versions)
        return known.index(version) >= known.index(first)


def _versions(engine: EngineName, names: Iterable[str]) -> Mapping[str, date | None]:
    return {name: end_of_support(engine, name) for name in names}


ENGINES: Final[Mapping[EngineName, Engine]] = {
    "valkey": Engine(
        name="valkey",
        default="8.2",
        versions=_versions("valkey", VERSIONS["valkey"]),
        iam_since="7.2",
        compatible_since="7.2",
    ),
    "redis": Engine(
        name="redis",
        default="7.1",
        versions=_versions("redis", ("5.0", "6.2", "7.0", "7.1")),
        iam_since="7.0",
        compatible_since="7.0",
    ),
}
"""The engines. See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html."""


def choose_version(
    problems: Problems, engine: Engine, asked: object, today: date, *, argument: str = "engine_version"
) -> str:
    """Return the version to deploy, and report one that ElastiCache does not support.

    Warns:
        ConfigurationWarning: Standard support ends within 180 days.
    """
    if asked is None:
        return engine.default
    supported = [version for version, end in engine.versions.items() if end is None or today <= end]
    allowed = f"supported on {READ_ON}: {', '.join(supported)} ({SOURCE})"
    if not isinstance(asked, str) or is_token(asked) or asked not in engine.versions:
        problems.add(argument, asked, f"must be a version of {engine.name} such as {engine.default!r}; {allowed}")
        return engine.default
    end = engine.versions[asked]
    if end is None:
        return asked
    left = (end - today).days
    if left < 0:
        problems.add(argument, asked, f"standard support ended on {end}; AWS bills extended support; {allowed}")
    elif left <= WARNING_DAYS:
        text = f"{problems.path}: {argument}={asked!r}: standard support ends on {end}, in {left} days; upgrade"
        warn(text)
    return asked
