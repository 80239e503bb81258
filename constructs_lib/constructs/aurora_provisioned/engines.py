"""Aurora's engines: which versions a cluster may have, what they log, and how they are made safe."""

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
"""Days before the end of a major version's support from which on every synth says so."""

_NOTES: Final = "https://docs.aws.amazon.com/AmazonRDS/latest"


@dataclass(frozen=True)
class ExtendedSupport(OptOut):
    """The engine may run past its standard support, which AWS bills by the hour and vCPU."""


@dataclass(frozen=True)
class PinnedMinorVersion(OptOut):
    """Aurora does not upgrade minor versions by itself; the code names the exact version and keeps it current."""


@dataclass(frozen=True)
class MajorUpgrade:
    """An upgrade to another major version, for the one apply that makes it.

    Attributes:
        to: The exact version to upgrade to, one of the running version's upgrade targets.
    """

    to: str


@dataclass(frozen=True)
class Engine:
    """What an engine needs to be told, and what it cannot do.

    Attributes:
        name: The engine as AWS spells it.
        port: The port that clients expect.
        default: The major version of a new cluster.
        oldest: The oldest major version that Extended Support covers; AWS runs none before it.
        calendar: The page with the end of standard support of each version.
        logs: The logs that a cluster exports.
        secure: Parameters of the cluster that no caller may change.
        logging: Parameters of clusters and instances that decide what is logged.
        max_user: The most characters of a database user's name.
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
        """The end of standard support of each major version that AWS runs, oldest first."""
        ends = END_OF_SUPPORT[self.name]
        since = list(ends).index(self.oldest)
        return {major: end for major, end in list(ends.items())[since:] if end is not None}

    @property
    def minors(self) -> Mapping[str, date]:
        """The end of standard support of minor versions, as far as it was found; the beginning of their names."""
        return MINOR_ENDS[self.name]

    def major_of(self, version: str) -> str | None:
        """Return the major version that a version belongs to, if the table has it."""
        return next((major for major in self.majors if version == major or version.startswith(f"{major}.")), None)

    def end_of(self, version: str) -> date | None:
        """Return the end of standard support of a version, None for an unknown one.

        A minor version without an end of its own counts as supported as long as its major version.
        """
        major = self.major_of(version)
        if major is None:
            return None
        known = (end for minor, end in self.minors.items() if version == minor or version.startswith(f"{minor}."))
        return next(known, self.majors[major])

    def is_exact(self, version: str) -> bool:
        """Whether a version names its minor version too."""
        return version not in self.majors

    def family(self, version: str) -> str:
        """Return the family of parameter groups for a version."""
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
"""Both engines."""


def check_version(
    problems: Problems,
    engine: Engine,
    version: object,
    today: date,
    *,
    argument: str = "engine_version",
    extended: bool = False,
) -> str:
    """Return the version when Aurora still supports it, and note why not otherwise.

    Args:
        problems: Where a problem is noted.
        engine: The engine.
        version: A major version, or an exact one.
        today: The day to judge by.
        argument: What the caller calls it.
        extended: Whether a version past its standard support is wanted.

    Warns:
        ConfigurationWarning: Standard support ends within 180 days, or the caller pays for extended support.

    See the engine's `calendar`.
    """
    supported = [major for major, end in engine.majors.items() if today <= end]
    allowed = f"the supported major versions of {engine.name} are {', '.join(supported)}: {engine.calendar}"
    if not isinstance(version, str) or is_token(version):
        problems.add(argument, version, f"must be a plain string such as {engine.default!r}; {allowed}")
        return engine.default
    end = engine.end_of(version)
    if end is None:
        problems.add(argument, version, f"is no version known on {READ_ON}; {allowed}")
        return engine.default
    left = (end - today).days
    if left < 0 and not extended:
        problems.add(
            argument,
            version,
            f"is out of standard support since {end}; {allowed}; give extended_support=ExtendedSupport(reason) to pay "
            "for longer",
        )
    elif left <= WARNING_DAYS:
        when = f"ended on {end}" if left < 0 else f"ends on {end}, in {left} days"
        text = f"{problems.path}: {argument}={version!r}: standard support {when}; upgrade to a later version"
        warn(text)
    return version


def check_upgrade(problems: Problems, engine: Engine, version: str, upgrade: MajorUpgrade, today: date) -> None:
    """Note a target that is no exact version of a later major version."""
    target = check_version(problems, engine, upgrade.to, today, argument="upgrade.to")
    majors = list(engine.majors)
    now, then = engine.major_of(version), engine.major_of(target)
    if target is not upgrade.to or now is None or then is None:
        return
    problems.check(
        engine.is_exact(target),
        "upgrade.to",
        target,
        "must name the minor version too, because Aurora upgrades to certain ones only: aws rds "
        "describe-db-engine-versions lists them as ValidUpgradeTarget",
    )
    problems.check(
        majors.index(then) > majors.index(now),
        "upgrade.to",
        target,
        f"must be of a later major version than engine_version={version!r}; leave upgrade out once it is made",
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
    """Return the version to deploy, and note what speaks against it."""
    version = check_version(problems, engine, engine.default if asked is None else asked, today, extended=extended)
    exact = engine.is_exact(version)
    problems.check(
        not exact or pinned or upgrade,
        "engine_version",
        version,
        "Aurora upgrades minor versions by itself, and the next plan would want to go back, which AWS refuses; give "
        f"{engine.major_of(version)!r}, or pinned=PinnedMinorVersion(reason) and keep the version current",
    )
    problems.check(
        exact or not pinned, "pinned", pinned, f"needs an exact engine_version to pin; {version!r} names none"
    )
    problems.check(not (pinned and upgrade), "upgrade", upgrade, "cannot be given with pinned; give pinned afterwards")
    if upgrade is None:
        return version
    check_upgrade(problems, engine, version, upgrade, today)
    return upgrade.to
