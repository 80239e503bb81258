"""What Terraform does to a web tier that exists: a certificate and a web ACL that come, change and go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import HardenedStack, MultiRegionKey, RegionalBucket, RegionalVpc, WebAcl, WebTier
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.workspace import Workspace
from tests.terraform.changes import change_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.settings import Terraform

    Synthesize = Callable[..., dict[str, SynthesizedStack]]

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

EU = "eu-west-1"
HTTP = "aws_lb_listener.web_balancer_http_eu_west_1"
HTTPS = "aws_lb_listener.web_balancer_https_eu_west_1"
BEFORE = "aws_lb_listener.web_balancer_redirect_eu_west_1"
ASSOCIATION = "aws_wafv2_web_acl_association.web_web_acl_association_web_eu_west_1"
SHARED_BEFORE = "aws_wafv2_web_acl_association.shared_association_web_eu_west_1"


OWN_NAME = "shop-dev-web-web-acl-eu-west-1"


def network(aws: LocalAws) -> dict[str, Any]:
    """Create a VPC with subnets outside of Terraform, so that the stack is small."""
    ec2 = aws.client("ec2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]

    def subnet(number: int, zone: str) -> str:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.10.{number}.0/24", AvailabilityZone=f"{EU}{zone}")
        return str(made["Subnet"]["SubnetId"])

    subnets = {
        tier: {zone: subnet(number + index, zone) for index, zone in enumerate("ab")}
        for number, tier in ((0, "public"), (2, "private"))
    }
    return {"vpc_id": vpc, "cidr": "10.10.0.0/16", "subnets": subnets}


def tier(synthesize: Synthesize, vpc: dict[str, Any], *, shared: bool = False, **arguments: Any) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
        region = stack.region(EU)
        key = MultiRegionKey(stack, "key", region=region)
        acl = WebAcl(stack, "shared", region=region, key=key) if shared else True
        WebTier(
            stack,
            "web",
            region=region,
            vpc=RegionalVpc.from_attributes(stack, "vpc", region=region, **vpc),
            key=key,
            logs=RegionalBucket(stack, "logs", region=region, log_delivery=True),
            web_acl=acl,
            **arguments,
        )

    return synthesize(build)["shop"]


class Applied:
    """A web tier that is applied, and to which other arguments are applied or planned."""

    def __init__(self, workspace: Workspace, aws: LocalAws, synthesize: Callable[..., SynthesizedStack]) -> None:
        self.workspace, self._synthesize = workspace, synthesize
        self.acm, self.elb, self.waf = (aws.client(name, EU) for name in ("acm", "elbv2", "wafv2"))

    def plan(self, **arguments: Any) -> dict[str, str]:
        """Return the actions by address of listeners and associations."""
        changes = change_to(self.workspace, self._synthesize(**arguments))
        types = ("aws_lb_listener.", "aws_wafv2_web_acl_association.")
        return {address: action for address, action in changes.items() if address.startswith(types)}

    def forget(self, address: str) -> None:
        self.workspace._run("state-rm", ["state", "rm", address], 60)

    def move(self, address: str, to: str) -> None:
        """Give a resource the address that an earlier version of the library gave it."""
        self.workspace._run("state-mv", ["state", "mv", address, to], 60)

    def listeners(self) -> dict[int, str]:
        """Return the type of the default action by port."""
        (balancer,) = self.elb.describe_load_balancers()["LoadBalancers"]
        found = self.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        return {one["Port"]: one["DefaultActions"][0]["Type"] for one in found}

    def web_acl(self) -> str:
        (balancer,) = self.elb.describe_load_balancers()["LoadBalancers"]
        name: str = self.waf.get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"])["WebACL"]["Name"]
        return name


@pytest.fixture
def applied(synthesize: Synthesize, aws_provider: Terraform) -> Iterator[Applied]:
    with LocalAws() as aws:
        changed = partial(tier, synthesize, network(aws))
        with Workspace(changed(), aws=aws, terraform=aws_provider) as workspace:
            workspace.init()
            workspace.plan()
            workspace.apply()
            yield Applied(workspace, aws, changed)


def test_a_certificate_and_a_shared_web_acl_come_and_go(applied: Applied) -> None:
    assert (applied.listeners(), applied.web_acl()) == ({80: "forward"}, OWN_NAME)

    certificate = applied.acm.request_certificate(DomainName="www.example.com")["CertificateArn"]
    assert applied.plan(certificate=certificate) == {HTTP: "update", HTTPS: "create"}
    applied.workspace.apply()
    assert applied.listeners() == {80: "redirect", 443: "forward"}

    applied.move(HTTP, BEFORE)
    assert applied.plan(certificate=certificate) == {}
    applied.workspace.apply()

    assert applied.plan(shared=True, certificate=certificate) == {ASSOCIATION: "delete-create"}
    applied.workspace.apply()
    assert applied.web_acl() == "shop-dev-shared-eu-west-1"

    applied.move(ASSOCIATION, SHARED_BEFORE)
    assert applied.plan(shared=True, certificate=certificate) == {}
    applied.workspace.apply()

    # Without the association in the state it is created, which exchanges the web ACL, and not destroyed before.
    applied.forget(ASSOCIATION)
    assert applied.plan() == {HTTP: "update", HTTPS: "delete", ASSOCIATION: "create"}
    applied.workspace.apply()
    assert (applied.listeners(), applied.web_acl()) == ({80: "forward"}, OWN_NAME)
    assert applied.plan() == {}
