from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    AuroraProvisioned,
    ConfigurationError,
    Environment,
    EventBus,
    GlobalTable,
    HardenedStack,
    LogGroup,
    MultiRegionKey,
    Queue,
    RedisCache,
    RegionalBucket,
    RegionalVpc,
    UnprotectedKey,
)
from constructs_lib.core.iam import Condition
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.queues import function

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

ACCOUNT = "${data.aws_caller_identity.current_%s.account_id}"


def build(stack: HardenedStack) -> None:
    us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=us, replicas=[eu])
    LogGroup(stack, "audit", region=eu, key=key)


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def statements(synthesized: SynthesizedStack, type_: str) -> list[dict[str, Any]]:
    policy = json.loads(synthesized.resource(type_)["policy"])
    assert policy["Version"] == "2012-10-17"
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def test_the_primary_key_is_multi_region_and_rotates(synthesized: SynthesizedStack) -> None:
    key = synthesized.resource("aws_kms_key")
    key.assert_config(
        {
            "deletion_window_in_days": 7,
            "description": "Encrypts the data of the stack",
            "enable_key_rotation": True,
            "multi_region": True,
            "policy": key["policy"],
            "rotation_period_in_days": 365,
        }
    )
    assert key["provider"] == "aws.us_east_1"


def test_a_replica_is_created_in_its_region_from_the_primary_key(synthesized: SynthesizedStack) -> None:
    replica = synthesized.resource("aws_kms_replica_key")
    replica.assert_config(
        {
            "deletion_window_in_days": 7,
            "description": "Encrypts the data of the stack",
            "policy": replica["policy"],
            "primary_key_arn": "${aws_kms_key.key_us_east_1.arn}",
        }
    )
    assert replica["provider"] == "aws.eu_west_1"


def test_every_region_has_the_same_alias(synthesized: SynthesizedStack) -> None:
    aliases = {alias["provider"]: alias for alias in synthesized.resources("aws_kms_alias")}
    assert aliases.keys() == {"aws.us_east_1", "aws.eu_west_1"}
    assert {alias["name"] for alias in aliases.values()} == {"alias/shop-dev-key"}
    assert aliases["aws.us_east_1"]["target_key_id"] == "${aws_kms_key.key_us_east_1.key_id}"
    assert aliases["aws.eu_west_1"]["target_key_id"] == "${aws_kms_replica_key.key_replica_eu_west_1.key_id}"


USE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


@pytest.mark.parametrize(("type_", "region"), [("aws_kms_key", "us-east-1"), ("aws_kms_replica_key", "eu-west-1")])
def test_the_policy_enables_iam_policies_and_the_services_that_check_the_key_when_a_resource_is_created(
    synthesized: SynthesizedStack, type_: str, region: str
) -> None:
    account = ACCOUNT % region.replace("-", "_")
    groups = f"arn:aws:logs:{region}:{account}:log-group:"
    assert statements(synthesized, type_) == [
        {
            "Sid": "AccountPolicies",
            "Effect": "Allow",
            "Action": ["kms:*"],
            "Principal": {"AWS": [f"arn:aws:iam::{account}:root"]},
            "Resource": ["*"],
        },
        {
            "Sid": "CloudWatchLogs",
            "Effect": "Allow",
            "Action": USE,
            "Principal": {"Service": [f"logs.{region}.amazonaws.com"]},
            "Resource": ["*"],
            "Condition": {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        f"{groups}*shop-dev-*",
                        f"{groups}API-Gateway-Execution-Logs_*",
                    ]
                }
            },
        },
        {
            "Sid": "Events",
            "Effect": "Allow",
            "Action": USE,
            "Principal": {"Service": ["events.amazonaws.com"]},
            "Resource": ["*"],
            "Condition": {"ArnLike": {"aws:SourceArn": [f"arn:aws:events:{region}:{account}:event-bus/shop-dev-*"]}},
        },
    ]


def test_resources_that_are_added_later_leave_the_key_policy_as_it_is(
    synth_stack: Callable[..., SynthesizedStack], synthesized: SynthesizedStack
) -> None:
    def fill(stack: HardenedStack) -> None:
        build(stack)
        (key,) = [one for one in stack.node.children if isinstance(one, MultiRegionKey)]
        region = stack.region("eu-west-1")
        api, long = "${aws_api_gateway_rest_api.api.id}", "a-part-of-the-system-" * 4
        LogGroup(stack, "execution", region=region, key=key, name=f"API-Gateway-Execution-Logs_{api}/v1")
        LogGroup(stack, long, region=region, key=key)
        function(key, f"{long}function", region=region)
        EventBus(stack, "orders", region=region, key=key)
        Queue(stack, "jobs", region=region, key=key)

    assert statements(synth_stack(fill), "aws_kms_replica_key") == statements(synthesized, "aws_kms_replica_key")


