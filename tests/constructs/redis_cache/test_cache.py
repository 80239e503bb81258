from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib import (
    ElastiCacheUser,
    Environment,
    GeneratedPassword,
    HardenedStack,
    NoDeletionProtection,
    ReplicationGroup,
    SecurityGroup,
    Shards,
)
from tests.constructs.aurora_provisioned.clusters import SUBNETS
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.redis_cache.caches import CACHE, KEY, make_cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

    Synth = Callable[..., SynthesizedStack]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:pager"
USERS = {"app": ElastiCacheUser(), "report": ElastiCacheUser("read", ("orders:*", "totals:*"))}
LOGS = "/aws/vendedlogs/elasticache/shop-prod-carts-eu-west-1"
WRITE = "on ~* &* +@all -@admin -@dangerous +info"
READ = "on ~orders:* ~totals:* +@all -@write -@admin -@dangerous +info"


def build(stack: HardenedStack) -> None:
    cache = make_cache(stack, users=USERS, alarm_topics=[TOPIC])
    peer = SecurityGroup(stack, "peer", region=cache.region, vpc=cache.vpc, description="Somebody who asks")
    cache.allow_from(peer)


@pytest.fixture(scope="module")
def prod(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(build, "prod")


@pytest.fixture(scope="module")
def sharded(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(
        lambda stack: make_cache(stack, topology=Shards(2), engine="redis", token=GeneratedPassword()), "prod"
    )


def test_the_replication_group_in_prod(prod: SynthesizedStack) -> None:
    group = prod.resource("aws_elasticache_parameter_group")
    prod.resource("aws_elasticache_replication_group").assert_config(
        {
            "apply_immediately": False,
            "at_rest_encryption_enabled": "true",
            "auto_minor_version_upgrade": "true",
            "automatic_failover_enabled": True,
            "description": "Cache shop/carts",
            "engine": "valkey",
            "engine_version": "8.2",
            "final_snapshot_identifier": "shop-prod-carts-final-eu-west-1",
            "kms_key_id": KEY,
            "lifecycle": {"ignore_changes": ["engine_version"], "prevent_destroy": True},
            "log_delivery_configuration": [
                {
                    "destination": f"${{aws_cloudwatch_log_group.carts_{log.replace('-', '_')}_eu_west_1.name}}",
                    "destination_type": "cloudwatch-logs",
                    "log_format": "json",
                    "log_type": log,
                }
                for log in ("engine-log", "slow-log")
            ],
            "maintenance_window": "sun:03:30-sun:04:30",
            "multi_az_enabled": True,
            "node_type": "cache.r7g.large",
            "num_cache_clusters": 2,
            "parameter_group_name": f"${{{group.address}.name}}",
            "port": 6380,
            "replication_group_id": "shop-prod-carts-eu-west-1",
            "security_group_ids": ["${aws_security_group.carts_security_group_eu_west_1.id}"],
            "snapshot_retention_limit": 7,
            "snapshot_window": "02:00-03:00",
            "subnet_group_name": "${aws_elasticache_subnet_group.carts_subnet_group_eu_west_1.name}",
            "transit_encryption_enabled": True,
            "transit_encryption_mode": "required",
            "user_group_ids": ["${aws_elasticache_user_group.carts_users_eu_west_1.user_group_id}"],
        }
    )


def test_the_environment_sets_node_type_nodes_and_retention(synth_stack: Synth, environment: Environment) -> None:
    cache = synth_stack(make_cache, environment).resource("aws_elasticache_replication_group")
    names = ("node_type", "num_cache_clusters", "snapshot_retention_limit", "final_snapshot_identifier")
    failover = (cache["automatic_failover_enabled"], cache["multi_az_enabled"])
    assert [*(cache.config.get(name) for name in names), *failover, cache["lifecycle"].get("prevent_destroy")] == {
        "dev": ["cache.t4g.small", 1, 1, None, False, False, None],
        "staging": ["cache.t4g.small", 1, 3, None, False, False, None],
        "prod": ["cache.r7g.large", 2, 7, "shop-prod-carts-final-eu-west-1", True, True, True],
    }[environment]


def test_the_subnet_group_has_the_database_subnets_of_every_zone(prod: SynthesizedStack) -> None:
    prod.resource("aws_elasticache_subnet_group").assert_config(
        {
            "description": "Database subnets of shop/vpc",
            "name": "shop-prod-carts-eu-west-1",
            "subnet_ids": list(SUBNETS.values()),
        }
    )


def test_log_groups_have_key_and_retention(prod: SynthesizedStack) -> None:
    for log in ("engine-log", "slow-log"):
        prod.resource("aws_cloudwatch_log_group", f"shop/carts/{log}/*").assert_config(
            {"kms_key_id": KEY, "name": f"{LOGS}/{log}", "retention_in_days": 365}
        )


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": values[name]} for name in sorted(values)]


def test_the_parameter_group_has_the_eviction_policy(prod: SynthesizedStack, sharded: SynthesizedStack) -> None:
    for stack, family, values in (
        (prod, "valkey8", {"maxmemory-policy": "volatile-lru"}),
        (sharded, "redis7", {"cluster-enabled": "yes", "maxmemory-policy": "volatile-lru"}),
    ):
        group = stack.resource("aws_elasticache_parameter_group")
        assert group["name"].startswith(f"shop-prod-carts-{family}-")
        group.assert_config(
            {
                "description": "Cache shop/carts",
                "family": family,
                "lifecycle": {"create_before_destroy": True},
                "name": group["name"],
                "parameter": parameters(values),
            }
        )


def test_a_change_of_parameters_creates_another_parameter_group(synth_stack: Synth) -> None:
    names = {
        synth_stack(lambda stack, given=given: make_cache(stack, **given)).resource("aws_elasticache_parameter_group")[
            "name"
        ]
        for given in (
            {},
            {"maxmemory_policy": "allkeys-lfu"},
            {"parameters": {"timeout": "300"}},
            {"engine": "redis"},
            {"upgrade_to": "9.0"},
        )
    }
    assert len(names) == 5


def test_users_authenticate_with_iam_and_the_default_user_is_disabled(prod: SynthesizedStack) -> None:
    app, report, default = (
        prod.resource("aws_elasticache_user", f"shop/carts/users/{name}")
        for name in ("user-app", "user-report", "default")
    )
    for user, name, access in ((app, "app", WRITE), (report, "report", READ)):
        user.assert_config(
            {
                "access_string": access,
                "authentication_mode": {"type": "iam"},
                "engine": "valkey",
                "lifecycle": {"create_before_destroy": True},
                "user_id": user["user_id"],
                "user_name": user["user_id"],
            }
        )
        assert user["user_id"].startswith(f"shop-prod-carts-users-{name}-eu")
        assert len(user["user_id"]) <= 40
    default.assert_config(
        {
            "access_string": "off ~keys* -@all +get",
            "authentication_mode": {
                "passwords": ["${random_password.carts_users_default_password_eu_west_1.result}"],
                "type": "password",
            },
            "engine": "valkey",
            "lifecycle": {"create_before_destroy": True},
            "user_id": default["user_id"],
            "user_name": "default",
        }
    )
    prod.resource("aws_elasticache_user_group").assert_config(
        {
            "engine": "valkey",
            "user_group_id": "shop-prod-carts-users-eu-west-1",
            "user_ids": [f"${{{user.address}.user_id}}" for user in (default, app, report)],
        }
    )


@pytest.mark.parametrize("engine", ["valkey", "redis"])
def test_every_user_of_a_cache_has_a_password_or_iam(synth_stack: Synth, engine: str) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, engine=engine))
    modes = {user["user_name"]: user["authentication_mode"]["type"] for user in stack.resources("aws_elasticache_user")}
    assert modes == {"default": "password", "shop-dev-carts-users-app-eu-west-1": "iam"}
    engines = [one["engine"] for type_ in ("user", "user_group") for one in stack.find(f"aws_elasticache_{type_}")]
    assert engines == [engine] * 3
    # 16 to 128 printable characters; some special characters are refused.
    stack.resource("random_password").assert_config({"length": 64, "special": False})


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,40}(-[a-z0-9]{1,40}){0,2}", fullmatch=True).filter(
    lambda name: name != "default"
)


