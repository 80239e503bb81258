from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.testing.local_aws.execution_roles import make_role

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow

EU = "eu-west-1"


def test_a_queue_keeps_its_policy_when_something_else_is_set(local_aws: LocalAws) -> None:
    sqs = local_aws.client("sqs", EU)
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "VisibilityTimeout"])["Attributes"]
    assert (json.loads(read["Policy"]), read["VisibilityTimeout"]) == (policy, "60")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})


def test_a_topic_returns_its_signature_version(local_aws: LocalAws) -> None:
    sns = local_aws.client("sns", EU)
    topic = sns.create_topic(Name="signed", Attributes={"SignatureVersion": "2"})["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SignatureVersion"] == "2"
    plain = sns.create_topic(Name="plain")["TopicArn"]
    assert "SignatureVersion" not in sns.get_topic_attributes(TopicArn=plain)["Attributes"]


def test_an_event_source_keeps_the_alias(local_aws: LocalAws) -> None:
    arn = make_role(local_aws, "reader", actions=("sqs:*",))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): ...")
    functions = local_aws.client("lambda", EU)
    functions.create_function(
        FunctionName="reader",
        Runtime="python3.13",
        Role=arn,
        Handler="index.handler",
        Code={"ZipFile": package.getvalue()},
        Publish=True,
    )
    aliases = [
        functions.create_alias(FunctionName="reader", Name=name, FunctionVersion="1")["AliasArn"]
        for name in ("live", "next")
    ]
    sqs = local_aws.client("sqs", EU)
    url = sqs.create_queue(QueueName="read")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = functions.create_event_source_mapping(EventSourceArn=queue, FunctionName=aliases[0])
    assert made["FunctionArn"] == aliases[0]
    functions.update_event_source_mapping(UUID=made["UUID"], FunctionName=aliases[1])
    assert functions.get_event_source_mapping(UUID=made["UUID"])["FunctionArn"] == aliases[1]
