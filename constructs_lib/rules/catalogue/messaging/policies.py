"""Policies of queues, topics and event buses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.policies import Statement, statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import has_source, is_for_everyone, policies_of
from constructs_lib.rules.queries.common import AWS, expect_set, policy_text
from constructs_lib.rules.queries.links import is_given, undecidable
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_SQS: Final = f"{AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide"
_SNS: Final = f"{AWS}/sns/latest/dg"
_BUSES: Final = f"{AWS}/eventbridge/latest/userguide/eb-event-bus-perms.html"
_PERMISSION: Final = "aws_cloudwatch_event_permission"
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ONE_IDENTITY: Final = re.compile(r"arn:[^:]*:(?:iam|sts)::[^:]*:(?:role|user|assumed-role)/")
_ORGANISATION: Final = "aws:PrincipalOrgID"
_IN_TRANSIT: Final = ("sqs:sendmessage", "sqs:receivemessage")


def _statement(**more: object) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "111122223333"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        **more,
    }


_TLS: Final = _statement(
    Effect="Deny", Principal="*", Action="sqs:*", Condition={"Bool": {"aws:SecureTransport": "false"}}
)
_FROM_A_TOPIC: Final = _statement(
    Principal={"Service": "sns.amazonaws.com"},
    Condition={"ArnEquals": {"aws:SourceArn": "${aws_sns_topic.orders.arn}"}},
)


_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_sns_topic": {"orders": {"name": "shop-prod-orders", "kms_master_key_id": "alias/shop"}},
        "aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs"}},
        "aws_sqs_queue_policy": {
            "jobs": {"queue_url": "${aws_sqs_queue.jobs.id}", "policy": policy_text(_TLS, _FROM_A_TOPIC)},
        },
        "aws_sns_topic_policy": {
            "orders": {
                "arn": "${aws_sns_topic.orders.arn}",
                "policy": policy_text(
                    _statement(
                        Principal={"Service": "events.amazonaws.com"},
                        Action="sns:Publish",
                        Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
                    )
                ),
            }
        },
        "aws_cloudwatch_event_permission": {
            "shop": {"statement_id": "shop", "principal": "111122223333"},
            "all": {
                "statement_id": "all",
                "principal": "*",
                "condition": {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-a1b2c3d4e5"},
            },
        },
        "aws_cloudwatch_event_bus_policy": {
            "orders": {
                "event_bus_name": "shop-prod-orders",
                "policy": policy_text(_statement(Action="events:PutEvents")),
            }
        },
        "aws_iam_role": {"ingest": {"name": "shop-prod-ingest"}},
    }
}
_QUEUE_POLICY: Final = "resource.aws_sqs_queue_policy.jobs.policy"
_TOPIC_POLICY: Final = "resource.aws_sns_topic_policy.orders.policy"
_BUS_POLICY: Final = "resource.aws_cloudwatch_event_bus_policy.orders.policy"


def _read(holder: Block) -> Iterator[Statement | Outcome]:
    """Yield the statements of the policy of a block, or why they are not known."""
    if holder.raw("policy") is None:
        yield NotApplicable("it has no policy")
        return
    found = statements(holder, "policy")
    if isinstance(found, Unknown):
        yield holder.undecided(found, "policy")
    else:
        yield from found


def _named(statement: Statement) -> str:
    return f'the statement "{statement.sid}"' if statement.sid else "a statement"


def _not_for_everyone(holder: Block) -> Iterator[Outcome]:
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
        elif is_for_everyone(statement):
            yield holder.fail(
                f"{_named(statement)} allows {', '.join(map(str, statement.actions)) or 'something'} to every account; "
                "name who may, or add a condition such as aws:SourceArn or aws:PrincipalOrgID",
                "policy",
            )


@rule(
    "MSG-006",
    "A queue's policy names who may use it",
    why="The principal * is every AWS account there is: anybody reads the messages, or sends some.",
    fix="Name accounts, roles or services, or narrow the statement with aws:SourceArn or aws:PrincipalOrgID.",
    page=f"{_SQS}/sqs-security-best-practices.html",
    types=["aws_sqs_queue", "aws_sqs_queue_policy"],
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("SQS.3",), checkov=("CKV_AWS_168",)),
    good=_GOOD,
    breaks=[
        {_QUEUE_POLICY: policy_text(_TLS, _statement(Principal="*"))},
        {_QUEUE_POLICY: policy_text(_TLS, _statement(Principal={"AWS": ["*"]}, Sid="Open"))},
        {"resource.aws_sqs_queue.jobs.policy": policy_text(_statement(Principal={"AWS": "*"}))},
        {
            _QUEUE_POLICY: policy_text(
                _statement(Principal="*", Condition={"ArnLike": {"aws:SourceArn": "*"}}),
            )
        },
    ],
)
def queue_policy_names_principals(holder: Block) -> Iterator[Outcome]:
    """A Deny for everyone is no opening."""
    yield from _not_for_everyone(holder)


@rule(
    "MSG-007",
    "A queue refuses connections without TLS",
    why="SQS also answers plain HTTP: messages and signatures then travel readable.",
    fix="Give the queue a policy that denies sqs:* to * where aws:SecureTransport is false.",
    page=f"{_SQS}/sqs-security-best-practices.html",
    types=["aws_sqs_queue"],
    severity=WARNING,
    lessons=["EVT-11"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue_policy": REMOVED},
        {_QUEUE_POLICY: policy_text(_FROM_A_TOPIC)},
        {_QUEUE_POLICY: policy_text({**_TLS, "Effect": "Allow"})},
        {_QUEUE_POLICY: policy_text({**_TLS, "Action": "sqs:DeleteQueue"})},
        {_QUEUE_POLICY: policy_text({**_TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})},
        {_QUEUE_POLICY: policy_text({**_TLS, "Principal": {"AWS": "111122223333"}})},
    ],
)
def queue_refuses_plain_http(queue: Block) -> Iterator[Outcome]:
    """Look at the queue's own policy and at those that other blocks give it."""
    doubt: Unknown | None = None
    last = queue
    for last, found in policies_of(queue):  # noqa: B007  the finding is about the last one
        if isinstance(found, Unknown):
            doubt = found
        elif any(map(_denies_http, found)):
            return
    if doubt:
        yield last.undecided(doubt, "policy")
    else:
        other = "; an aws_sqs_queue_policy may hold it as well" if last is queue else ""
        yield last.fail(f"must deny sqs:* to * where aws:SecureTransport is false{other}", "policy")