@given(names=st.sets(NAMES, min_size=2, max_size=4))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_user_has_an_id_of_its_own_so_that_it_can_be_created_before_another_is_deleted(
    synth_stack: Synth, names: set[str]
) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, users={name: ElastiCacheUser() for name in names}))
    ids = [user["user_id"] for user in stack.resources("aws_elasticache_user")]
    assert len(set(ids)) == len(names) + 1
    assert max(map(len, ids)) <= 40


def test_the_default_user_is_named_app(synth_stack: Synth) -> None:
    users = synth_stack(make_cache).resources("aws_elasticache_user")
    assert [(user["user_name"], user["access_string"]) for user in users] == [
        ("default", "off ~keys* -@all +get"),
        ("shop-dev-carts-users-app-eu-west-1", WRITE),
    ]


def test_allow_from_opens_the_port_for_one_security_group(prod: SynthesizedStack) -> None:
    peer, own = (f"${{aws_security_group.{name}_eu_west_1.id}}" for name in ("peer", "carts_security_group"))
    prod.resource("aws_vpc_security_group_ingress_rule").assert_config(
        {
            "description": "shop/peer to shop/carts/security-group",
            "from_port": 6380,
            "ip_protocol": "tcp",
            "referenced_security_group_id": peer,
            "security_group_id": own,
            "to_port": 6380,
        }
    )
    assert prod.resource("aws_vpc_security_group_egress_rule")["security_group_id"] == peer
    group = prod.resource("aws_security_group", "shop/carts/*")
    assert (group["description"], group["vpc_id"]) == ("Cache shop/carts", "vpc-00000001")


