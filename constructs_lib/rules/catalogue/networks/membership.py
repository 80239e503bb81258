"""Resources whose subnets, security groups and route tables must be in one VPC."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.networks import Networks, other_end, other_ends
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_MEMBERS: Final = {
    "aws_codebuild_project": ("vpc_config.vpc_id", "vpc_config.subnets", "vpc_config.security_group_ids"),
    "aws_db_instance": ("db_subnet_group_name", "vpc_security_group_ids"),
    "aws_db_subnet_group": ("subnet_ids",),
    "aws_ecs_service": ("network_configuration.subnets", "network_configuration.security_groups"),
    "aws_efs_mount_target": ("subnet_id", "security_groups"),
    "aws_eks_cluster": ("vpc_config.subnet_ids", "vpc_config.security_group_ids"),
    "aws_elasticache_cluster": ("subnet_group_name", "security_group_ids"),
    "aws_elasticache_replication_group": ("subnet_group_name", "security_group_ids"),
    "aws_elasticache_subnet_group": ("subnet_ids",),
    "aws_instance": ("subnet_id", "vpc_security_group_ids"),
    "aws_lambda_function": ("vpc_config.subnet_ids", "vpc_config.security_group_ids"),
    "aws_lb": ("subnets", "security_groups"),
    "aws_network_acl": ("vpc_id", "subnet_ids"),
    "aws_network_interface": ("subnet_id", "security_groups"),
    "aws_rds_cluster": ("db_subnet_group_name", "vpc_security_group_ids"),
    "aws_route_table_association": ("subnet_id", "route_table_id"),
    "aws_vpc_endpoint": ("vpc_id", "subnet_ids", "security_group_ids"),
}
"""Arguments of each type that refer to resources of one VPC."""

_GROUPS_OF_SUBNETS: Final = ("aws_db_subnet_group", "aws_elasticache_subnet_group")
_IN_A_VPC: Final = ("aws_subnet", "aws_security_group", *Networks.TABLES)


def _vpcs(block: Block, at: str) -> Iterator[tuple[Block, Block]]:
    """Yield each resource that an argument refers to, with its VPC."""
    for member in other_ends(block, at) or [end for end in [other_end(block, at)] if end is not None]:
        if member.type in ("aws_vpc", "data.aws_vpc"):
            yield member, member
        elif member.type in _GROUPS_OF_SUBNETS:
            yield from islice(_vpcs(member, "subnet_ids"), 1)  # the rule checks the others on the group itself
        elif member.type in _IN_A_VPC:
            vpc = other_end(member, "vpc_id", "aws_vpc", "data.aws_vpc")
            if vpc is not None:
                yield member, vpc


@rule(
    "NET-030",
    "Subnets, security groups and route tables of a resource are in one VPC",
    why="AWS rejects the resource at apply; plan does not compare the VPCs.",
    fix="Use subnets, security groups and route tables of the same VPC.",
    page=f"{AWS}/vpc/latest/userguide/vpc-security-groups.html",
    types=list(_MEMBERS),
    good={
        "resource": {
            "aws_vpc": {"a": {"cidr_block": "10.0.0.0/16"}, "b": {"cidr_block": "10.1.0.0/16"}},
            "aws_subnet": {
                name: {"vpc_id": f"${{aws_vpc.{name}.id}}", "cidr_block": f"10.{number}.1.0/24"}
                for number, name in enumerate("ab")
            },
            "aws_security_group": {
                name: {"name": f"shop-prod-{name}", "vpc_id": f"${{aws_vpc.{name}.id}}"} for name in "ab"
            },
            "aws_route_table": {name: {"vpc_id": f"${{aws_vpc.{name}.id}}"} for name in "ab"},
            "aws_route_table_association": {
                "a": {"subnet_id": "${aws_subnet.a.id}", "route_table_id": "${aws_route_table.a.id}"}
            },
            "aws_lambda_function": {
                "auth": {
                    "function_name": "shop-prod-auth",
                    "vpc_config": {
                        "subnet_ids": ["${aws_subnet.a.id}"],
                        "security_group_ids": ["${aws_security_group.a.id}"],
                    },
                }
            },
            "aws_db_subnet_group": {"db": {"name": "shop-prod-db", "subnet_ids": ["${aws_subnet.a.id}"]}},
            "aws_rds_cluster": {
                "db": {
                    "cluster_identifier": "shop-prod-db",
                    "db_subnet_group_name": "${aws_db_subnet_group.db.name}",
                    "vpc_security_group_ids": ["${aws_security_group.a.id}"],
                }
            },
        }
    },
    breaks=[
        {"resource.aws_lambda_function.auth.vpc_config.security_group_ids": ["${aws_security_group.b.id}"]},
        {"resource.aws_route_table_association.a.route_table_id": "${aws_route_table.b.id}"},
        {"resource.aws_db_subnet_group.db.subnet_ids": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"]},
        {"resource.aws_rds_cluster.db.vpc_security_group_ids": ["${aws_security_group.b.id}"]},
    ],
    unknown_passes="an ID from outside these stacks is most likely of the same VPC",
)
def all_are_in_one_vpc(block: Block) -> Iterator[Outcome]:
    """Compare the VPC of the first resource with those of the others."""
    first: tuple[Block, Block] | None = None
    for at in _MEMBERS[block.type]:
        for member, vpc in _vpcs(block, at):
            first = first or (member, vpc)
            if vpc is not first[1]:
                yield block.fail(
                    f"must be in one VPC: {member.address} is in {vpc.address}, {first[0].address} in "
                    f"{first[1].address}",
                    at,
                )
                return
