from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Environment,
    GlobalIndex,
    HardenedStack,
    LocalIndex,
    NoAlarms,
    NoDeletionProtection,
    Provisioned,
)
from tests.constructs.global_table.tables import EU, HOME, make_table
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

    Synth = Callable[..., SynthesizedStack]

TABLE = "${aws_dynamodb_table.orders_us_east_1.%s}"
REPLICA = "${aws_dynamodb_table_replica.orders_replica_eu_west_1.%s}"
READ_BACK = "${data.aws_dynamodb_table.orders_replica_table_eu_west_1.%s}"
TOPICS = [f"arn:aws:sns:{region}:123456789012:pager" for region in (HOME, EU)]


def build(stack: HardenedStack) -> None:
    make_table(
        stack,
        [EU],
        sort_key="at",
        attributes={"id": "S", "at": "N", "status": "S"},
        global_indexes={
            "by-status": GlobalIndex("status", "at", include=("total", "tenant")),
            "all-by-status": GlobalIndex("status"),
        },
        local_indexes={"by-state": LocalIndex("status", projection="KEYS_ONLY")},
        ttl_attribute="expires",
        alarm_topics=TOPICS,
    )


@pytest.fixture(scope="module")
def prod(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(build, "prod")


@pytest.fixture(scope="module")
def dev(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(make_table)


def test_a_table_is_encrypted_recoverable_protected_and_has_a_maximum_throughput(prod: SynthesizedStack) -> None:
    throughput = {"max_read_request_units": 12000, "max_write_request_units": 4000}
    prod.resource("aws_dynamodb_table").assert_config(
        {
            "attribute": [
                {"name": "id", "type": "S"},
                {"name": "at", "type": "N"},
                {"name": "status", "type": "S"},
            ],
            "billing_mode": "PAY_PER_REQUEST",
            "deletion_protection_enabled": True,
            "global_secondary_index": [
                {
                    "hash_key": "status",
                    "name": "by-status",
                    "non_key_attributes": ["total", "tenant"],
                    "on_demand_throughput": throughput,
                    "projection_type": "INCLUDE",
                    "range_key": "at",
                },
                {
                    "hash_key": "status",
                    "name": "all-by-status",
                    "on_demand_throughput": throughput,
                    "projection_type": "ALL",
                },
            ],
            "hash_key": "id",
            "lifecycle": {"ignore_changes": ["replica"], "prevent_destroy": True},
            "local_secondary_index": [{"name": "by-state", "projection_type": "KEYS_ONLY", "range_key": "status"}],
            "name": "shop-prod-orders",
            "on_demand_throughput": throughput,
            "point_in_time_recovery": {"enabled": True},
            "range_key": "at",
            "server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.key_us_east_1.arn}"},
            "stream_enabled": True,
            "stream_view_type": "NEW_AND_OLD_IMAGES",
            "table_class": "STANDARD",
            "ttl": {"attribute_name": "expires", "enabled": True},
        }
    )


def test_a_local_index_has_the_given_projection(synth_stack: Synth) -> None:
    fields: Any = {"id": "S", "at": "N", "total": "N"}
    indexes = {"by-total": LocalIndex("total", include=("status",))}
    stack = synth_stack(lambda stack: make_table(stack, sort_key="at", attributes=fields, local_indexes=indexes))
    assert stack.resource("aws_dynamodb_table")["local_secondary_index"] == [
        {"name": "by-total", "non_key_attributes": ["status"], "projection_type": "INCLUDE", "range_key": "total"}
    ]


def test_a_replica_has_the_key_and_the_protection_of_its_own_region(prod: SynthesizedStack) -> None:
    replica = prod.resource("aws_dynamodb_table_replica")
    replica.assert_config(
        {
            "deletion_protection_enabled": True,
            "global_table_arn": TABLE % "arn",
            "kms_key_arn": "${aws_kms_replica_key.key_replica_eu_west_1.arn}",
            "lifecycle": {"prevent_destroy": True},
            "point_in_time_recovery": True,
        }
    )
    assert replica["provider"] == "aws.eu_west_1"


def test_the_stream_of_a_replica_comes_from_a_data_source(
    prod: SynthesizedStack,
) -> None:
    table = prod.resource("data.aws_dynamodb_table")
    table.assert_config({"name": '${split("/", aws_dynamodb_table_replica.orders_replica_eu_west_1.arn)[1]}'})
    assert table["provider"] == "aws.eu_west_1"


def test_another_region_changes_no_existing_resource(synth_stack: Synth, prod: SynthesizedStack) -> None:
    def build_three(stack: HardenedStack) -> None:
        make_table(stack, [EU, "ap-south-1"], alarm_topics=TOPICS)

    two = synth_stack(lambda stack: make_table(stack, [EU], alarm_topics=TOPICS), "prod")
    three = synth_stack(build_three, "prod")
    known = {block.address: block.config for block in three.blocks}
    kept = {block.address: known.get(block.address) for block in two.blocks}
    assert kept == {block.address: block.config for block in two.blocks}
    new = known.keys() - kept.keys()
    assert "aws_dynamodb_table_replica.orders_replica_ap_south_1" in new
    assert "aws_cloudwatch_metric_alarm.orders_latency_alarm_to_ap_south_1_us_east_1" in new
    assert prod.resource("aws_dynamodb_table")["lifecycle"] == known["aws_dynamodb_table.orders_us_east_1"]["lifecycle"]


def test_the_first_replica_does_not_change_the_table(synth_stack: Synth, dev: SynthesizedStack) -> None:
    two = synth_stack(lambda stack: make_table(stack, [EU]))
    assert two.resource("aws_dynamodb_table").config == dev.resource("aws_dynamodb_table").config


def test_there_are_outputs_for_each_region(prod: SynthesizedStack) -> None:
    outputs = {name: value for name, value in prod.outputs.items() if name.startswith("orders_")}
    assert outputs == {
        "orders_name_us_east_1": TABLE % "name",
        "orders_arn_us_east_1": TABLE % "arn",
        "orders_stream_arn_us_east_1": TABLE % "stream_arn",
        "orders_name_eu_west_1": READ_BACK % "name",
        "orders_arn_eu_west_1": REPLICA % "arn",
        "orders_stream_arn_eu_west_1": READ_BACK % "stream_arn",
    }
    regions = prod.outputs["deployment_summary"]["regions"]
    flat = {
        f"orders_{name}_{region.replace('-', '_')}": value
        for region in (HOME, EU)
        for name, value in regions[region]["orders"].items()
    }
    assert flat == outputs


def alarms(stack: SynthesizedStack, region: str) -> dict[str, Any]:
    return {
        alarm.path.rsplit("/", 1)[1]: alarm
        for alarm in stack.resources("aws_cloudwatch_metric_alarm")
        if alarm["provider"] == f"aws.{region.replace('-', '_')}"
    }


@pytest.mark.parametrize(("region", "name", "topic"), [(HOME, TABLE, TOPICS[0]), (EU, READ_BACK, TOPICS[1])])
def test_every_region_has_its_alarms(prod: SynthesizedStack, region: str, name: str, topic: str) -> None:
    other = EU if region == HOME else HOME
    found = alarms(prod, region)
    operations = ("GetItem", "PutItem", "Query", "UpdateItem")
    indexes = ("by-status", "all-by-status")
    assert found.keys() == {
        *(f"{kind}-throttle-alarm" for kind in ("read", "write")),
        *(f"{kind}-throttle-alarm-{index}" for kind in ("read", "write") for index in indexes),
        *(f"system-errors-alarm-{operation}" for operation in operations),
        f"latency-alarm-to-{other}",
    }
    expected = {
        "read-throttle-alarm": ("ReadThrottleEvents", "Sum", 0, {}),
        "write-throttle-alarm-by-status": (
            "WriteThrottleEvents",
            "Sum",
            0,
            {"GlobalSecondaryIndexName": "by-status"},
        ),
        "system-errors-alarm-Query": ("SystemErrors", "Sum", 5, {"Operation": "Query"}),
        f"latency-alarm-to-{other}": ("ReplicationLatency", "Average", 10000, {"ReceivingRegion": other}),
    }
    for id_, (metric, statistic, threshold, dimensions) in expected.items():
        alarm = found[id_]
        assert [alarm[key] for key in ("namespace", "metric_name", "statistic", "threshold", "dimensions")] == [
            "AWS/DynamoDB",
            metric,
            statistic,
            threshold,
            {"TableName": name % "name", **dimensions},
        ]
        assert (alarm["comparison_operator"], alarm["treat_missing_data"]) == ("GreaterThanThreshold", "notBreaching")
        assert alarm["alarm_actions"] == [topic]


def test_topics_by_region_can_be_references(synth_stack: Synth) -> None:
    topics = {name: [f"${{aws_sns_topic.pager_{name.replace('-', '_')}.arn}}"] for name in (HOME, EU)}
    stack = synth_stack(lambda stack: make_table(stack, [EU], alarms=True, alarm_topics=topics))
    for name in (HOME, EU):
        assert {tuple(alarm["alarm_actions"]) for alarm in alarms(stack, name).values()} == {tuple(topics[name])}


def test_topics_of_a_table_in_one_region_can_be_references(synth_stack: Synth) -> None:
    topic = "${aws_sns_topic.pager.arn}"
    stack = synth_stack(lambda stack: make_table(stack, alarms=True, alarm_topics=[topic]))
    assert {tuple(alarm["alarm_actions"]) for alarm in alarms(stack, HOME).values()} == {(topic,)}


def test_there_are_no_alarms_without_alarms(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_table(s, [EU], alarms=NoAlarms("a copy that nobody reads from")), "prod")
    assert stack.find("aws_cloudwatch_metric_alarm") == []


def test_the_environment_sets_throughput_protection_and_alarms(synth_stack: Synth, environment: Environment) -> None:
    table = synth_stack(make_table, environment).resource("aws_dynamodb_table")
    throughput = table["on_demand_throughput"]
    assert (
        throughput["max_read_request_units"],
        throughput["max_write_request_units"],
        table["deletion_protection_enabled"],
        table["lifecycle"].get("prevent_destroy"),
        table["point_in_time_recovery"],
    ) == {
        "dev": (500, 250, False, None, {"enabled": True}),
        "staging": (1000, 500, False, None, {"enabled": True}),
        "prod": (12000, 4000, True, True, {"enabled": True}),
    }[environment]


def test_a_table_in_dev_has_no_replicas_and_no_alarms(dev: SynthesizedStack) -> None:
    assert dev.find("aws_dynamodb_table_replica") == dev.find("aws_cloudwatch_metric_alarm") == []
    assert dev.resource("aws_dynamodb_table")["attribute"] == [{"name": "id", "type": "S"}]


def test_keys_are_strings_by_default(synth_stack: Synth) -> None:
    table = synth_stack(lambda stack: make_table(stack, sort_key="at")).resource("aws_dynamodb_table")
    assert table["attribute"] == [{"name": "id", "type": "S"}, {"name": "at", "type": "S"}]


def test_no_deletion_protection_applies_to_every_region(synth_stack: Synth) -> None:
    def fill(stack: HardenedStack) -> None:
        opt_out = NoDeletionProtection("a cache of another table")
        make_table(stack, [EU], deletion_protection=opt_out)
        assert ("shop/orders", opt_out) in stack.opt_outs

    stack = synth_stack(fill, "prod")
    for type_ in ("aws_dynamodb_table", "aws_dynamodb_table_replica"):
        block = stack.resource(type_)
        assert block["deletion_protection_enabled"] is False
        assert "prevent_destroy" not in block.config.get("lifecycle", {})


def test_arguments_are_written_as_given(synth_stack: Synth) -> None:
    stack = synth_stack(
        lambda stack: make_table(
            stack,
            max_read_units=40000,
            max_write_units=1,
            stream_view="KEYS_ONLY",
            table_class="STANDARD_INFREQUENT_ACCESS",
            deletion_protection=True,
        )
    )
    table = stack.resource("aws_dynamodb_table")
    names = ("on_demand_throughput", "stream_view_type", "table_class", "deletion_protection_enabled")
    assert [table[name] for name in names] == [
        {"max_read_request_units": 40000, "max_write_request_units": 1},
        "KEYS_ONLY",
        "STANDARD_INFREQUENT_ACCESS",
        True,
    ]


def test_contributor_insights_cover_every_region_and_index(synth_stack: Synth) -> None:
    stack = synth_stack(
        lambda stack: make_table(
            stack,
            [EU],
            attributes={"id": "S", "status": "S"},
            global_indexes={"by-status": GlobalIndex("status")},
            contributor_insights=True,
        )
    )
    shown = {
        (block["provider"], block.config.get("index_name"), block["table_name"])
        for block in stack.resources("aws_dynamodb_contributor_insights")
    }
    assert shown == {
        (f"aws.{region}", index, name % "name")
        for region, name in (("us_east_1", TABLE), ("eu_west_1", READ_BACK))
        for index in (None, "by-status")
    }


# Provisioned capacity.


@pytest.fixture(scope="module")
def scaled(synth_stack: Synth) -> SynthesizedStack:
    provisioned = Provisioned(read_maximum=100, write_maximum=50, write_minimum=7, target_percent=60)
    return synth_stack(lambda stack: make_table(stack, [EU], provisioned=provisioned))


def test_provisioned_capacity_starts_at_the_minimum_and_changes_are_ignored(scaled: SynthesizedStack) -> None:
    table = scaled.resource("aws_dynamodb_table")
    assert [table[name] for name in ("billing_mode", "read_capacity", "write_capacity")] == ["PROVISIONED", 5, 7]
    assert table["lifecycle"] == {"ignore_changes": ["replica", "read_capacity", "write_capacity"]}
    assert "on_demand_throughput" not in table


@pytest.mark.parametrize(("kind", "low", "high"), [("read", 5, 100), ("write", 7, 50)])
def test_reads_and_writes_have_auto_scaling(scaled: SynthesizedStack, kind: str, low: int, high: int) -> None:
    common = {
        "scalable_dimension": f"dynamodb:table:{kind.title()}CapacityUnits",
        "service_namespace": "dynamodb",
    }
    target = scaled.resource("aws_appautoscaling_target", f"*/{kind}-target")
    target.assert_config(
        {**common, "max_capacity": high, "min_capacity": low, "resource_id": f"table/{TABLE % 'name'}"}
    )
    scaled.resource("aws_appautoscaling_policy", f"*/{kind}-policy").assert_config(
        {
            **common,
            "name": f"shop-dev-orders-scaling-{kind}-us-east-1",
            "policy_type": "TargetTrackingScaling",
            "resource_id": f"${{{target.address}.resource_id}}",
            "target_tracking_scaling_policy_configuration": {
                "predefined_metric_specification": {
                    "predefined_metric_type": f"DynamoDB{kind.title()}CapacityUtilization"
                },
                "target_value": 60,
            },
        }
    )


def test_minimum_and_maximum_can_be_equal(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_table(stack, provisioned=Provisioned(5, 1, write_minimum=1)))
    limits = [(one["min_capacity"], one["max_capacity"]) for one in stack.resources("aws_appautoscaling_target")]
    assert limits == [(5, 5), (1, 1)]


def test_a_replica_depends_on_the_auto_scaling(scaled: SynthesizedStack) -> None:
    assert scaled.resource("aws_dynamodb_table_replica")["depends_on"] == [
        "aws_appautoscaling_policy.orders_scaling_read_policy_us_east_1",
        "aws_appautoscaling_policy.orders_scaling_write_policy_us_east_1",
    ]


def test_references_work_in_another_stack(synthesize: Synthesize) -> None:
    def fill(stack: HardenedStack) -> dict[str, str]:
        table = make_table(stack, [EU])
        assert table.name == "shop-dev-orders"
        assert list(table.places) == [HOME, EU]
        eu = stack.region(EU)
        return {
            "arn": table.arn,
            "stream": table.stream_arn,
            "arn-eu": table.arn_in(eu),
            "stream-eu": table.stream_arn_in(eu),
        }

    assert read_from_another_stack(synthesize, fill) == {
        "arn": "${aws_dynamodb_table.orders_us_east_1.arn}",
        "stream": "${aws_dynamodb_table.orders_us_east_1.stream_arn}",
        "arn-eu": "${aws_dynamodb_table_replica.orders_replica_eu_west_1.arn}",
        "stream-eu": "${data.aws_dynamodb_table.orders_replica_table_eu_west_1.stream_arn}",
    }