def _denies_http(statement: Statement) -> bool:
    actions = [action.lower() for action in statement.actions if isinstance(action, str)]
    all_of_them = any(action in ("*", "sqs:*") for action in actions) or set(_IN_TRANSIT) <= set(actions)
    return (
        statement.effect == "Deny"
        and all_of_them
        and any(who.value == "*" for who in statement.principals)
        and "false" in statement.condition("aws:SecureTransport")
    )


@rule(
    "MSG-008",
    "A service may send to a queue or topic only for one source",
    why="A service principal alone lets the service send on behalf of anybody's account.",
    fix="Add a condition on aws:SourceArn, or on aws:SourceAccount.",
    page=f"{AWS}/IAM/latest/UserGuide/confused-deputy.html",
    types=["aws_sqs_queue", "aws_sqs_queue_policy", "aws_sns_topic", "aws_sns_topic_policy"],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {_QUEUE_POLICY: policy_text(_TLS, {**_FROM_A_TOPIC, "Condition": {}})},
        {_TOPIC_POLICY: policy_text(_statement(Principal={"Service": "s3.amazonaws.com"}, Action="sns:Publish"))},
        {
            "resource.aws_sns_topic.orders.policy": policy_text(
                {**_FROM_A_TOPIC, "Condition": {}, "Action": "sns:Publish"}
            )
        },
    ],
)
def services_have_a_source(holder: Block) -> Iterator[Outcome]:
    """Each Allow statement with a service principal needs its own condition."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
            continue
        services = [str(who.value) for who in statement.principals if who.kind == "Service"]
        if statement.effect == "Allow" and services and not has_source(statement):
            yield holder.fail(
                f"{_named(statement)} lets {', '.join(services)} send for any account; add a condition on "
                f"aws:SourceArn",
                "policy",
            )


@rule(
    "MSG-009",
    "A topic is encrypted",
    why="Messages lie on disk in plain text until they are delivered.",
    fix="Set kms_master_key_id to a customer key.",
    page=f"{_SNS}/sns-server-side-encryption.html",
    types=["aws_sns_topic"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_26",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_sns_topic.orders.kms_master_key_id": REMOVED},
        {"resource.aws_sns_topic.orders.kms_master_key_id": ""},
    ],
)
def topic_is_encrypted(topic: Block) -> Iterator[Outcome]:
    """SNS does not encrypt by itself."""
    yield from expect_set(topic, "kms_master_key_id", "must be a KMS key, best a customer key")


@rule(
    "MSG-010",
    "A topic's policy names who may use it",
    why="The principal * is every AWS account there is: anybody subscribes, or publishes.",
    fix="Name accounts, roles or services, or narrow the statement with aws:SourceArn or aws:PrincipalOrgID.",
    page=f"{_SNS}/sns-security-best-practices.html",
    types=["aws_sns_topic", "aws_sns_topic_policy"],
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("SNS.4",), checkov=("CKV_AWS_169", "CKV_AWS_385")),
    good=_GOOD,
    breaks=[
        {_TOPIC_POLICY: policy_text(_statement(Principal={"AWS": "*"}, Action="sns:Subscribe"))},
        {"resource.aws_sns_topic.orders.policy": policy_text(_statement(Principal="*", Action="sns:Publish"))},
    ],
)
def topic_policy_names_principals(holder: Block) -> Iterator[Outcome]:
    """AWS's default policy, which names everyone on condition of the owner's account, is no opening."""
    yield from _not_for_everyone(holder)


@rule(
    "MSG-011",
    "An event bus lets in accounts, or one organisation",
    why="AWS refuses a permission for the ARN of a role; and * without a condition lets every account put events.",
    fix="Give the 12-digit account id as principal, or * with a condition that aws:PrincipalOrgID equals the "
    "organisation.",
    page=_BUSES,
    types=[_PERMISSION, "aws_cloudwatch_event_bus_policy"],
    lessons=["EVT-10"],
    good=_GOOD,
    breaks=[
        {"resource.aws_cloudwatch_event_permission.shop.principal": "${aws_iam_role.ingest.arn}"},
        {"resource.aws_cloudwatch_event_permission.shop.principal": "arn:aws:iam::111122223333:role/ingest"},
        {"resource.aws_cloudwatch_event_permission.shop.principal": "*"},
        {"resource.aws_cloudwatch_event_permission.all.condition": REMOVED},
        {_BUS_POLICY: policy_text(_statement(Principal="*", Action="events:PutEvents"))},
    ],
)
def bus_lets_in_accounts(block: Block) -> Iterator[Outcome]:
    """An account id that a data source reads is right."""
    if block.type != _PERMISSION:
        yield from _not_for_everyone(block)
        return
    principal = block.get("principal")
    if isinstance(principal, Computed) and principal.attribute in ("account_id", "id", "accounts"):
        return
    if principal == "*":
        condition = block.section("condition")
        value = condition.get("value") if condition else None
        unknown = undecidable(value)
        if unknown and condition:
            yield condition.undecided(unknown, "value")
        elif not is_given(value) or (condition and condition.get("key") != _ORGANISATION):
            yield block.fail(f"must be an account id, or have a condition on {_ORGANISATION} beside it", "principal")
    elif isinstance(principal, Unknown) and not (isinstance(principal, Computed) and principal.attribute == "arn"):
        yield block.undecided(principal, "principal")
    elif isinstance(principal, Unknown) or not _ACCOUNT.fullmatch(str(principal)):
        yield block.fail(
            "must be a 12-digit account id, or * with a condition; EventBridge refuses ARNs here", "principal"
        )


@rule(
    "MSG-012",
    "An event bus's policy names accounts instead of single roles",
    why="A policy keeps the identity of the role of that day: when the role is made anew, its events are refused, "
    "while the "
    "policy looks the same.",
    fix="Name the account, and decide with IAM in that account which role may put events.",
    page=_BUSES,
    types=["aws_cloudwatch_event_bus_policy"],
    severity=WARNING,
    lessons=["EVT-10"],
    good=_GOOD,
    breaks=[
        {
            _BUS_POLICY: policy_text(
                _statement(Action="events:PutEvents", Principal={"AWS": "${aws_iam_role.ingest.arn}"})
            )
        },
        {
            _BUS_POLICY: policy_text(
                _statement(Action="events:PutEvents", Principal={"AWS": "arn:aws:iam::111122223333:role/ingest"})
            )
        },
    ],
)
def bus_policy_names_accounts(holder: Block) -> Iterator[Outcome]:
    """The root of an account stands for the account."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
            continue
        for who in statement.principals if statement.effect == "Allow" else ():
            value = who.value
            by_reference = (
                isinstance(value, Computed) and value.block and value.block.type in ("aws_iam_role", "aws_iam_user")
            )
            text = value.text if isinstance(value, Unknown) else value
            if by_reference or _ONE_IDENTITY.match(text):
                yield holder.fail(f"{_named(statement)} names {text}; must name its account", "policy")
