"""Where databases stand: instances, zones, subnet groups, and what the place does not allow."""

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

    from constructs_lib.rules.estate.blocks import Block
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
    "A production cluster has instances in two zones, one in dev has a single instance",
    why="A cluster of one instance stops for ten minutes and more when the instance or its zone fails; in dev the "
    "second instance is paid for and serves nobody.",
    fix="Make two instances in different zones in production, one in dev.",
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
    """Replicas that autoscaling adds count; a secondary of a global cluster may do with one instance."""
    engine, members = engine_of(cluster), members_of(cluster)
    if is_copy(cluster) or (isinstance(engine, str) and not is_aurora(engine)):
        yield NotApplicable("a secondary cluster, or one whose instances AWS makes")
        return
    if not members:
        yield NotApplicable("its instances are not in these stacks")
        return
    uncounted = next((member for member in members if may_be_absent(member)), None)
    if uncounted is not None:
        reason = Unknown(f"how many of {uncounted.address} there are only a plan can tell")
        yield cluster.undecided(reason)
    elif cluster.environment == "dev":
        if len(members) > 1:
            yield cluster.fail(f"has {len(members)} instances; one is enough in dev")
    elif cluster.environment == "prod":
        if len(members) == 1:
            replicas = _scaled_replicas(cluster)
            if isinstance(replicas, Unknown):
                yield cluster.undecided(replicas)
            elif replicas == 0:
                yield cluster.fail(
                    f"has a single instance, {members[0].address}: make another one, in a different zone"
                )
            return
        zones = [member.text("availability_zone") for member in members]
        unknown = next((zone for zone in zones if isinstance(zone, Unknown)), None)
        if unknown is not None:
            yield members[0].undecided(unknown, "availability_zone")
        elif zones[0] is not None and len(set(zones)) == 1:
            yield members[0].fail(
                f"is the zone of every instance of {cluster.address}; put one into another zone, or leave the choice "
                "to AWS",
                "availability_zone",
            )


def _scaled_replicas(cluster: Block) -> float | Unknown:
    """Return how many replicas autoscaling always keeps."""
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
    "A cluster names three zones, or none",
    why="Aurora keeps its data in three zones and adds those that are missing: the next plan sees more zones than the "
    "code has, and replaces the cluster with all its data.",
    fix="Leave availability_zones out; subnets decide where instances stand.",
    page="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.availability_zones": ["eu-west-1a", "eu-west-1b"]},
        {f"{_ORDERS}.availability_zones": ["eu-west-1a", "eu-west-1b", "eu-west-1a"]},
    ],
)
def zones_are_three_or_none(cluster: Block) -> Iterator[Outcome]:
    """A change that Terraform ignores replaces nothing."""
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
        yield cluster.fail("must be left out, or name three zones: Aurora always uses three", "availability_zones")


@rule(
    "RDS-032",
    "Only Aurora MySQL clusters that stand alone have a backtrack window",
    why="Aurora PostgreSQL and members of a global cluster cannot go back in time; AWS refuses the cluster at apply.",
    fix="Remove backtrack_window; backups and snapshots go back too.",
    page=f"{AURORA_GUIDE}/AuroraMySQL.Managing.Backtrack.html",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.engine": "aurora-postgresql"},
        {f"{_ORDERS}.backtrack_window": "3600", f"{_ORDERS}.engine": "postgres"},
        {f"{_ORDERS}.global_cluster_identifier": "shop-prod-world"},
    ],
)
def backtrack_is_possible(cluster: Block) -> Iterator[Outcome]:
    """Zero turns it off, and is right everywhere."""
    window, engine = cluster.number("backtrack_window"), engine_of(cluster)
    if window is None or window == 0:
        yield NotApplicable("it has no backtrack window")
    elif isinstance(window, Unknown):
        if engine != "aurora-mysql":
            yield cluster.undecided(window, "backtrack_window")
    elif isinstance(engine, Unknown):
        yield cluster.undecided(engine, "engine")
    elif engine != "aurora-mysql":
        yield cluster.fail(f"is not possible with {engine}; remove it", "backtrack_window")
    elif cluster.raw("global_cluster_identifier") is not None:
        yield cluster.fail("is not possible in a global cluster; remove it", "backtrack_window")


@rule(
    "RDS-033",
    "A database subnet group spans two zones",
    why="RDS refuses a database in a subnet group of one zone, even one that runs in a single zone.",
    fix="Name subnets of at least two availability zones.",
    page=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    types=["aws_db_subnet_group"],
    good=_GOOD,
    breaks=[
        {"resource.aws_subnet.b.availability_zone": "eu-west-1a"},
        {"resource.aws_db_subnet_group.db.subnet_ids": ["${aws_subnet.a.id}"]},
    ],
)
def subnet_group_spans_zones(group: Block) -> Iterator[Outcome]:
    """Zones that the same expression gives are one zone."""
    wrong = zones_text(group, "subnet_ids")
    if isinstance(wrong, Unknown):
        yield group.undecided(wrong, "subnet_ids")
    elif wrong:
        yield group.fail(f"{wrong}; a database needs subnets in two", "subnet_ids")


@rule(
    "RDS-034",
    "A production instance has a standby in another zone",
    why="A single instance is away while AWS repairs its host, patches it, or loses its zone.",
    fix="Set multi_az to true.",
    page=f"{RDS_GUIDE}/Concepts.MultiAZSingleStandby.html",
    types=[INSTANCE],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("RDS.5",), checkov=("CKV_AWS_157",)),
    good=_GOOD,
    breaks=[{f"{_LEGACY}.multi_az": False}, {f"{_LEGACY}.multi_az": REMOVED}],
)
def instance_has_a_standby(instance: Block) -> Iterator[Outcome]:
    """Replicas, and editions that have no standby, do without."""
    engine = engine_of(instance)
    if is_copy(instance) or is_aurora(engine) or engine in _ONE_ZONE_ONLY or str(engine).startswith("custom"):
        yield NotApplicable("it has no standby of its own")
    else:
        yield from expect_flag(instance, "multi_az", "must be true, so that a standby in another zone takes over")


@rule(
    "RDS-035",
    "An instance with a standby names no zone",
    why="AWS chooses the zones of an instance with a standby, and refuses one that names its own.",
    fix="Remove availability_zone.",
    page=f"{RDS_GUIDE}/Concepts.MultiAZSingleStandby.html",
    types=[INSTANCE],
    good=_GOOD,
    breaks=[{f"{_LEGACY}.availability_zone": "eu-west-1a"}],
)
def standby_needs_free_choice(instance: Block) -> Iterator[Outcome]:
    """A zone that is not known is a zone all the same."""
    if instance.get("availability_zone") in (None, ""):
        return
    both = instance.flag("multi_az")
    if isinstance(both, Unknown):
        yield instance.undecided(both, "multi_az")
    elif both:
        yield instance.fail("cannot be set together with multi_az; remove it", "availability_zone")
