"""Who may read and write a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, GlobalIndex, HardenedStack
from tests.constructs.global_table.tables import EU, HOME, make_role, make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import GlobalTable
    from constructs_lib.core.iam import ServiceRole
    from constructs_lib.testing import SynthesizedStack

TABLE = "${aws_dynamodb_table.orders_us_east_1.%s}"
REPLICA = "${aws_dynamodb_table_replica.orders_replica_eu_west_1.%s}"
READ = ["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"]
WRITE = [
    *("dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem"),
    "dynamodb:UpdateItem",
]
ENCRYPT = [
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
]
INDEXED: Any = {"attributes": {"id": "S", "status": "S"}, "global_indexes": {"by-status": GlobalIndex("status")}}


def via_dynamodb(region: str, key: str, actions: list[str], sid: str) -> dict[str, Any]:
    return {
        "sid": sid,
        "effect": "Allow",
        "actions": actions,
        "resources": [key],
        "condition": [
            {"test": "StringEquals", "variable": "kms:ViaService", "values": [f"dynamodb.{region}.amazonaws.com"]}
        ],
    }


def plain(sid: str, actions: list[str], *resources: str) -> dict[str, Any]:
    return {"sid": sid, "effect": "Allow", "actions": actions, "resources": list(resources)}


@pytest.fixture(scope="module")
def granted(synth_stack: Callable[..., SynthesizedStack]) -> Callable[..., list[dict[str, Any]]]:
    """Return the statements that a role in a region gets."""

    def run(grant: Callable[[GlobalTable, ServiceRole], None], region: str = EU) -> list[dict[str, Any]]:
        def fill(stack: HardenedStack) -> None:
            grant(make_table(stack, [EU], **INDEXED), make_role(stack, region))

        stack = synth_stack(fill)
        found: list[dict[str, Any]] = stack.resource("data.aws_iam_policy_document", "shop/client/policy-document")[
            "statement"
        ]
        return found

    return run


def test_a_role_reads_the_replica_of_its_own_region(granted: Callable[..., Any]) -> None:
    arn = REPLICA % "arn"
    key = "${aws_kms_replica_key.key_replica_eu_west_1.arn}"
    read, describe, decrypt = granted(lambda table, role: table.grant_read(role))
    assert read.pop("sid").startswith("ReadOrdersEuWest1")
    assert read == {
        "effect": "Allow",
        "actions": [*READ, "dynamodb:Scan"],
        "resources": [arn, f"{arn}/index/by-status"],
    }
    assert describe == plain("DescribeOrdersEuWest1", ["dynamodb:DescribeTable"], arn)
    assert decrypt == via_dynamodb(EU, key, ["kms:Decrypt", "kms:DescribeKey"], "ReadKeyOfOrdersEuWest1")


def test_a_write_grant_does_not_include_reads(granted: Callable[..., Any]) -> None:
    assert granted(lambda table, role: table.grant_write(role), HOME) == [
        plain("WriteOrdersUsEast1", WRITE, TABLE % "arn"),
        plain("DescribeOrdersUsEast1", ["dynamodb:DescribeTable"], TABLE % "arn"),
        via_dynamodb(HOME, "${aws_kms_key.key_us_east_1.arn}", ENCRYPT, "WriteKeyOfOrdersUsEast1"),
    ]


@pytest.mark.parametrize(
    ("keys", "test"),
    [
        (["a", "b"], "ForAllValues:StringEquals"),
        (["shop-*"], "ForAllValues:StringLike"),
        (["&{aws:PrincipalTag/tenant}?"], "ForAllValues:StringLike"),
    ],
)
def test_leading_keys_limit_a_grant_to_items_and_exclude_scans(
    granted: Callable[..., Any], keys: list[str], test: str
) -> None:
    expected = [
        {"test": test, "variable": "dynamodb:LeadingKeys", "values": keys},
        {"test": "Null", "variable": "dynamodb:LeadingKeys", "values": ["false"]},
    ]
    read, *_ = granted(lambda table, role: table.grant_read(role, leading_keys=keys))
    write, *_ = granted(lambda table, role: table.grant_write(role, leading_keys=keys))
    assert (read["actions"], read["resources"], read["condition"]) == (READ, [REPLICA % "arn"], expected)
    assert (write["actions"], write["resources"], write["condition"]) == (WRITE, [REPLICA % "arn"], expected)


def test_actions_limit_a_grant(granted: Callable[..., Any]) -> None:
    def grant(table: GlobalTable, role: ServiceRole) -> None:
        table.grant_write(role, actions=["dynamodb:UpdateItem", "dynamodb:PutItem"])
        table.grant_write(role, actions=["dynamodb:PutItem"], leading_keys=["a"])
        table.grant_write(role, actions=["dynamodb:DeleteItem"])
        table.grant_read(role, actions=["dynamodb:GetItem"], indexes=())

    statements = [one for one in granted(grant) if one["sid"].startswith(("WriteOrders", "ReadOrders"))]
    assert [(one["actions"], one["resources"], len(one.get("condition", []))) for one in statements] == [
        (["dynamodb:PutItem", "dynamodb:UpdateItem"], [REPLICA % "arn"], 0),
        (["dynamodb:PutItem"], [REPLICA % "arn"], 2),
        (["dynamodb:DeleteItem"], [REPLICA % "arn"], 0),
        (["dynamodb:GetItem"], [REPLICA % "arn"], 0),
    ]
    assert len({one["sid"] for one in statements}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"actions": []}, "actions=[]: must be a non-empty list of actions from {all}"),
        ({"actions": "dynamodb:PutItem"}, "actions='dynamodb:PutItem': must be a non-empty list of actions from {all}"),
        ({"actions": 7}, "actions=7: must be a non-empty list of actions from {all}"),
        ({"actions": ["PutItem"]}, "actions=['PutItem']: must be a non-empty list of actions from {all}"),
        (
            {"actions": ["dynamodb:GetItem"]},
            "actions=['dynamodb:GetItem']: must be a non-empty list of actions from {all}",
        ),
    ],
)
def test_an_action_that_the_grant_does_not_include_is_refused(
    stack: HardenedStack, arguments: Any, message: str
) -> None:
    table = make_table(stack)
    with pytest.raises(ConfigurationError) as error:
        table.grant_write(make_role(stack, HOME), **arguments)
    assert str(error.value) == f"shop/orders: {message.format(all=', '.join(WRITE))}"


def test_scan_cannot_be_granted_with_leading_keys(stack: HardenedStack) -> None:
    table = make_table(stack)
    with pytest.raises(ConfigurationError) as error:
        table.grant_read(make_role(stack, HOME), actions=["dynamodb:Scan"], leading_keys=["a"])
    assert str(error.value) == (
        f"shop/orders: actions=['dynamodb:Scan']: must be a non-empty list of actions from {', '.join(READ)}"
    )


def test_grants_with_different_keys_are_separate_statements(granted: Callable[..., Any]) -> None:
    def grant(table: GlobalTable, role: ServiceRole) -> None:
        table.grant_read(role, leading_keys=["a"])
        table.grant_read(role, leading_keys=["b"], indexes=["by-status"])
        table.grant_read(role, leading_keys=["a"])

    sids = [statement["sid"] for statement in granted(grant)]
    assert len(sids) == len(set(sids)) == 4


def test_a_grant_can_be_for_some_indexes_and_another_region(granted: Callable[..., Any]) -> None:
    def grant(table: GlobalTable, role: ServiceRole) -> None:
        table.grant_read(role, indexes=(), region=table.region)

    read, _, decrypt = granted(grant)
    assert read == plain("ReadOrdersUsEast1", [*READ, "dynamodb:Scan"], TABLE % "arn")
    assert decrypt == via_dynamodb(
        HOME, "${aws_kms_key.key_us_east_1.arn}", ["kms:Decrypt", "kms:DescribeKey"], "ReadKeyOfOrdersUsEast1"
    )


def test_a_role_reads_the_stream_of_its_region(granted: Callable[..., Any]) -> None:
    stream, decrypt = granted(lambda table, role: table.grant_stream_read(role))
    assert stream == plain(
        "StreamOrdersEuWest1",
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        "${data.aws_dynamodb_table.orders_replica_table_eu_west_1.stream_arn}",
    )
    assert decrypt["sid"] == "ReadKeyOfOrdersEuWest1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"leading_keys": 7}, "leading_keys=7: must be a list of partition key values"),
        ({"indexes": "by-status"}, "indexes='by-status': must be a list of the table's indexes"),
        ({"indexes": 7}, "indexes=7: must be a list of the table's indexes"),
        ({"leading_keys": "abc"}, "leading_keys='abc': must be a list of partition key values"),
        (
            {"leading_keys": [""]},
            (
                "leading_keys='': must be a non-empty string without '${'; write policy variables as "
                "&{aws:PrincipalTag/tenant}"
            ),
        ),
        (
            {"leading_keys": ["${x}"]},
            (
                "leading_keys='${x}': must be a non-empty string without '${'; write policy variables as "
                "&{aws:PrincipalTag/tenant}"
            ),
        ),
        (
            {"leading_keys": [7]},
            (
                "leading_keys=7: must be a non-empty string without '${'; write policy variables as "
                "&{aws:PrincipalTag/tenant}"
            ),
        ),
        (
            {"leading_keys": ["*"]},
            "leading_keys='*': matches every key; remove leading_keys to grant access to all items",
        ),
        ({"indexes": ["by-time"]}, "indexes='by-time': is not an index of the table; expected one of by-status"),
    ],
)
def test_an_invalid_grant_is_refused(stack: HardenedStack, arguments: Any, message: str) -> None:
    table = make_table(stack, **INDEXED)
    with pytest.raises(ConfigurationError) as error:
        table.grant_read(make_role(stack, HOME), **arguments)
    assert str(error.value) == f"shop/orders: {message}"


def test_a_role_in_a_region_without_a_replica_needs_a_region(stack: HardenedStack) -> None:
    table = make_table(stack)
    role = make_role(stack, EU)
    text = (
        "shop/orders: region='eu-west-1': has no replica of the table; add it to replicas, or give region one of "
        "us-east-1"
    )
    for grant in (table.grant_read, table.grant_write, table.grant_stream_read):
        with pytest.raises(ConfigurationError) as error:
            grant(role)
        assert str(error.value) == text
