"""Which statements let whom do what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.testing.local_aws.policies import allowed, statements

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE}
LOGS = ("Service", "logs.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (ALLOW, True),
        ({**ALLOW, "Action": ["sqs:Get*", "SQS:Send*"]}, True),
        ({**ALLOW, "Action": "sqs:Receive*"}, False),
        ({"Effect": "Allow", "NotAction": "sqs:SendMessage", "Resource": "*"}, False),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({**ALLOW, "Resource": "arn:aws:sqs:*:123456789012:*"}, True),
        ({**ALLOW, "Resource": f"{QUEUE}-other"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": QUEUE}, False),
        ({**ALLOW, "Effect": "Deny"}, False),
    ],
)
def test_actions_and_resources_match_by_pattern(statement: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert allowed([statement], "sqs:SendMessage", resource=QUEUE) is expected


def test_a_deny_wins() -> None:
    assert not allowed([ALLOW, {"Effect": "Deny", "Action": "*", "Resource": "*"}], "sqs:SendMessage", resource=QUEUE)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"Service": LOGS[1]}, True),
        ({"Service": ["s3.amazonaws.com", LOGS[1]]}, True),
        ({"Service": "logs.us-east-1.amazonaws.com"}, False),
        ({"AWS": "*"}, False),
        ("*", True),
    ],
)
def test_a_principal_is_named_or_anybody(principal: Any, expected: bool) -> None:  # noqa: FBT001
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal}
    assert allowed([statement], "kms:Encrypt", principal=LOGS) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringEquals": {"AWS:SourceAccount": ["2", "1"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "2"}}, True),
        ({"ArnLike": {"aws:SourceAccount": "?"}}, True),
        ({"ForAnyValue:StringLike": {"aws:SourceAccount": "1*"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "2"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1", "aws:SourceArn": "unknown"}}, True),
        ({"IpAddress": {"aws:SourceAccount": "unknown operator"}}, True),
    ],
)
def test_conditions_on_known_keys_are_evaluated(condition: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    statement = {**ALLOW, "Condition": condition}
    assert allowed([statement], "sqs:SendMessage", context={"aws:SourceAccount": "1"}) is expected


def test_a_deny_with_an_unknown_condition_denies_nothing() -> None:
    deny = {**ALLOW, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert allowed([ALLOW, deny], "sqs:SendMessage", resource=QUEUE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps({"Statement": ALLOW}), [ALLOW]),
        (json.dumps({"Statement": [ALLOW]}).encode(), [ALLOW]),
        ({"Statement": [ALLOW]}, [ALLOW]),
        ("{}", []),
        ("[]", []),
        ("no JSON", []),
        (None, []),
    ],
)
def test_statements_are_read_from_every_form_of_a_document(text: Any, expected: list[Any]) -> None:
    assert statements(text) == expected
