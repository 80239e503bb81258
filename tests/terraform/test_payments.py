"""Payments for real: validated in every environment, applied, planned again, read back, invoked and destroyed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import urllib.request
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.payments import PaymentsStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = pytest.mark.terraform

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
PAYMENT = {"amount": 1234, "currency": "EUR", "card_number": "4111 1111 1111 1111"}
INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import handler
print(json.dumps(handler.handler(json.load(sys.stdin), None)))
"""


def payments(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str
) -> SynthesizedStack:
    return synthesize(lambda app: PaymentsStack(app, "payments", environment=environment))["payments"]


@pytest.fixture(
    scope="module",
    params=["dev", "staging", "prod"],
)
def deployed(
    request: pytest.FixtureRequest, synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[SimpleNamespace]:
    """The stack, applied to a local AWS of its own; destroyed at the end."""
    with (
        LocalAws() as aws,
        Workspace(payments(synthesize, request.param), aws=aws, terraform=aws_provider) as workspace,
    ):
        workspace.init()
        workspace.plan()
        made = workspace.apply()
        yield SimpleNamespace(
            environment=request.param,
            aws=aws,
            workspace=workspace,
            made=made,
            drift=workspace.drift(),
            outputs=workspace.outputs(),
        )
        destroyed = workspace.destroy()
        assert destroyed.destroy.total() == made.add.total()


def test_a_second_plan_changes_nothing(deployed: SimpleNamespace) -> None:
    assert deployed.made.add.total() > 200
    assert deployed.drift.unexpected == ()
    assert deployed.drift.known == ()
    assert deployed.workspace.left_out == ()


@pytest.mark.parametrize("region", REGIONS)
def test_outputs_are_there_and_well_formed(deployed: SimpleNamespace, region: str) -> None:
    name = region.replace("-", "_")
    outputs = deployed.outputs
    assert re.fullmatch(r"vpc-[0-9a-f]{8,17}", outputs[f"vpc_id_{name}"])
    assert outputs[f"validator_function_name_{name}"] == f"payments-{deployed.environment}-validator-{region}"
    assert outputs[f"validator_alias_arn_{name}"].endswith(f":payments-{deployed.environment}-validator-{region}:live")
    assert re.fullmatch(rf"https://\w+\.execute-api\.{region}\.amazonaws\.com/live", outputs[f"api_url_{name}"])
    nested = outputs["deployment_summary"]["regions"][region]
    assert nested["vpc"]["id"] == outputs[f"vpc_id_{name}"]
    assert nested["api"]["url"] == outputs[f"api_url_{name}"]


@pytest.mark.parametrize("region", REGIONS)
def test_the_deployed_package_validates_a_payment(deployed: SimpleNamespace, tmp_path: Path, region: str) -> None:
    function = f"payments-{deployed.environment}-validator-{region}"
    location = deployed.aws.client("lambda", region).get_function(FunctionName=function, Qualifier="live")["Code"]
    archive = zipfile.ZipFile(io.BytesIO(download(deployed.aws, location, region)))
    assert archive.namelist() == ["handler.py"]
    archive.extractall(tmp_path / "package")
    event = {
        "httpMethod": "POST",
        "path": "/payments/validate",
        "headers": {"Content-Type": "application/json", "Idempotency-Key": "order_7b0d6f3e-8f0a"},
        "requestContext": {"requestId": "1"},
        "body": json.dumps(PAYMENT),
        "isBase64Encoded": False,
    }
    command = [sys.executable, "-I", "-c", INVOKE, str(tmp_path / "package")]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["card"] == {"scheme": "visa", "last4": "1111"}


def download(aws: LocalAws, code: dict[str, Any], region: str) -> bytes:
    """Return the package from where the local AWS says that it is."""
    with urllib.request.urlopen(code["Location"]) as answer:  # noqa: S310  the local AWS
        content: bytes = answer.read()
    assert content, (aws.endpoint, region)
    return content


@pytest.mark.parametrize("region", REGIONS)
def test_peerings_are_active_and_routed_on_both_sides(deployed: SimpleNamespace, region: str) -> None:
    ec2 = deployed.aws.client("ec2", region)
    vpc = deployed.outputs[f"vpc_id_{region.replace('-', '_')}"]
    peerings = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    mine = [p for p in peerings if vpc in (p["RequesterVpcInfo"]["VpcId"], p["AccepterVpcInfo"]["VpcId"])]
    assert [peering["Status"]["Code"] for peering in mine] == ["active", "active"]
    peers = {f"10.{number}.0.0/16" for number, name in enumerate(REGIONS) if name != region}
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    names = {tag["Value"] for table in tables for tag in table.get("Tags", []) if tag["Key"] == "Name"}
    assert len(names) > 4
    for table in tables:
        name = next((tag["Value"] for tag in table.get("Tags", []) if tag["Key"] == "Name"), "")
        routed = {route["DestinationCidrBlock"] for route in table["Routes"] if route.get("VpcPeeringConnectionId")}
        assert routed == (peers if "private-routes" in name or "database-routes" in name else set()), name
        if "database-routes" in name:
            assert "0.0.0.0/0" not in {route.get("DestinationCidrBlock") for route in table["Routes"]}


@pytest.mark.parametrize("region", REGIONS)
def test_the_network_is_watched_and_the_key_admits_only_the_projects_services(
    deployed: SimpleNamespace, region: str
) -> None:
    vpc = deployed.outputs[f"vpc_id_{region.replace('-', '_')}"]
    (flow_log,) = deployed.aws.client("ec2", region).describe_flow_logs()["FlowLogs"]
    interval = 60 if deployed.environment == "prod" else 600
    assert (flow_log["ResourceId"], flow_log["TrafficType"], flow_log["MaxAggregationInterval"]) == (
        vpc,
        "ALL",
        interval,
    )
    groups = deployed.aws.client("logs", region).describe_log_groups()["logGroups"]
    assert len(groups) == (5 if deployed.environment == "prod" else 4)
    kms = deployed.aws.client("kms", region)
    key = kms.describe_key(KeyId=f"alias/payments-{deployed.environment}-key")["KeyMetadata"]
    assert key["MultiRegion"] is True
    assert {group["retentionInDays"] for group in groups} == {
        {"dev": 30, "staging": 90, "prod": 365}[deployed.environment]
    }
    assert {group["kmsKeyId"] for group in groups} == {key["Arn"]}
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    account, prefix = "123456789012", f"payments-{deployed.environment}-"
    assert statements["AccountPolicies"]["Principal"] == {"AWS": [f"arn:aws:iam::{account}:root"]}
    assert {sid: (one["Principal"], one["Condition"]) for sid, one in statements.items() if "Condition" in one} == {
        "CloudWatchLogs": (
            {"Service": [f"logs.{region}.amazonaws.com"]},
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        f"arn:aws:logs:{region}:{account}:log-group:*{prefix}*",
                        f"arn:aws:logs:{region}:{account}:log-group:API-Gateway-Execution-Logs_*",
                    ]
                }
            },
        ),
        "Events": (
            {"Service": ["events.amazonaws.com"]},
            {"ArnLike": {"aws:SourceArn": [f"arn:aws:events:{region}:{account}:event-bus/{prefix}*"]}},
        ),
        "Cloudwatch": (
            {"Service": ["cloudwatch.amazonaws.com"]},
            {"StringEquals": {"aws:SourceAccount": [account]}},
        ),
    }