def test_every_node_has_alarms(prod: SynthesizedStack) -> None:
    alarms = {alarm.path.rsplit("/", 1)[1]: alarm for alarm in prod.resources("aws_cloudwatch_metric_alarm")}
    expected = {
        "cpu": ("EngineCPUUtilization", "Average", 80, "missing", 300, 3),
        "memory": ("DatabaseMemoryUsagePercentage", "Average", 80, "missing", 300, 3),
        "evictions": ("Evictions", "Sum", 0, "notBreaching", 300, 3),
        "authentication": ("AuthenticationFailures", "Sum", 0, "notBreaching", 300, 1),
        "connections": ("CurrConnections", "Average", 52000, "missing", 300, 3),
        "lag": ("ReplicationLag", "Maximum", 5, "notBreaching", 60, 5),
    }
    assert alarms.keys() == {f"{name}-alarm-{node}" for name in expected for node in ("001", "002")}
    for id_, alarm in alarms.items():
        name, _, node = id_.split("-")
        keys = ("metric_name", "statistic", "threshold", "treat_missing_data", "period", "evaluation_periods")
        assert tuple(alarm[key] for key in keys) == expected[name]
        assert (alarm["namespace"], alarm["comparison_operator"]) == ("AWS/ElastiCache", "GreaterThanThreshold")
        assert alarm["dimensions"] == {"CacheClusterId": f"shop-prod-carts-eu-west-1-{node}"}
        assert alarm["alarm_actions"] == [TOPIC]


def test_a_single_burstable_node_has_no_lag_alarm_and_a_lower_connection_threshold(synth_stack: Synth) -> None:
    alarms = synth_stack(lambda stack: make_cache(stack, alarms=True)).resources("aws_cloudwatch_metric_alarm")
    assert {alarm["metric_name"]: alarm["threshold"] for alarm in alarms} == {
        "AuthenticationFailures": 0,
        "CurrConnections": 16000,
        "DatabaseMemoryUsagePercentage": 80,
        "EngineCPUUtilization": 80,
        "Evictions": 0,
    }


def test_a_cache_that_evicts_no_keys_has_no_alarm_for_evictions(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, alarms=True, maxmemory_policy="noeviction"))
    metrics = {alarm["metric_name"] for alarm in stack.resources("aws_cloudwatch_metric_alarm")}
    assert metrics == {
        "AuthenticationFailures",
        "CurrConnections",
        "DatabaseMemoryUsagePercentage",
        "EngineCPUUtilization",
    }


def test_shards_replace_the_number_of_nodes(sharded: SynthesizedStack) -> None:
    cache = sharded.resource("aws_elasticache_replication_group")
    assert "num_cache_clusters" not in cache
    names = ("cluster_mode", "num_node_groups", "replicas_per_node_group", "multi_az_enabled")
    assert [cache[name] for name in names] == ["enabled", 2, 1, True]
    assert cache["automatic_failover_enabled"] is True
    nodes = {
        alarm["dimensions"]["CacheClusterId"].removeprefix("shop-prod-carts-eu-west-1-")
        for alarm in sharded.resources("aws_cloudwatch_metric_alarm")
    }
    assert nodes == {"0001-001", "0001-002", "0002-001", "0002-002"}


def test_shards_without_replicas_are_not_multi_az(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, topology=Shards(2, replicas=0)))
    cache = stack.resource("aws_elasticache_replication_group")
    names = ("replicas_per_node_group", "automatic_failover_enabled", "multi_az_enabled")
    assert [cache[name] for name in names] == [0, True, False]


