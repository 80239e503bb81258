"""Network access to databases and caches."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.databases import CLUSTER, INSTANCE, RDS_GUIDE
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.queries.networks import is_everywhere, network, other_end, other_ends, ranges
from constructs_lib.rules.queries.security_groups import GROUPS, INBOUND, openings
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.outcomes import Outcome
    from constructs_lib.rules.queries.networks import Network
    from constructs_lib.rules.queries.security_groups import Opening

_PORTS: Final = {
    "aurora-mysql": 3306,
    "aurora-postgresql": 5432,
    "mariadb": 3306,
    "memcached": 11211,
    "mysql": 3306,
    "oracle": 1521,
    "postgres": 5432,
    "redis": 6379,
    "sqlserver": 1433,
    "valkey": 6379,
}
"""The default port by engine, which is matched by prefix."""
_SECURED: Final = {
    CLUSTER: "vpc_security_group_ids",
    INSTANCE: "vpc_security_group_ids",
    "aws_elasticache_cluster": "security_group_ids",
    "aws_elasticache_replication_group": "security_group_ids",
    "aws_elasticache_serverless_cache": "security_group_ids",
}
_WIDE: Final = {4: 16, 6: 56}
"""The prefix length of the largest VPC, by IP version."""

_GUARDED: Final = {
    "resource": {
        "aws_vpc": {"main": {"cidr_block": "10.0.0.0/20"}},
        "aws_security_group": {
            "app": {"name": "shop-prod-app", "vpc_id": "${aws_vpc.main.id}"},
            "db": {"name": "shop-prod-db", "vpc_id": "${aws_vpc.main.id}"},
            "old": {
                "name": "shop-prod-old",
                "vpc_id": "${aws_vpc.main.id}",
                "ingress": [
                    {
                        "protocol": "tcp",
                        "from_port": 3306,
                        "to_port": 3306,
                        "security_groups": ["${aws_security_group.app.id}"],
                    }
                ],
            },
        },
        "aws_vpc_security_group_ingress_rule": {
            "db": {
                "security_group_id": "${aws_security_group.db.id}",
                "ip_protocol": "tcp",
                "from_port": 5432,
                "to_port": 5432,
                "referenced_security_group_id": "${aws_security_group.app.id}",
            }
        },
        CLUSTER: {"orders": {"engine": "aurora-postgresql", _SECURED[CLUSTER]: ["${aws_security_group.db.id}"]}},
        INSTANCE: {"legacy": {"engine": "mysql", _SECURED[INSTANCE]: ["${aws_security_group.old.id}"]}},
    }
}
_INGRESS: Final = "resource.aws_vpc_security_group_ingress_rule.db"


@rule(
    "RDS-028",
    "Database security group allows security groups, not whole networks",
    why="A range as large as the VPC allows every instance in it, now and later, to connect to the database.",
    fix="Reference the security group of each client instead of a CIDR range.",
    page=f"{RDS_GUIDE}/Overview.RDSSecurityGroups.html",
    types=INBOUND,
    severity=WARNING,
    lessons=["TICK-7"],
    frameworks=Frameworks(pci=("1.3.1",)),
    good=_GUARDED,
    breaks=[
        {f"{_INGRESS}.referenced_security_group_id": REMOVED, f"{_INGRESS}.cidr_ipv4": "${aws_vpc.main.cidr_block}"},
        {f"{_INGRESS}.referenced_security_group_id": REMOVED, f"{_INGRESS}.cidr_ipv4": "10.0.0.0/8"},
        {"resource.aws_security_group.old.ingress.0.cidr_blocks": ["10.0.0.0/20"]},
        {
            "resource.aws_security_group_rule": {
                "old": {
                    "security_group_id": "${aws_security_group.old.id}",
                    "type": "ingress",
                    "protocol": "-1",
                    "from_port": 0,
                    "to_port": 0,
                    "cidr_blocks": ["172.16.0.0/12"],
                }
            }
        },
    ],
)
def groups_allow_groups_only(block: Block) -> Iterator[Outcome]:
    """Ranges smaller than the VPC may be an office or a subnet."""
    group = block if block.type in GROUPS else other_end(block, "security_group_id", *GROUPS)
    database = _guarded(block.estate).get(group) if group is not None else None
    if group is None or database is None:
        yield NotApplicable("it belongs to no database of the checked stacks")
        return
    for opening in openings(block, "ingress"):
        if _is_for(opening, database):
            yield from _wide(opening.section, group, database)


def _is_for(opening: Opening, database: Block) -> bool:
    """Return whether the rule allows the database's port, or may allow it."""
    if opening.protocol not in ("tcp", "all") and not isinstance(opening.protocol, Unknown):
        return False
    port, ports = database.number("port"), opening.ports
    if port is None:
        engine = str(database.get("engine"))
        port = next((number for name, number in _PORTS.items() if engine.startswith(name)), None)
    if port is None or ports is None or isinstance(port, Unknown) or isinstance(ports, Unknown):
        return True
    return ports[0] <= port <= ports[1]


def _wide(section: Section, group: Block, database: Block) -> Iterator[Outcome]:
    vpc = other_end(group, "vpc_id", "aws_vpc", "aws_default_vpc")
    found = ranges(vpc) if vpc is not None else []
    whole = [] if isinstance(found, Unknown) else found
    for at in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
        values = section.items(at)
        answers = [_is_wide(value, whole) for value in ([values] if isinstance(values, Unknown) else values)]
        unknown = next((answer for answer in answers if isinstance(answer, Unknown)), None)
        if True in answers:
            yield section.fail(
                f"must not allow a whole network to connect to {called(database, section.block)}; reference the "
                "security groups of its clients",
                at,
            )
        elif unknown is not None:
            yield section.undecided(unknown, at)


def _is_wide(value: object, whole: list[Network]) -> bool | Unknown:
    if isinstance(value, Computed) and value.attribute in ("cidr_block", "ipv6_cidr_block"):
        return value.block is not None and value.block.type.endswith("aws_vpc")
    if isinstance(value, Unknown):
        return value
    parsed = network(str(value))
    if parsed is None:
        return False
    covered = any(
        one.version == parsed.version and one.prefixlen >= parsed.prefixlen and one.network_address in parsed
        for one in whole
    )
    return is_everywhere(value) or parsed.prefixlen <= _WIDE[parsed.version] or covered


@lru_cache(maxsize=2)
def _guarded(estate: Estate) -> dict[Block, Block]:
    """Return the security groups of databases and caches, each with the first of these."""
    found: dict[Block, Block] = {}
    for type_, at in _SECURED.items():
        for block in estate.of(type_):
            for group in other_ends(block, at, *GROUPS):
                found.setdefault(group, block)
    return found
