"""The lessons of the trading post-mortem: each mistake refused, or found in the raw system, and not in the stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib import (
    AddressPlan,
    AuroraProvisioned,
    HardenedStack,
    Instance,
    MultiRegionKey,
    PartialS3Backend,
    RegionalBucket,
    RegionalVpc,
    SimpleScaling,
)
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.trading import REGIONS, TradingStack
from tests.constructs.web_tier.tiers import make_tier
from tests.lessons.trading_system import add_tier, every, found, make_stack, raw, refusal, stack, system
from tests.stacks.trading_systems import alias, script_of, trading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

__all__ = ["every", "raw", "stack", "system"]

# What dev and staging do without, and the notes of the reference stacks say so.
NOTES = {"dev": {"RDS-010", "RDS-011"}, "staging": {"RDS-010", "RDS-011"}, "prod": set[str]()}


@pytest.mark.parametrize("number", range(1, 14))
def test_no_rule_finds_the_mistake_in_the_stack(every: dict[str, SynthesizedStack], number: int) -> None:
    own = [rule for rule in rules() if f"TRD-{number}" in rule.lessons]
    assert own
    for environment, made in every.items():
        findings = run(load([made.directory]), own).findings
        assert [str(one) for one in findings if one.id not in NOTES[environment]] == []


# TRD-1: one run and one workspace for each region


def test_trd_1_a_region_out_of_the_workspace_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-016", "provider.aws") == [
        'region = "${terraform.workspace}": must not depend on the workspace; define one provider per region'
    ]


def test_trd_1_one_plan_has_every_region(system: SynthesizedStack) -> None:
    providers = system.document["provider"]["aws"]
    assert {provider["alias"]: provider["region"] for provider in providers} == {alias(name): name for name in REGIONS}
    for region in REGIONS:
        assert system.at(f"aws_lb.web_balancer_{alias(region)}")["provider"] == f"aws.{alias(region)}"


# TRD-2: names with different beginnings


def test_trd_2_other_beginnings_and_styles_are_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-005", "aws_autoscaling_group.web") == [
        'name = "web-asg-${var.environment_suffix}": must begin with tap like the other names; it begins with web'
    ]
    assert found(raw, "NAME-004", "aws_lb_target_group.web") == [
        'name = "tapTradingTargets${var.environment_suffix}": must be in kebab-case like the other names; it is in camelCase'
    ]


def test_trd_2_every_name_begins_with_the_system_and_ends_with_the_region(system: SynthesizedStack) -> None:
    environment = system.outputs["deployment_summary"]["environment"]
    named = {
        **dict.fromkeys(("aws_autoscaling_group", "aws_iam_role", "aws_launch_template", "aws_lb"), "name"),
        **dict.fromkeys(("aws_lb_target_group", "aws_security_group", "aws_sns_topic"), "name"),
        "aws_rds_cluster": "cluster_identifier",
    }
    for type_, attribute in named.items():
        for block in system.find(type_):
            region = next(name for name in REGIONS if block.address.endswith(alias(name)))
            assert block[attribute].startswith(f"trading-{environment}-"), block.address
            # Of a load balancer's 32 characters not all can be the region's; a hash tells the rest.
            assert block[attribute].endswith(f"-{region}") or len(block[attribute]) == 32, block.address


# TRD-3: address ranges made up as they were needed


def test_trd_3_overlaps_are_found(raw: list[Finding]) -> None:
    assert found(raw, "NET-014", "aws_subnet.database") == [
        'cidr_block = "10.0.1.128/25": must not overlap 10.0.1.0/24 of aws_subnet.public[1], which is in the same VPC'
    ]
    assert found(raw, "NET-006", "aws_vpc_peering_connection.analytics") == [
        (
            'peer_vpc_id = "${aws_vpc.analytics.id}": must not overlap: 10.0.0.0/16 of aws_vpc.main and '
            "10.0.0.0/20 of aws_vpc.analytics do"
        )
    ]


def test_trd_3_ranges_come_from_the_plan(system: SynthesizedStack) -> None:
    plan = AddressPlan("10.48.0.0/12", REGIONS)
    for region in REGIONS:
        assert system.at(f"aws_vpc.vpc_{alias(region)}")["cidr_block"] == plan.cidr(region)
        for tier, slot in (("public", 1), ("private", 10), ("database", 20)):
            subnet = system.at(f"aws_subnet.vpc_{tier}_a_{alias(region)}")
            assert subnet["cidr_block"] == plan.cidr(region).replace("0.0/16", f"{slot}.0/24")


def test_trd_3_a_region_twice_is_refused() -> None:
    assert "us-east-1" in refusal(lambda: AddressPlan("10.48.0.0/12", ["us-east-1", "us-east-1"]))


# TRD-4: a self-signed certificate for a .local name


def test_trd_4_a_local_name_and_plain_http_are_found(raw: list[Finding]) -> None:
    assert found(raw, "API-029", "aws_acm_certificate.main") == [
        (
            'domain_name = "${terraform.workspace}.tap-trading.local": must name domains that you own: '
            "${terraform.workspace}.tap-trading.local is not a public domain and cannot be validated"
        )
    ]
    assert found(raw, "API-025", "aws_lb_listener.http") == [
        'default_action.type = "forward": must be "redirect" to HTTPS, or "fixed-response": the listener accepts plain HTTP'
    ]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_trd_4_plain_http_is_refused_outside_dev(tmp_path: Path, environment: str) -> None:
    assert refusal(lambda: add_tier(make_stack(tmp_path, environment))) == (
        f"shop/web: certificate=None: is required in {environment}; expected a Certificate, or the ARN of a certificate "
        "that ACM has issued. Plain HTTP is allowed in dev only"
    )


def test_trd_4_a_reference_to_a_certificate_is_refused(stack: HardenedStack) -> None:
    own = "${aws_acm_certificate.main.arn}"
    assert refusal(lambda: add_tier(stack, certificate=own)) == (
        f"shop/web: certificate={own!r}: must be a Certificate, or the ARN of a certificate that ACM has issued for a public "
        "name. References are refused: the certificate could be self-signed, or pending for a name such as web.local"
    )


def test_trd_4_with_a_certificate_http_leads_to_https(system: SynthesizedStack) -> None:
    for region in REGIONS:
        (redirect,) = system.at(f"aws_lb_listener.web_balancer_http_{alias(region)}")["default_action"]
        assert (redirect["type"], redirect["redirect"]["protocol"]) == ("redirect", "HTTPS")
        https = system.at(f"aws_lb_listener.web_balancer_https_{alias(region)}")
        assert https["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert system.find("aws_acm_certificate") == []


def test_trd_4_without_one_dev_serves_http(synthesize: Callable[..., dict[str, SynthesizedStack]]) -> None:
    plain = trading(synthesize, "dev", certificates=None)
    assert {listener["protocol"] for listener in plain.resources("aws_lb_listener")} == {"HTTP"}


# TRD-5: a bare Aurora cluster


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("RDS-008", "storage_encrypted = null: must be true; an existing database cannot be encrypted"),
        ("RDS-010", "deletion_protection = null: must be true, or a wrong plan can delete the data"),
        ("RDS-012", "backup_retention_period = null: must be 7 to 35 days; the default is 1 day"),
        ("RDS-018", "enabled_cloudwatch_logs_exports = null: must contain audit, error, slowquery"),
    ],
)
def test_trd_5_what_a_bare_cluster_lacks_is_found(raw: list[Finding], rule: str, message: str) -> None:
    assert found(raw, rule, "aws_rds_cluster.main") == [message]


def test_trd_5_less_than_the_environment_asks_for_is_refused(tmp_path: Path) -> None:
    stack = make_stack(tmp_path, "prod")
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
    message = refusal(
        lambda: AuroraProvisioned(
            stack, "db", region=region, vpc=vpc, key=key, instances={"writer": Instance("db.r7g.large")}
        )
    )
    assert message == "shop/db: instances=['writer']: must have at least 2 in prod"


def test_trd_5_the_clusters_have_all_of_it(system: SynthesizedStack) -> None:
    prod = system.outputs["deployment_summary"]["environment"] == "prod"
    for cluster in system.resources("aws_rds_cluster"):
        assert cluster["storage_encrypted"] is cluster["iam_database_authentication_enabled"] is True
        assert cluster["copy_tags_to_snapshot"] is True
        assert "${aws_kms_" in cluster["kms_key_id"]
        assert "${aws_rds_cluster_parameter_group." in cluster["db_cluster_parameter_group_name"]
        assert cluster["backup_retention_period"] >= 14
        assert cluster["enabled_cloudwatch_logs_exports"]
        assert (cluster["deletion_protection"], cluster["skip_final_snapshot"]) == (prod, not prod)
    for instance in system.resources("aws_rds_cluster_instance"):
        assert "${aws_db_parameter_group." in instance["db_parameter_group_name"]
        assert (instance["monitoring_interval"], instance["performance_insights_enabled"]) == (60, True)
        assert instance["ca_cert_identifier"]
    assert len(system.find("aws_rds_cluster")) == len(REGIONS)


# TRD-6: scaling at 70 and 20 percent, and few metrics


def test_trd_6_thresholds_metrics_and_cooldowns_are_found(raw: list[Finding]) -> None:
    assert found(raw, "OPS-006", "aws_cloudwatch_metric_alarm.low") == [
        (
            "threshold = 20: must be 25 to 35, for the threshold 70 of aws_cloudwatch_metric_alarm.high: a lower one keeps "
            "idle instances"
        )
    ]
    assert found(raw, "OPS-007", "aws_autoscaling_group.web") == [
        "enabled_metrics = null: must contain metrics, such as GroupInServiceInstances; they are free of charge"
    ]
    assert len(found(raw, "OPS-008")) == 2


def test_trd_6_a_group_that_never_rests_is_refused(stack: HardenedStack) -> None:
    assert refusal(lambda: add_tier(stack, scaling=SimpleScaling(high=70, low=50))) == (
        "shop/web: scaling.low=50: must be at most 35, half of high: the load per instance doubles when one of two "
        "is removed"
    )


def test_trd_6_groups_scale_at_70_and_30_percent_and_wait(system: SynthesizedStack) -> None:
    for region in REGIONS:
        for name, threshold, step in (("grow", 70, 1), ("shrink", 30, -1)):
            policy = system.at(f"aws_autoscaling_policy.web_fleet_{name}_{alias(region)}")
            assert (policy["scaling_adjustment"], policy["cooldown"]) == (step, 300)
            assert system.at(f"aws_cloudwatch_metric_alarm.web_fleet_{name}_alarm_{alias(region)}")["threshold"] == (
                threshold
            )
        assert (
            "GroupInServiceInstances"
            in system.at(f"aws_autoscaling_group.web_fleet_{alias(region)}")["enabled_metrics"]
        )


# TRD-7: a template file that is not there


def test_trd_7_a_missing_file_and_old_metadata_are_found(raw: list[Finding]) -> None:
    (message,) = found(raw, "OPS-017", "aws_launch_template.web")
    assert message.endswith("templatefile() reads ${path.module}/user_data.sh: file not found")
    assert found(raw, "OPS-010", "aws_launch_template.web") == [
        'metadata_options = null: must have http_tokens = "required", which disables IMDSv1'
    ]


def test_trd_7_the_script_is_in_the_plan(system: SynthesizedStack) -> None:
    assert "templatefile(" not in json.dumps(system.document)
    for region in REGIONS:
        script = script_of(system, region)
        assert script.startswith("#!/bin/bash\n")
        for part in (f"<dd>{region}</dd>", "dnf install -y", "amazon-cloudwatch-agent-ctl", "systemctl enable httpd"):
            assert part in script, part
        template = system.at(f"aws_launch_template.web_fleet_template_{alias(region)}")
        assert template["metadata_options"]["http_tokens"] == "required"


# TRD-8: a backend that depends on the workspace


def test_trd_8_a_bucket_in_the_code_and_workspaces_as_regions_are_found(raw: list[Finding]) -> None:
    assert len(found(raw, "STATE-006")) == len(found(raw, "STATE-015")) == 1


def test_trd_8_the_backend_may_be_partial_and_has_a_key_of_its_own(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    backend = trading(synthesize, "prod", backend=PartialS3Backend()).document["terraform"]["backend"]["s3"]
    assert backend["key"] == "trading/prod/trading/terraform.tfstate"
    assert not {"bucket", "region", "workspace_key_prefix"} & backend.keys()


# TRD-9: nested maps as variables


def test_trd_9_nested_maps_are_found(raw: list[Finding]) -> None:
    (message,) = found(raw, "STATE-026", "var.region_settings")
    assert message.endswith("must nest maps and objects at most 2 levels deep, not 4")


def test_trd_9_the_stack_has_no_variables_and_needs_one_argument(system: SynthesizedStack) -> None:
    assert "variable" not in system.document
    arguments = TradingStack.__init__.__annotations__
    required = [name for name in arguments if name not in (TradingStack.__init__.__kwdefaults__ or {})]
    assert required == ["scope", "id_", "environment", "return"]


# TRD-10: flat and poor outputs


def test_trd_10_outputs_that_nothing_groups_are_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-022", "terraform") == [
        "must have an output that groups its 14 outputs; add an object such as deployment_summary"
    ]


def test_trd_10_outputs_are_grouped_and_summarized(system: SynthesizedStack) -> None:
    for name in ("networks", "load_balancers", "databases", "storage", "monitoring"):
        assert sorted(system.outputs[name]) == sorted(REGIONS)
    assert sorted(system.outputs["deployment_summary"]["regions"]) == sorted(REGIONS)
    assert all(block.get("description") for block in system.document["output"].values())


# TRD-11: no log groups for the application and the load balancer


def test_trd_11_a_load_balancer_that_logs_nothing_is_found(raw: list[Finding]) -> None:
    assert found(raw, "API-030", "aws_lb.web") == ["access_logs = null: must set bucket, and set enabled to true"]


def test_trd_11_both_have_a_log_group_with_retention_and_key(system: SynthesizedStack) -> None:
    for region in REGIONS:
        for name in ("web_application", "balancer_log_requests"):
            group = system.at(f"aws_cloudwatch_log_group.{name}_{alias(region)}")
            assert group["retention_in_days"] >= 30
            assert "${aws_kms_" in group["kms_key_id"]
        balancer = system.at(f"aws_lb.web_balancer_{alias(region)}")
        for kind in ("access_logs", "connection_logs"):
            assert balancer[kind]["enabled"] is True
            assert f"aws_s3_bucket.logs_{alias(region)}" in balancer[kind]["bucket"]
        source = system.at(f"aws_cloudwatch_log_delivery_source.balancer_log_source_{alias(region)}")
        assert source["resource_arn"] == f"${{aws_lb.web_balancer_{alias(region)}.arn}}"
        assert source["log_type"] == "ALB_ACCESS_LOGS"


def test_trd_11_a_bucket_without_log_delivery_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    bucket = RegionalBucket(stack, "data", region=region, key=MultiRegionKey(stack, "other", region=region))
    assert refusal(lambda: make_tier(stack, logs=bucket)) == (
        "shop/web: logs='shop/data': does not accept log delivery; create it with log_delivery=True"
    )


# TRD-12: tags here and there


def test_trd_12_missing_tags_are_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-011", "provider.aws") == [
        "default_tags = null: must be set, with Project, Environment and Owner"
    ]
    assert found(raw, "OPS-027", "aws_autoscaling_group.web") == [
        "tag = null: must be set, with propagate_at_launch = true: default_tags do not apply to the instances"
    ]


def test_trd_12_providers_machines_and_their_volumes_are_tagged(system: SynthesizedStack) -> None:
    keys = {"Environment", "ManagedBy", "Owner", "Project", "Stack"}
    for provider in system.document["provider"]["aws"]:
        (default,) = provider["default_tags"]
        assert default["tags"].keys() == keys
    for group in system.resources("aws_autoscaling_group"):
        assert {tag["key"] for tag in group["tag"] if tag["propagate_at_launch"]} == {*keys, "Name"}
    for template in system.resources("aws_launch_template"):
        assert all(one["tags"].keys() == {*keys, "Name"} for one in template["tag_specifications"])


# TRD-13: several buckets for each region


def test_trd_13_the_second_bucket_and_what_they_lack_is_found(raw: list[Finding]) -> None:
    assert found(raw, "S3-021", "aws_s3_bucket.logs") == [
        "must be merged with aws_s3_bucket.data, in the same region; separate the data by prefixes"
    ]
    assert len(found(raw, "S3-002")) == len(found(raw, "S3-004")) == len(found(raw, "S3-008")) == 2


def test_trd_13_each_region_has_one_bucket(system: SynthesizedStack) -> None:
    addresses = [block.address for block in system.find("aws_s3_bucket")]
    assert addresses == [f"aws_s3_bucket.logs_{alias(region)}" for region in sorted(REGIONS)]


def test_trd_13_the_logs_in_it_end_and_their_old_versions_too(system: SynthesizedStack) -> None:
    for region in REGIONS:
        (rule,) = system.at(f"aws_s3_bucket_lifecycle_configuration.logs_lifecycle_{alias(region)}")["rule"]
        assert rule["expiration"] == [{"days": 400}]
        assert rule["noncurrent_version_expiration"][0]["noncurrent_days"] >= 30
