"""The ticketing stack: its addresses, who reaches what in its networks, and what a third region adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Environment
from stacks.ticketing import REGIONS, TicketingStack
from tests.stacks.pinned import check_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.synthesized import Block

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

TASKS = ("purchase", "inventory")

regions = pytest.mark.parametrize("region", REGIONS)
tasks = pytest.mark.parametrize("task", TASKS)


def place(region: str) -> str:
    return region.replace("-", "_")


def synthesized(synthesize: Synthesize, environment: str) -> SynthesizedStack:
    return synthesize(lambda app: TicketingStack(app, "ticketing", environment=environment))["ticketing"]


@pytest.fixture(scope="module")
def every(synthesize: Synthesize) -> dict[str, SynthesizedStack]:
    """The stack of each environment."""
    return {environment.value: synthesized(synthesize, environment) for environment in Environment}


@pytest.fixture(params=list(Environment))
def stack(request: pytest.FixtureRequest, every: dict[str, SynthesizedStack]) -> SynthesizedStack:
    return every[request.param]


@pytest.mark.parametrize("environment", list(Environment))
def test_addresses_stay_where_they_are(every: dict[str, SynthesizedStack], environment: Environment) -> None:
    check_addresses(every[environment], f"ticketing-{environment}")


def test_a_bigger_environment_has_everything_that_a_smaller_one_has(every: dict[str, SynthesizedStack]) -> None:
    dev, staging, prod = (set(every[name].addresses) for name in ("dev", "staging", "prod"))
    assert dev <= staging <= prod


# The network


def reference(block: Block, attribute: str = "id") -> str:
    return f"${{{block.address}.{attribute}}}"


def rules(stack: SynthesizedStack, direction: str, group: str) -> list[Block]:
    """Return the rules of a group; the stack has them as resources of their own only."""
    assert not stack.find("aws_security_group_rule")
    for block in stack.resources("aws_security_group"):
        assert not block.config.keys() & {"ingress", "egress"}
    found = stack.find(f"aws_vpc_security_group_{direction}_rule")
    return [block for block in found if block["security_group_id"] == group]


def routed(stack: SynthesizedStack, subnet: str) -> set[str]:
    """Return where the routes of a subnet lead, beside the network itself."""
    (table,) = {
        one["route_table_id"] for one in stack.resources("aws_route_table_association") if one["subnet_id"] == subnet
    }
    (block,) = [one for one in stack.resources("aws_route_table") if reference(one) == table]
    assert "route" not in block.config
    routes = [one for one in stack.find("aws_route") if one["route_table_id"] == table]
    assert routes == []
    gateways = [one for one in stack.resources("aws_vpc_endpoint") if table in one["route_table_ids"]]
    assert {one["vpc_endpoint_type"] for one in gateways} <= {"Gateway"}
    return {one["service_name"] for one in gateways}


def admitted(stack: SynthesizedStack, function: Block) -> set[tuple[str, int]]:
    """Return every destination, with the port, that both the security groups and the routes of a function admit."""
    network = function["vpc_config"]
    found: set[tuple[str, int]] = set()
    for subnet in network["subnet_ids"]:
        lists = {
            reference(one, "prefix_list_id"): one["service_name"]
            for one in stack.resources("aws_vpc_endpoint")
            if one["service_name"] in routed(stack, subnet) and one["provider"] == function["provider"]
        }
        for group in network["security_group_ids"]:
            for rule in rules(stack, "egress", group):
                assert (rule["ip_protocol"], rule["from_port"]) == ("tcp", rule["to_port"])
                assert not rule.config.keys() & {"cidr_ipv4", "cidr_ipv6"}
                if "prefix_list_id" in rule.config:
                    found.add((lists[rule["prefix_list_id"]], rule["to_port"]))
                else:
                    found.add((rule["referenced_security_group_id"], rule["to_port"]))
    return found


@regions
@tasks
def test_a_function_reaches_the_table_and_the_cache_of_its_region_and_nothing_else(
    stack: SynthesizedStack, region: str, task: str
) -> None:
    function = stack.at(f"aws_lambda_function.{task}_fn_{place(region)}")
    cache = stack.at(f"aws_elasticache_replication_group.cache_{place(region)}")
    (behind,) = cache["security_group_ids"]
    assert admitted(stack, function) == {(f"com.amazonaws.{region}.dynamodb", 443), (behind, cache["port"])}
    for group in function["vpc_config"]["security_group_ids"]:
        assert rules(stack, "ingress", group) == []


@regions
def test_the_cache_lets_the_two_functions_in_and_nobody_else(stack: SynthesizedStack, region: str) -> None:
    (behind,) = stack.at(f"aws_elasticache_replication_group.cache_{place(region)}")["security_group_ids"]
    functions = {
        group
        for task in TASKS
        for group in stack.at(f"aws_lambda_function.{task}_fn_{place(region)}")["vpc_config"]["security_group_ids"]
    }
    assert len(functions) == len(TASKS)
    let_in = rules(stack, "ingress", behind)
    assert {rule["referenced_security_group_id"] for rule in let_in} == functions
    assert {(rule["from_port"], rule["to_port"]) for rule in let_in} == {(6380, 6380)}


@regions
def test_the_database_tier_has_no_way_out(stack: SynthesizedStack, region: str) -> None:
    cache = stack.at(f"aws_elasticache_replication_group.cache_{place(region)}")
    (group,) = stack.resources("aws_elasticache_subnet_group", f"ticketing/cache-{region}/*")
    assert cache["subnet_group_name"] == reference(group, "name")
    for subnet in group["subnet_ids"]:
        assert routed(stack, subnet) == set()
    (behind,) = cache["security_group_ids"]
    assert rules(stack, "egress", behind) == []
    (acl,) = [one for one in stack.resources("aws_network_acl") if set(group["subnet_ids"]) <= set(one["subnet_ids"])]
    private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}
    assert {rule["cidr_block"] for rule in (*acl["egress"], *acl["ingress"])} <= private


@pytest.mark.parametrize(
    "type_", ["aws_internet_gateway", "aws_nat_gateway", "aws_vpc_peering_connection", "aws_eip", "aws_route"]
)
def test_no_network_has_a_way_to_another_one(stack: SynthesizedStack, type_: str) -> None:
    assert stack.find(type_) == []


# What the functions are told, and may do


@regions
@tasks
def test_each_function_knows_its_table_and_its_cache(stack: SynthesizedStack, region: str, task: str) -> None:
    environment = stack.outputs["deployment_summary"]["environment"]
    function = stack.at(f"aws_lambda_function.{task}_fn_{place(region)}")
    group = f"aws_elasticache_replication_group.cache_{place(region)}"
    assert function["environment"]["variables"] == {
        "TABLE_NAME": f"ticketing-{environment}-inventory",
        "CACHE_ENDPOINT": f"${{{group}.primary_endpoint_address}}:6380",
        "CACHE_TLS": "true",
        "CACHE_USER": f"${{aws_elasticache_user.cache_users_user_tickets_{place(region)}.user_name}}",
        "LOG_LEVEL": "INFO",
    }
    assert stack.at(group)["transit_encryption_mode"] == "required"
    user = stack.at(f"aws_elasticache_user.cache_users_user_tickets_{place(region)}")
    assert user["access_string"] == "on ~tickets:* &* +@all -@admin -@dangerous +info"
    assert function["layers"] == [f"${{aws_lambda_layer_version.shared_{place(region)}.arn}}"]


def statements(stack: SynthesizedStack, task: str, region: str) -> dict[str, dict[str, Any]]:
    document = stack.at(f"data.aws_iam_policy_document.{task}_fn_role_policy_document_{place(region)}")
    return {action: one for one in document["statement"] for action in one["actions"]}


MAY = {
    "purchase": {"DescribeTable": None, "PutItem": ["PURCHASE#*"], "UpdateItem": ["EVENT#*"]},
    "inventory": {"DescribeTable": None, "GetItem": ["EVENT#*"]},
}
"""Everything that each function may do with the table, and with which items."""


@regions
@tasks
def test_a_function_may_do_what_it_does_to_its_own_items(stack: SynthesizedStack, region: str, task: str) -> None:
    allowed = statements(stack, task, region)
    table = (
        f"${{aws_dynamodb_table.inventory_{place(region)}.arn}}"
        if region == REGIONS[0]
        else f"${{aws_dynamodb_table_replica.inventory_replica_{place(region)}.arn}}"
    )
    found: dict[str, list[str] | None] = {}
    for action, statement in allowed.items():
        service, _, name = action.partition(":")
        if service == "dynamodb":
            assert statement["resources"] == [table]
            conditions = {one["test"]: one for one in statement.get("condition", [])}
            assert {one["variable"] for one in conditions.values()} <= {"dynamodb:LeadingKeys"}
            assert "condition" not in statement or conditions["Null"]["values"] == ["false"]
            found[name] = conditions["ForAllValues:StringLike"]["values"] if conditions else None
    assert found == MAY[task]
    assert "kms:Decrypt" in allowed
    assert allowed["elasticache:Connect"]["resources"] == [
        f"${{aws_elasticache_replication_group.cache_{place(region)}.arn}}",
        f"${{aws_elasticache_user.cache_users_user_tickets_{place(region)}.arn}}",
    ]


# The table and the regions


def test_the_table_is_in_every_region_with_the_key_of_each(stack: SynthesizedStack) -> None:
    table = stack.resource("aws_dynamodb_table")
    assert table["provider"] == f"aws.{place(REGIONS[0])}"
    assert (table["hash_key"], table["ttl"]) == ("pk", {"attribute_name": "expires_at", "enabled": True})
    replicas = stack.resources("aws_dynamodb_table_replica")
    assert [one["provider"] for one in replicas] == [f"aws.{place(name)}" for name in REGIONS[1:]]
    for replica in replicas:
        assert replica["kms_key_arn"].startswith("${aws_kms_replica_key.key_replica_")
        assert replica["point_in_time_recovery"] is True


@regions
def test_each_region_sells_and_tells(stack: SynthesizedStack, region: str) -> None:
    methods = stack.resources("aws_api_gateway_method", f"ticketing/api-{region}/*")
    assert {(one["http_method"], one["authorization"]) for one in methods} == {("POST", "AWS_IAM"), ("GET", "AWS_IAM")}
    (post,) = [one for one in methods if one["http_method"] == "POST"]
    assert post["request_parameters"] == {"method.request.header.Idempotency-Key": True}
    schema = json.loads(stack.resource("aws_api_gateway_model", f"ticketing/api-{region}/*")["schema"])
    assert (schema["required"], schema["additionalProperties"]) == (["event_id", "quantity"], False)
    uris = {one["uri"] for one in stack.resources("aws_api_gateway_integration", f"ticketing/api-{region}/*")}
    assert uris == {f"${{aws_lambda_alias.{task}_fn_live_{place(region)}.invoke_arn}}" for task in TASKS}


@regions
def test_outputs_of_each_region_are_flat_and_nested(stack: SynthesizedStack, region: str) -> None:
    outputs, name = stack.outputs, place(region)
    nested = outputs["deployment_summary"]["regions"][region]
    for component, attribute in (
        *(("api", "url"), ("inventory", "name"), ("inventory", "stream_arn"), ("cache", "endpoint"), ("vpc", "id")),
        *((f"{task}_fn", "function_name") for task in TASKS),
        ("alarms", "arn"),
    ):
        assert nested[component][attribute] == outputs[f"{component}_{attribute}_{name}"] != ""


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_third_region_moves_nothing_that_exists(
    synthesize: Synthesize, every: dict[str, SynthesizedStack], monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    before = every[environment]
    monkeypatch.setattr("stacks.ticketing.REGIONS", (*REGIONS, "ap-northeast-1"))
    after = synthesized(synthesize, environment)
    for block in before.blocks:
        assert after.at(block.address).config == block.config, block.address
    added = [one for one in after.blocks if one.address not in set(before.addresses)]
    elsewhere = {
        one.address for one in added if one.config.get("provider") in {f"aws.{place(name)}" for name in REGIONS}
    }
    # In production the regions that exist also watch how far the new one is behind.
    assert {address.partition(".")[0] for address in elsewhere} <= {"aws_cloudwatch_metric_alarm"}
    assert len(after.find("aws_vpc")) == 3


def test_the_stack_is_short_enough_to_copy() -> None:
    source = Path("stacks/ticketing.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 160
