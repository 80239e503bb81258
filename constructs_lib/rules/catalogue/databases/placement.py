"""Placement of databases: instances, Availability Zones and subnet groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import expect_flag
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    INSTANCE,
    MEMBER,
    RDS_GUIDE,
    engine_of,
    ignored_changes,
    is_aurora,
    is_copy,
    members_of,
)
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.queries.zones import zones_text
from constructs_lib.rules.rule import PRODUCTION, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_SCALING_TARGET: Final = "aws_appautoscaling_target"
_COPIES_OF_STORAGE: Final = 3
_ONE_ZONE_ONLY: Final = ("sqlserver-ex", "sqlserver-web")

_ZONES: Final = {
    letter: {
        "vpc_id": "${aws_vpc.main.id}",
        "cidr_block": f"10.0.{20 + number}.0/24",
        "availability_zone": f"eu-west-1{letter}",
    }
    for number, letter in enumerate("ab")
}
_GOOD: Final = {
    "resource": {
        "aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}},
        "aws_subnet": _ZONES,
        "aws_db_subnet_group": {
            "db": {"name": "shop-prod-db", "subnet_ids": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"]}
        },
        CLUSTER: {
            "orders": {
                "cluster_identifier": "shop-prod-orders",
                "engine": "aurora-mysql",
                "backtrack_window": 86400,
                "db_subnet_group_name": "${aws_db_subnet_group.db.name}",
            }
        },
        MEMBER: {
            "orders": {
                "count": 2,
                "cluster_identifier": "${aws_rds_cluster.orders.id}",
                "availability_zone": "${element(local.zones, count.index)}",
            }
        },
        INSTANCE: {"legacy": {"identifier": "shop-prod-legacy", "engine": "postgres", "multi_az": True}},
    },
    "locals": {"zones": ["eu-west-1a", "eu-west-1b"]},
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_MEMBER: Final = f"resource.{MEMBER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"


@rule(
    "RDS-030",
    "Aurora cluster spans two Availability Zones in production, and has one instance in dev",
    why="A cluster with a single instance is unavailable for ten minutes or more when the instance or its zone "
    "fails. In dev a second instance costs money without a benefit.",
    fix="Create two instances in different Availability Zones in production, and one in dev.",
    page=f"{AURORA_GUIDE}/Concepts.AuroraHighAvailability.html",
    types=[CLUSTER],
    severity=PRODUCTION,
    lessons=["PLAT-6"],
    frameworks=Frameworks(fsbp=("RDS.15",)),
    good=_GOOD,
    breaks=[
        {f"{_MEMBER}.count": 1},
        {f"{_MEMBER}.availability_zone": "eu-west-1a"},
    ],
)
def instances_fit_the_environment(cluster: Block) -> Iterator[Outcome]:
    """Replicas of autoscaling count; a secondary cluster of a global database may have one instance."""
    engine, members = engine_of(cluster), members_of(cluster)
    if is_copy(cluster) or (isinstance(engine, str) and not is_aurora(engine)):
        yield NotApplicable("secondary cluster, or a cluster whose instances AWS creates")
        return
    if not members:
        yield NotApplicable("its instances are not in the checked stacks")
        return
    uncounted = next((member for member in members if may_be_absent(member)), None)
    if uncounted is not None:
        reason = Unknown(f"the number of {uncounted.address} is known only in a plan")
        yield cluster.undecided(reason)
    elif cluster.environment == "dev":
        if len(members) > 1:
            yield cluster.fail(f"must have one instance in dev, not {len(members)}")
    elif cluster.environment == "prod":
        if len(members) == 1:
            replicas = _scaled_replicas(cluster)
            if isinstance(replicas, Unknown):
                yield cluster.undecided(replicas)
            elif replicas == 0:
                yield cluster.fail(
                    f"must have a second instance in another Availability Zone, besides {members[0].address}"
                )
            return
        zones = [member.text("availability_zone") for member in members]
        unknown = next((zone for zone in zones if isinstance(zone, Unknown)), None)
        if unknown is not None:
            yield members[0].undecided(unknown, "availability_zone")
        elif zones[0] is not None and len(set(zones)) == 1:
            yield members[0].fail(
                f"must differ between the instances of {cluster.address}; use two zones, or omit it",
                "availability_zone",
            )


def _scaled_replicas(cluster: Block) -> float | Unknown:
    """Return the minimum number of replicas that autoscaling keeps."""
    name = cluster.get("cluster_identifier")
    for target in cluster.estate.of(_SCALING_TARGET):
        means_it = cluster in target.targets("resource_id") or (
            isinstance(name, str) and target.get("resource_id") == f"cluster:{name}"
        )
        if means_it and target.get("scalable_dimension") == "rds:cluster:ReadReplicaCount":
            least = target.number("min_capacity")
            return 0 if least is None else least
    return 0


@rule(
    "RDS-031",
    "Aurora cluster sets three Availability Zones or none",
    why="Aurora stores data in three zones and adds the missing ones. The next plan shows a difference and replaces "
    "the cluster, with all its data.",
    fix="Omit availability_zones; the subnet group determines the zones.",
    page="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.availability_zones": ["eu-west-1a", "eu-west-1b"]},
        {f"{_ORDERS}.availability_zones": ["eu-west-1a", "eu-west-1b", "eu-west-1a"]},
    ],
)
def three_zones_or_none(cluster: Block) -> Iterator[Outcome]:
    """With ignore_changes nothing is replaced."""
    zones = cluster.items("availability_zones")
    if isinstance(zones, list) and not zones:
        return
    if isinstance(zones, list) and len({str(zone) for zone in zones}) == _COPIES_OF_STORAGE:
        return
    ignored = ignored_changes(cluster)
    unknown = next((value for value in (ignored, zones) if isinstance(value, Unknown)), None)
    if isinstance(ignored, list) and {"availability_zones", "all"} & set(ignored):
        return
    if unknown is not None:
        yield cluster.undecided(unknown, "availability_zones")
    else:
        yield cluster.fail(
            "must be omitted, or contain three Availability Zones: Aurora always uses three", "availability_zones"
        )


@rule(
    "RDS-032",
    "Backtrack is enabled for standalone Aurora MySQL clusters only",
    why="Aurora PostgreSQL and global databases do not support backtracking; AWS rejects the cluster at apply.",
    fix="Remove backtrack_window; restore to a point in time from backups instead.",
    page=f"{AURORA_GUIDE}/AuroraMySQL.Managing.Backtrack.html",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.engine": "aurora-postgresql"},
        {f"{_ORDERS}.backtrack_window": "3600", f"{_ORDERS}.engine": "postgres"},
        {f"{_ORDERS}.global_cluster_identifier": "shop-prod-world"},
    ],
)
def backtrack_is_supported(cluster: Block) -> Iterator[Outcome]:
    """Zero disables backtracking and is always valid."""
    window, engine = cluster.number("backtrack_window"), engine_of(cluster)
    if window is None or window == 0:
        yield NotApplicable("it has no backtrack window")
    elif isinstance(window, Unknown):
        if engine != "aurora-mysql":
            yield cluster.undecided(window, "backtrack_window")
    elif isinstance(engine, Unknown):
        yield cluster.undecided(engine, "engine")
    elif engine != "aurora-mysql":
        yield cluster.fail(f"must be removed: {engine} does not support backtracking", "backtrack_window")
    elif cluster.raw("global_cluster_identifier") is not None:
        yield cluster.fail("must be removed: a global database does not support backtracking", "backtrack_window")


@rule(
    "RDS-033",
    "DB subnet group spans two Availability Zones",
    why="AWS rejects a database in a subnet group with one zone, even a Single-AZ database.",
    fix="Set subnet_ids to subnets in at least two Availability Zones.",
    page=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    types=["aws_db_subnet_group"],
    good=_GOOD,
    breaks=[
        {"resource.aws_subnet.b.availability_zone": "eu-west-1a"},
        {"resource.aws_db_subnet_group.db.subnet_ids": ["${aws_subnet.a.id}"]},
    ],
)
def subnet_group_spans_zones(group: Block) -> Iterator[Outcome]:
    """Zones from the same expression count as one."""
    wrong = zones_text(group, "subnet_ids")
    if isinstance(wrong, Unknown):
        yield group.undecided(wrong, "subnet_ids")
    elif wrong:
        yield group.fail(f"must contain subnets in two Availability Zones: it {wrong}", "subnet_ids")


@rule(
    "RDS-034",
    "RDS instance has Multi-AZ enabled",
    why="A Single-AZ instance is unavailable while AWS replaces or patches its host, or while its zone fails.",
    fix="Set multi_az to true.",
    page=f"{RDS_GUIDE}/Concepts.MultiAZSingleStandby.html",
    types=[INSTANCE],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("RDS.5",), checkov=("CKV_AWS_157",)),
    good=_GOOD,
    breaks=[{f"{_LEGACY}.multi_az": False}, {f"{_LEGACY}.multi_az": REMOVED}],
)
def instance_has_multi_az(instance: Block) -> Iterator[Outcome]:
    """Replicas, and editions without Multi-AZ, are exempt."""
    engine = engine_of(instance)
    if is_copy(instance) or is_aurora(engine) or engine in _ONE_ZONE_ONLY or str(engine).startswith("custom"):
        yield NotApplicable("it does not support Multi-AZ by itself")
    else:
        yield from expect_flag(
            instance, "multi_az", "must be true, so that a standby in another Availability Zone can take over"
        )


@rule(
    "RDS-035",
    "RDS instance with Multi-AZ does not set an Availability Zone",
    why="AWS chooses both zones of a Multi-AZ instance, and rejects one that sets availability_zone.",
    fix="Remove availability_zone.",
    page=f"{RDS_GUIDE}/Concepts.MultiAZSingleStandby.html",
    types=[INSTANCE],
    good=_GOOD,
    breaks=[{f"{_LEGACY}.availability_zone": "eu-west-1a"}],
)
def multi_az_sets_no_zone(instance: Block) -> Iterator[Outcome]:
    """An unknown zone is set too."""
    if instance.get("availability_zone") in (None, ""):
        return
    both = instance.flag("multi_az")
    if isinstance(both, Unknown):
        yield instance.undecided(both, "multi_az")
    elif both:
        yield instance.fail("must be removed: it cannot be combined with multi_az", "availability_zone")
