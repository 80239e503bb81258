"""AlarmTopic: what its topic takes, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import AlarmTopic, ConfigurationWarning, HardenedStack, MultiRegionKey

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


def test_subscribers_are_notified_and_what_cannot_be_delivered_is_kept(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def subscribed(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        AlarmTopic(
            stack, "alarms", region=region, key=key, subscribers=["on-call@example.com", "https://example.com/a"]
        )

    stack = synth_stack(subscribed, "prod")
    found = {(each["protocol"], each["endpoint"]) for each in stack.resources("aws_sns_topic_subscription")}
    assert found == {("email", "on-call@example.com"), ("https", "https://example.com/a")}
    assert stack.resource("aws_sqs_queue")["name"] == "shop-prod-alarms-dead-letter-eu-west-1"
    assert stack.resource("aws_sns_topic")["signature_version"] == 2


def test_in_production_topics_without_subscribers_are_one_warning_a_stack(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def several(stack: HardenedStack) -> None:
        build(stack)
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "other", region=region)
        AlarmTopic(stack, "more", region=region, key=key)
        AlarmTopic(stack, "heard", region=region, key=key, subscribers=["on-call@example.com"])

    with pytest.warns(ConfigurationWarning) as caught:
        synth_stack(several, "prod")
    (warning,) = caught
    assert str(warning.message).startswith("shop (")
    assert str(warning.message).endswith(
        "test_alarm_topic.py:23): subscribers=(): alarms, more without subscribers: alarms in prod notify no one; give "
        "subscribers=['on-call@example.com'] or call subscribe()"
    )


@pytest.mark.parametrize("environment", ["dev", "staging"])
@pytest.mark.filterwarnings("error")
def test_elsewhere_it_does_not(synth_stack: Callable[..., SynthesizedStack], environment: str) -> None:
    assert "aws_sns_topic_subscription" not in synth_stack(build, environment).document["resource"]


def test_the_old_name_of_the_arn_still_works(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    topic = AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "key", region=region))
    with pytest.warns(DeprecationWarning, match=r"^AlarmTopic\.id is deprecated .* use arn$"):
        assert topic.id == topic.arn
