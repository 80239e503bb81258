"""RDS clusters and instances: their engine, their members, and the meaning of missing values."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.links import is_given
from constructs_lib.rules.queries.names import by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section

CLUSTER: Final = "aws_rds_cluster"
INSTANCE: Final = "aws_db_instance"
MEMBER: Final = "aws_rds_cluster_instance"
GLOBAL: Final = "aws_rds_global_cluster"
CLUSTER_GROUP: Final = "aws_rds_cluster_parameter_group"
GROUP: Final = "aws_db_parameter_group"

_NAME_AT: Final = {
    CLUSTER: "cluster_identifier",
    INSTANCE: "identifier",
    CLUSTER_GROUP: "name",
    GROUP: "name",
    "aws_elasticache_parameter_group": "name",
    "aws_elasticache_subnet_group": "name",
}
_RESTORED: Final = ("snapshot_identifier", "restore_to_point_in_time", "s3_import")

_RDS: Final = "https://docs.aws.amazon.com/AmazonRDS/latest"
AURORA_GUIDE: Final = f"{_RDS}/AuroraUserGuide"
RDS_GUIDE: Final = f"{_RDS}/UserGuide"


def meant(section: Section, at: str, type_: str) -> Block | None:
    """Return the block of a type that a value refers to, by reference or by name, or None."""
    found = section.target(at, type_)
    if found is not None or section.raw(at) is None:
        return found
    value = section.get(at)
    name = value.text if isinstance(value, Unknown) else value
    viewer = section.block
    same = [
        block
        for block in by_name(viewer.estate, type_, _NAME_AT[type_]).get(name if isinstance(name, str) else "", ())
        if block.region == viewer.region
    ]
    own = next((block for block in same if block.stack is viewer.stack), None)
    # A text with an unknown part means the same within one stack only.
    return own if isinstance(value, Unknown) else own or next(iter(same), None)


def cluster_of(member: Block) -> Block | None:
    """Return the cluster of an instance, or None if it is not in the estate."""
    return meant(member, "cluster_identifier", CLUSTER)


def members_of(cluster: Block) -> list[Block]:
    """Return the instances of a cluster that the estate has."""
    return _members(cluster.estate).get(cluster, [])


def engine_of(block: Block) -> str | Unknown | None:
    """Return the engine of a cluster or instance; an instance without one has its cluster's."""
    engine = block.get("engine")
    if engine is None and block.type == MEMBER:
        cluster = cluster_of(block)
        return None if cluster is None else engine_of(cluster)
    return engine if engine is None or isinstance(engine, Unknown) else str(engine)


def version_of(block: Block) -> str | Unknown | None:
    """Return the engine's version as text."""
    return block.text("engine_version")


def is_aurora(engine: object) -> bool:
    """Return whether an engine is one of Aurora's."""
    return isinstance(engine, str) and engine.startswith("aurora")


def is_copy(block: Block) -> bool:
    """Return whether a database replicates another, which sets its attributes."""
    if block.type == INSTANCE:
        return _is_there(block, "replicate_source_db")
    if _is_there(block, "replication_source_identifier"):
        return True
    named = any(_is_there(block, at) for at in ("master_username", "manage_master_user_password"))
    return _is_there(block, "global_cluster_identifier") and not named


def is_restored(block: Block) -> bool:
    """Return whether a database is restored from a snapshot, a backup or a point in time, which sets its attributes."""
    return any(_is_there(block, at) for at in _RESTORED)


def ignored_changes(block: Block) -> list[str] | Unknown:
    """Return the attributes in `ignore_changes`."""
    changes = block.raw("lifecycle.ignore_changes")
    if isinstance(changes, Unknown) or isinstance(block.raw("lifecycle"), Unknown):
        return Unknown("a plan does not say what its lifecycle is")
    return [str(change) for change in changes] if isinstance(changes, list) else [str(changes or "")]


def parameters(group: Block) -> Iterator[tuple[Section, str | Unknown | None, str | Unknown | None]]:
    """Yield each parameter of a group: where it stands, its name, its value as text."""
    for section in group.sections("parameter"):
        body_unknown = section.body if isinstance(section.body, Unknown) else None
        yield section, body_unknown or section.text("name"), body_unknown or section.text("value")


def _is_there(block: Block, at: str) -> bool:
    value = block.get(at)
    return is_given(value) or (isinstance(value, Unknown) and not isinstance(value, Computed))


@lru_cache(maxsize=8)
def _members(estate: Estate) -> dict[Block, list[Block]]:
    found: dict[Block, list[Block]] = defaultdict(list)
    for member in estate.of(MEMBER):
        cluster = cluster_of(member)
        if cluster is not None:
            found[cluster].append(member)
    return found
