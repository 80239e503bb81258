"""Engines: versions, log exports and required parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, MINOR_ENDS, READ_ON
from constructs_lib.foundation.errors import Problems, warn
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

EngineName = Literal["aurora-postgresql", "aurora-mysql"]

WARNING_DAYS: Final = 180
"""Days before the end of standard support from which every synth warns."""

_NOTES: Final = "https://docs.aws.amazon.com/AmazonRDS/latest"


@dataclass(frozen=True)
class ExtendedSupport(OptOut):
    """The engine version may be in RDS Extended Support, which AWS bills by vCPU and hour."""


@dataclass(frozen=True)
class PinnedMinorVersion(OptOut):
    """No automatic minor version upgrades: `engine_version` is an exact version that you keep current."""


@dataclass(frozen=True)
class MajorUpgrade:
    """A major version upgrade. Remove it after the upgrade.

    Attributes:
        to: The exact version, such as `18.6`: a valid upgrade target of the current version.
    """

    to: str


@dataclass(frozen=True)
class Engine:
    """An Aurora engine.

    Attributes:
        name: The name in the API.
        port: The default port.
        default: The default major version.
        oldest: The oldest major version in Extended Support.
        calendar: The page with the end of standard support of each version.
        logs: The log exports.
        secure: Cluster parameters that the construct sets.
        logging: Parameters of clusters and instances for logging.
        max_user: The maximum length of a database user's name.
    """

    name: EngineName
    port: int
    default: str
    oldest: str
    calendar: str
    logs: tuple[str, ...]
    secure: Mapping[str, str]
    logging: Mapping[str, str]
    max_user: int

    @property
    def majors(self) -> Mapping[str, date]:
        """The end of standard support of each available major version, oldest first."""
        ends = END_OF_SUPPORT[self.name]
        since = list(ends).index(self.oldest)
        return {major: end for major, end in list(ends.items())[since:] if end is not None}

    @property
    def minors(self) -> Mapping[str, date]:
        """The end of standard support of minor versions, where AWS has announced it; keys are prefixes."""
        return MINOR_ENDS[self.name]

    def major_of(self, version: str) -> str | None:
        """Return the major version of a version; None for an unknown one."""
        return next((major for major in self.majors if version == major or version.startswith(f"{major}.")), None)

    def end_of(self, version: str) -> date | None:
        """Return the end of standard support of a version; None for an unknown one.

        For a minor version without an announced date it is that of the major version.
        """
        major = self.major_of(version)
        if major is None:
            return None
        known = (end for minor, end in self.minors.items() if version == minor or version.startswith(f"{minor}."))
        return next(known, self.majors[major])

    def is_exact(self, version: str) -> bool:
        """Whether a version includes the minor version."""
        return version not in self.majors

    def family(self, version: str) -> str:
        """Return the parameter group family of a version."""
        return f"{self.name}{self.major_of(version)}"


ENGINES: Final[Mapping[EngineName, Engine]] = {
    "aurora-postgresql": Engine(
        name="aurora-postgresql",
        port=5432,
        default="17",
        oldest="11",
        calendar=f"{_NOTES}/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html",
        logs=("iam-db-auth-error", "postgresql"),
        secure={"rds.force_ssl": "1"},
        logging={"log_min_duration_statement": "1000", "log_statement": "ddl"},
        max_user=63,
    ),
    "aurora-mysql": Engine(
        name="aurora-mysql",
        port=3306,
        default="8.0",
        oldest="5.7",
        calendar=f"{_NOTES}/AuroraMySQLReleaseNotes/AuroraMySQL.release-calendars.html",
        logs=("audit", "error", "iam-db-auth-error", "slowquery"),
        secure={
            "require_secure_transport": "ON",
            "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
            "server_audit_logging": "1",
        },
        logging={"long_query_time": "1", "slow_query_log": "1"},
        max_user=32,
    ),
}
"""The engines by name."""


def check_version(
    problems: Problems,
    engine: Engine,
    version: object,
    today: date,
    *,
    argument: str = "engine_version",
    extended: bool = False,
) -> str:
    """Return the version, and report one that Aurora does not support.

    Args:
        problems: Collects the problems.
        engine: The engine.
        version: A major or an exact version.
        today: The date to compare with.
        argument: The argument's name.
        extended: Whether versions in Extended Support are allowed.

    Warns:
        ConfigurationWarning: Standard support ends within 180 days, or has ended.

    See the engine's `calendar`.
    """
    supported = [major for major, end in engine.majors.items() if today <= end]
    allowed = f"supported major versions of {engine.name}: {', '.join(supported)} ({engine.calendar})"
    if not isinstance(version, str) or is_token(version):
        problems.add(argument, version, f"must be a plain string such as {engine.default!r}; {allowed}")
        return engine.default
    end = engine.end_of(version)
    if end is None:
        problems.add(argument, version, f"is not a known version on {READ_ON}; {allowed}")
        return engine.default
    left = (end - today).days
    if left < 0 and not extended:
        problems.add(
            argument,
            version,
            f"standard support ended on {end}; {allowed}. Upgrade, or give extended_support=ExtendedSupport(reason)",
        )
    elif left <= WARNING_DAYS:
        when = f"ended on {end}" if left < 0 else f"ends on {end}, in {left} days"
        text = f"{problems.path}: {argument}={version!r}: standard support {when}; upgrade to a later version"
        warn(text)
    return version


def check_upgrade(problems: Problems, engine: Engine, version: str, upgrade: MajorUpgrade, today: date) -> None:
    """Report a target that is not an exact version of a later major version."""
    target = check_version(problems, engine, upgrade.to, today, argument="upgrade.to")
    majors = list(engine.majors)
    now, then = engine.major_of(version), engine.major_of(target)
    if target is not upgrade.to or now is None or then is None:
        return
    problems.check(
        engine.is_exact(target),
        "upgrade.to",
        target,
        "must include the minor version, which must be a valid upgrade target: aws rds describe-db-engine-versions "
        "lists them as ValidUpgradeTarget",
    )
    problems.check(
        majors.index(then) > majors.index(now),
        "upgrade.to",
        target,
        f"must be of a later major version than engine_version={version!r}; remove upgrade after the upgrade",
    )


def choose_version(
    problems: Problems,
    engine: Engine,
    asked: str | None,
    *,
    pinned: PinnedMinorVersion | None,
    upgrade: MajorUpgrade | None,
    extended: bool,
    today: date,
) -> str:
    """Return the version to deploy, and report invalid combinations."""
    version = check_version(problems, engine, engine.default if asked is None else asked, today, extended=extended)
    exact = engine.is_exact(version)
    problems.check(
        not exact or pinned or upgrade,
        "engine_version",
        version,
        "includes the minor version, which Aurora upgrades automatically, so that later plans would downgrade it; give "
        f"{engine.major_of(version)!r}, or pinned=PinnedMinorVersion(reason)",
    )
    problems.check(
        exact or not pinned, "pinned", pinned, f"requires an exact engine_version; {version!r} is a major version"
    )
    problems.check(
        not (pinned and upgrade), "upgrade", upgrade, "cannot be combined with pinned; give pinned after the upgrade"
    )
    if upgrade is None:
        return version
    check_upgrade(problems, engine, version, upgrade, today)
    return upgrade.to
