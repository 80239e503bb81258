"""Upgrades of a cache, and when its changes are applied."""

from __future__ import annotations

from typing import Final, Literal

from constructs_lib.constructs.redis_cache.engines import Engine, choose_version
from constructs_lib.core.stack import Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.errors import Problems

OtherEngine = Literal["redis"]

AT_ONCE: Final = {
    "upgrade_to": "an upgrade is immediate",
    "token_update": "ElastiCache removes an AUTH token at once",
    "topology": "ElastiCache changes the cluster mode at once",
}
"""Arguments whose change is always applied immediately, with the reason."""


def choose_target(
    problems: Problems, engine: Engine, version: str, upgrade_to: str | None, upgrade_from: object
) -> str:
    """Return the version to deploy, and report an upgrade that would replace the cache with an empty one.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html.
    """
    problems.check(
        upgrade_from is None or (upgrade_from == "redis" and engine.name == "valkey" and upgrade_to is not None),
        "upgrade_from",
        upgrade_from,
        "must be 'redis', with engine='valkey' and upgrade_to; remove it after the upgrade",
    )
    if upgrade_to is None:
        return version
    target = choose_version(problems, engine, upgrade_to, today(), argument="upgrade_to")
    known = list(engine.versions)
    if target == upgrade_to and upgrade_from is None:
        problems.check(
            known.index(target) > known.index(version),
            "upgrade_to",
            target,
            f"must be later than engine_version={version!r}; remove upgrade_to after the upgrade",
        )
    return target


def is_immediate(problems: Problems, asked: bool | None, region: Region, **steps: bool) -> bool:  # noqa: FBT001
    """Return whether changes are applied immediately, and report False with a change that cannot wait.

    Args:
        problems: Collects the problem.
        asked: The argument `apply_immediately`; None for the environment's default.
        region: The region of the cache.
        steps: Which arguments of `AT_ONCE` ask for a change.
    """
    given = [argument for argument in AT_ONCE if steps[argument]]
    for argument in given:
        problems.check(
            asked is not False,
            "apply_immediately",
            asked,
            f"cannot be False with {argument}: {AT_ONCE[argument]}; remove one",
        )
    if given:
        return True
    return region.profile.apply_immediately if asked is None else asked
