"""Certificates, domains and their records for real: issued, applied in every environment, read back, destroyed."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from constructs_lib import CustomDomain, Environment, HardenedStack, HostedZone, MultiRegionKey, RestApi
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Drift, Workspace
from tests.constructs.rest_api.apis import SAFE, make_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

EU = "eu-west-1"
DOMAIN = "api.example.com"


def shop(app: App, environment: str, zone_id: str) -> None:
    """Two APIs behind one name, with a certificate of its own."""
    stack = HardenedStack(app, "shop", environment=environment, owner="team-shop")
    region = stack.region(EU)
    key = MultiRegionKey(stack, "key", region=region)
    function = make_function(stack, key)
    apis = {id_: RestApi(stack, id_, region=region, key=key, custom_domain=True) for id_ in ("api", "admin")}
    for api in apis.values():
        api.add_method("GET", "/", function, shorter_timeout=SAFE)
    zone = HostedZone(zone_id, "example.com")
    domain = CustomDomain(stack, "domain", region=region, domain=DOMAIN, zone=zone, api=apis["api"])
    domain.add_api(apis["admin"], base_path="admin")


@pytest.fixture(scope="module")
def applied(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[dict[str, Workspace]]:
    """The stack of each environment, applied to a local AWS of its own, which has the zone already."""
    with contextlib.ExitStack() as cleanup, ThreadPoolExecutor() as threads:
        workspaces = {}
        for environment in Environment:
            aws = cleanup.enter_context(LocalAws())
            zone = aws.client("route53", EU).create_hosted_zone(Name="example.com", CallerReference="before")
            zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
            stack = synthesize(lambda app, of=environment.value, at=zone_id: shop(app, of, at))["shop"]
            workspaces[environment.value] = cleanup.enter_context(Workspace(stack, aws=aws, terraform=aws_provider))
        made = dict(zip(workspaces, threads.map(apply, workspaces.values()), strict=True))
        yield workspaces
        destroyed = threads.map(lambda workspace: workspace.destroy(), workspaces.values())
        assert {name: one.destroy.total() for name, one in zip(workspaces, destroyed, strict=True)} == made


def apply(workspace: Workspace) -> int:
    workspace.init()
    assert workspace.validate() == ()
    workspace.plan()
    return workspace.apply().add.total()


@pytest.mark.parametrize("environment", list(Environment))
def test_a_second_plan_changes_nothing(applied: dict[str, Workspace], environment: str) -> None:
    assert applied[environment].drift() == Drift((), ())
    assert applied[environment].left_out == ()


@pytest.mark.parametrize("environment", list(Environment))
def test_the_name_leads_to_both_apis_behind_the_issued_certificate(
    applied: dict[str, Workspace], environment: str
) -> None:
    aws = applied[environment].aws
    assert aws
    (certificate,) = aws.client("acm", EU).list_certificates()["CertificateSummaryList"]
    described = aws.client("acm", EU).describe_certificate(CertificateArn=certificate["CertificateArn"])["Certificate"]
    assert (described["DomainName"], described["Status"]) == (DOMAIN, "ISSUED")
    gateway = aws.client("apigateway", EU)
    (domain,) = gateway.get_domain_names()["items"]
    assert (domain["domainName"], domain["securityPolicy"]) == (DOMAIN, "TLS_1_2")
    assert domain["regionalCertificateArn"] == certificate["CertificateArn"]
    named = {api["id"]: api["name"] for api in gateway.get_rest_apis()["items"]}
    paths = gateway.get_base_path_mappings(domainName=DOMAIN)["items"]
    assert {one["basePath"]: named[one["restApiId"]] for one in paths} == {
        "(none)": f"shop-{environment}-api-{EU}",
        "admin": f"shop-{environment}-admin-{EU}",
    }
    route53 = aws.client("route53", EU)
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (challenge,) = described["DomainValidationOptions"]
    proofs = {one["Name"]: one["ResourceRecords"][0]["Value"] for one in records if one["Type"] == "CNAME"}
    proof = challenge["ResourceRecord"]
    assert {name.rstrip("."): value.rstrip(".") for name, value in proofs.items()} == {
        proof["Name"].rstrip("."): proof["Value"].rstrip(".")
    }
    aliases = {one["Type"]: one["AliasTarget"]["DNSName"] for one in records if one["Name"] == f"{DOMAIN}."}
    assert aliases.keys() == {"A", "AAAA"}
    assert {name.rstrip(".") for name in aliases.values()} == {domain["regionalDomainName"]}
