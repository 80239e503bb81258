from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import (
    Environment,
    EventBus,
    EventTarget,
    ExternalEventBus,
    Fifo,
    HardenedStack,
    InputTransformer,
    NoAlarms,
    Queue,
)
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.queues import ACCOUNT, KEY, TLS_ONLY, TOPIC, function, key_in, key_statements, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

PAID: dict[str, Any] = {"source": "shop.orders", "detail-type": "OrderPaid", "detail": {"id": "1", "amount": 5}}
PATTERN: dict[str, Any] = {"source": ["shop.orders"], "detail": {"amount": [{"numeric": [">", 0]}]}}
BUS = "${aws_cloudwatch_event_bus.orders_eu_west_1.name}"
BUS_ARN = "${aws_cloudwatch_event_bus.orders_eu_west_1.arn}"
RULE = "${aws_cloudwatch_event_rule.orders_paid_eu_west_1.arn}"
NIGHTLY = "${aws_cloudwatch_event_rule.orders_nightly_eu_west_1.arn}"
FAILED = "aws_sqs_queue.orders_dead_letter_eu_west_1"
THEIRS = "arn:aws:events:eu-west-1:123456789012:event-bus/theirs"


def build(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    key = key_in(stack, us)
    worker, sender = function(key, "worker"), function(key, "sender")
    jobs = Queue(stack, "jobs", region=key.region, key=key)
    steps = Queue(stack, "steps", region=key.region, key=key, fifo=Fifo(content_based_deduplication=True))
    copies = EventBus(stack, "copies", region=us, key=key, archive_days=400)
    bus = EventBus(
        stack,
        "orders",
        region=key.region,
        key=key,
        description="What happens to orders",
        accounts=["123456789012", "${var.partner}"],
        organization="o-a1b2c3d4e5",
        allowed_sources=["partner.orders"],
        alarm_topics=[TOPIC],
    )
    bus.grant_put(sender, sources=["shop.orders"], detail_types=["OrderPaid"])
    bus.grant_put(sender, sources=["shop.returns"])
    bus.add_rule(
        "paid",
        pattern=PATTERN,
        samples=[PAID],
        rejects=[{**PAID, "detail": {"amount": 0}}],
        description="Orders that are paid",
        targets=[
            worker,
            EventTarget(jobs, maximum_event_age_seconds=60, maximum_retry_attempts=0, input_path="$.detail"),
            EventTarget(
                steps,
                message_group_id="orders",
                input_transformer=InputTransformer({"id": "$.detail.id"}, '{"order": <id>, "at": <aws.events.event>}'),
            ),
            copies,
            ExternalEventBus(THEIRS),
        ],
    )
    bus.add_rule(
        "nightly",
        schedule="cron(0 3 * * ? *)",
        enabled=False,
        targets=[EventTarget(worker, input='{"job": "nightly"}', dead_letter_queue=jobs.dead_letter_queue)],
    )


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build, "prod")


def test_a_bus_is_encrypted_and_has_a_dead_letter_queue(synthesized: SynthesizedStack) -> None:
    synthesized.at("aws_cloudwatch_event_bus.orders_eu_west_1").assert_config(
        {
            "dead_letter_config": {"arn": f"${{{FAILED}.arn}}"},
            "description": "What happens to orders",
            "kms_key_identifier": KEY,
            "name": "shop-prod-orders-eu-west-1",
        }
    )
    synthesized.at(FAILED).assert_config(
        {
            "message_retention_seconds": 1209600,
            "name": "shop-prod-orders-dead-letter-eu-west-1",
            "sqs_managed_sse_enabled": True,
            "visibility_timeout_seconds": 1800,
        }
    )
    copies = synthesized.at("aws_cloudwatch_event_bus.copies_us_east_1")
    assert copies["kms_key_identifier"] == "${aws_kms_replica_key.key_replica_us_east_1.arn}"