def test_a_token_is_generated_and_stored_in_a_secret(sharded: SynthesizedStack) -> None:
    cache = sharded.resource("aws_elasticache_replication_group")
    result = "${random_password.carts_token_password_eu_west_1.result}"
    assert [cache[name] for name in ("auth_token", "auth_token_update_strategy")] == [result, "ROTATE"]
    assert "user_group_ids" not in cache
    assert sharded.find("aws_elasticache_user") == []
    password = sharded.resource("random_password")
    assert (password["length"], password["override_special"]) == (32, "-")
    secret = sharded.resource("aws_secretsmanager_secret")
    assert (secret["description"], secret["kms_key_id"]) == ("Token of shop/carts", KEY)
    value = json.loads(sharded.resource("aws_secretsmanager_secret_version")["secret_string"])
    assert value == {"host": CACHE % "configuration_endpoint_address", "password": result, "port": 6380}


def outputs(stack: SynthesizedStack) -> dict[str, Any]:
    flat = {
        name.removeprefix("carts_").removesuffix("_eu_west_1"): value
        for name, value in stack.outputs.items()
        if name.startswith("carts_")
    }
    assert stack.outputs["deployment_summary"]["regions"]["eu-west-1"]["carts"] == flat
    return flat


def test_the_outputs_are_ids_and_endpoints(prod: SynthesizedStack, sharded: SynthesizedStack) -> None:
    common = {"arn": CACHE % "arn", "id": CACHE % "id", "port": 6380}
    assert outputs(prod) == {
        **common,
        "endpoint": CACHE % "primary_endpoint_address",
        "reader_endpoint": CACHE % "reader_endpoint_address",
    }
    assert outputs(sharded) == {
        **common,
        "endpoint": CACHE % "configuration_endpoint_address",
        "secret_arn": "${aws_secretsmanager_secret.carts_token_eu_west_1.arn}",
    }


def test_the_environment_decides_when_changes_are_applied(synth_stack: Synth, environment: Environment) -> None:
    def at_once(**arguments: Any) -> bool:
        stack = synth_stack(lambda stack: make_cache(stack, **arguments), environment)
        value: bool = stack.resource("aws_elasticache_replication_group")["apply_immediately"]
        return value

    # Never absent: Terraform would keep the value of the last apply.
    assert at_once() is {"dev": True, "staging": True, "prod": False}[environment]
    assert [at_once(apply_immediately=given) for given in (True, False)] == [True, False]
    steps: list[dict[str, Any]] = [
        {"upgrade_to": "9.0"},
        {"token_update": "DELETE"},
        {"topology": ReplicationGroup(2, compatible=True)},
    ]
    assert [at_once(**step) for step in steps] == [True] * 3


def test_an_upgrade_from_redis_leaves_users_and_their_group_for_the_next_apply(synth_stack: Synth) -> None:
    """A user group of Valkey is refused for a cache that is still Redis OSS."""

    def engines(**arguments: Any) -> list[Any]:
        stack = synth_stack(lambda stack: make_cache(stack, engine="valkey", **arguments))
        blocks = [stack.resource(f"aws_elasticache_{name}") for name in ("replication_group", "user_group")]
        assert stack.resource("aws_elasticache_parameter_group")["family"] == "valkey8"
        users = {user["engine"] for user in stack.resources("aws_elasticache_user")}
        return [*(block["engine"] for block in blocks), users]

    assert engines(upgrade_to="8.2", upgrade_from="redis") == ["valkey", "redis", {"redis"}]
    assert engines() == ["valkey", "valkey", {"valkey"}]


def test_the_mode_compatible_keeps_nodes_and_endpoint_and_adds_the_configuration_endpoint(synth_stack: Synth) -> None:
    def fill(stack: HardenedStack) -> None:
        cache = make_cache(stack, topology=ReplicationGroup(2, compatible=True))
        stack.output("both", [cache.endpoint, cache.configuration_endpoint], "Endpoints")

    stack = synth_stack(fill)
    cache = stack.resource("aws_elasticache_replication_group")
    names = ("cluster_mode", "num_cache_clusters", "automatic_failover_enabled", "multi_az_enabled")
    assert [cache[name] for name in names] == ["compatible", 2, True, True]
    assert stack.outputs["both"] == [CACHE % "primary_endpoint_address", CACHE % "configuration_endpoint_address"]
    values = {"cluster-enabled": "yes", "maxmemory-policy": "volatile-lru"}
    assert stack.resource("aws_elasticache_parameter_group")["parameter"] == parameters(values)
    # The same group as with shards, so that the last step changes the mode only.
    shards = synth_stack(lambda stack: make_cache(stack, topology=Shards(1, replicas=1)))
    assert (
        shards.resource("aws_elasticache_parameter_group").config
        == stack.resource("aws_elasticache_parameter_group").config
    )


