"""AlarmTopic: what its topic takes, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib import AlarmTopic, HardenedStack, MultiRegionKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
TOPIC = "${aws_sns_topic.alarms_eu_west_1.arn}"
OWN = {"test": "StringEquals", "values": [ACCOUNT], "variable": "aws:SourceAccount"}


def build(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "key", region=region))


def test_the_topic_is_encrypted_and_takes_alarms_of_its_own_account_over_tls(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(build)
    stack.resource("aws_sns_topic").assert_config(
        {"name": "shop-dev-alarms-eu-west-1", "kms_master_key_id": "${aws_kms_key.key_eu_west_1.arn}"}
    )
    document = "data.aws_iam_policy_document.alarms_policy_document_eu_west_1"
    stack.resource("aws_sns_topic_policy").assert_config({"arn": TOPIC, "policy": f"${{{document}.json}}"})
    assert stack.at(document)["statement"] == [
        {
            "actions": ["sns:Publish"],
            "condition": [OWN],
            "effect": "Allow",
            "principals": [{"identifiers": ["cloudwatch.amazonaws.com"], "type": "Service"}],
            "resources": [TOPIC],
            "sid": "OwnAlarms",
        },
        {
            "actions": ["sns:Publish"],
            "condition": [{"test": "Bool", "values": ["false"], "variable": "aws:SecureTransport"}],
            "effect": "Deny",
            "principals": [{"identifiers": ["*"], "type": "AWS"}],
            "resources": [TOPIC],
            "sid": "TlsOnly",
        },
    ]
    assert stack.outputs["alarms_arn_eu_west_1"] == TOPIC


def test_the_key_admits_cloudwatch_for_the_own_account(synth_stack: Callable[..., SynthesizedStack]) -> None:
    policy = synth_stack(build).resource("aws_kms_key")["policy"]
    assert '"Principal": {"Service": ["cloudwatch.amazonaws.com"]}' in policy
    assert f'"StringEquals": {{"aws:SourceAccount": ["{ACCOUNT}"]}}' in policy