def test_resources_of_another_project_are_named_in_the_key_policy(synthesize: Synthesize) -> None:
    def fill(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="me")
        other = HardenedStack(app, "other", environment="dev", owner="me")
        key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
        LogGroup(other, "audit", region=other.region("eu-west-1"), key=key)

    _, logs, _ = statements(synthesize(fill)["shop"], "aws_kms_key")
    (groups,) = logs["Condition"]["ArnLike"].values()
    assert [group.rpartition(":")[2] for group in groups] == [
        "*other-dev-*",
        "*shop-dev-*",
        "API-Gateway-Execution-Logs_*",
    ]


def test_the_deletion_window_follows_the_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    stack = synth_stack(lambda s: MultiRegionKey(s, "key", region=s.region("eu-west-1")), environment)
    expected = {"dev": 7, "staging": 14, "prod": 30}[environment]
    assert stack.resource("aws_kms_key")["deletion_window_in_days"] == expected


def test_a_service_may_use_the_key_under_conditions(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        condition = Condition("StringEquals", "aws:SourceAccount", (region.account_id,))
        key.allow_service(key, "sns.amazonaws.com", (condition,))
        key.allow_service(key, "sns.amazonaws.com", (condition,))

    *_, sns = statements(synth_stack(fill), "aws_kms_key")
    assert sns["Sid"] == "Sns"
    assert sns["Principal"] == {"Service": ["sns.amazonaws.com"]}
    assert sns["Resource"] == ["*"]
    assert sns["Condition"] == {"StringEquals": {"aws:SourceAccount": [ACCOUNT % "eu_west_1"]}}


def test_a_service_without_conditions_is_refused(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
    with pytest.raises(ConfigurationError) as error:
        key.allow_service(key, "sns.amazonaws.com", ())
    assert str(error.value) == (
        "shop/key: conditions=(): expected at least one condition, such as aws:SourceArn; without it the service can use "
        "the key on behalf of any account"
    )


def test_a_consumer_in_a_region_without_the_key_is_refused(stack: HardenedStack) -> None:
    us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=us)
    with pytest.raises(ConfigurationError) as error:
        LogGroup(stack, "audit", region=eu, key=key)
    assert str(error.value) == (
        "shop/audit: key='shop/key': exists in us-east-1 and not in eu-west-1, and a resource cannot use a key of "
        "another region; add eu-west-1 to the key's replicas"
    )


def test_all_problems_are_reported_at_once(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    with pytest.raises(ConfigurationError) as error:
        MultiRegionKey(stack, "key", region=us, replicas=[us], deletion_window_days=5)
    assert str(error.value) == (
        "shop/key: replicas='us-east-1': duplicate region; the primary key's region is not a replica\n"
        "shop/key: deletion_window_days=5: must be a number of days from 7 to 30"
    )


def test_a_replica_in_a_region_of_another_stack_is_refused(stack: HardenedStack) -> None:
    other = HardenedStack(App.of(stack), "other", environment="dev", owner="me")
    with pytest.raises(ConfigurationError) as error:
        MultiRegionKey(stack, "key", region=stack.region("us-east-1"), replicas=[other.region("eu-west-1")])
    assert str(error.value) == (
        "shop/key: replicas='eu-west-1': is a region of another stack; expected a region of the primary key's stack"
    )


@pytest.mark.parametrize(("environment", "minimum"), [("staging", 14), ("prod", 30)])
def test_a_waiting_period_below_the_environments_minimum_is_refused(environment: str, minimum: int) -> None:
    stack = HardenedStack(App(), "shop", environment=environment, owner="me")
    with pytest.raises(ConfigurationError) as error:
        MultiRegionKey(stack, "key", region=stack.region("us-east-1"), deletion_window_days=7)
    assert str(error.value) == f"shop/key: deletion_window_days=7: must be at least {minimum} in {environment}"


KEYS = ("aws_kms_key", "aws_kms_replica_key")


def lifecycles(synthesized: SynthesizedStack) -> list[dict[str, Any]]:
    return [synthesized.resource(type_).config.get("lifecycle", {}) for type_ in KEYS]


def test_keys_cannot_be_destroyed_in_prod(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    kept: dict[str, Any] = {"prevent_destroy": True} if environment == "prod" else {}
    assert lifecycles(synth_stack(build, environment)) == [kept, kept]


def test_protection_is_chosen_with_an_argument(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack, *, protected: Any) -> None:
        us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
        MultiRegionKey(stack, "key", region=us, replicas=[eu], protected=protected)

    kept = {"prevent_destroy": True}
    assert lifecycles(synth_stack(lambda stack: fill(stack, protected=True))) == [kept, kept]
    assert lifecycles(synth_stack(lambda stack: fill(stack, protected=False))) == [{}, {}]
    assert lifecycles(
        synth_stack(lambda stack: fill(stack, protected=UnprotectedKey("it encrypts nothing any more")), "prod")
    ) == [{}, {}]


def test_a_key_without_protection_is_an_opt_out_in_prod(tmp_path: Path) -> None:
    stack = HardenedStack(App(outdir=str(tmp_path)), "shop", environment="prod", owner="me")
    region, reason = stack.region("us-east-1"), UnprotectedKey("nothing that it encrypts is needed")
    MultiRegionKey(stack, "old", region=region, protected=reason)
    assert stack.opt_outs == [("shop/old", reason)]
    with pytest.raises(ConfigurationError) as error:
        MultiRegionKey(stack, "key", region=region, protected=False)
    assert str(error.value) == (
        "shop/key: protected=False: must be True in prod; give UnprotectedKey(reason) to allow its deletion"
    )


def protected_stores() -> dict[str, Callable[..., object]]:
    def vpc(stack: HardenedStack, key: MultiRegionKey) -> RegionalVpc:
        return RegionalVpc(
            stack, "vpc", region=key.region, cidr="10.0.0.0/16", key=key, tiers=("database",), zones=("a", "b")
        )

    return {
        "bucket": lambda stack, key, on: RegionalBucket(
            stack, "data", region=key.region, key=key, access_logs=None, protected=on
        ),
        "cache": lambda stack, key, on: RedisCache(
            stack, "data", region=key.region, vpc=vpc(stack, key), key=key, deletion_protection=on
        ),
        "cluster": lambda stack, key, on: AuroraProvisioned(
            stack, "data", region=key.region, vpc=vpc(stack, key), key=key, deletion_protection=on
        ),
        "table": lambda stack, key, on: GlobalTable(
            stack, "data", region=key.region, key=key, partition_key="id", deletion_protection=on
        ),
    }


@pytest.mark.parametrize("store", protected_stores())
def test_a_protected_data_store_protects_its_key_in_every_environment(
    synth_stack: Callable[..., SynthesizedStack], store: str
) -> None:
    def fill(stack: HardenedStack, protected: Any, *, on: bool) -> None:
        us = stack.region("us-east-1")
        protected_stores()[store](stack, MultiRegionKey(stack, "key", region=us, protected=protected), on)

    for on, kept in ((True, {"prevent_destroy": True}), (False, {})):
        made = synth_stack(lambda stack, on=on: fill(stack, None, on=on))
        assert made.resource("aws_kms_key").config.get("lifecycle", {}) == kept
    for refused in (False, UnprotectedKey("it is only the key of a test")):
        with pytest.raises(ConfigurationError) as error:
            synth_stack(lambda stack, refused=refused: fill(stack, refused, on=True))
        assert str(error.value) == (
            "shop/data: key='shop/key': is not protected from deletion, and the protected data cannot be read without "
            "it; give the key protected=True, or turn off the deletion protection of its data first"
        )


def test_a_key_policy_above_the_quota_is_refused(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = MultiRegionKey(stack, "key", region=stack.region("us-east-1"))
        for number in range(300):
            key.allow_logs(key, f"{number:0>60}")

    with pytest.raises(RuntimeError) as error:
        synth_stack(fill)
    assert (
        "[shop/key] the key policy in us-east-1 has about 33689 bytes; AWS allows 32768 "
        "(https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html)"
    ) in str(error.value)


def test_the_arn_of_the_primary_key_works_in_other_stacks(synthesize: Synthesize) -> None:
    def build_key(stack: HardenedStack) -> dict[str, str]:
        return {"arn": MultiRegionKey(stack, "key", region=stack.region("us-east-1")).arn}

    assert read_from_another_stack(synthesize, build_key) == {"arn": "${aws_kms_key.key_us_east_1.arn}"}