def test_an_upgrade_is_immediate_and_changes_the_parameter_group(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, upgrade_to="9.0"))
    cache = stack.resource("aws_elasticache_replication_group")
    assert (cache["engine_version"], cache["apply_immediately"]) == ("9.0", True)
    assert "lifecycle" not in cache or "ignore_changes" not in cache["lifecycle"]
    group = stack.resource("aws_elasticache_parameter_group")
    after = synth_stack(lambda stack: make_cache(stack, engine_version="9.0"))
    assert group["family"] == "valkey9"
    assert group.config == after.resource("aws_elasticache_parameter_group").config


def test_arguments_are_written_as_given(synth_stack: Synth) -> None:
    def fill(stack: HardenedStack) -> None:
        make_cache(
            stack,
            topology=ReplicationGroup(3),
            node_type="cache.m7g.xlarge",
            port=6379,
            snapshot_retention_days=35,
            snapshot_window="10:00-11:00",
            maintenance_window="mon:01:00-mon:02:00",
            deletion_protection=NoDeletionProtection("holds nothing but sessions"),
            parameters={"timeout": "300"},
            maxmemory_policy="noeviction",
        )
        assert [type(opt_out) for _, opt_out in stack.opt_outs] == [NoDeletionProtection]

    stack = synth_stack(fill, "prod")
    cache = stack.resource("aws_elasticache_replication_group")
    names = ("num_cache_clusters", "node_type", "port", "snapshot_retention_limit", "snapshot_window")
    assert [cache[name] for name in names] == [3, "cache.m7g.xlarge", 6379, 35, "10:00-11:00"]
    assert cache["maintenance_window"] == "mon:01:00-mon:02:00"
    assert cache["final_snapshot_identifier"] == "shop-prod-carts-final-eu-west-1"
    assert "prevent_destroy" not in cache["lifecycle"]
    group = stack.resource("aws_elasticache_parameter_group")
    assert group["parameter"] == parameters({"maxmemory-policy": "noeviction", "timeout": "300"})


def test_token_update_set_ends_the_previous_token(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, token=GeneratedPassword(generation=2), token_update="SET"))
    cache = stack.resource("aws_elasticache_replication_group")
    assert cache["auth_token_update_strategy"] == "SET"
    secret = json.loads(stack.resource("aws_secretsmanager_secret_version")["secret_string"])
    assert secret["host"] == CACHE % "primary_endpoint_address"


def test_token_update_delete_replaces_the_token_with_users(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cache(stack, token_update="DELETE"))
    cache = stack.resource("aws_elasticache_replication_group")
    names = ("auth_token_update_strategy", "apply_immediately", "user_group_ids")
    group = "${aws_elasticache_user_group.carts_users_eu_west_1.user_group_id}"
    assert [cache[name] for name in names] == ["DELETE", True, [group]]
    assert "auth_token" not in cache
    assert stack.document["terraform"]["required_providers"]["aws"]["version"] == ">= 6.31.0, < 7.0.0"


def test_a_cache_with_users_has_no_token_settings(synth_stack: Synth) -> None:
    stack = synth_stack(make_cache)
    cache = stack.resource("aws_elasticache_replication_group")
    assert "auth_token_update_strategy" not in cache
    assert stack.document["terraform"]["required_providers"]["aws"]["version"] == ">= 5.100.0, < 7.0.0"


def test_references_work_in_another_stack(synthesize: Synthesize) -> None:
    def with_users(stack: HardenedStack) -> dict[str, str]:
        cache = make_cache(stack)
        return {"id": cache.id, "arn": cache.arn, "endpoint": cache.endpoint, "user": cache.user_name("app")}

    def with_token(stack: HardenedStack) -> dict[str, str]:
        cache = make_cache(stack, token=GeneratedPassword(), topology=Shards(2))
        return {"endpoint": cache.endpoint, "secret": cache.secret_arn}

    assert read_from_another_stack(synthesize, with_users) == {
        "id": CACHE % "id",
        "arn": CACHE % "arn",
        "endpoint": CACHE % "primary_endpoint_address",
        "user": "${aws_elasticache_user.carts_users_user_app_eu_west_1.user_name}",
    }
    assert read_from_another_stack(synthesize, with_token) == {
        "endpoint": CACHE % "configuration_endpoint_address",
        "secret": "${aws_secretsmanager_secret.carts_token_eu_west_1.arn}",
    }
