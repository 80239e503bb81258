"""Calls that fail once: before AWS did the work, or after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from constructs_lib.testing.local_aws import Failure, Fault, LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

EU = "eu-west-1"
KEY = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
TABLE = {
    **KEY,
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def queue(aws: LocalAws) -> Any:
    return aws.client("sqs", EU).create_queue(QueueName="q")


# One operation of each protocol.
CALLS: dict[str, Callable[[LocalAws], Any]] = {
    "sqs:CreateQueue": queue,
    "lambda:ListFunctions": lambda aws: aws.client("lambda", EU).list_functions(),
    "ec2:DescribeVpcs": lambda aws: aws.client("ec2", EU).describe_vpcs(),
    "s3:ListBuckets": lambda aws: aws.client("s3", EU).list_buckets(),
    "route53:ListHostedZones": lambda aws: aws.client("route53", EU).list_hosted_zones(),
    "iam:ListRoles": lambda aws: aws.client("iam", EU).list_roles(),
    "cloudwatch:ListDashboards": lambda aws: aws.client("cloudwatch", EU).list_dashboards(),
}
ACCESS_DENIED = {"ec2": "UnauthorizedOperation", "s3": "AccessDenied"}


@pytest.fixture(scope="module")
def denying() -> Iterator[LocalAws]:
    """A local AWS that denies the first call of each operation."""
    with LocalAws(faults=[Fault(operation) for operation in CALLS]) as aws:
        yield aws


@pytest.mark.parametrize("operation", CALLS)
def test_a_denied_call_has_an_error_of_its_protocol_and_the_next_succeeds(denying: LocalAws, operation: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[operation](denying)
    expected = ACCESS_DENIED.get(operation.split(":", 1)[0], "AccessDeniedException")
    assert refused.value.response["Error"] == {
        "Code": expected,
        "Message": f"{expected}: a fault of the local AWS: {operation}",
        **({"Type": "Sender"} if operation in ("iam:ListRoles", "route53:ListHostedZones") else {}),
    }
    assert operation not in denying.calls
    CALLS[operation](denying)
    assert operation in denying.calls


def retrying(aws: LocalAws, service: str) -> Any:
    """A client that sends failed requests again, as Terraform's provider does."""
    return boto3.session.Session().client(
        service,
        region_name=EU,
        endpoint_url=aws.endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(proxies={}, retries={"total_max_attempts": 3, "mode": "standard"}),
    )


def test_faults_are_counted_by_call_not_by_attempt_and_throttled_calls_are_retried() -> None:
    faults = [Fault("dynamodb:CreateTable", Failure.THROTTLED, call) for call in (1, 2)]
    with LocalAws(faults=faults) as aws:
        tables = retrying(aws, "dynamodb")
        for name in ("one", "two", "three"):
            assert tables.create_table(TableName=name, **TABLE)["TableDescription"]["TableName"] == name
        tables.close()
        assert aws.calls == ("dynamodb:CreateTable",) * 3


def test_an_answer_that_is_lost_leaves_the_work_done_and_a_retry_gets_it() -> None:
    faults = [Fault("sqs:CreateQueue", Failure.LOST, call) for call in (1, 2)]
    with LocalAws(faults=faults) as aws:
        with pytest.raises(ConnectionClosedError):
            queue(aws)
        assert len(aws.client("sqs", EU).list_queues()["QueueUrls"]) == 1
        queues = retrying(aws, "sqs")
        url = queues.create_queue(QueueName="other", Attributes={"Policy": json.dumps({"Statement": []})})["QueueUrl"]
        assert url.endswith("/other")
        queues.close()
        assert aws.calls.count("sqs:CreateQueue") == 2


def test_a_fault_of_every_change_leaves_reads_alone() -> None:
    with LocalAws(faults=[Fault("*")]) as aws:
        sqs = aws.client("sqs", EU)
        assert "QueueUrls" not in sqs.list_queues()
        with pytest.raises(ClientError, match="AccessDeniedException: a fault of the local AWS: sqs:CreateQueue"):
            queue(aws)
        url = queue(aws)["QueueUrl"]
        with pytest.raises(ClientError, match="sqs:SetQueueAttributes"):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
        assert aws.calls == ("sqs:ListQueues", "sqs:CreateQueue")
