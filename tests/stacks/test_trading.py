"""The trading stack: what each region has, in every environment, with and without a certificate."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from constructs_lib import App, ConfigurationError, Environment, HostedZone, PartialS3Backend
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.certificates import EXAMPLES, certificates_from_environment
from stacks.trading import DATABASE_USER, REGIONS, TradingStack
from tests.constructs.web_tier.started_instances import StartedInstance, get
from tests.stacks.pinned import check_addresses
from tests.stacks.trading_systems import ACCOUNT, alias, arn, certificates, script_of, trading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

THREE = (*REGIONS, "ap-southeast-1")

regions = pytest.mark.parametrize("region", REGIONS)
environments = pytest.mark.parametrize("environment", list(Environment))


@pytest.fixture(scope="module")
def systems(synthesize: Callable[..., dict[str, SynthesizedStack]]) -> dict[str, SynthesizedStack]:
    """The stack of each environment with certificates, and that of dev without."""
    made = {environment.value: trading(synthesize, environment) for environment in Environment}
    return {**made, "dev-http": trading(synthesize, "dev", certificates=None)}


@pytest.mark.parametrize("name", ["dev", "dev-http", "staging", "prod"])
def test_addresses_stay_where_they_are(systems: dict[str, SynthesizedStack], name: str) -> None:
    check_addresses(systems[name], f"trading-{name}")


def test_a_bigger_environment_has_everything_that_a_smaller_one_has(systems: dict[str, SynthesizedStack]) -> None:
    dev, staging, prod = (set(systems[name].addresses) for name in ("dev", "staging", "prod"))
    assert dev <= staging <= prod


def test_web_acls_and_alarms_can_be_switched_on_in_dev(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    stack = trading(synthesize, "dev", web_acl=True, alarms=True)
    associated = {one["resource_arn"] for one in stack.resources("aws_wafv2_web_acl_association")}
    assert associated == {f"${{aws_lb.web_balancer_{alias(region)}.arn}}" for region in REGIONS}
    notified = {
        tuple(one["alarm_actions"])
        for one in stack.resources("aws_cloudwatch_metric_alarm")
        if not one.address.rpartition(".")[2].startswith("web_fleet_")
    }
    assert notified == {(f"${{aws_sns_topic.alarms_{alias(region)}.arn}}",) for region in REGIONS}


def test_every_region_has_the_same(systems: dict[str, SynthesizedStack]) -> None:
    def of(region: str) -> set[str]:
        # Rules between security groups name both ends by their paths, regions and all.
        names = {one.replace(alias(region), "HERE") for one in systems["prod"].addresses if one.endswith(alias(region))}
        # The first region has the key, the others its replicas.
        return {name for name in names if not name.startswith(("aws_kms_key.", "aws_kms_replica_key."))}

    here, there = map(of, REGIONS)
    assert here == there
    assert len(here) > 90


@environments
def test_another_region_only_adds(
    systems: dict[str, SynthesizedStack],
    synthesize: Callable[..., dict[str, SynthesizedStack]],
    environment: Environment,
) -> None:
    two, three = systems[environment], trading(synthesize, environment, regions=THREE)
    added = set(three.addresses) - set(two.addresses)
    assert set(two.addresses) <= set(three.addresses)
    assert added
    assert all(address.endswith("ap_southeast_1") for address in added)
    for address in two.addresses:
        assert {**three.at(address).config, "//": 0} == {**two.at(address).config, "//": 0}, address


@environments
@regions
def test_tiers_have_their_places_in_the_regions_range(
    systems: dict[str, SynthesizedStack], environment: Environment, region: str
) -> None:
    stack, zones = systems[environment], {"dev": "ab", "staging": "ab", "prod": "abc"}[environment]
    second = 48 + REGIONS.index(region)
    subnets = {
        block.address.removeprefix("aws_subnet.vpc_").removesuffix(f"_{alias(region)}"): block["cidr_block"]
        for block in stack.find("aws_subnet")
        if block.address.endswith(alias(region))
    }
    assert stack.at(f"aws_vpc.vpc_{alias(region)}")["cidr_block"] == f"10.{second}.0.0/16"
    assert subnets == {
        f"{tier}_{zone}": f"10.{second}.{first + index}.0/24"
        for tier, first in (("public", 1), ("private", 10), ("database", 20))
        for index, zone in enumerate(zones)
    }


@environments
@regions
def test_only_the_fleet_reaches_the_database(
    systems: dict[str, SynthesizedStack], environment: Environment, region: str
) -> None:
    stack, place = systems[environment], alias(region)
    database = f"${{aws_security_group.database_security_group_{place}.id}}"
    into = [
        (rule["referenced_security_group_id"], rule["from_port"], rule["to_port"])
        for rule in stack.resources("aws_vpc_security_group_ingress_rule")
        if rule["security_group_id"] == database
    ]
    assert into == [(f"${{aws_security_group.web_fleet_security_group_{place}.id}}", 5432, 5432)]
    documents = json.dumps(stack.at(f"data.aws_iam_policy_document.web_fleet_role_policy_document_{place}").config)
    user = f":dbuser:${{aws_rds_cluster.database_{place}.cluster_resource_id}}/{DATABASE_USER}"
    assert documents.count(":dbuser:") == documents.count(user) == 1
    group = stack.at(f"aws_db_subnet_group.database_subnet_group_{place}")
    assert all("aws_subnet.vpc_database_" in subnet for subnet in group["subnet_ids"])


@regions
def test_cloudwatch_logs_delivers_requests_for_this_account_alone_and_once_it_may(
    systems: dict[str, SynthesizedStack], region: str
) -> None:
    stack, place = systems["prod"], alias(region)
    delivery = stack.at(f"aws_cloudwatch_log_delivery.balancer_log_{place}")
    assert delivery["depends_on"] == [f"aws_cloudwatch_log_resource_policy.balancer_log_policy_{place}"]
    (statement,) = stack.at(f"data.aws_iam_policy_document.balancer_log_policy_document_{place}")["statement"]
    account = f"${{data.aws_caller_identity.current_{place}.account_id}}"
    group = f"aws_cloudwatch_log_group.balancer_log_requests_{place}"
    assert statement["resources"] == [f"${{{group}.arn}}:log-stream:*"]
    assert statement["principals"] == [{"type": "Service", "identifiers": ["delivery.logs.amazonaws.com"]}]
    assert {one["variable"]: one["values"] for one in statement["condition"]} == {
        "aws:SourceAccount": [account],
        "aws:SourceArn": [f"arn:aws:logs:{region}:{account}:*"],
    }


@pytest.mark.parametrize("name", ["dev", "dev-http", "staging", "prod"])
@regions
def test_the_script_of_each_region_is_shell_and_serves_a_page_that_names_it(
    systems: dict[str, SynthesizedStack], name: str, region: str, tmp_path: Path
) -> None:
    script = script_of(systems[name], region)
    done = subprocess.run(["/bin/bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    instance = StartedInstance(tmp_path / "instance")
    assert instance.start(script) == 0
    with instance.serving() as server:
        status, page = get(server, "/")
        assert get(server, "/health") == (200, "ok\n")
    assert status == 200
    assert f"<dt>Region</dt><dd>{region}</dd>" in page
    assert f"<dt>Environment</dt><dd>{name.removesuffix('-http')}</dd>" in page
    settings = instance.read("etc/web-tier/settings").splitlines()
    assert settings == [
        f"DATABASE_HOST='${{aws_rds_cluster.database_{alias(region)}.endpoint}}'",
        "DATABASE_PORT='5432'",
        f"DATABASE_USER='{DATABASE_USER}'",
    ]


def test_outputs_are_grouped_by_what_they_are_about(systems: dict[str, SynthesizedStack]) -> None:
    outputs = systems["prod"].outputs
    fields = {name: {region: sorted(outputs[name][region]) for region in outputs[name]} for name in GROUPS}
    assert fields == {name: dict.fromkeys(REGIONS, expected) for name, expected in GROUPS.items()}
    nested = outputs["deployment_summary"]["regions"]
    for region in REGIONS:
        assert outputs["databases"][region]["endpoint"] == nested[region]["database"]["endpoint"]
        assert outputs["load_balancers"][region]["dns_name"] == nested[region]["web"]["dns_name"]
        assert set(nested[region]) - {"key", "web_web_acl"} == {
            *("alarms", "balancer_log", "database", "logs", "vpc", "web"),
        }
    assert systems["dev-http"].outputs["load_balancers"]["us-east-1"]["https"] is False


GROUPS = {
    "networks": ["cidr", "id"],
    "load_balancers": ["dns_name", "https", "zone_id"],
    "databases": ["endpoint", "port", "reader_endpoint"],
    "storage": ["bucket"],
    "monitoring": ["alarm_topic", "application_log_group", "balancer_log_group"],
}


# Certificates.


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_staging_and_prod_are_refused_without_a_certificate(environment: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        TradingStack(App(outdir=str(tmp_path)), "trading", environment=environment)
    assert str(error.value) == (
        f"trading/web-us-east-1: certificate=None: is required in {environment}; expected a Certificate, or the ARN of a "
        "certificate that ACM has issued. Plain HTTP is allowed in dev only"
    )


def test_one_certificate_for_two_regions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        TradingStack(
            App(outdir=str(tmp_path)), "trading", environment="prod", certificates={"us-east-1": arn("us-east-1")}
        )
    assert str(error.value) == ("trading/certificates: no value for eu-west-1, a region of the stack; add one")


def test_a_certificate_of_another_region_is_refused(tmp_path: Path) -> None:
    swapped = dict(zip(REGIONS, reversed(list(certificates().values())), strict=True))
    with pytest.raises(ConfigurationError, match="is in another region; expected a certificate in us-east-1"):
        TradingStack(App(outdir=str(tmp_path)), "trading", environment="prod", certificates=swapped)


def test_certificates_of_two_accounts_are_refused(tmp_path: Path) -> None:
    mixed = {"us-east-1": arn("us-east-1"), "eu-west-1": arn("eu-west-1", "210987654321")}
    with pytest.raises(ConfigurationError) as error:
        TradingStack(App(outdir=str(tmp_path)), "trading", environment="prod", certificates=mixed)
    assert str(error.value) == (
        "trading: certificates=['123456789012', '210987654321']: must be of one account, the one that the load balancers "
        "are in"
    )


ZONE = HostedZone("Z0123456789ABCDEFGHIJ", "trading.example.com")


def test_a_zone_gives_each_region_a_name_and_a_certificate_that_has_been_issued(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    stack = trading(synthesize, "prod", certificates=None, zone=ZONE, backend=PartialS3Backend())
    for region in REGIONS:
        place, domain = alias(region), f"{region}.prod.trading.example.com"
        issued = f"aws_acm_certificate_validation.certificate_validation_{place}"
        listener = stack.at(f"aws_lb_listener.web_balancer_https_{place}")
        assert listener["certificate_arn"] == f"${{{issued}.certificate_arn}}"
        assert stack.at(f"aws_acm_certificate.certificate_{place}")["domain_name"] == domain
        for type_ in ("a", "aaaa"):
            record = stack.at(f"aws_route53_record.records_{type_}_{place}")
            assert (record["name"], record["type"], record["zone_id"]) == (domain, type_.upper(), ZONE.id)
            assert record["alias"] == {
                "evaluate_target_health": True,
                "name": f"${{aws_lb.web_balancer_{place}.dns_name}}",
                "zone_id": f"${{aws_lb.web_balancer_{place}.zone_id}}",
            }
        assert stack.outputs["load_balancers"][region]["https"] is True
    assert [str(finding) for finding in run(load([stack.directory]), rules()).findings] == []


def test_a_zone_and_certificates_are_refused_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        TradingStack(App(outdir=str(tmp_path)), "trading", environment="prod", certificates=certificates(), zone=ZONE)
    assert str(error.value) == f"trading: zone={ZONE!r}: cannot be combined with certificates; give one of them"


def test_a_stack_with_certificates_is_for_their_account_only(systems: dict[str, SynthesizedStack]) -> None:
    for name, accounts in (("prod", [ACCOUNT]), ("dev-http", None)):
        providers = systems[name].document["provider"]["aws"]
        assert [provider.get("allowed_account_ids") for provider in providers] == [accounts] * len(REGIONS)


@environments
def test_without_the_variable_dev_serves_http_and_the_others_are_nobodys(environment: Environment) -> None:
    expected = None if environment is Environment.DEV else EXAMPLES
    for variables in ({}, {"TRADING_CERTIFICATES": " "}):
        assert certificates_from_environment(variables, environment) == expected
    assert sorted(EXAMPLES) == sorted(REGIONS)


def test_the_variable_names_one_certificate_for_each_region() -> None:
    text = f"{arn('us-east-1')}, {arn('eu-west-1')}"
    assert certificates_from_environment({"TRADING_CERTIFICATES": text}, Environment.PROD) == certificates()


def test_a_variable_with_anything_else_is_refused() -> None:
    text = f"{arn('us-east-1')},{arn('us-east-1', '210987654321')},www.example.com"
    with pytest.raises(ConfigurationError) as error:
        certificates_from_environment({"TRADING_CERTIFICATES": text}, Environment.DEV)
    assert str(error.value).splitlines() == [
        (
            f"main.py: TRADING_CERTIFICATES='{arn('us-east-1', '210987654321')}': is the second one of us-east-1; give one for "
            "each region"
        ),
        "main.py: TRADING_CERTIFICATES='www.example.com': must be ARNs of ACM certificates with commas between them",
    ]
