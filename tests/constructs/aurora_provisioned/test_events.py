"""Events of a cluster and its instances, and the topic that RDS notifies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import AlarmTopic, ConfigurationError, HardenedStack, MultiRegionKey, NoAlarms
from tests.constructs.aurora_provisioned.clusters import CLUSTER, make_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

EU = "eu-west-1"
ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
TOPIC = "${aws_sns_topic.alarms_eu_west_1.arn}"
OWN_TOPICS = f"arn:aws:sns:eu-west-1:{ACCOUNT}:shop-prod-*"


def build(stack: HardenedStack, **arguments: Any) -> None:
    region = stack.region(EU)
    topic = AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "topic-key", region=region))
    make_cluster(stack, event_topic=topic, **arguments)


@pytest.fixture(scope="module")
def prod(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(build, "prod")


def test_rds_notifies_a_topic_of_what_happens_to_a_cluster_and_its_instances(prod: SynthesizedStack) -> None:
    common = {"depends_on": ["aws_sns_topic_policy.alarms_policy_eu_west_1"], "sns_topic": TOPIC}
    instance = "${aws_rds_cluster_instance.db_instance_%s_eu_west_1.identifier}"
    prod.resource("aws_db_event_subscription", "shop/db/events/cluster").assert_config(
        {
            **common,
            "event_categories": ["failover", "failure", "maintenance"],
            "name": "shop-prod-db-events-cluster-eu-west-1",
            "source_ids": [CLUSTER % "cluster_identifier"],
            "source_type": "db-cluster",
        }
    )
    prod.resource("aws_db_event_subscription", "shop/db/events/instances").assert_config(
        {
            **common,
            "event_categories": ["failure", "low storage", "maintenance", "recovery"],
            "name": "shop-prod-db-events-instances-eu-west-1",
            "source_ids": [instance % "1", instance % "2"],
            "source_type": "db-instance",
        }
    )


def test_the_topic_and_its_key_admit_rds(prod: SynthesizedStack) -> None:
    statements = prod.resource("data.aws_iam_policy_document", "shop/alarms/policy-document")["statement"]
    (events,) = (one for one in statements if one["principals"][0]["identifiers"] == ["events.rds.amazonaws.com"])
    assert events == {
        "sid": events["sid"],
        "effect": "Allow",
        "actions": ["sns:Publish"],
        "principals": [{"type": "Service", "identifiers": ["events.rds.amazonaws.com"]}],
        "resources": [TOPIC],
        "condition": [
            {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [f"arn:aws:rds:eu-west-1:{ACCOUNT}:*"]}
        ],
    }
    policy = json.loads(prod.at("aws_kms_key.topic_key_eu_west_1")["policy"])
    (use,) = (one for one in policy["Statement"] if one.get("Principal") == {"Service": ["events.rds.amazonaws.com"]})
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(use["Action"])
    assert use["Condition"] == {"StringLike": {"kms:EncryptionContext:aws:sns:topicArn": [OWN_TOPICS]}}


@pytest.mark.parametrize(
    ("environment", "arguments", "subscriptions"),
    [
        ("dev", {}, 0),
        ("dev", {"alarms": True}, 2),
        ("prod", {"alarms": NoAlarms("another team watches the cluster")}, 0),
    ],
)
def test_events_are_notified_where_alarms_are_on(
    synth_stack: Synth, environment: str, arguments: dict[str, Any], subscriptions: int
) -> None:
    made = synth_stack(lambda stack: build(stack, **arguments), environment)
    assert len(made.find("aws_db_event_subscription")) == subscriptions
    assert ("events.rds.amazonaws.com" in json.dumps(made.document)) == bool(subscriptions)


def test_a_topic_of_another_stack_is_reached(synthesize: Callable[..., dict[str, SynthesizedStack]]) -> None:
    def fill(app: App) -> None:
        first = HardenedStack(app, "base", environment="prod", owner="me")
        region = first.region(EU)
        key = MultiRegionKey(first, "key", region=region)
        topic = AlarmTopic(first, "alarms", region=region, key=key, subscribers=["on-call@example.com"])
        make_cluster(HardenedStack(app, "shop", environment="prod", owner="me"), event_topic=topic)

    stacks = synthesize(fill)
    for subscription in stacks["shop"].resources("aws_db_event_subscription"):
        assert "depends_on" not in subscription
        assert "terraform_remote_state" in subscription["sns_topic"]
    assert "events.rds.amazonaws.com" in json.dumps(stacks["base"].document)


def test_a_topic_of_another_region_is_refused(stack: HardenedStack) -> None:
    region = stack.region("us-east-1")
    topic = AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "topic-key", region=region))
    with pytest.raises(ConfigurationError) as error:
        make_cluster(stack, event_topic=topic)
    assert str(error.value) == ("shop/db: event_topic='shop/alarms': is in us-east-1; expected a topic in eu-west-1")
