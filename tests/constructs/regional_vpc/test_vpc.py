from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    Environment,
    HardenedStack,
    MultiRegionKey,
    RegionalVpc,
    SecurityGroup,
)
from constructs_lib.constructs.regional_vpc import LAMBDA_BASIC, SERVICES
from tests.constructs.regional_vpc.network_acls import FRAGMENTATION, INSIDE, acl_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
VPC = "${aws_vpc.net_eu_west_1.id}"


def add_vpc(stack: HardenedStack, **arguments: Any) -> RegionalVpc:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    return RegionalVpc(stack, "net", region=region, cidr="10.0.0.0/16", key=key, **arguments)


def build_prod(stack: HardenedStack) -> None:
    vpc = add_vpc(stack, interface_endpoints=LAMBDA_BASIC)
    group = SecurityGroup(stack, "fn", region=vpc.region, vpc=vpc, description="A function")
    group.allow_to(vpc.endpoints, 443)


@pytest.fixture(scope="module")
def prod(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build_prod, "prod")


@pytest.fixture(scope="module")
def dev(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(lambda stack: add_vpc(stack, zones=("a", "b")))


def test_the_vpc_has_dns_and_address_usage_metrics(prod: SynthesizedStack) -> None:
    vpc = prod.resource("aws_vpc")
    vpc.assert_config(
        {
            "cidr_block": "10.0.0.0/16",
            "enable_dns_hostnames": True,
            "enable_dns_support": True,
            "enable_network_address_usage_metrics": True,
        }
    )
    assert vpc["tags"] == {"Name": "shop-prod-net-eu-west-1"}


def test_every_tier_has_a_subnet_in_every_zone_without_public_addresses(
    prod: SynthesizedStack,
) -> None:
    expected = {
        f"aws_subnet.net_{tier}_{letter}_eu_west_1": {
            "availability_zone": f"eu-west-1{letter}",
            "cidr_block": f"10.0.{offset + index}.0/24",
            "map_public_ip_on_launch": False,
            "vpc_id": VPC,
        }
        for tier, offset in (("public", 1), ("private", 10), ("database", 20))
        for index, letter in enumerate("abc")
    }
    subnets = {subnet.address: subnet for subnet in prod.resources("aws_subnet")}
    assert subnets.keys() == expected.keys()
    for address, config in expected.items():
        subnets[address].assert_config(config)
    assert subnets["aws_subnet.net_private_a_eu_west_1"]["tags"] == {"Name": "shop-prod-net-private-a-eu-west-1"}


def test_every_resource_has_the_provider_of_its_region(prod: SynthesizedStack) -> None:
    assert {block["provider"] for block in prod.blocks} == {"aws.eu_west_1"}


def test_public_subnets_share_a_route_table_and_the_others_have_one_each(prod: SynthesizedStack) -> None:
    tables = {
        association["subnet_id"].split(".")[1]: association["route_table_id"].split(".")[1]
        for association in prod.resources("aws_route_table_association")
    }
    assert tables == {
        **{f"net_public_{letter}_eu_west_1": "net_public_routes_eu_west_1" for letter in "abc"},
        **{
            f"net_{tier}_{letter}_eu_west_1": f"net_{tier}_routes_{letter}_eu_west_1"
            for tier in ("private", "database")
            for letter in "abc"
        },
    }
    assert {f"aws_route_table.{name}" for name in tables.values()} == {
        table.address for table in prod.resources("aws_route_table")
    }
    assert {table["vpc_id"] for table in prod.resources("aws_route_table")} == {VPC}


def routes(stack: SynthesizedStack) -> dict[str, tuple[str, str]]:
    found = {}
    for route in stack.find("aws_route"):
        target = route.config.get("gateway_id") or route.config.get("nat_gateway_id")
        table = route["route_table_id"].split(".")[1].removeprefix("net_").removesuffix("_eu_west_1")
        assert table not in found
        found[table] = (route["destination_cidr_block"], str(target).split(".")[1])
    return found


def test_prod_has_a_nat_gateway_in_each_zone_and_no_default_route_for_databases(
    prod: SynthesizedStack,
) -> None:
    assert routes(prod) == {
        "public_routes": ("0.0.0.0/0", "net_internet_gateway_eu_west_1"),
        "private_routes_a": ("0.0.0.0/0", "net_nat_a_eu_west_1"),
        "private_routes_b": ("0.0.0.0/0", "net_nat_b_eu_west_1"),
        "private_routes_c": ("0.0.0.0/0", "net_nat_c_eu_west_1"),
    }


def test_dev_has_one_nat_gateway_in_the_first_zone(dev: SynthesizedStack) -> None:
    assert routes(dev) == {
        "public_routes": ("0.0.0.0/0", "net_internet_gateway_eu_west_1"),
        "private_routes_a": ("0.0.0.0/0", "net_nat_a_eu_west_1"),
        "private_routes_b": ("0.0.0.0/0", "net_nat_a_eu_west_1"),
    }
    assert dev.resource("aws_nat_gateway")["subnet_id"] == "${aws_subnet.net_public_a_eu_west_1.id}"


def test_addresses_and_nat_gateways_depend_on_the_internet_gateway(prod: SynthesizedStack) -> None:
    gateway = prod.resource("aws_internet_gateway")
    gateway.assert_config({"vpc_id": VPC})
    assert gateway["tags"] == {"Name": "shop-prod-net-internet-gateway-eu-west-1"}
    for letter in "abc":
        address = prod.resource("aws_eip", f"*/nat-address-{letter}")
        address.assert_config({"depends_on": [gateway.address], "domain": "vpc"})
        prod.resource("aws_nat_gateway", f"*/nat-{letter}").assert_config(
            {
                "allocation_id": f"${{{address.address}.id}}",
                "depends_on": [gateway.address],
                "subnet_id": f"${{aws_subnet.net_public_{letter}_eu_west_1.id}}",
            }
        )


def test_the_default_security_group_and_route_table_are_empty(prod: SynthesizedStack) -> None:
    prod.resource("aws_default_security_group").assert_config({"egress": [], "ingress": [], "vpc_id": VPC})
    prod.resource("aws_default_route_table").assert_config(
        {"default_route_table_id": "${aws_vpc.net_eu_west_1.default_route_table_id}", "route": []}
    )


def test_the_flow_log_has_extended_fields_encryption_and_a_retention(prod: SynthesizedStack) -> None:
    flow_log = prod.resource("aws_flow_log")
    flow_log.assert_config(
        {
            "depends_on": ["aws_iam_role_policy.net_flow_log_role_policy_eu_west_1"],
            "iam_role_arn": "${aws_iam_role.net_flow_log_role_eu_west_1.arn}",
            "log_destination": "${aws_cloudwatch_log_group.net_flow_log_log_group_eu_west_1.arn}",
            "log_destination_type": "cloud-watch-logs",
            "log_format": flow_log["log_format"],
            "max_aggregation_interval": 60,
            "traffic_type": "ALL",
            "vpc_id": VPC,
        }
    )
    fields = flow_log["log_format"].split(" ")
    assert all(field.startswith("$${") and field.endswith("}") for field in fields)
    assert len(fields) == len(set(fields)) == 27
    assert fields[0] == "$${version}"
    assert {"$${pkt-srcaddr}", "$${flow-direction}", "$${traffic-path}"} <= set(fields)
    prod.resource("aws_cloudwatch_log_group").assert_config(
        {
            "kms_key_id": "${aws_kms_key.key_eu_west_1.arn}",
            "name": "shop-prod-net-flow-log-eu-west-1",
            "retention_in_days": 365,
        }
    )


def test_the_flow_log_role_allows_its_log_group_and_this_account_only(prod: SynthesizedStack) -> None:
    group = "${aws_cloudwatch_log_group.net_flow_log_log_group_eu_west_1.arn}"
    prod.resource("data.aws_iam_policy_document", "*/policy-document").assert_config(
        {
            "statement": [
                {
                    "actions": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    "effect": "Allow",
                    "resources": [group, f"{group}:*"],
                    "sid": "WriteFlowLog",
                },
                {
                    "actions": ["logs:DescribeLogGroups"],
                    "effect": "Allow",
                    "resources": ["*"],
                    "sid": "FindLogGroup",
                },
            ]
        }
    )
    prod.resource("data.aws_iam_policy_document", "*/trust").assert_config(
        {
            "statement": [
                {
                    "actions": ["sts:AssumeRole"],
                    "condition": [
                        {"test": "StringEquals", "values": [ACCOUNT], "variable": "aws:SourceAccount"},
                        {
                            "test": "ArnLike",
                            "values": [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-flow-log/*"],
                            "variable": "aws:SourceArn",
                        },
                    ],
                    "effect": "Allow",
                    "principals": [{"identifiers": ["vpc-flow-logs.amazonaws.com"], "type": "Service"}],
                    "sid": "AssumeRole",
                }
            ]
        }
    )


def test_the_flow_log_interval_depends_on_the_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    interval = {"dev": 600, "staging": 600, "prod": 60}[environment]
    assert synth_stack(add_vpc, environment).resource("aws_flow_log")["max_aggregation_interval"] == interval
    stack = synth_stack(lambda stack: add_vpc(stack, flow_log_interval=60), environment)
    assert stack.resource("aws_flow_log")["max_aggregation_interval"] == 60


def gateway_statements(stack: SynthesizedStack, service: str) -> list[dict[str, Any]]:
    endpoint = stack.resource("aws_vpc_endpoint", f"*/{service}-gateway")
    endpoint.assert_config(
        {
            "policy": endpoint["policy"],
            "route_table_ids": [f"${{aws_route_table.net_private_routes_{letter}_eu_west_1.id}}" for letter in "abc"],
            "service_name": f"com.amazonaws.eu-west-1.{service}",
            "vpc_endpoint_type": "Gateway",
            "vpc_id": VPC,
        }
    )
    policy = json.loads(endpoint["policy"])
    assert policy["Version"] == "2012-10-17"
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def test_gateway_endpoints_are_for_private_route_tables_and_principals_of_this_account(
    prod: SynthesizedStack,
) -> None:
    own, *others = gateway_statements(prod, "dynamodb")
    assert not others
    assert own == {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Action": ["dynamodb:*"],
        "Principal": {"AWS": ["*"]},
        "Resource": ["*"],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}},
    }


def test_the_s3_endpoint_allows_downloads_of_packages_and_image_layers(prod: SynthesizedStack) -> None:
    own, packages = gateway_statements(prod, "s3")
    assert own["Action"] == ["s3:*"]
    assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}}
    assert packages == {
        "Sid": "AmazonPackages",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Principal": {"AWS": ["*"]},
        "Resource": [
            "arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/*",
            "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
        ],
    }


def test_interface_endpoints_have_private_dns_in_every_zone_and_one_security_group(prod: SynthesizedStack) -> None:
    for service in LAMBDA_BASIC:
        endpoint = prod.resource("aws_vpc_endpoint", f"*/endpoints/{service}")
        endpoint.assert_config(
            {
                "policy": endpoint["policy"],
                "private_dns_enabled": True,
                "security_group_ids": ["${aws_security_group.net_endpoints_security_group_eu_west_1.id}"],
                "service_name": f"com.amazonaws.eu-west-1.{service}",
                "subnet_ids": [f"${{aws_subnet.net_private_{letter}_eu_west_1.id}}" for letter in "abc"],
                "vpc_endpoint_type": "Interface",
                "vpc_id": VPC,
            }
        )
    assert len(prod.resources("aws_vpc_endpoint", "*/endpoints/*")) == 8


@pytest.fixture(scope="module")
def interface_policies(synth_stack: Callable[..., SynthesizedStack]) -> dict[str, list[dict[str, Any]]]:
    """The statements of every interface endpoint's policy, by service."""

    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        RegionalVpc(stack, "net", region=region, cidr="10.0.0.0/16", key=key, interface_endpoints=SERVICES)

    stack = synth_stack(fill, "dev")
    found: dict[str, list[dict[str, Any]]] = {}
    for service in SERVICES:
        endpoint = stack.resource("aws_vpc_endpoint", f"*/endpoints/{service.replace('.', '-')}")
        found[service] = json.loads(endpoint["policy"])["Statement"]
    return found


def test_interface_endpoints_allow_principals_of_this_account_only(
    interface_policies: dict[str, list[dict[str, Any]]],
) -> None:
    own = {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Action": ["*"],
        "Principal": {"AWS": ["*"]},
        "Resource": ["*"],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}},
    }
    others = {service: found for service, found in interface_policies.items() if found != [own]}
    assert others == {
        "execute-api": [
            {
                "Sid": "OwnApis",
                "Effect": "Allow",
                "Action": ["execute-api:Invoke"],
                "Principal": {"AWS": ["*"]},
                "Resource": [f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:*"],
            }
        ],
        "sts": [
            own,
            {
                "Sid": "OwnRoles",
                "Effect": "Allow",
                "Action": ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"],
                "Principal": {"AWS": ["*"]},
                "Resource": [f"arn:aws:iam::{ACCOUNT}:role/*"],
            },
        ],
    }


def test_interface_endpoints_allow_https_from_the_vpc_and_from_connected_constructs(prod: SynthesizedStack) -> None:
    prod.resource("aws_vpc_security_group_ingress_rule", "*/from-10.0.0.0-16-443").assert_config(
        {
            "cidr_ipv4": "10.0.0.0/16",
            "description": "HTTPS from inside the VPC",
            "from_port": 443,
            "ip_protocol": "tcp",
            "security_group_id": "${aws_security_group.net_endpoints_security_group_eu_west_1.id}",
            "to_port": 443,
        }
    )
    assert prod.resource("aws_vpc_security_group_ingress_rule", "*/into-*")["security_group_id"] == (
        "${aws_security_group.net_endpoints_security_group_eu_west_1.id}"
    )
    egress = prod.resource("aws_vpc_security_group_egress_rule")
    assert egress["referenced_security_group_id"] == "${aws_security_group.net_endpoints_security_group_eu_west_1.id}"


def test_every_tier_has_a_network_acl(prod: SynthesizedStack) -> None:
    for tier in ("public", "private", "database"):
        acl = prod.resource("aws_network_acl", f"*/{tier}-acl")
        acl.assert_config(
            {
                "egress": acl["egress"],
                "ingress": acl["ingress"],
                "subnet_ids": [f"${{aws_subnet.net_{tier}_{letter}_eu_west_1.id}}" for letter in "abc"],
                "vpc_id": VPC,
            }
        )


def test_network_acl_rules_are_written_to_the_json(prod: SynthesizedStack) -> None:
    assert acl_rules(prod, "public", "ingress") == [
        *INSIDE,
        (1000, "allow", "6", "0.0.0.0/0", 80, 80, None, None),
        (1010, "allow", "6", "0.0.0.0/0", 443, 443, None, None),
        (1020, "allow", "6", "0.0.0.0/0", 1024, 65535, None, None),
        FRAGMENTATION,
    ]
    every_port = (1000, "allow", "6", "0.0.0.0/0", 0, 65535, None, None)
    assert acl_rules(prod, "private", "egress") == [*INSIDE, every_port, FRAGMENTATION]
    assert acl_rules(prod, "database", "ingress") == acl_rules(prod, "database", "egress") == INSIDE


def test_outputs_are_flat_and_in_the_summary(dev: SynthesizedStack) -> None:
    def ids(tier: str) -> list[str]:
        return [f"${{aws_subnet.net_{tier}_{letter}_eu_west_1.id}}" for letter in "ab"]

    expected = {
        "id": VPC,
        "cidr": "10.0.0.0/16",
        "availability_zones": ["eu-west-1a", "eu-west-1b"],
        "public_subnet_ids": ids("public"),
        "private_subnet_ids": ids("private"),
        "database_subnet_ids": ids("database"),
        "nat_public_ips": ["${aws_eip.net_nat_address_a_eu_west_1.public_ip}"],
    }
    for name, value in expected.items():
        assert dev.outputs[f"net_{name}_eu_west_1"] == value
    assert dev.outputs["deployment_summary"]["regions"]["eu-west-1"]["net"] == expected


def test_every_nat_gateway_has_an_alarm_in_prod_on_ports_that_run_out(
    prod: SynthesizedStack, dev: SynthesizedStack, synth_stack: Callable[..., SynthesizedStack]
) -> None:
    alarms = prod.find("aws_cloudwatch_metric_alarm")
    assert [(alarm["metric_name"], alarm["dimensions"]) for alarm in alarms] == [
        ("ErrorPortAllocation", {"NatGatewayId": f"${{aws_nat_gateway.net_nat_{zone}_eu_west_1.id}}"}) for zone in "abc"
    ]
    assert dev.find("aws_cloudwatch_metric_alarm") == []
    topic = "arn:aws:sns:eu-west-1:111122223333:on-call"
    told = synth_stack(lambda stack: add_vpc(stack, alarms=True, alarm_topics=[topic]))
    (alarm,) = told.find("aws_cloudwatch_metric_alarm")
    assert (alarm["alarm_actions"], alarm["ok_actions"]) == ([topic], [topic])


def test_prod_without_alarms_needs_a_reason(stack: HardenedStack) -> None:
    prod = HardenedStack(App.of(stack), "prod", environment="prod", owner="me")
    with pytest.raises(ConfigurationError, match=r"alarms=False: prod requires alarms; pass NoAlarms\(reason\)"):
        add_vpc(prod, alarms=False)
