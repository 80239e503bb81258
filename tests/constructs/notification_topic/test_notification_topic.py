"""NotificationTopic: the topic, its policy, its subscriptions, and the alarms on deliveries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    Environment,
    Fifo,
    HardenedStack,
    MultiRegionKey,
    NoAlarms,
    NotificationTopic,
    Queue,
)
from tests.constructs.queues import ACCOUNT, KEY, TOPIC, function, key_in, key_statements, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

ORDERS = "${aws_sns_topic.orders_eu_west_1.arn}"
DEAD = "${aws_sqs_queue.orders_dead_letter_eu_west_1.arn}"
BUCKET = "arn:aws:s3:::uploads"
RULE = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
TLS_ONLY = {
    "effect": "Deny",
    "actions": ["sns:Publish"],
    "resources": [ORDERS],
    "principals": [{"type": "AWS", "identifiers": ["*"]}],
    "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
}


def topic_in(stack: HardenedStack, **arguments: Any) -> NotificationTopic:
    key = key_in(stack)
    return NotificationTopic(stack, "orders", region=key.region, key=key, **arguments)


def subscribed(stack: HardenedStack) -> None:
    topic = topic_in(stack)
    topic.subscribe(Queue(stack, "jobs", region=topic.region, key=topic.key), raw_message_delivery=True)
    topic.subscribe(function(topic.key, "worker"), filter_policy={"kind": ["paid", {"prefix": "re"}]})
    body = {"detail": {"amount": [{"numeric": [">", 0]}]}}
    topic.subscribe("https://hooks.example.com/sns", filter_policy=body, filter_policy_scope="MessageBody")
    topic.subscribe("on-call@example.com")


def test_the_topic_is_encrypted_signs_with_sha256_and_refuses_plain_connections(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: topic_in(stack, display_name="Orders"))
    stack.resource("aws_sns_topic").assert_config(
        {
            "name": "shop-dev-orders-eu-west-1",
            "display_name": "Orders",
            "kms_master_key_id": KEY,
            "signature_version": 2,
        }
    )
    assert statements(stack, "shop/orders/policy-document") == {"TlsOnly": TLS_ONLY}
    assert stack.outputs["orders_arn_eu_west_1"] == ORDERS


def test_a_topic_without_subscriptions_has_no_dead_letter_queue(synth_stack: Synth) -> None:
    assert "aws_sqs_queue" not in synth_stack(topic_in).document["resource"]


def test_a_queue_is_subscribed_once_its_policy_and_key_admit_the_topic(synth_stack: Synth) -> None:
    stack = synth_stack(subscribed)
    stack.at("aws_sns_topic_subscription.orders_to_jobs_eu_west_1").assert_config(
        {
            "protocol": "sqs",
            "endpoint": "${aws_sqs_queue.jobs_eu_west_1.arn}",
            "topic_arn": ORDERS,
            "raw_message_delivery": True,
            "redrive_policy": json.dumps({"deadLetterTargetArn": DEAD}),
            "depends_on": [
                "aws_sqs_queue_policy.orders_dead_letter_policy_eu_west_1",
                "aws_sqs_queue_policy.jobs_policy_eu_west_1",
            ],
        }
    )
    for path in ("shop/jobs/policy-document", "shop/orders/dead-letter/policy-document"):
        admitted = statements(stack, path)["Sns"]
        assert admitted["principals"] == [{"type": "Service", "identifiers": ["sns.amazonaws.com"]}]
        assert admitted["condition"] == [{"test": "ArnEquals", "variable": "aws:SourceArn", "values": [ORDERS]}]
    assert key_statements(stack)["Sns"]["Principal"] == {"Service": ["sns.amazonaws.com"]}


def test_a_function_is_invoked_through_its_alias_with_a_permission_for_the_topic(synth_stack: Synth) -> None:
    stack = synth_stack(subscribed)
    permission = "aws_lambda_permission.worker_topic_orders_eu_west_1"
    stack.at(permission).assert_config(
        {
            "action": "lambda:InvokeFunction",
            "function_name": "${aws_lambda_function.worker_eu_west_1.function_name}",
            "qualifier": "${aws_lambda_alias.worker_live_eu_west_1.name}",
            "principal": "sns.amazonaws.com",
            "source_arn": ORDERS,
            "statement_id": "topic_orders",
        }
    )
    subscription = stack.at("aws_sns_topic_subscription.orders_to_worker_eu_west_1")
    assert (subscription["protocol"], subscription["endpoint"]) == (
        "lambda",
        "${aws_lambda_alias.worker_live_eu_west_1.arn}",
    )
    assert (subscription["filter_policy"], subscription["filter_policy_scope"]) == (
        '{"kind":["paid",{"prefix":"re"}]}',
        "MessageAttributes",
    )
    assert permission in subscription["depends_on"]


def test_people_and_web_hooks_are_subscribed_by_address(synth_stack: Synth) -> None:
    stack = synth_stack(subscribed)
    failed = {
        "topic_arn": ORDERS,
        "redrive_policy": json.dumps({"deadLetterTargetArn": DEAD}),
        "depends_on": ["aws_sqs_queue_policy.orders_dead_letter_policy_eu_west_1"],
    }
    stack.at("aws_sns_topic_subscription.orders_to_on_call_example_com_eu_west_1").assert_config(
        {"protocol": "email", "endpoint": "on-call@example.com", **failed}
    )
    (hook,) = (each for each in stack.resources("aws_sns_topic_subscription") if each["protocol"] == "https")
    hook.assert_config(
        {
            "protocol": "https",
            "endpoint": "https://hooks.example.com/sns",
            "filter_policy": '{"detail":{"amount":[{"numeric":[">",0]}]}}',
            "filter_policy_scope": "MessageBody",
            **failed,
        }
    )


def test_a_secret_path_of_a_web_hook_is_not_in_its_address(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: topic_in(stack).subscribe("https://hooks.example.com/s3cr3t"))
    (hook,) = stack.resources("aws_sns_topic_subscription")
    assert hook.address == "aws_sns_topic_subscription.orders_to_hooks_example_com_835fae97_eu_west_1"


def test_a_role_is_granted_to_publish_and_to_use_the_key(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        topic = topic_in(stack)
        topic.grant_publish(function(topic.key, "shop"))

    granted = statements(synth_stack(build), "shop/shop/role/policy-document")
    assert (granted["PublishOrders"]["actions"], granted["PublishOrders"]["resources"]) == (["sns:Publish"], [ORDERS])
    key = granted["PublishKeyOrders"]
    assert (key["actions"], key["resources"]) == (["kms:Decrypt", "kms:GenerateDataKey"], [KEY])


def test_a_function_of_another_stack_is_granted_to_publish(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        topic = topic_in(HardenedStack(app, "shop", environment="dev", owner="me"))
        other = HardenedStack(app, "other", environment="dev", owner="me")
        topic.grant_publish(function(MultiRegionKey(other, "key", region=other.region("eu-west-1")), "shop"))

    granted = statements(synthesize(build)["other"], "other/shop/role/policy-document")
    assert granted["PublishOrders"]["resources"][0].startswith("${data.terraform_remote_state.")


def test_services_publish_for_one_resource_and_use_the_key_for_topics_of_the_project(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        topic = topic_in(stack)
        for _ in range(2):
            topic.allow_service("events.amazonaws.com", RULE)
        topic.allow_service("s3.amazonaws.com", BUCKET)

    stack = synth_stack(build)
    admitted = statements(stack, "shop/orders/policy-document")
    assert list(admitted) == ["TlsOnly", "Events", "S3"]
    assert admitted["Events"]["condition"] == [{"test": "ArnEquals", "variable": "aws:SourceArn", "values": [RULE]}]
    assert admitted["S3"]["condition"] == [
        {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [BUCKET]},
        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]},
    ]
    own = f"arn:aws:sns:eu-west-1:{ACCOUNT}:shop-dev-*"
    for sid in ("Events2", "S3"):
        assert key_statements(stack)[sid]["Condition"] == {
            "StringLike": {"kms:EncryptionContext:aws:sns:topicArn": [own]}
        }


def test_failed_deliveries_raise_alarms_where_the_environment_requires_them(
    synth_stack: Synth, environment: Environment
) -> None:
    stack = synth_stack(lambda stack: topic_in(stack, alarm_topics=[TOPIC]), environment)
    found = {
        alarm["metric_name"]: (alarm["threshold"], alarm["dimensions"], alarm["alarm_actions"])
        for alarm in stack.find("aws_cloudwatch_metric_alarm")
    }
    expected = (0, {"TopicName": "${aws_sns_topic.orders_eu_west_1.name}"}, [TOPIC])
    wanted = {"NumberOfNotificationsFailed": expected, "NumberOfNotificationsFailedToRedriveToDlq": expected}
    assert found == (wanted if environment is Environment.PROD else {})


def test_the_dead_letter_queue_has_an_alarm_in_prod(synth_stack: Synth, environment: Environment) -> None:
    stack = synth_stack(lambda stack: topic_in(stack).subscribe("ops@example.com"), environment)
    found = stack.find("aws_cloudwatch_metric_alarm", "*/dead-letter-alarm")
    watched = [(one["metric_name"], one["dimensions"]) for one in found]
    failed = {"QueueName": "${aws_sqs_queue.orders_dead_letter_eu_west_1.name}"}
    expected = [("ApproximateNumberOfMessagesVisible", failed)]
    assert watched == (expected if environment is Environment.PROD else [])


def test_alarms_are_left_out_for_a_reason(synth_stack: Synth) -> None:
    quiet = NoAlarms("nothing that matters is published to this topic")
    assert (
        "aws_cloudwatch_metric_alarm"
        not in synth_stack(lambda s: topic_in(s, alarms=quiet), "prod").document["resource"]
    )


@pytest.mark.parametrize(
    ("endpoint", "options", "problem"),
    [
        (
            "http://example.com",
            {},
            "endpoint='http://example.com': expected a Queue, a PaymentLambda, an https:// URL or an email address; plain http:// is not encrypted",
        ),
        (
            "nobody",
            {},
            "endpoint='nobody': expected a Queue, a PaymentLambda, an https:// URL or an email address; plain http:// is not encrypted",
        ),
        (
            "https://a:b@example.com/x",
            {},
            "endpoint='https://example.com/...': contains credentials, which Terraform would keep in its state; expected a URL without user and password",
        ),
        (
            "https://${var.host}/x",
            {},
            "endpoint='https://${var.host}/x': expected a plain host name after https://; the path may be a reference",
        ),
        (
            "a@example.com",
            {"raw_message_delivery": True},
            "raw_message_delivery=True: is available for queues and HTTPS endpoints only; leave it out",
        ),
        (
            "a@example.com",
            {"filter_policy_scope": "MessageBody"},
            "filter_policy_scope='MessageBody': has no effect without filter_policy; leave it out",
        ),
        (
            "a@example.com",
            {"filter_policy": {"a": {"b": ["c"]}}},
            "filter_policy=['a']: is nested, and message attributes are not; give filter_policy_scope='MessageBody'",
        ),
        (
            "a@example.com",
            {"filter_policy": {"a": "b"}},
            "filter_policy['a']='b': must be a non-empty list of values, or a non-empty dictionary of nested fields",
        ),
        (
            "a@example.com",
            {"filter_policy": {key: ["x"] for key in "abcdef"}},
            "filter_policy=['a', 'b', 'c', 'd', 'e', 'f']: has 6 keys; SNS accepts at most 5",
        ),
        (
            "a@example.com",
            {"filter_policy": {"a": list("0123456789abcdef"), "b": list("0123456789")}},
            "filter_policy=['a', 'b']: has 160 combinations of values; SNS accepts at most 150",
        ),
        (
            "a@example.com",
            {"filter_policy": {"a": [{"wildcard": "x*"}]}},
            "filter_policy['a']={'wildcard': 'x*'}: must be one of the operators anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix",
        ),
    ],
)
def test_what_sns_refuses_is_refused(
    stack: HardenedStack, endpoint: str, options: dict[str, Any], problem: str
) -> None:
    topic = topic_in(stack)
    with pytest.raises(ConfigurationError) as error:
        topic.subscribe(endpoint, **options)
    assert str(error.value) == f"shop/orders: {problem}"


def test_an_alternative_counts_the_combinations_of_each_side(stack: HardenedStack) -> None:
    policy = {"$or": [{"a": list("0123456789")}, {"b": list("01234"), "c": list("0123")}], "d": list("012345")}
    with pytest.raises(ConfigurationError, match=r"has 180 combinations of values"):
        topic_in(stack).subscribe("a@example.com", filter_policy=policy)


def test_constructs_of_other_regions_and_fifo_queues_are_refused(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    key = key_in(stack, us)
    topic = NotificationTopic(stack, "orders", region=key.region, key=key)
    with pytest.raises(
        ConfigurationError, match=r"endpoint='shop/far': expected a construct in the topic's region and"
    ):
        topic.subscribe(Queue(stack, "far", region=us, key=key))
    with pytest.raises(
        ConfigurationError, match=r"endpoint='shop/steps': is a FIFO queue; a standard topic delivers to"
    ):
        topic.subscribe(Queue(stack, "steps", region=key.region, key=key, fifo=Fifo()))


def test_an_endpoint_is_subscribed_once(stack: HardenedStack) -> None:
    topic = topic_in(stack)
    topic.subscribe("a@example.com")
    with pytest.raises(
        ConfigurationError, match=r"^shop/orders: endpoint='a@example.com': duplicate subscription; remove one$"
    ):
        topic.subscribe("a@example.com", filter_policy={"kind": ["paid"]})


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb"])
def test_a_display_name_that_sns_refuses_is_refused(stack: HardenedStack, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected 1 to 100 printable characters$"):
        topic_in(stack, display_name=name)


@pytest.mark.parametrize(
    ("service", "source", "problem"),
    [
        ("nobody", RULE, "service='nobody': expected a service principal such as 'events.amazonaws.com'"),
        (
            "events.amazonaws.com",
            "arn:aws:events:eu-west-1:*:rule/x",
            "source_arn='arn:aws:events:eu-west-1:*:rule/x': matches resources of other accounts",
        ),
    ],
)
def test_a_publisher_that_would_admit_others_is_refused(
    stack: HardenedStack, service: str, source: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        topic_in(stack).allow_service(service, source)
    assert str(error.value).startswith(f"shop/orders: {problem}")
