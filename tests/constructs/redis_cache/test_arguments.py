"""A cache's arguments, versions and users."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import (
    App,
    ConfigurationError,
    ConfigurationWarning,
    ElastiCacheUser,
    GeneratedPassword,
    HardenedStack,
    ReplicationGroup,
    SecurityGroup,
    Shards,
)
from constructs_lib.constructs.redis_cache.engines import ENGINES, choose_version
from constructs_lib.foundation.errors import Problems
from tests.constructs.aurora_provisioned.clusters import make_vpc
from tests.constructs.global_table.tables import make_role
from tests.constructs.redis_cache.caches import CACHE, KEY, make_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

PAGE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support-versions.html"
VALKEY = f"supported on 2026-11-22: 7.2, 8.0, 8.1, 8.2, 9.0, 9.1 ({PAGE})"


@pytest.fixture
def prod(tmp_path: Path) -> HardenedStack:
    return HardenedStack(App(outdir=str(tmp_path)), "shop", environment="prod", owner="team")


def refusal(stack: HardenedStack, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        make_cache(stack, **arguments)
    return [line.removeprefix("shop/carts: ") for line in str(error.value).splitlines()]


DEV_TYPES = "cache.t4g, cache.r7g, cache.m7g, cache.r6g, cache.m6g, such as 'cache.t4g.small'"
NAME = "must be lower-case letters, digits and single hyphens, starting with a letter, and not 'default'"
UPDATE = "must be 'ROTATE', 'SET' with token, or 'DELETE' without token"
UPGRADE = "must be 'redis', with engine='valkey' and upgrade_to; remove it after the upgrade"
COMPATIBLE = "requires at least 2 nodes, and Valkey or Redis OSS 7.0 or later"
PATTERNS = "must be a tuple of key patterns without spaces, '~' and references, such as ('orders:*',)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": ["redis"]}, "engine=['redis']: must be one of valkey, redis"),
        ({"users": ["app"]}, "users=['app']: must be a dictionary of ElastiCacheUser by name"),
        ({"users": {"app": ElastiCacheUser(keys=7)}}, f"users['app'].keys=7: {PATTERNS}"),  # type: ignore[arg-type]
        ({"parameters": ["timeout"]}, "parameters=['timeout']: must be a dictionary of plain strings by name"),
        ({"engine": "memcached"}, "engine='memcached': must be one of valkey, redis"),
        (
            {"engine_version": "8"},
            f"engine_version='8': must be a version of valkey such as '8.2'; {VALKEY}",
        ),
        (
            {"engine_version": "${x}"},
            f"engine_version='${{x}}': must be a version of valkey such as '8.2'; {VALKEY}",
        ),
        ({"engine_version": 8.2}, f"engine_version=8.2: must be a version of valkey such as '8.2'; {VALKEY}"),
        (
            {"upgrade_to": "8.1"},
            "upgrade_to='8.1': must be later than engine_version='8.2'; remove upgrade_to after the upgrade",
        ),
        (
            {"upgrade_to": "10.0"},
            f"upgrade_to='10.0': must be a version of valkey such as '8.2'; {VALKEY}",
        ),
        ({"upgrade_from": "redis"}, f"upgrade_from='redis': {UPGRADE}"),
        ({"upgrade_from": "redis", "engine": "redis", "upgrade_to": "7.1"}, f"upgrade_from='redis': {UPGRADE}"),
        ({"upgrade_from": "valkey", "upgrade_to": "8.2"}, f"upgrade_from='valkey': {UPGRADE}"),
        (
            {"upgrade_from": "redis", "upgrade_to": "10.0"},
            f"upgrade_to='10.0': must be a version of valkey such as '8.2'; {VALKEY}",
        ),
        (
            {"apply_immediately": False, "upgrade_to": "9.0"},
            "apply_immediately=False: cannot be False with upgrade_to: an upgrade is immediate; remove one",
        ),
        (
            {"apply_immediately": False, "token_update": "DELETE"},
            (
                "apply_immediately=False: cannot be False with token_update: ElastiCache removes an AUTH token at once; "
                "remove one"
            ),
        ),
        (
            {"apply_immediately": False, "topology": ReplicationGroup(2, compatible=True)},
            (
                "apply_immediately=False: cannot be False with topology: ElastiCache changes the cluster mode at once; "
                "remove one"
            ),
        ),
        ({"topology": ReplicationGroup(compatible=True)}, f"topology.compatible=True: {COMPATIBLE}"),
        (
            {"topology": 3},
            "topology=3: must be ReplicationGroup(nodes=...) or Shards(count, replicas)",
        ),
        (
            {"topology": ReplicationGroup(0)},
            "topology.nodes=0: must be a whole number from 1, the minimum in dev, to 6",
        ),
        (
            {"topology": ReplicationGroup(7)},
            "topology.nodes=7: must be a whole number from 1, the minimum in dev, to 6",
        ),
        (
            {"topology": Shards(2, replicas=6)},
            "topology.replicas=6: must be a whole number from 0, the minimum in dev, to 5",
        ),
        (
            {"topology": Shards(0)},
            "topology.count=0: must be a whole number from 1 to 90; a cache can have 90 nodes",
        ),
        (
            {"topology": Shards(31, replicas=2)},
            "topology.count=31: must be a whole number from 1 to 30; a cache can have 90 nodes",
        ),
        ({"node_type": "cache.m3.large"}, f"node_type='cache.m3.large': must be a size of {DEV_TYPES}"),
        ({"node_type": "cache.r7g.huge"}, f"node_type='cache.r7g.huge': must be a size of {DEV_TYPES}"),
        ({"node_type": "db.r7g.large"}, f"node_type='db.r7g.large': must be a size of {DEV_TYPES}"),
        ({"node_type": "${x}"}, f"node_type='${{x}}': must be a size of {DEV_TYPES}"),
        ({"port": 80}, "port=80: must be a whole number from 1024 to 65535"),
        ({"port": 65536}, "port=65536: must be a whole number from 1024 to 65535"),
        ({"port": "6380"}, "port='6380': must be a whole number from 1024 to 65535"),
        ({"users": {}}, "users=[]: must have 1 to 99 users"),
        ({"users": {"default": ElastiCacheUser()}}, f"users='default': {NAME}"),
        ({"users": {"App": ElastiCacheUser()}}, f"users='App': {NAME}"),
        ({"users": {"app": "read"}}, "users['app']='read': must be an ElastiCacheUser"),
        (
            {"users": {"app": ElastiCacheUser("admin")}},  # type: ignore[arg-type]
            "users['app'].access='admin': must be 'read' or 'write'",
        ),
        ({"users": {"app": ElastiCacheUser(keys=())}}, f"users['app'].keys=(): {PATTERNS}"),
        ({"users": {"app": ElastiCacheUser(keys="orders:*")}}, f"users['app'].keys='orders:*': {PATTERNS}"),  # type: ignore[arg-type]
        ({"users": {"app": ElastiCacheUser(keys=("a b",))}}, f"users['app'].keys=('a b',): {PATTERNS}"),
        ({"users": {"app": ElastiCacheUser(keys=("* +@all ~",))}}, f"users['app'].keys=('* +@all ~',): {PATTERNS}"),
        (
            {"users": {"app": ElastiCacheUser()}, "token": GeneratedPassword()},
            ("users={'app': ElastiCacheUser(access='write', keys=('*',))}: cannot be combined with token"),
        ),
        ({"token": "s3cret"}, "token='...': must be GeneratedPassword(); passwords themselves are not accepted"),
        (
            {"token": GeneratedPassword(length=15)},
            "token.length=15: must be a whole number from 16 to 41",
        ),
        (
            {"token": GeneratedPassword(generation="x")},  # type: ignore[arg-type]
            "token.generation='x': must be a whole number",
        ),
        ({"token_update": "NONE"}, f"token_update='NONE': {UPDATE}"),
        ({"token_update": "SET"}, f"token_update='SET': {UPDATE}"),
        ({"token_update": "DELETE", "token": GeneratedPassword()}, f"token_update='DELETE': {UPDATE}"),
        (
            {"maxmemory_policy": "lru"},
            (
                "maxmemory_policy='lru': must be one of allkeys-lfu, allkeys-lru, allkeys-random, noeviction, volatile-lfu, "
                "volatile-lru, volatile-random, volatile-ttl"
            ),
        ),
        (
            {"parameters": {"maxmemory-policy": "noeviction"}},
            "parameters['maxmemory-policy']='noeviction': is set by topology or maxmemory_policy; remove it",
        ),
        (
            {"parameters": {"cluster-enabled": "yes"}},
            "parameters['cluster-enabled']='yes': is set by topology or maxmemory_policy; remove it",
        ),
        (
            {"parameters": {"timeout": 300}},
            "parameters['timeout']=300: must be a plain string; the parameter group's name contains a digest of it",
        ),
        (
            {"snapshot_retention_days": 0},
            "snapshot_retention_days=0: must be a whole number from 1, the minimum in dev, to 35",
        ),
        (
            {"snapshot_retention_days": 36},
            "snapshot_retention_days=36: must be a whole number from 1, the minimum in dev, to 35",
        ),
        ({"snapshot_window": "02:00-02:30"}, "snapshot_window='02:00-02:30': must be at least 60 minutes long"),
        (
            {"snapshot_window": "night"},
            "snapshot_window='night': must be a time of day in UTC such as '02:00-03:00'",
        ),
        (
            {"maintenance_window": "sun:05:00-sun:05:30"},
            "maintenance_window='sun:05:00-sun:05:30': must be at least 60 minutes and less than a day long",
        ),
        (
            {"snapshot_window": "04:00-05:00"},
            "snapshot_window='04:00-05:00': must not overlap maintenance_window='sun:03:30-sun:04:30', which AWS refuses",
        ),
        (
            {"deletion_protection": "yes"},
            "deletion_protection='yes': must be True, False or NoDeletionProtection(reason)",
        ),
        ({"alarms": 1}, "alarms=1: expected True, False or NoAlarms(reason)"),
    ],
)
def test_invalid_arguments_are_refused(stack: HardenedStack, arguments: Any, message: str) -> None:
    assert refusal(stack, **arguments) == [message]


def test_prod_has_higher_minimums(prod: HardenedStack) -> None:
    assert refusal(
        prod,
        topology=Shards(2, replicas=0),
        node_type="cache.t4g.medium",
        snapshot_retention_days=6,
        deletion_protection=False,
        alarms=False,
    ) == [
        "topology.replicas=0: must be a whole number from 1, the minimum in prod, to 5",
        (
            "node_type='cache.t4g.medium': is burstable, which is not allowed in prod; expected a node type such as "
            "'cache.r7g.large'"
        ),
        "snapshot_retention_days=6: must be a whole number from 7, the minimum in prod, to 35",
        "deletion_protection=False: must be True in prod; give NoDeletionProtection(reason) to turn it off",
        "alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out",
    ]


def test_one_zone_and_one_node_are_refused_in_prod(prod: HardenedStack) -> None:
    assert refusal(prod, vpc=make_vpc(prod, zones="a"), topology=ReplicationGroup(1)) == [
        "vpc='shop/vpc': has database subnets in eu-west-1a only; AWS requires at least 2 Availability Zones",
        "topology.nodes=1: must be a whole number from 2, the minimum in prod, to 6",
    ]


# Versions.


@pytest.mark.parametrize(
    ("engine", "version", "day", "problem"),
    [
        (
            "redis",
            "5.0",
            date(2026, 11, 22),
            (
                f"engine_version='5.0': standard support ended on 2026-01-31; AWS bills extended support; supported on "
                f"2026-11-22: 6.2, 7.0, 7.1 ({PAGE})"
            ),
        ),
        (
            "redis",
            "6.2",
            date(2027, 2, 1),
            (
                "engine_version='6.2': standard support ended on 2027-01-31; AWS bills extended support; supported on "
                f"2026-11-22: 7.0, 7.1 ({PAGE})"
            ),
        ),
        ("redis", "6.2", date(2026, 8, 3), None),
        ("redis", "7.0", date(2030, 1, 1), None),
        ("valkey", "7.2", date(2030, 1, 1), None),
    ],
)
def test_a_version_is_refused_after_the_end_of_standard_support(
    engine: Any, version: str, day: date, problem: str | None
) -> None:
    problems = Problems("shop/carts")
    assert choose_version(problems, ENGINES[engine], version, day) == version
    assert problems.found == ([] if problem is None else [problem])


def test_a_version_causes_a_warning_180_days_before_the_end_of_standard_support() -> None:
    with pytest.warns(ConfigurationWarning) as caught:
        choose_version(Problems("shop/carts"), ENGINES["redis"], "6.2", date(2026, 8, 4))
    assert [str(one.message) for one in caught] == [
        "shop/carts: engine_version='6.2': standard support ends on 2027-01-31, in 180 days; upgrade"
    ]


def test_a_version_without_iam_needs_a_token(stack: HardenedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES["redis"].versions, "6.2", None)
    assert refusal(stack, engine="redis", engine_version="6.2") == [
        "engine_version='6.2': does not support IAM authentication; give 7.0 or later, or token=GeneratedPassword()"
    ]


def test_the_mode_compatible_needs_redis_7(stack: HardenedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES["redis"].versions, "6.2", None)
    topology = ReplicationGroup(2, compatible=True)
    assert refusal(stack, engine="redis", engine_version="6.2", topology=topology, token=GeneratedPassword()) == [
        f"topology.compatible=True: {COMPATIBLE}"
    ]


@pytest.mark.parametrize(
    ("engine", "version", "family"),
    [
        ("redis", "6.2", "redis6.x"),
        ("redis", "7.1", "redis7"),
        ("valkey", "7.2", "valkey7"),
        ("valkey", "9.1", "valkey9"),
    ],
)
def test_a_version_has_a_parameter_group_family(engine: Any, version: str, family: str) -> None:
    assert ENGINES[engine].family(version) == family


# Users.


def statements(
    synth_stack: Callable[..., SynthesizedStack], user: str | None, **arguments: Any
) -> list[dict[str, Any]]:
    def fill(stack: HardenedStack) -> None:
        make_cache(stack, **arguments).grant_connect(make_role(stack, "eu-west-1"), user)

    stack = synth_stack(fill)
    found: list[dict[str, Any]] = stack.resource("data.aws_iam_policy_document", "shop/client/policy-document")[
        "statement"
    ]
    return found


@pytest.mark.parametrize("user", [None, "app"])
def test_a_role_may_connect_as_one_user(synth_stack: Callable[..., SynthesizedStack], user: str | None) -> None:
    assert statements(synth_stack, user) == [
        {
            "sid": "ConnectCartsApp",
            "effect": "Allow",
            "actions": ["elasticache:Connect"],
            "resources": [CACHE % "arn", "${aws_elasticache_user.carts_users_user_app_eu_west_1.arn}"],
        }
    ]


def test_a_role_may_read_the_tokens_secret(synth_stack: Callable[..., SynthesizedStack]) -> None:
    assert statements(synth_stack, None, token=GeneratedPassword()) == [
        {
            "sid": "ReadTokenOfCarts",
            "effect": "Allow",
            "actions": ["secretsmanager:GetSecretValue"],
            "resources": ["${aws_secretsmanager_secret.carts_token_eu_west_1.arn}"],
        },
        {"sid": "DecryptTokenOfCarts", "effect": "Allow", "actions": ["kms:Decrypt"], "resources": [KEY]},
    ]


@pytest.mark.parametrize(
    ("arguments", "user", "message"),
    [
        ({}, "root", "user='root': is not defined; expected one of app"),
        (
            {"users": {"a": ElastiCacheUser(), "b": ElastiCacheUser()}},
            None,
            "user=None: is not defined; expected one of a, b",
        ),
        (
            {"token": GeneratedPassword()},
            "app",
            "user='app': the cache has an AUTH token and no users; remove user",
        ),
    ],
)
def test_a_grant_for_an_undefined_user_is_refused(
    stack: HardenedStack, arguments: Any, user: str | None, message: str
) -> None:
    cache = make_cache(stack, **arguments)
    with pytest.raises(ConfigurationError) as error:
        cache.grant_connect(make_role(stack, "eu-west-1"), user)
    assert str(error.value) == f"shop/carts: {message}"


def test_a_cache_with_users_has_no_secret(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        _ = make_cache(stack).secret_arn
    assert str(error.value) == ("shop/carts: token=None: the cache has users and no AUTH token, so it has no secret")


def test_a_replication_group_has_no_configuration_endpoint(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        _ = make_cache(stack).configuration_endpoint
    assert str(error.value) == (
        "shop/carts: topology=ReplicationGroup(...): has no configuration endpoint; give Shards(...), or "
        "ReplicationGroup(..., compatible=True) and apply it first"
    )


def test_an_undefined_user_has_no_user_name(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_cache(stack).user_name("root")
    assert str(error.value) == "shop/carts: user='root': is not defined; expected one of app"


def test_a_cache_with_a_token_has_no_user_names(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError, match="user='app': is not defined; expected one of none"):
        make_cache(stack, token=GeneratedPassword()).user_name("app")


def test_old_names_are_deprecated(stack: HardenedStack) -> None:
    with pytest.deprecated_call(match="constructs_lib.CacheUser is deprecated .* use ElastiCacheUser"):
        assert constructs_lib.CacheUser is ElastiCacheUser  # type: ignore[attr-defined]
    with pytest.deprecated_call(match="constructs_lib.Deletable is deprecated .* use NoDeletionProtection"):
        assert constructs_lib.Deletable is constructs_lib.NoDeletionProtection  # type: ignore[attr-defined]
    cache: Any = make_cache(stack)
    with pytest.deprecated_call(match="argument client is deprecated .* use grantee"):
        cache.grant_connect(client=make_role(stack, "eu-west-1"))
    group = SecurityGroup(stack, "clients", region=cache.region, vpc=cache.vpc, description="Clients")
    with pytest.deprecated_call(match="argument peer is deprecated .* use source"):
        cache.allow_from(peer=group)
