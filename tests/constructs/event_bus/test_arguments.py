"""What a bus, its rules and its targets refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    EventBus,
    EventTarget,
    Fifo,
    ForeignBus,
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
SCHEDULE = "must be such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'"


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
                f"accounts={ROLE!r}: must be an account id of 12 digits, never the ARN of a role or user: once that is "
                "deleted AWS keeps an id in its place and refuses every later change of the policy; let the account in, "
                "and its own policies say which role may send"
            ),
        ),
        ({"accounts": ["*"]}, "accounts='*': must be an account id of 12 digits"),
        ({"accounts": "123456789012"}, "accounts='123456789012': must be a list of account ids"),
        (
            {"organization": "acme"},
            "organization='acme': must be the id of an organization, such as 'o-a1b2c3d4e5'",
        ),
        (
            {"admitted_sources": ["partner"]},
            "admitted_sources=['partner']: has no effect without accounts or organization",
        ),
        (
            {"organization": "o-a1b2c3d4e5", "admitted_sources": ["aws.ec2"]},
            (
                "admitted_sources='aws.ec2': must be letters, digits, dots, hyphens and underscores, and not begin with "
                "'aws.', which only AWS may send"
            ),
        ),
        (
            {"archive_days": 3651},
            "archive_days=3651: must be a whole number of days from 1 to 3650, or 0 for no archive",
        ),
        ({"archive_days": -1}, "archive_days=-1: must be a whole number of days from 1 to 3650, or 0 for no archive"),
        ({"alarms": "yes"}, "alarms='yes': expected True, False or NoAlarms(reason)"),
    ],
)
def test_a_bus_that_cannot_be_made_is_refused(key: MultiRegionKey, arguments: dict[str, Any], problem: str) -> None:
    assert refusal(lambda: EventBus(key.region.stack, "orders", region=key.region, key=key, **arguments)) == (
        f"shop/orders: {problem}"
    )


def test_production_keeps_its_archive(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        problem = refusal(lambda: EventBus(stack, "orders", region=key.region, key=key, archive_days=0))
        assert problem == "shop/orders: archive_days=0: must be at least 30 in prod"

    synth_stack(fill, "prod")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "pattern=None: give either pattern or schedule, and not both"),
        (
            {"pattern": PATTERN, "schedule": "rate(1 day)"},
            f"pattern={PATTERN!r}: give either pattern or schedule, and not both",
        ),
        (
            {"pattern": PATTERN},
            (
                "samples=(): must hold at least one event that the rule is for: a pattern that matches nothing raises no "
                "error in AWS"
            ),
        ),
        (
            {"pattern": {"source": "shop.orders"}, "samples": [PAID]},
            (
                "pattern['source']='shop.orders': must be a list of values, or a dictionary of fields below it; neither "
                "may be empty"
            ),
        ),
        (
            {"pattern": PATTERN, "samples": [PAID, {**PAID, "detail-type": "OrderOpen"}]},
            (
                "samples[1]={'source': 'shop.orders', 'detail-type': 'OrderOpen'}: does not match the pattern: detail-type "
                'is "OrderOpen", wanted ["OrderPaid"]'
            ),
        ),
        (
            {"pattern": PATTERN, "samples": [PAID], "rejects": [PAID]},
            "rejects[0]={'source': 'shop.orders', 'detail-type': 'OrderPaid'}: matches the pattern and should not",
        ),
        (
            {"pattern": PATTERN, "samples": ["x"]},
            "samples=['x']: must be a list of events, each a dictionary",
        ),
        (
            {"schedule": "rate(1 day)", "samples": [PAID]},
            f"samples={[PAID]!r}: has no effect on a schedule; leave it out",
        ),
        ({"schedule": "every day"}, f"schedule='every day': {SCHEDULE}"),
        ({"schedule": "rate(0 days)"}, f"schedule='rate(0 days)': {SCHEDULE}"),
        (
            {"schedule": "${var.rate}"},
            "schedule='${var.rate}': must be a plain text such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'",
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: must be singular for 1 and plural for every other number: 'rate(1 hour)', "
                    "'rate(2 hours)'"
                ),
            )
            for schedule in ("rate(1 days)", "rate(2 hour)")
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: must have the six fields minutes, hours, day of month, month, day of week, "
                    "year, one space between them"
                ),
            )
            for schedule in ("cron(0 3 * * *)", "cron(0 3 * * ? *  )", "cron(0 3 * * mon *)")
        ),
        *(
            (
                {"schedule": schedule},
                (
                    f"schedule={schedule!r}: must have ? as day of month or as day of week, and not as both: each day would "
                    "be named twice"
                ),
            )
            for schedule in ("cron(0 3 * * * *)", "cron(0 3 ? * ? *)")
        ),
        (
            {"schedule": "rate(1 day)", "description": "x" * 513},
            f"description={'x' * 513!r}: must have at most 512 characters",
        ),
        ({"schedule": "rate(1 day)", "targets": []}, "targets=[]: must be a list of 1 to 5 targets"),
        (
            {"schedule": "rate(1 day)", "targets": ["arn"]},
            (
                "targets[0]='arn': must be a PaymentLambda, a Queue, an EventBus, a ForeignBus, or an EventTarget with "
                "one"
            ),
        ),
    ],
)
def test_a_rule_that_would_never_do_what_it_should_is_refused(
    bus: EventBus, worker: PaymentLambda, arguments: dict[str, Any], problem: str
) -> None:
    given = {"targets": [worker], **arguments}
    assert refusal(lambda: bus.add_rule("paid", **given)) == f"shop/orders/paid: {problem}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"max_age_seconds": 59}, "targets[0].max_age_seconds=59: must be a whole number from 60 to 86400"),
        ({"max_attempts": 186}, "targets[0].max_attempts=186: must be a whole number from 0 to 185"),
        (
            {"message_group": "x"},
            "targets[0].message_group='x': has an effect on FIFO queues only; leave it out",
        ),
        (
            {"input": "{}", "input_path": "$.detail"},
            "targets[0]=['input', 'input_path']: must have one of input, input_path and transformer",
        ),
        ({"input": "{"}, "targets[0].input='{': must be JSON"),
        ({"input_path": "detail"}, "targets[0].input_path='detail': must be a path such as '$.detail.id'"),
        (
            {"input_path": "$.detail.missing"},
            (
                "targets[0].input_path='$.detail.missing': names nothing in any of the samples, and the target would be "
                "given nothing"
            ),
        ),
        (
            {"transformer": InputTransformer({"n": "$.detail.lines[1].n"}, "<n>")},
            (
                "targets[0].transformer.paths['n']='$.detail.lines[1].n': names nothing in any of the samples, and the "
                "target would be given nothing"
            ),
        ),
        (
            {"transformer": InputTransformer({"AwsId": "$.detail.id"}, "<AwsId>")},
            ("targets[0].transformer.paths='AwsId': must be letters, digits and underscores, and not begin with AWS"),
        ),
        (
            {"transformer": InputTransformer({"id": "$.detail.id"}, "<id> <other>")},
            "targets[0].transformer.template='<other>': is no name of paths",
        ),
        (
            {"transformer": InputTransformer({"id": "$.detail.id", "n": "$.detail.lines[0].n"}, "<id>")},
            "targets[0].transformer.paths='n': is not used in the template",
        ),
        (
            {"transformer": InputTransformer({}, "")},
            "targets[0].transformer.template='': must have 1 to 8192 characters",
        ),
        (
            {
                "transformer": InputTransformer(
                    {f"n{number}": "$.source" for number in range(101)},
                    "".join(f"<n{number}>" for number in range(101)),
                )
            },
            "targets[0].transformer.paths=101: must be at most 100",
        ),
    ],
)
def test_what_a_target_could_not_be_given_is_refused(
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
    standard = "must be a standard queue of the bus's region and stack"
    cases: list[tuple[list[Any], str]] = [
        (
            [far],
            (
                "targets[0]='shop/far': must be in the bus's region and stack, eu-west-1 of shop; send to an EventBus "
                "there"
            ),
        ),
        ([steps], "targets[0].message_group=None: is required for a FIFO queue"),
        (
            [EventTarget(named, message_group="orders")],
            (
                "targets[0]='shop/named': must have fifo=Fifo(content_based_deduplication=True): EventBridge gives its "
                "messages no deduplication id"
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
        ([worker, worker], "targets[1]='shop/worker': is there twice; name each target once"),
        ([bus], "targets[0]='shop/orders': is the rule's own bus: every event would match again and again"),
        (
            [ForeignBus("theirs")],
            "targets[0]='theirs': must be the ARN of a bus, arn:aws:events:region:account:event-bus/name",
        ),
        (
            [ForeignBus("arn:aws-cn:events:cn-north-1:123456789012:event-bus/theirs")],
            (
                "targets[0]='arn:aws-cn:events:cn-north-1:123456789012:event-bus/theirs': must be the ARN of a bus, "
                "arn:aws:events:region:account:event-bus/name"
            ),
        ),
        (
            [EventTarget(EventBus(stack, "copies", region=us, key=key), input="{}")],
            "targets[0]=['input']: has no effect on a bus, which is given the whole event; leave it out",
        ),
    ]
    for number, (targets, problem) in enumerate(cases):
        id_ = f"rule-{number}"
        message = refusal(lambda: bus.add_rule(id_, pattern=PATTERN, samples=[PAID], targets=targets))  # noqa: B023
        assert message == f"shop/orders/{id_}: {problem}"


def test_a_path_into_a_list_is_found(bus: EventBus, worker: PaymentLambda) -> None:
    paths = {"n": "$.detail.lines[0].n", "all": "$"}
    target = EventTarget(worker, transformer=InputTransformer(paths, '{"n": <n>, "event": <all>}'))
    rule = bus.add_rule("paid", pattern=PATTERN, samples=[PAID], targets=[target])
    assert rule.targets == [target]
    assert bus.rules == [rule]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"sources": []}, "sources=[]: must be a list of at least one source, such as ['shop.orders']"),
        ({"sources": "shop.x"}, "sources='shop.x': must be a list of at least one source, such as ['shop.orders']"),
        (
            {"sources": ["*"]},
            (
                "sources='*': must be letters, digits, dots, hyphens and underscores, and not begin with 'aws.', which only "
                "AWS may send"
            ),
        ),
        ({"sources": ["shop.x"], "detail_types": "Paid"}, "detail_types='Paid': must be a list of texts"),
    ],
)
def test_a_grant_without_sources_is_refused(
    bus: EventBus, worker: PaymentLambda, arguments: dict[str, Any], problem: str
) -> None:
    assert refusal(lambda: bus.grant_put(worker, **arguments)) == f"shop/orders: {problem}"
