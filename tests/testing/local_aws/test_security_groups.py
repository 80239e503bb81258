from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow


def test_a_rule_between_groups_keeps_its_description(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", "eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    one, other = (
        ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"] for name in ("one", "other")
    )
    pair = {"GroupId": other, "Description": "why"}
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])
    (read,) = [
        found
        for found in ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [one]}])[
            "SecurityGroupRules"
        ]
        if not found["IsEgress"]
    ]
    assert (read["Description"], read["ReferencedGroupInfo"]["GroupId"]) == ("why", other)


def test_a_rule_for_a_prefix_list_keeps_its_description(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", "eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="listed", Description="d", VpcId=vpc)["GroupId"]
    named = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-west-1.dynamodb"]}]
    (listed,) = ec2.describe_prefix_lists(Filters=named)["PrefixLists"]
    to = {"PrefixListId": listed["PrefixListId"], "Description": "why"}
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [to]}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule])
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert [one["Description"] for one in found if "PrefixListId" in one] == ["why"]
