"""Quotas of a Region of Amazon VPC.

See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked

DEFAULT_DENY = 32_767
SOURCES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


@refuses("ec2:AllocateAddress")
def elastic_ips(asked: Asked) -> None:
    """A Region has 5 Elastic IP addresses.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    if len(asked.backend("ec2").addresses) >= asked.quota("ec2-elastic-ips-per-region"):
        raise RefusedError("AddressLimitExceeded", "The maximum number of addresses has been reached.")


@refuses("ec2:CreateVpc")
def vpcs(asked: Asked) -> None:
    """A Region has 5 VPCs, including the default VPC.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    if len(asked.backend("ec2").vpcs) >= asked.quota("vpc-vpcs-per-region"):
        raise RefusedError("VpcLimitExceeded", "The maximum number of VPCs has been reached.")


@refuses("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress")
def security_group_rules(asked: Asked) -> None:
    """A security group has 60 inbound and 60 outbound rules; each source or destination is a rule.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    group = asked.backend("ec2").get_security_group_from_id(asked.parameters.get("GroupId"))
    if group is None:
        return
    known = group.ingress_rules if asked.call.name.endswith("Ingress") else group.egress_rules
    given: list[dict[str, Any]] = asked.parameters.get("IpPermissions") or []
    added = sum(len(permission.get(source) or []) for permission in given for source in SOURCES) or 1
    if len(known) + added > asked.quota("vpc-rules-per-security-group"):
        raise RefusedError(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )


@refuses("ec2:CreateNetworkAclEntry")
def network_acl_entries(asked: Asked) -> None:
    """A network ACL has 20 entries in each direction, including the default deny.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    acl = asked.backend("ec2").network_acls.get(asked.parameters.get("NetworkAclId"))
    egress = bool(asked.parameters.get("Egress"))
    known = [
        entry
        for entry in (acl.entries if acl else [])
        if (str(entry.egress).lower() == "true") is egress and int(entry.rule_number) < DEFAULT_DENY
    ]
    if len(known) + 1 >= asked.quota("vpc-rules-per-network-acl"):
        raise RefusedError(
            "NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached."
        )


@refuses("ec2:CreateRoute")
def routes(asked: Asked) -> None:
    """A route table has a maximum number of routes.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    table = asked.backend("ec2").route_tables.get(asked.parameters.get("RouteTableId"))
    if table and len(table.routes) >= asked.quota("vpc-routes-per-route-table"):
        raise RefusedError("RouteLimitExceeded", "The maximum number of routes has been reached.")


@refuses("elbv2:CreateListener", "elbv2:ModifyListener")
def listener_ports(asked: Asked) -> None:
    """A load balancer has one listener for each port.

    See: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
    """
    given = asked.parameters
    for arn, balancer in asked.backend("elbv2").load_balancers.items():
        listeners = {listener.arn: str(listener.port) for listener in balancer.listeners.values()}
        changed = given.get("ListenerArn")
        others = [port for listener, port in listeners.items() if listener != changed]
        if (arn == given.get("LoadBalancerArn") or changed in listeners) and str(given.get("Port")) in others:
            raise RefusedError("DuplicateListener", "A listener already exists on this port for this load balancer")