@pytest.mark.parametrize("region", REGIONS)
def test_functions_and_stages_are_set_as_the_stack_says(deployed: SimpleNamespace, region: str) -> None:
    functions = deployed.aws.client("lambda", region)
    name = deployed.outputs[f"validator_function_name_{region.replace('-', '_')}"]
    reserved = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    assert reserved == (None if deployed.environment == "dev" else 100)
    settings = functions.get_function_configuration(FunctionName=name)
    assert (settings["Timeout"], settings["Architectures"], settings["TracingConfig"]) == (
        29,
        ["arm64"],
        {"Mode": "Active"},
    )
    api = deployed.outputs[f"api_id_{region.replace('-', '_')}"]
    stage = deployed.aws.client("apigateway", region).get_stage(restApiId=api, stageName="live")
    every = stage["methodSettings"]["*/*"]
    rate, burst = {"dev": (50, 25), "staging": (100, 50), "prod": (1000, 500)}[deployed.environment]
    assert (every["throttlingRateLimit"], every["throttlingBurstLimit"]) == (rate, burst)
    assert (every["loggingLevel"], every["dataTraceEnabled"], every["metricsEnabled"]) == ("ERROR", False, True)
    assert stage["tracingEnabled"] is True
    assert "requestId" in json.loads(stage["accessLogSettings"]["format"])