def test_the_key_policy_allows_eventbridge_for_the_projects_buses_and_queues_only(
    synthesized: SynthesizedStack,
) -> None:
    found = key_statements(synthesized)
    conditions = {sid: found[sid]["Condition"] for sid in found if sid.startswith("Events")}
    assert conditions == {
        "Events": {"ArnLike": {"aws:SourceArn": [f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/shop-prod-*"]}},
        "Events2": {
            "StringLike": {"kms:EncryptionContext:aws:sqs:arn": [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:shop-prod-*"]}
        },
    }
    assert {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"} <= set(found["Events"]["Action"])
    replica = key_statements(synthesized, "aws_kms_replica_key.key_replica_us_east_1")
    assert ":us-east-1:" in json.dumps(replica["Events"]["Condition"])


def test_the_bus_policy_allows_the_accounts_and_the_organization_that_are_given(synthesized: SynthesizedStack) -> None:
    source = {"test": "StringEquals", "variable": "events:source", "values": ["partner.orders"]}
    assert statements(synthesized, "shop/orders/policy-document") == {
        "Accounts": {
            "effect": "Allow",
            "actions": ["events:PutEvents"],
            "resources": [BUS_ARN],
            "principals": [
                {
                    "type": "AWS",
                    "identifiers": ["arn:aws:iam::123456789012:root", "arn:aws:iam::${var.partner}:root"],
                }
            ],
            "condition": [source],
        },
        "Organization": {
            "effect": "Allow",
            "actions": ["events:PutEvents"],
            "resources": [BUS_ARN],
            "principals": [{"type": "AWS", "identifiers": ["*"]}],
            "condition": [
                {"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": ["o-a1b2c3d4e5"]},
                source,
            ],
        },
    }
    synthesized.resource("aws_cloudwatch_event_bus_policy").assert_config(
        {
            "event_bus_name": BUS,
            "policy": "${data.aws_iam_policy_document.orders_policy_document_eu_west_1.json}",
        }
    )


def test_grant_put_allows_the_given_sources_and_detail_types_only(synthesized: SynthesizedStack) -> None:
    found = statements(synthesized, "shop/sender/role/policy-document")
    put = {"effect": "Allow", "actions": ["events:PutEvents"], "resources": [BUS_ARN]}
    source = {"test": "StringEquals", "variable": "events:source", "values": ["shop.orders"]}
    assert {sid: found[sid] for sid in found if sid.startswith("Put")} == {
        "PutOrdersShopOrdersOrderPaid": {
            **put,
            "condition": [
                source,
                {"test": "StringEquals", "variable": "events:detail-type", "values": ["OrderPaid"]},
            ],
        },
        "PutOrdersShopReturns": {**put, "condition": [{**source, "values": ["shop.returns"]}]},
    }


def test_a_rule_has_a_pattern_on_the_bus(synthesized: SynthesizedStack) -> None:
    synthesized.at("aws_cloudwatch_event_rule.orders_paid_eu_west_1").assert_config(
        {
            "description": "Orders that are paid",
            "event_bus_name": BUS,
            "event_pattern": '{"detail":{"amount":[{"numeric":[">",0]}]},"source":["shop.orders"]}',
            "name": "shop-prod-orders-paid-eu-west-1",
            "state": "ENABLED",
        }
    )


def test_a_schedule_is_on_the_default_bus(synthesized: SynthesizedStack) -> None:
    synthesized.at("aws_cloudwatch_event_rule.orders_nightly_eu_west_1").assert_config(
        {
            "name": "shop-prod-orders-nightly-eu-west-1",
            "schedule_expression": "cron(0 3 * * ? *)",
            "state": "DISABLED",
        }
    )
    synthesized.resource("aws_cloudwatch_event_target", "shop/orders/nightly/*").assert_config(
        {
            "arn": "${aws_lambda_alias.worker_live_eu_west_1.arn}",
            "dead_letter_config": {"arn": "${aws_sqs_queue.jobs_dead_letter_eu_west_1.arn}"},
            "depends_on": [
                "aws_sqs_queue_policy.jobs_dead_letter_policy_eu_west_1",
                "aws_lambda_permission.worker_rule_orders_nightly_eu_west_1",
            ],
            "input": '{"job": "nightly"}',
            "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 30},
            "rule": "${aws_cloudwatch_event_rule.orders_nightly_eu_west_1.name}",
            "target_id": "worker",
        }
    )


def test_targets_have_a_dead_letter_queue_and_retries_and_depend_on_their_permission(
    synthesized: SynthesizedStack,
) -> None:
    first = "aws_sqs_queue_policy.orders_dead_letter_policy_eu_west_1"
    hour = {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 30}
    role = "orders_paid_to_{}_role"
    there = "bus-theirs-123456789012"
    expected: dict[str, dict[str, Any]] = {
        "worker": {
            "arn": "${aws_lambda_alias.worker_live_eu_west_1.arn}",
            "depends_on": [first, "aws_lambda_permission.worker_rule_orders_paid_eu_west_1"],
        },
        "jobs": {
            "arn": "${aws_sqs_queue.jobs_eu_west_1.arn}",
            "depends_on": [first, "aws_sqs_queue_policy.jobs_policy_eu_west_1"],
            "input_path": "$.detail",
            "retry_policy": {"maximum_event_age_in_seconds": 60, "maximum_retry_attempts": 0},
        },
        "steps": {
            "arn": "${aws_sqs_queue.steps_eu_west_1.arn}",
            "depends_on": [first, "aws_sqs_queue_policy.steps_policy_eu_west_1"],
            "input_transformer": {
                "input_paths": {"id": "$.detail.id"},
                "input_template": '{"order": <id>, "at": <aws.events.event>}',
            },
            "sqs_target": {"message_group_id": "orders"},
        },
        "copies": {
            "arn": "${aws_cloudwatch_event_bus.copies_us_east_1.arn}",
            "depends_on": [first, f"aws_iam_role_policy.{role.format('copies')}_policy_eu_west_1"],
            "role_arn": f"${{aws_iam_role.{role.format('copies')}_eu_west_1.arn}}",
        },
        there: {
            "arn": THEIRS,
            "depends_on": [first, f"aws_iam_role_policy.{role.format(there.replace('-', '_'))}_policy_eu_west_1"],
            "role_arn": f"${{aws_iam_role.{role.format(there.replace('-', '_'))}_eu_west_1.arn}}",
        },
    }
    for name, config in expected.items():
        synthesized.resource("aws_cloudwatch_event_target", f"shop/orders/paid/to-{name}").assert_config(
            {
                "dead_letter_config": {"arn": f"${{{FAILED}.arn}}"},
                "event_bus_name": BUS,
                "retry_policy": hour,
                "rule": "${aws_cloudwatch_event_rule.orders_paid_eu_west_1.name}",
                "target_id": name,
                **config,
            }
        )


def test_targets_allow_the_rule_only(synthesized: SynthesizedStack) -> None:
    synthesized.at("aws_lambda_permission.worker_rule_orders_paid_eu_west_1").assert_config(
        {
            "action": "lambda:InvokeFunction",
            "function_name": "${aws_lambda_function.worker_eu_west_1.function_name}",
            "principal": "events.amazonaws.com",
            "qualifier": "${aws_lambda_alias.worker_live_eu_west_1.name}",
            "source_arn": RULE,
            "statement_id": "rule_orders_paid",
        }
    )

    def senders(path: str) -> list[str]:
        found = statements(synthesized, f"shop/{path}/policy-document")
        assert {**found.pop("TlsOnly"), "resources": None} == {**TLS_ONLY, "resources": None}
        for statement in found.values():
            assert statement["principals"] == [{"type": "Service", "identifiers": ["events.amazonaws.com"]}]
            assert [condition["variable"] for condition in statement["condition"]] == ["aws:SourceArn"]
        return [value for statement in found.values() for value in statement["condition"][0]["values"]]

    assert senders("jobs") == [RULE]
    assert senders("steps") == [RULE]
    rules = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/shop-prod-orders-eu-west-1/*"
    assert senders("orders/dead-letter") == [BUS_ARN, rules]
    assert senders("jobs/dead-letter") == [NIGHTLY]


def test_the_role_that_sends_to_another_bus_trusts_the_rule_only(synthesized: SynthesizedStack) -> None:
    path = "shop/orders/paid/to-copies-role"
    assert statements(synthesized, f"{path}/policy-document") == {
        "PutEvents": {
            "effect": "Allow",
            "actions": ["events:PutEvents"],
            "resources": ["${aws_cloudwatch_event_bus.copies_us_east_1.arn}"],
        }
    }
    (trust,) = statements(synthesized, f"{path}/trust").values()
    assert trust["principals"] == [{"type": "Service", "identifiers": ["events.amazonaws.com"]}]
    assert trust["condition"] == [
        {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [RULE]},
        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]},
    ]


def test_prod_has_an_archive(
    synth_stack: Callable[..., SynthesizedStack], synthesized: SynthesizedStack, environment: Environment
) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        EventBus(stack, "orders", region=key.region, key=key)

    found = synth_stack(fill, environment).find("aws_cloudwatch_event_archive")
    assert [archive["retention_days"] for archive in found] == ([30] if environment == "prod" else [])
    synthesized.at("aws_cloudwatch_event_archive.orders_archive_eu_west_1").assert_config(
        {
            "description": "Every event of shop-prod-orders-eu-west-1",
            "event_source_arn": BUS_ARN,
            "name": "shop-prod-orders-eu-west-1",
            "retention_days": 30,
        }
    )
    assert synthesized.at("aws_cloudwatch_event_archive.copies_archive_us_east_1")["retention_days"] == 400


def test_a_bus_without_other_accounts_has_no_policy(synthesized: SynthesizedStack) -> None:
    assert synthesized.find("aws_cloudwatch_event_bus_policy", "shop/copies/*") == []


def test_undelivered_events_have_alarms_in_prod(synthesized: SynthesizedStack) -> None:
    descriptions = {
        "failed": ("FailedInvocations", "An event was not delivered and will not be: look at the target's permissions"),
        "sent-to-dlq": (
            "InvocationsSentToDlq",
            "An event could not be delivered and waits in the dead-letter queue, with the reason",
        ),
        "lost": (
            "InvocationsFailedToBeSentToDlq",
            "An event could not be delivered, nor put into the dead-letter queue: it is lost",
        ),
    }
    for name, (metric, description) in descriptions.items():
        synthesized.resource("aws_cloudwatch_metric_alarm", f"shop/orders/paid-{name}-alarm").assert_config(
            {
                "actions_enabled": True,
                "alarm_actions": [TOPIC],
                "alarm_description": description,
                "alarm_name": f"shop-prod-orders-paid-{name}-alarm-eu-west-1",
                "comparison_operator": "GreaterThanThreshold",
                "datapoints_to_alarm": 1,
                "dimensions": {
                    "EventBusName": BUS,
                    "RuleName": "${aws_cloudwatch_event_rule.orders_paid_eu_west_1.name}",
                },
                "evaluation_periods": 1,
                "metric_name": metric,
                "namespace": "AWS/Events",
                "ok_actions": [TOPIC],
                "period": 300,
                "statistic": "Sum",
                "threshold": 0,
                "treat_missing_data": "notBreaching",
            }
        )
    nightly = synthesized.resource("aws_cloudwatch_metric_alarm", "shop/orders/nightly-failed-alarm")
    assert nightly["dimensions"] == {"RuleName": "${aws_cloudwatch_event_rule.orders_nightly_eu_west_1.name}"}
    waiting = synthesized.resource("aws_cloudwatch_metric_alarm", "shop/orders/dead-letter-alarm")
    assert waiting["dimensions"] == {"QueueName": f"${{{FAILED}.name}}"}


def test_alarms_can_be_left_out(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        bus = EventBus(stack, "orders", region=key.region, key=key, alarms=NoAlarms("nobody is on call for this one"))
        bus.add_rule("paid", pattern=PATTERN, samples=[PAID], targets=[function(key, "worker")])

    assert synth_stack(fill, "prod").find("aws_cloudwatch_metric_alarm", "shop/orders/*") == []


def test_outputs_name_the_bus(synthesized: SynthesizedStack) -> None:
    expected = {"orders_name_eu_west_1": BUS, "orders_arn_eu_west_1": BUS_ARN}
    assert {name: synthesized.outputs[name] for name in expected} == expected


def test_attributes_work_in_other_stacks(synthesize: Synthesize) -> None:
    def build_one(stack: HardenedStack) -> dict[str, str]:
        key = key_in(stack)
        bus = EventBus(stack, "orders", region=key.region, key=key)
        rule = bus.add_rule("paid", pattern=PATTERN, samples=[PAID], targets=[function(key, "worker")])
        return {"bus": bus.arn, "rule": rule.arn}

    assert read_from_another_stack(synthesize, build_one) == {
        "bus": BUS_ARN,
        "rule": "${aws_cloudwatch_event_rule.orders_paid_eu_west_1.arn}",
    }


def test_old_names_work_and_warn(stack: HardenedStack) -> None:
    key = key_in(stack)
    old_bus: dict[str, Any] = {"admitted_sources": ["partner.orders"], "accounts": ["123456789012"]}
    with pytest.deprecated_call(match="argument admitted_sources is deprecated .* use allowed_sources"):
        bus = EventBus(stack, "orders", region=key.region, key=key, **old_bus)
    old_target: dict[str, Any] = {"max_age_seconds": 60, "max_attempts": 0, "transformer": None, "message_group": "x"}
    with pytest.deprecated_call(match="use (maximum_|input_transformer|message_group_id)"):
        target = EventTarget(bus, **old_target)
    assert target == EventTarget(bus, maximum_event_age_seconds=60, maximum_retry_attempts=0, message_group_id="x")
    with pytest.deprecated_call(match=r"constructs_lib\.ForeignBus is deprecated .* use ExternalEventBus"):
        assert constructs_lib.ForeignBus is ExternalEventBus  # type: ignore[attr-defined]
