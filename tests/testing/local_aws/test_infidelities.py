"""Requests and answers, held against AWS's own service models."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session

from constructs_lib.testing.local_aws import KNOWN_INFIDELITIES, Infidelity, LocalAws
from constructs_lib.testing.local_aws.infidelities import unknown
from constructs_lib.testing.local_aws.models import of_answer, of_request, parameters_of
from constructs_lib.testing.local_aws.operations import find_call

EU = "eu-west-1"


def environ(service: str, method: str = "POST", path: str = "/", query: str = "", **more: Any) -> dict[str, Any]:
    scope = f"AWS4-HMAC-SHA256 Credential=testing/20261201/{EU}/{service}/aws4_request, SignedHeaders=host"
    return {
        "HTTP_AUTHORIZATION": scope,
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": f"{path}?{query}",
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        **more,
    }


FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
FUNCTION = "/2015-03-31/functions/f"
REQUESTS = {
    "ec2:DescribeVpcs": (environ("ec2", **FORM), b"Action=DescribeVpcs&Version=2016-11-15"),
    "elbv2:CreateRule": (environ("elasticloadbalancing", **FORM), b"Action=CreateRule&Version=2015-12-01"),
    "elb:CreateLoadBalancer": (
        environ("elasticloadbalancing", **FORM),
        b"Action=CreateLoadBalancer&Version=2012-06-01",
    ),
    "sqs:CreateQueue": (environ("sqs", HTTP_X_AMZ_TARGET="AmazonSQS.CreateQueue"), b"{}"),
    "dynamodb:CreateTable": (environ("dynamodb", HTTP_X_AMZ_TARGET="DynamoDB_20120810.CreateTable"), b"{}"),
    "dynamodbstreams:ListStreams": (
        environ("dynamodb", HTTP_X_AMZ_TARGET="DynamoDBStreams_20120810.ListStreams"),
        b"{}",
    ),
    "stepfunctions:CreateStateMachine": (
        environ("states", HTTP_X_AMZ_TARGET="AWSStepFunctions.CreateStateMachine"),
        b"{}",
    ),
    "cloudwatch:PutMetricAlarm": (
        environ("monitoring", path="/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"),
        b"",
    ),
    "lambda:GetFunction": (environ("lambda", "GET", FUNCTION), b""),
    "lambda:GetFunctionConfiguration": (environ("lambda", "GET", f"{FUNCTION}/configuration"), b""),
    "lambda:TagResource": (
        environ("lambda", "POST", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af"),
        b"{}",
    ),
    "apigateway:CreateRestApi": (environ("apigateway", "POST", "/restapis"), b"{}"),
    "apigatewayv2:CreateApi": (environ("apigateway", "POST", "/v2/apis"), b"{}"),
    "s3:ListBuckets": (environ("s3", "GET"), b""),
    "s3:GetBucketPolicy": (environ("s3", "GET", "/bucket", "policy"), b""),
    "s3:ListObjectsV2": (environ("s3", "GET", "/bucket", "list-type=2"), b""),
    "s3:PutBucketLifecycleConfiguration": (environ("s3", "PUT", "/bucket", "lifecycle"), b""),
    "s3:PutObject": (environ("s3", "PUT", "/bucket/a/b"), b"x"),
    "s3:CopyObject": (environ("s3", "PUT", "/bucket/a/b", HTTP_X_AMZ_COPY_SOURCE="bucket/c"), b""),
    "s3:UploadPart": (environ("s3", "PUT", "/bucket/a/b", "partNumber=1&uploadId=u"), b"x"),
    "route53:CreateHostedZone": (environ("route53", "POST", "/2013-04-01/hostedzone"), b""),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_operation_of_a_request_is_found_in_every_protocol(name: str) -> None:
    call = find_call(*REQUESTS[name])
    assert call is not None
    assert (call.name, call.region) == (name, EU)


@pytest.mark.parametrize(
    "request_",
    [
        ({**environ("sqs"), "HTTP_AUTHORIZATION": ""}, b""),
        (environ("no-such-service"), b""),
        (environ("sqs", HTTP_X_AMZ_TARGET="AmazonSQS.NoSuchOperation"), b""),
        (environ("lambda", "GET", "/no-such-path"), b""),
    ],
)
def test_a_request_without_signature_service_or_operation_is_not_checked(
    request_: tuple[dict[str, Any], bytes],
) -> None:
    assert find_call(*request_) is None


def found_in_answer(name: str, body: bytes, status: int = 200) -> list[tuple[str, str]]:
    call = find_call(*REQUESTS[name])
    assert call is not None
    return [(found.path, found.reason) for found in of_answer(call, str(status), [("Content-Type", "text/xml")], body)]


def test_an_answer_is_checked_for_required_members_enumerations_lengths_and_ranges() -> None:
    vpc = b"<DescribeVpcsResponse><vpcSet><item><state>%s</state></item></vpcSet></DescribeVpcsResponse>"
    assert found_in_answer("ec2:DescribeVpcs", vpc % b"available") == []
    assert found_in_answer("ec2:DescribeVpcs", vpc % b"Available") == [
        ("answer.Vpcs[].State", "'Available' is not one of pending, available, deleting")
    ]
    assert found_in_answer("stepfunctions:CreateStateMachine", b'{"stateMachineArn": ""}') == [
        ("answer.creationDate", "required member is missing"),
        ("answer.stateMachineArn", "length 0 is less than 1"),
    ]
    assert found_in_answer("lambda:GetFunctionConfiguration", b'{"Timeout": 0, "MemorySize": 128}') == [
        ("answer.Timeout", "value 0 is less than 1")
    ]


def test_an_answer_that_cannot_be_read_or_a_crash_is_an_infidelity_and_an_error_of_aws_is_none() -> None:
    ((path, reason),) = found_in_answer("ec2:DescribeVpcs", b"<not closed>")
    assert (path, reason.partition(":")[0]) == ("answer", "cannot be parsed")
    assert found_in_answer("ec2:DescribeVpcs", b"", status=500) == [("answer", "status 500")]
    assert found_in_answer("ec2:DescribeVpcs", b"<Response/>", status=400) == []


def test_a_request_is_checked_alike() -> None:
    def found(name: str, body: bytes, **more: Any) -> list[tuple[str, str]]:
        call = find_call({**REQUESTS[name][0], **more}, body)
        assert call is not None
        parameters = parameters_of(call, {**REQUESTS[name][0], **more}, body)
        return [(each.path, each.reason) for each in of_request(call, parameters)]

    assert found("sqs:CreateQueue", b'{"QueueName": "q"}') == []
    assert found("sqs:CreateQueue", b"{}") == [("request.QueueName", "required member is missing")]
    rule = b"Action=CreateRule&Version=2015-12-01&ListenerArn=a&Priority=0&Conditions.member.1.Field=path-pattern"
    assert found("elbv2:CreateRule", rule + b"&Actions.member.1.Type=forward") == [
        ("request.Priority", "value 0 is less than 1")
    ]
    assert found("elbv2:CreateRule", rule.replace(b"=0", b"=1") + b"&Actions.member.1.Type=send") == [
        (
            "request.Actions[].Type",
            "'send' is not one of forward, authenticate-oidc, authenticate-cognito, redirect, fixed-response, jwt-validation",
        )
    ]
    assert found("cloudwatch:PutMetricAlarm", b"\xa1\x69AlarmName\x60") == [
        ("request.AlarmName", "length 0 is less than 1")
    ]
    assert found("lambda:TagResource", b"{}") == [("request.Tags", "required member is missing")]


def test_known_infidelities_name_operations_that_exist_and_are_left_out() -> None:
    session = Session()
    for known in KNOWN_INFIDELITIES:
        service, operation = known.operation.split(":")
        assert operation in session.get_service_model(service).operation_names
        assert unknown([Infidelity(known.operation, known.path, "any")]) == ()
    other = Infidelity("sqs:CreateQueue", "answer.QueueUrl", "required member is missing")
    assert unknown([other]) == (other,)
    assert str(other) == "sqs:CreateQueue: answer.QueueUrl: required member is missing"


@pytest.mark.slow
def test_a_local_aws_reports_what_it_was_asked_and_where_it_is_not_as_the_models_say() -> None:
    with LocalAws() as aws:
        api = aws.client("apigateway", EU).create_rest_api(name="api")["id"]
        assert aws.calls == ("apigateway:CreateRestApi",)
        assert aws.infidelities == ()
        assert api
