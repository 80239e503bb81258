"""A table whose regions all read what any of them has written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, GlobalTable, HardenedStack, LocalIndex, MultiRegionKey, Provisioned
from tests.constructs.global_table.tables import EU, HOME, make_role, make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

OHIO, OREGON = "us-east-2", "us-west-2"
ADDRESS = "aws_dynamodb_table.orders_us_east_1"
SETS = (
    "requires regions of one Region set, us-east-1, us-east-2, us-west-2; eu-central-1, eu-west-1, eu-west-2, eu-west-3; "
    "ap-northeast-1, ap-northeast-2, ap-northeast-3; given are"
)
THREE = "requires three different regions: two replicas, or one replica and a witness; given are"


def block(region: str, *, keep: bool) -> dict[str, Any]:
    return {
        "consistency_mode": "STRONG",
        "deletion_protection_enabled": keep,
        "kms_key_arn": f"${{aws_kms_replica_key.key_replica_{region.replace('-', '_')}.arn}}",
        "point_in_time_recovery": True,
        "propagate_tags": True,
        "region_name": region,
    }


@pytest.fixture(scope="module")
def three(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(lambda stack: make_table(stack, [OHIO, OREGON], consistency="STRONG"), "prod")


@pytest.fixture(scope="module")
def witnessed(synth_stack: Synth) -> SynthesizedStack:
    def fill(stack: HardenedStack) -> None:
        table = make_table(stack, [OHIO], consistency="STRONG", witness=stack.region(OREGON))
        table.grant_write(make_role(stack, OHIO))

    return synth_stack(fill)


def test_all_replicas_are_blocks_of_the_table(three: SynthesizedStack) -> None:
    table = three.at(ADDRESS)
    assert table["replica"] == [block(OHIO, keep=True), block(OREGON, keep=True)]
    assert table["lifecycle"] == {"prevent_destroy": True}
    assert "global_table_witness" not in table
    assert three.find("aws_dynamodb_table_replica") == []


def test_a_witness_replaces_the_third_region(witnessed: SynthesizedStack) -> None:
    table = witnessed.at(ADDRESS)
    assert (table["replica"], table["global_table_witness"]) == ([block(OHIO, keep=False)], {"region_name": OREGON})
    assert {one["provider"] for one in witnessed.resources("data.aws_dynamodb_table")} == {"aws.us_east_2"}


@pytest.mark.parametrize("name", ["three", "witnessed"])
def test_strong_consistency_requires_a_newer_provider(request: pytest.FixtureRequest, name: str) -> None:
    document = request.getfixturevalue(name).document
    assert document["terraform"]["required_providers"]["aws"]["version"] == ">= 6.25.0, < 7.0.0"


def test_a_replica_is_read_back_in_its_region_and_has_no_stream(three: SynthesizedStack) -> None:
    for region in (OHIO, OREGON):
        name = region.replace("-", "_")
        read = three.at(f"data.aws_dynamodb_table.orders_replica_table_{name}")
        read.assert_config({"name": f'${{split("/", {ADDRESS}.arn)[1]}}'})
        assert read["provider"] == f"aws.{name}"
        assert three.outputs[f"orders_arn_{name}"] == f"${{{read.address}.arn}}"
        assert f"orders_stream_arn_{name}" not in three.outputs
    assert three.outputs["orders_stream_arn_us_east_1"] == f"${{{ADDRESS}.stream_arn}}"


def test_a_role_writes_the_replica_of_its_region(witnessed: SynthesizedStack) -> None:
    document = witnessed.resource("data.aws_iam_policy_document", "shop/client/policy-document")
    write, *_ = document["statement"]
    assert write["resources"] == ["${data.aws_dynamodb_table.orders_replica_table_us_east_2.arn}"]


def test_every_region_has_alarms_except_for_replication_latency(three: SynthesizedStack) -> None:
    alarms = three.resources("aws_cloudwatch_metric_alarm")
    assert {one["provider"] for one in alarms} == {"aws.us_east_1", "aws.us_east_2", "aws.us_west_2"}
    assert {one["metric_name"] for one in alarms} == {"ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors"}


def test_the_stream_is_in_the_first_region(stack: HardenedStack) -> None:
    table = make_table(stack, [OHIO, OREGON], consistency="STRONG", stream_view="KEYS_ONLY")
    with pytest.raises(ConfigurationError) as error:
        table.grant_stream_read(make_role(stack, OHIO))
    assert str(error.value) == (
        "shop/orders: region='us-east-2': has no stream; with consistency='STRONG' the stream is in us-east-1"
    )


def refusal(stack: HardenedStack, replicas: list[str], witness: str | None = None, **arguments: Any) -> list[str]:
    given = {"witness": stack.region(witness)} if witness else {}
    with pytest.raises(ConfigurationError) as error:
        make_table(stack, replicas, **given, **arguments)
    return [line.removeprefix("shop/orders: ") for line in str(error.value).splitlines()]


@pytest.mark.parametrize(
    ("replicas", "witness", "messages"),
    [
        ([], None, [f"{THREE} us-east-1"]),
        ([OHIO], None, [f"{THREE} us-east-1, us-east-2"]),
        ([OHIO, OREGON], OREGON, [f"{THREE} us-east-1, us-east-2, us-west-2, us-west-2"]),
        ([OHIO], OHIO, [f"{THREE} us-east-1, us-east-2, us-east-2"]),
        ([OHIO, EU], None, [f"{SETS} us-east-1, us-east-2, eu-west-1"]),
        ([OHIO, "us-west-1"], None, [f"{SETS} us-east-1, us-east-2, us-west-1"]),
        ([OHIO], EU, [f"{SETS} us-east-1, us-east-2, eu-west-1"]),
    ],
)
def test_unsupported_regions_are_refused(
    stack: HardenedStack, replicas: list[str], witness: str | None, messages: list[str]
) -> None:
    found = refusal(stack, replicas, witness, consistency="STRONG")
    assert found == [f"consistency='STRONG': {message}" for message in messages]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"consistency": "LINEAR"}, "consistency='LINEAR': must be one of EVENTUAL, STRONG"),
        (
            {"consistency": "STRONG", "ttl_attribute": "end"},
            "ttl_attribute='end': cannot be combined with consistency='STRONG'",
        ),
        (
            {
                "consistency": "STRONG",
                "sort_key": "at",
                "attributes": {"id": "S", "at": "S", "a": "S"},
                "local_indexes": {"by-a": LocalIndex("a")},
            },
            "local_indexes=['by-a']: cannot be combined with consistency='STRONG'",
        ),
        (
            {"consistency": "STRONG", "provisioned": Provisioned(9, 9)},
            f"provisioned={Provisioned(9, 9)!r}: cannot be combined with consistency='STRONG'",
        ),
    ],
)
def test_excluded_arguments_are_refused(stack: HardenedStack, arguments: Any, message: str) -> None:
    assert refusal(stack, [OHIO, OREGON], **arguments) == [message]


def test_the_witness_must_be_a_region(stack: HardenedStack) -> None:
    home, ohio = stack.region(HOME), stack.region(OHIO)
    key = MultiRegionKey(stack, "key", region=home, replicas=[ohio])
    name: Any = OREGON
    with pytest.raises(ConfigurationError) as error:
        GlobalTable(
            *(stack, "orders"),
            region=home,
            key=key,
            replicas=[ohio],
            partition_key="id",
            consistency="STRONG",
            witness=name,
        )
    assert str(error.value) == (
        "shop/orders: witness='us-west-2': must be a Region: give stack.region('us-west-2'), not a name"
    )


def test_a_witness_requires_strong_consistency(stack: HardenedStack) -> None:
    assert refusal(stack, [OHIO], OREGON) == ["witness='us-west-2': requires consistency='STRONG'"]


def test_the_highest_minimum_version_of_a_provider_is_used(synth_stack: Synth) -> None:
    def fill(stack: HardenedStack) -> None:
        stack.require_provider("aws", ">= 6.29.0, < 7.0.0")
        home, *others = (stack.region(name) for name in (HOME, OHIO, OREGON))
        key = MultiRegionKey(stack, "key", region=home, replicas=others)
        GlobalTable(stack, "orders", region=home, key=key, replicas=others, partition_key="id", consistency="STRONG")

    version = synth_stack(fill).document["terraform"]["required_providers"]["aws"]["version"]
    assert version == ">= 6.29.0, < 7.0.0"
