"""Resource policies of SQS queues, SNS topics and EventBridge event buses."""

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
_ORGANIZATION: Final = "aws:PrincipalOrgID"
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
    """Yield the statements of a block's policy, or an outcome if they cannot be read."""
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
                f"{_named(statement)} allows {', '.join(map(str, statement.actions)) or 'actions'} to every AWS "
                "account; name the principals, or add a condition on aws:SourceArn or aws:PrincipalOrgID",
                "policy",
            )


@rule(
    "MSG-006",
    "SQS queue policy does not allow public access",
    why="The principal * is every AWS account: anyone can read messages from the queue or send messages to it.",
    fix="Name accounts, roles or services as principals, or add a condition on aws:SourceArn or aws:PrincipalOrgID.",
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
def queue_policy_is_not_public(holder: Block) -> Iterator[Outcome]:
    """Deny statements for * are allowed."""
    yield from _not_for_everyone(holder)


@rule(
    "MSG-007",
    "SQS queue requires TLS",
    why="SQS also accepts requests over HTTP, which expose messages and request signatures on the network.",
    fix="Add a queue policy statement that denies sqs:* to * if aws:SecureTransport is false.",
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
def queue_policy_requires_tls(queue: Block) -> Iterator[Outcome]:
    """Read the policy argument and the aws_sqs_queue_policy resources of the queue."""
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
        other = ", here or in an aws_sqs_queue_policy" if last is queue else ""
        yield last.fail(f"must deny sqs:* to * if aws:SecureTransport is false{other}", "policy")


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
    "SQS queue or SNS topic policy has a source condition for service principals",
    why="Without a source condition, the service can be made to send on behalf of any AWS account (the confused "
    "deputy problem).",
    fix="Add a condition on aws:SourceArn or aws:SourceAccount to the statement.",
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
def service_principals_have_a_source(holder: Block) -> Iterator[Outcome]:
    """Each Allow statement with a service principal needs its own condition."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
            continue
        services = [str(who.value) for who in statement.principals if who.kind == "Service"]
        if statement.effect == "Allow" and services and not has_source(statement):
            yield holder.fail(
                f"{_named(statement)} allows {', '.join(services)} to send on behalf of any account; add a condition "
                "on aws:SourceArn or aws:SourceAccount",
                "policy",
            )


@rule(
    "MSG-009",
    "SNS topic is encrypted at rest",
    why="Without server-side encryption, messages are stored in plain text until they are delivered.",
    fix="Set kms_master_key_id to a customer managed key.",
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
    """SNS topics are not encrypted by default."""
    yield from expect_set(topic, "kms_master_key_id", "must be a KMS key, preferably a customer managed key")


@rule(
    "MSG-010",
    "SNS topic policy does not allow public access",
    why="The principal * is every AWS account: anyone can subscribe to the topic or publish to it.",
    fix="Name accounts, roles or services as principals, or add a condition on aws:SourceArn or aws:PrincipalOrgID.",
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
def topic_policy_is_not_public(holder: Block) -> Iterator[Outcome]:
    """The default policy of SNS, which restricts * with a condition on aws:SourceOwner, is allowed."""
    yield from _not_for_everyone(holder)


@rule(
    "MSG-011",
    "EventBridge event bus restricts access to accounts or an organization",
    why="EventBridge rejects a role ARN as the principal of a permission, and * without a condition lets every "
    "account put events.",
    fix="Set principal to a 12-digit account ID, or to * with a condition on aws:PrincipalOrgID.",
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
def bus_access_is_restricted(block: Block) -> Iterator[Outcome]:
    """Account IDs from data sources are allowed."""
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
        elif not is_given(value) or (condition and condition.get("key") != _ORGANIZATION):
            yield block.fail(f"must be a 12-digit account ID, or * with a condition on {_ORGANIZATION}", "principal")
    elif isinstance(principal, Unknown) and not (isinstance(principal, Computed) and principal.attribute == "arn"):
        yield block.undecided(principal, "principal")
    elif isinstance(principal, Unknown) or not _ACCOUNT.fullmatch(str(principal)):
        yield block.fail(
            f"must be a 12-digit account ID, or * with a condition on {_ORGANIZATION}; EventBridge rejects ARNs",
            "principal",
        )


@rule(
    "MSG-012",
    "EventBridge event bus policy names accounts, not IAM roles or users",
    why="AWS resolves a role or user in a policy to its unique ID: after the role is recreated, its events are denied "
    "although the policy looks unchanged.",
    fix="Name the account as principal, and grant events:PutEvents to the role with IAM in that account.",
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
    """A principal that ends in :root names the account."""
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
                yield holder.fail(
                    f"{_named(statement)} names {text} as principal; name its account, and grant the role or user "
                    "access with IAM in that account",
                    "policy",
                )
