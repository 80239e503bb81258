"""Arguments that a bus, its rules and its targets refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    EventBus,
    EventTarget,
    ExternalEventBus,
    Fifo,
    HardenedStack,
    InputTransformer,
    Queue,
)
from tests.constructs.queues import function, key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import MultiRegionKey, PaymentLambda
    from constructs_lib.testing import SynthesizedStack

PAID: dict[str, Any] = {"source": "shop.orders", "detail-type": "OrderPaid", "detail": {"id": "1", "lines": [{"n": 2}]}}
PATTERN: dict[str, Any] = {"source": ["shop.orders"], "detail-type": ["OrderPaid"]}
ROLE = "arn:aws:iam::123456789012:role/sender"
SCHEDULE = "expected a rate or cron expression such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'"


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


@pytest.fixture
def key(stack: HardenedStack) -> MultiRegionKey:
    return key_in(stack, stack.region("us-east-1"))


@pytest.fixture
def bus(key: MultiRegionKey) -> EventBus:
    return EventBus(key.region.stack, "orders", region=key.region, key=key)


@pytest.fixture
def worker(key: MultiRegionKey) -> PaymentLambda:
    return function(key, "worker")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"accounts": [ROLE]},
            (
                f"accounts={ROLE!r}: is an ARN; expected an account id of 12 digits. When a role in a policy is deleted, "
                "AWS replaces its ARN with an id and refuses later changes of the policy. Allow the account; its IAM "
                "policies decide which roles may put events"
            ),
        ),
        ({"accounts": ["*"]}, "accounts='*': expected an account id of 12 digits"),
        ({"accounts": "123456789012"}, "accounts='123456789012': expected a list of account ids"),
        (
            {"organization": "acme"},
            "organization='acme': expected the id of an organization, such as 'o-a1b2c3d4e5'",
        ),
        (
            {"allowed_sources": ["partner"]},
            (
                "allowed_sources=['partner']: has no effect without accounts or organization; leave it out, or give one of "
                "them"
            ),
        ),
        (
            {"organization": "o-a1b2c3d4e5", "allowed_sources": ["aws.ec2"]},
            (
                "allowed_sources='aws.ec2': expected letters, digits, dots, hyphens and underscores; the prefix 'aws.' is "
                "reserved for AWS services"
            ),
        ),
        (
            {"archive_days": 3651},
            "archive_days=3651: expected a whole number of days from 1 to 3650, or 0 for no archive",
        ),
        ({"archive_days": -1}, "archive_days=-1: expected a whole number of days from 1 to 3650, or 0 for no archive"),
        ({"alarms": "yes"}, "alarms='yes': expected True, False or NoAlarms(reason)"),
    ],
)
def test_arguments_that_eventbridge_refuses_are_refused(
    key: MultiRegionKey, arguments: dict[str, Any], problem: str
) -> None:
    assert refusal(lambda: EventBus(key.region.stack, "orders", region=key.region, key=key, **arguments)) == (
        f"shop/orders: {problem}"
    )


def test_an_archive_below_the_minimum_of_prod_is_refused(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        problem = refusal(lambda: EventBus(stack, "orders", region=key.region, key=key, archive_days=0))
        assert problem == "shop/orders: archive_days=0: below the minimum; expected at least 30 in prod"

    synth_stack(fill, "prod")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "pattern=None: expected either pattern or schedule"),
        (
            {"pattern": PATTERN, "schedule": "rate(1 day)"},
            f"pattern={PATTERN!r}: expected either pattern or schedule",
        ),
        (
            {"pattern": PATTERN},
            (
                "samples=(): expected at least one event that the pattern matches; AWS reports no error for a pattern that "
                "matches nothing"
            ),
        ),
        (
            {"pattern": {"source": "shop.orders"}, "samples": [PAID]},
            (
                "pattern['source']='shop.orders': must be a non-empty list of values, or a non-empty dictionary of nested "
                "fields"
            ),
        ),
        (
            {"pattern": PATTERN, "samples": [PAID, {**PAID, "detail-type": "OrderOpen"}]},
            (
                "samples[1]={'source': 'shop.orders', 'detail-type': 'OrderOpen'}: does not match the pattern: detail-type "
                'is "OrderOpen", expected ["OrderPaid"]'
            ),
        ),
        (
            {"pattern": PATTERN, "samples": [PAID], "rejects": [PAID]},
            "rejects[0]={'source': 'shop.orders', 'detail-type': 'OrderPaid'}: matches the pattern; expected an event that does not",
        ),
        (
            {"pattern": PATTERN, "samples": ["x"]},
            "samples=['x']: expected a list of events, each a dictionary",
        ),
        (
            {"schedule": "rate(1 day)", "samples": [PAID]},
            f"samples={[PAID]!r}: has no effect on a schedule; leave it out",
        ),
        ({"schedule": "every day"}, f"schedule='every day': {SCHEDULE}"),
        ({"schedule": "rate(0 days)"}, f"schedule='rate(0 days)': {SCHEDULE}"),
        (
            {"schedule": "${var.rate}"},
            "schedule='${var.rate}': expected plain text such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'",
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: wrong unit; expected singular for 1 and plural for other numbers: "
                    "'rate(1 hour)', 'rate(2 hours)'"
                ),
            )
            for schedule in ("rate(1 days)", "rate(2 hour)")
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: expected six fields with one space between them: minutes, hours, day of "
                    "month, month, day of week, year"
                ),
            )
            for schedule in ("cron(0 3 * * *)", "cron(0 3 * * ? *  )", "cron(0 3 * * mon *)")
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: expected ? as either day of month or day of week; EventBridge refuses a value "
                    "in both"
                ),
            )
            for schedule in ("cron(0 3 * * * *)", "cron(0 3 ? * ? *)")
        ),
        (
            {"schedule": "rate(1 day)", "description": "x" * 513},
            f"description={'x' * 513!r}: expected at most 512 characters",
        ),
        ({"schedule": "rate(1 day)", "targets": []}, "targets=[]: expected a list of 1 to 5 targets"),
        (
            {"schedule": "rate(1 day)", "targets": ["arn"]},
            (
                "targets[0]='arn': expected a PaymentLambda, Queue, EventBus or ExternalEventBus, or an EventTarget with "
                "one"
            ),
        ),
    ],
)
def test_a_rule_with_a_wrong_pattern_schedule_or_target_is_refused(
    bus: EventBus, worker: PaymentLambda, arguments: dict[str, Any], problem: str
) -> None:
    given = {"targets": [worker], **arguments}
    assert refusal(lambda: bus.add_rule("paid", **given)) == f"shop/orders/paid: {problem}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"maximum_event_age_seconds": 59},
            "targets[0].maximum_event_age_seconds=59: must be a whole number from 60 to 86400",
        ),
        (
            {"maximum_retry_attempts": 186},
            "targets[0].maximum_retry_attempts=186: must be a whole number from 0 to 185",
        ),
        (
            {"message_group_id": "x"},
            "targets[0].message_group_id='x': applies to FIFO queues only; leave it out",
        ),
        (
            {"input": "{}", "input_path": "$.detail"},
            "targets[0]=['input', 'input_path']: cannot be combined; expected one of input, input_path, input_transformer",
        ),
        ({"input": "{"}, "targets[0].input='{': expected JSON"),
        ({"input_path": "detail"}, "targets[0].input_path='detail': expected a JSON path such as '$.detail.id'"),
        (
            {"input_path": "$.detail.missing"},
            (
                "targets[0].input_path='$.detail.missing': not found in any of the samples; expected a path to a value of "
                "an event that the rule matches"
            ),
        ),
        (
            {"input_transformer": InputTransformer({"n": "$.detail.lines[1].n"}, "<n>")},
            (
                "targets[0].input_transformer.paths['n']='$.detail.lines[1].n': not found in any of the samples; expected "
                "a path to a value of an event that the rule matches"
            ),
        ),
        (
            {"input_transformer": InputTransformer({"AwsId": "$.detail.id"}, "<AwsId>")},
            (
                "targets[0].input_transformer.paths='AwsId': expected letters, digits and underscores; the prefix AWS is "
                "reserved"
            ),
        ),
        (
            {"input_transformer": InputTransformer({"id": "$.detail.id"}, "<id> <other>")},
            "targets[0].input_transformer.template='<other>': not defined in paths; add it there",
        ),
        (
            {"input_transformer": InputTransformer({"id": "$.detail.id", "n": "$.detail.lines[0].n"}, "<id>")},
            "targets[0].input_transformer.paths='n': not used in the template; remove it",
        ),
        (
            {"input_transformer": InputTransformer({}, "")},
            "targets[0].input_transformer.template='': expected 1 to 8192 characters",
        ),
        (
            {
                "input_transformer": InputTransformer(
                    {f"n{number}": "$.source" for number in range(101)},
                    "".join(f"<n{number}>" for number in range(101)),
                )
            },
            "targets[0].input_transformer.paths=101: expected at most 100 paths",
        ),
    ],
)
def test_a_target_with_wrong_settings_is_refused(
    bus: EventBus, worker: PaymentLambda, arguments: dict[str, Any], problem: str
) -> None:
    target = EventTarget(worker, **arguments)
    assert refusal(lambda: bus.add_rule("paid", pattern=PATTERN, samples=[PAID], targets=[target])) == (
        f"shop/orders/paid: {problem}"
    )


def test_targets_that_cannot_be_reached_are_refused(bus: EventBus, key: MultiRegionKey, worker: PaymentLambda) -> None:
    stack, region, us = bus.region.stack, bus.region, bus.region.stack.region("us-east-1")
    steps = Queue(stack, "steps", region=region, key=key, fifo=Fifo(content_based_deduplication=True))
    named = Queue(stack, "named", region=region, key=key, fifo=Fifo())
    far = Queue(stack, "far", region=us, key=key)
    standard = "expected a standard queue in the bus's region and stack"
    cases: list[tuple[list[Any], str]] = [
        (
            [far],
            (
                "targets[0]='shop/far': expected a construct in the bus's region and stack, eu-west-1 of shop; for others "
                "give the EventBus there as target, and add a rule to that bus"
            ),
        ),
        ([steps], "targets[0].message_group_id=None: is required for a FIFO queue"),
        (
            [EventTarget(named, message_group_id="orders")],
            (
                "targets[0]='shop/named': has no content-based deduplication, and EventBridge sends no deduplication ID; "
                "expected a queue with fifo=Fifo(content_based_deduplication=True)"
            ),
        ),
        (
            [EventTarget(worker, dead_letter_queue=steps.dead_letter_queue)],
            f"targets[0].dead_letter_queue='shop/steps/dead-letter': {standard}",
        ),
        (
            [EventTarget(worker, dead_letter_queue=far.dead_letter_queue)],
            f"targets[0].dead_letter_queue='shop/far/dead-letter': {standard}",
        ),
        ([worker, worker], "targets[1]='shop/worker': duplicate target; remove one"),
        (
            [bus],
            "targets[0]='shop/orders': event loop: the target is the rule's own bus, where the event would match again",
        ),
        (
            [ExternalEventBus("theirs")],
            "targets[0]='theirs': expected the ARN of an event bus, arn:aws:events:region:account:event-bus/name",
        ),
        (
            [ExternalEventBus("arn:aws-cn:events:cn-north-1:123456789012:event-bus/theirs")],
            (
                "targets[0]='arn:aws-cn:events:cn-north-1:123456789012:event-bus/theirs': expected the ARN of an event "
                "bus, arn:aws:events:region:account:event-bus/name"
            ),
        ),
        (
            [EventTarget(EventBus(stack, "copies", region=us, key=key), input="{}")],
            "targets[0]=['input']: not available for a bus, which gets the whole event; leave it out",
        ),
    ]
    for number, (targets, problem) in enumerate(cases):
        id_ = f"rule-{number}"
        message = refusal(lambda: bus.add_rule(id_, pattern=PATTERN, samples=[PAID], targets=targets))  # noqa: B023
        assert message == f"shop/orders/{id_}: {problem}"


def test_a_json_path_may_contain_list_indexes(bus: EventBus, worker: PaymentLambda) -> None:
    paths = {"n": "$.detail.lines[0].n", "all": "$"}
    target = EventTarget(worker, input_transformer=InputTransformer(paths, '{"n": <n>, "event": <all>}'))
    rule = bus.add_rule("paid", pattern=PATTERN, samples=[PAID], targets=[target])
    assert rule.targets == [target]
    assert bus.rules == [rule]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"sources": []}, "sources=[]: expected a list of at least one source, such as ['shop.orders']"),
        ({"sources": "shop.x"}, "sources='shop.x': expected a list of at least one source, such as ['shop.orders']"),
        (
            {"sources": ["*"]},
            (
                "sources='*': expected letters, digits, dots, hyphens and underscores; the prefix 'aws.' is reserved for "
                "AWS services"
            ),
        ),
        ({"sources": ["shop.x"], "detail_types": "Paid"}, "detail_types='Paid': expected a list of strings"),
    ],
)
def test_a_grant_without_sources_is_refused(
    bus: EventBus, worker: PaymentLambda, arguments: dict[str, Any], problem: str
) -> None:
    assert refusal(lambda: bus.grant_put(worker, **arguments)) == f"shop/orders: {problem}"
