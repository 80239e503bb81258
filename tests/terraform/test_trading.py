"""The trading system for real: validated everywhere, applied in every environment, with and without certificates."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Environment, HostedZone
from constructs_lib.testing.errors import StepError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.certificates import EXAMPLES
from stacks.trading import DATABASE_USER, REGIONS
from tests.constructs.web_tier.started_instances import StartedInstance, get
from tests.stacks.trading_systems import alias, trading
from tests.terraform.side_by_side import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import SimpleNamespace

    from constructs_lib.testing import SynthesizedStack

pytestmark = pytest.mark.terraform

SYSTEMS = {"dev-http": "dev", "dev": "dev", "staging": "staging", "prod": "prod"}
"""Environments by what they are called here; staging and prod are refused without certificates."""

regions = pytest.mark.parametrize("region", REGIONS)


def test_without_certificates_dev_is_valid_too(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    with Workspace(trading(synthesize, "dev", certificates=None), terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


@pytest.mark.parametrize("environment", list(Environment))
def test_with_a_zone_in_place_of_certificates_it_is_valid_too(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform, environment: Environment
) -> None:
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "trading.example.com")
    stack = trading(synthesize, environment, certificates=None, zone=zone)
    with Workspace(stack, terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


def test_nobody_plans_with_the_examples_of_certificates(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform, local_aws: LocalAws
) -> None:
    stack = trading(synthesize, "prod", certificates=EXAMPLES)
    with Workspace(stack, aws=local_aws, terraform=aws_provider) as workspace:
        workspace.init()
        # The harness lets the local AWS pass for any account.
        override = workspace.directory / "override.tf.json"
        document = json.loads(override.read_text(encoding="utf-8"))
        for provider in document["provider"]["aws"]:
            assert provider.pop("allowed_account_ids")
        override.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(StepError, match="AWS account ID not allowed: 123456789012"):
            workspace.plan()


@pytest.fixture(scope="module")
def applied(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[dict[str, SimpleNamespace]]:
    """Each system, applied to a local AWS of its own; side by side, as the provider mostly waits for databases."""
    with contextlib.ExitStack() as cleanup, ThreadPoolExecutor() as threads:
        every = {name: cleanup.enter_context(LocalAws()) for name in SYSTEMS}
        workspaces = {}
        for name, environment in SYSTEMS.items():
            given = None if name == "dev-http" else {region: issued(every[name], region) for region in REGIONS}
            stack = trading(synthesize, environment, certificates=given)
            workspaces[name] = cleanup.enter_context(Workspace(stack, aws=every[name], terraform=aws_provider))
        seen = dict(zip(workspaces, threads.map(apply, workspaces.values()), strict=True))
        yield seen
        for name, one in seen.items():
            if SYSTEMS[name] != "prod":
                fill_log_buckets(one)
        for one, destroyed in zip(
            seen.values(), threads.map(lambda one: one.workspace.destroy(), seen.values()), strict=True
        ):
            assert destroyed.destroy.total() == one.made.add.total()


def fill_log_buckets(one: SimpleNamespace) -> None:
    """Deliver a log to every bucket, as load balancers do until they are destroyed."""
    buckets = [bucket["Name"] for bucket in one.aws.client("s3", REGIONS[0]).list_buckets()["Buckets"]]
    assert sorted(buckets) == sorted(one.outputs["storage"][region]["bucket"] for region in REGIONS)
    for region in REGIONS:
        bucket = one.outputs["storage"][region]["bucket"]
        one.aws.client("s3", region).put_object(Bucket=bucket, Key="AWSLogs/123456789012/a.log.gz", Body=b"a request")


def issued(aws: LocalAws, region: str) -> str:
    """Return the ARN of a certificate of the account, as somebody has made it before the stack."""
    request = {"DomainName": "trading.example.com", "ValidationMethod": "DNS"}
    arn: str = aws.client("acm", region).request_certificate(**request)["CertificateArn"]
    return arn


@pytest.fixture(params=list(SYSTEMS))
def name(request: pytest.FixtureRequest) -> str:
    system: str = request.param
    return system


@pytest.fixture
def one(name: str, applied: dict[str, SimpleNamespace]) -> SimpleNamespace:
    return applied[name]


@pytest.mark.apply
def test_a_second_plan_changes_nothing(one: SimpleNamespace) -> None:
    assert (one.drift.unexpected, one.drift.known, one.workspace.left_out) == ((), (), ())


@pytest.mark.apply
@regions
def test_production_is_told_of_instances_that_cannot_start(one: SimpleNamespace, name: str, region: str) -> None:
    scaling = one.aws.client("autoscaling", region)
    told = {
        (row["TopicARN"], row["NotificationType"])
        for row in scaling.describe_notification_configurations()["NotificationConfigurations"]
    }
    kinds = ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR")
    topic = one.outputs["monitoring"][region]["alarm_topic"]
    assert told == ({(topic, kind) for kind in kinds} if name == "prod" else set())


@pytest.mark.apply
@regions
def test_the_group_is_as_big_as_the_environment_says_and_measured(one: SimpleNamespace, name: str, region: str) -> None:
    (group,) = one.aws.client("autoscaling", region).describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["AutoScalingGroupName"] == f"trading-{SYSTEMS[name]}-web-{region}"
    sizes = {"dev": (1, 2), "staging": (2, 4), "prod": (2, 12)}
    assert (group["MinSize"], group["MaxSize"]) == sizes[SYSTEMS[name]]
    assert len(group["Instances"]) == group["MinSize"]
    assert group["DefaultCooldown"] == 300
    assert group["HealthCheckType"] == "ELB"
    assert {metric["Metric"] for metric in group["EnabledMetrics"]} == {
        *("GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances"),
        *("GroupStandbyInstances", "GroupTerminatingInstances", "GroupTotalInstances"),
    }


@pytest.mark.apply
@regions
def test_the_group_grows_over_70_percent_shrinks_under_30_and_waits_between(one: SimpleNamespace, region: str) -> None:
    policies = one.aws.client("autoscaling", region).describe_policies()["ScalingPolicies"]
    steps = {policy["PolicyARN"]: (policy["ScalingAdjustment"], policy["Cooldown"]) for policy in policies}
    alarms = one.aws.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
    scaling = [alarm for alarm in alarms if alarm["AlarmActions"][0] in steps]
    rules = {
        (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]): [
            steps[action] for action in alarm["AlarmActions"]
        ]
        for alarm in scaling
    }
    assert rules == {
        ("CPUUtilization", "GreaterThanThreshold", 70.0, 2): [(1, 300)],
        ("CPUUtilization", "LessThanThreshold", 30.0, 15): [(-1, 300)],
    }
    group = f"{one.outputs[f'web_group_name_{alias(region)}']}"
    assert all(alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": group}] for alarm in scaling)


@pytest.mark.apply
@regions
def test_https_is_served_where_there_is_a_certificate_and_http_leads_to_it(
    one: SimpleNamespace, name: str, region: str
) -> None:
    elb = one.aws.client("elbv2", region)
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    seen = {listener["Port"]: (listener["Protocol"], listener["DefaultActions"][0]["Type"]) for listener in listeners}
    assert one.outputs["load_balancers"][region]["https"] is (name != "dev-http")
    if name == "dev-http":
        assert seen == {80: ("HTTP", "forward")}
        return
    assert seen == {80: ("HTTP", "redirect"), 443: ("HTTPS", "forward")}
    (https,) = [listener for listener in listeners if listener["Port"] == 443]
    (certificate,) = one.aws.client("acm", region).list_certificates()["CertificateSummaryList"]
    assert https["Certificates"][0]["CertificateArn"] == certificate["CertificateArn"]
    assert https["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


@pytest.mark.apply
@regions
def test_logs_of_application_and_load_balancer_are_kept(one: SimpleNamespace, region: str) -> None:
    logs, places = one.aws.client("logs", region), one.outputs["monitoring"][region]
    groups = {group["logGroupName"]: group for group in logs.describe_log_groups()["logGroups"]}
    for place in ("application_log_group", "balancer_log_group"):
        group = groups[places[place]]
        assert group["retentionInDays"] >= 30
        assert group["kmsKeyId"].startswith(f"arn:aws:kms:{region}:")
    (source,) = logs.describe_delivery_sources()["deliverySources"]
    (destination,) = logs.describe_delivery_destinations()["deliveryDestinations"]
    (delivery,) = logs.describe_deliveries()["deliveries"]
    assert source["resourceArns"] == [one.outputs[f"web_load_balancer_arn_{alias(region)}"]]
    assert source["logType"] == "ALB_ACCESS_LOGS"
    assert (delivery["deliverySourceName"], delivery["deliveryDestinationArn"]) == (source["name"], destination["arn"])
    target = destination["deliveryDestinationConfiguration"]["destinationResourceArn"]
    assert target.removesuffix(":*") == groups[places["balancer_log_group"]]["arn"].removesuffix(":*")
    elb = one.aws.client("elbv2", region)
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=source["resourceArns"][0])["Attributes"]
    kept = {attribute["Key"]: attribute["Value"] for attribute in attributes}
    for kind in ("access_logs", "connection_logs"):
        assert kept[f"{kind}.s3.enabled"] == "true"
        assert kept[f"{kind}.s3.bucket"] == one.outputs["storage"][region]["bucket"]


@pytest.mark.apply
@regions
def test_the_user_data_is_a_script_that_serves_a_page_with_the_region(
    one: SimpleNamespace, name: str, region: str, tmp_path: Path
) -> None:
    ec2 = one.aws.client("ec2", region)
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    versions = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    data: dict[str, Any] = versions[0]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    script = base64.b64decode(data["UserData"]).decode()
    done = subprocess.run(["/bin/bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    instance = StartedInstance(tmp_path / "instance")
    assert instance.start(script) == 0
    with instance.serving() as server:
        status, page = get(server, "/")
    assert status == 200
    assert f"<dt>Region</dt><dd>{region}</dd>" in page
    assert f"<dt>Environment</dt><dd>{SYSTEMS[name]}</dd>" in page
    assert instance.read("etc/web-tier/settings").splitlines() == [
        f"DATABASE_HOST='{one.outputs['databases'][region]['endpoint']}'",
        "DATABASE_PORT='5432'",
        f"DATABASE_USER='{DATABASE_USER}'",
    ]


@pytest.mark.apply
@regions
def test_flat_outputs_and_the_nested_one_say_the_same(one: SimpleNamespace, region: str) -> None:
    nested = one.outputs["deployment_summary"]["regions"][region]
    place = alias(region)
    flat = {
        f"{component}_{name}_{place}": value for component, values in nested.items() for name, value in values.items()
    }
    assert flat == {name: value for name, value in one.outputs.items() if name.endswith(f"_{place}")}
