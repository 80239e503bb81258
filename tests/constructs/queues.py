"""A stack with queues, functions and buses in it, and how its parts are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from constructs_lib import InlineSource, MultiRegionKey, PaymentLambda

if TYPE_CHECKING:
    from constructs_lib import HardenedStack, Region
    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
KEY = "${aws_kms_key.key_eu_west_1.arn}"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
TLS_ONLY = {
    "effect": "Deny",
    "actions": ["sqs:*"],
    "principals": [{"type": "AWS", "identifiers": ["*"]}],
    "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
}


def key_in(stack: HardenedStack, *replicas: Region) -> MultiRegionKey:
    return MultiRegionKey(stack, "key", region=stack.region("eu-west-1"), replicas=replicas)


def function(key: MultiRegionKey, id_: str, **arguments: Any) -> PaymentLambda:
    given: dict[str, Any] = {
        "region": key.region,
        "source": InlineSource("def handler(event, context):\n    return {'batchItemFailures': []}\n"),
        "handler": "index.handler",
        "key": key,
        "reserved_concurrency": 10,
    }
    return PaymentLambda(key.region.stack, id_, **(given | arguments))


def statements(stack: SynthesizedStack, path: str) -> dict[str, dict[str, Any]]:
    document = stack.resource("data.aws_iam_policy_document", path)
    found = [statement.pop("sid") for statement in map(dict, document["statement"])]
    assert len(found) == len(set(found)), found
    return {statement.pop("sid"): statement for statement in map(dict, document["statement"])}


def key_statements(stack: SynthesizedStack, address: str = "aws_kms_key.key_eu_west_1") -> dict[str, dict[str, Any]]:
    policy = json.loads(stack.at(address)["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}
