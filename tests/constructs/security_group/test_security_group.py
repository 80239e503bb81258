from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import App, ConfigurationError, HardenedStack, MultiRegionKey, RegionalVpc, SecurityGroup, Vpc
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize


def name_vpc(stack: HardenedStack, id_: str = "vpc", cidr: str = "10.0.0.0/16") -> Vpc:
    return RegionalVpc.from_attributes(
        stack,
        id_,
        region=stack.region("eu-west-1"),
        vpc_id="vpc-0123456789abcdef0",
        cidr=cidr,
        subnets={"private": {"a": "subnet-0123456789abcdef0"}},
    )


def add_group(stack: HardenedStack, id_: str, vpc: Vpc) -> SecurityGroup:
    return SecurityGroup(stack, id_, region=stack.region("eu-west-1"), vpc=vpc, description=f"Protects {id_}")


@pytest.fixture(scope="module")
def connected(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    def fill(stack: HardenedStack) -> None:
        vpc = name_vpc(stack)
        web, data = add_group(stack, "web", vpc), add_group(stack, "data", vpc)
        web.allow_to(data, 5432)
        web.allow_to(data, 5432)
        web.allow_to_cidr("0.0.0.0/0", 443, "Card networks")
        web.allow_to_cidr("0.0.0.0/0", 443, "Card networks")
        data.allow_from_cidr("10.1.0.0/16", 5432, "Reports of the other region")
        data.allow_from_cidr("10.1.0.0/16", 5432, "Reports of the other region")

    return synth_stack(fill)


def test_a_security_group_is_created_without_rules(connected: SynthesizedStack) -> None:
    connected.resource("aws_security_group", "shop/web/*").assert_config(
        {
            "description": "Protects web",
            "name": "shop-dev-web-eu-west-1",
            "revoke_rules_on_delete": True,
            "vpc_id": "vpc-0123456789abcdef0",
        }
    )


def test_a_security_group_has_a_name_tag(connected: SynthesizedStack) -> None:
    assert connected.resource("aws_security_group", "shop/web/*")["tags"] == {"Name": "shop-dev-web-eu-west-1"}


def rules(stack: SynthesizedStack, direction: str) -> dict[str, dict[str, Any]]:
    return {
        block.path: {key: value for key, value in block.config.items() if key != "provider"}
        for block in stack.find(f"aws_vpc_security_group_{direction}_rule")
    }


def test_allow_to_creates_an_egress_and_an_ingress_rule(connected: SynthesizedStack) -> None:
    web, data = (f"${{aws_security_group.{name}_eu_west_1.id}}" for name in ("web", "data"))
    tcp = {"ip_protocol": "tcp", "from_port": 5432, "to_port": 5432, "description": "shop/web to shop/data"}
    assert rules(connected, "egress")["shop/web/to-data-5432"] == {
        **tcp,
        "security_group_id": web,
        "referenced_security_group_id": data,
    }
    assert rules(connected, "ingress")["shop/web/into-data-5432"] == {
        **tcp,
        "security_group_id": data,
        "referenced_security_group_id": web,
    }


def test_a_rule_for_a_cidr_block_has_one_port_and_a_description(connected: SynthesizedStack) -> None:
    assert rules(connected, "egress")["shop/web/to-0.0.0.0-0-443"] == {
        "security_group_id": "${aws_security_group.web_eu_west_1.id}",
        "cidr_ipv4": "0.0.0.0/0",
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "description": "Card networks",
    }
    assert rules(connected, "ingress")["shop/data/from-10.1.0.0-16-5432"] == {
        "security_group_id": "${aws_security_group.data_eu_west_1.id}",
        "cidr_ipv4": "10.1.0.0/16",
        "ip_protocol": "tcp",
        "from_port": 5432,
        "to_port": 5432,
        "description": "Reports of the other region",
    }


def test_a_rule_for_a_referenced_cidr_block_is_named_after_the_reference(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        peer = RegionalVpc(stack, "peer", region=region, cidr="10.1.0.0/16", key=key, zones=["a"], nat="none")
        group = add_group(stack, "web", name_vpc(stack))
        group.allow_to_cidr(peer.resource.cidr_block, 443, "The peer")
        group.allow_from_cidr("${var.office}", 443, "The office")

    made = synth_stack(fill).document["resource"]
    assert {name: rule["cidr_ipv4"] for name, rule in made["aws_vpc_security_group_egress_rule"].items()} == {
        "web_to_aws_vpc_peer_eu_west_1_cidr_block_443_eu_west_1": "${aws_vpc.peer_eu_west_1.cidr_block}"
    }
    assert list(made["aws_vpc_security_group_ingress_rule"]) == ["web_from_var_office_443_eu_west_1"]


def test_adding_the_same_rule_twice_creates_it_once(connected: SynthesizedStack) -> None:
    assert len(rules(connected, "egress")) == 2
    assert len(rules(connected, "ingress")) == 2


def test_both_rules_between_two_stacks_are_in_the_stack_that_allows_the_traffic(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        one = HardenedStack(app, "one", environment="dev", owner="me", project="shop")
        vpc = name_vpc(one)
        data = add_group(one, "data", vpc)
        two = HardenedStack(app, "two", environment="dev", owner="me", project="shop")
        add_group(two, "web", vpc).allow_to(data, 5432)

    stacks = synthesize(build)
    assert "data" not in stacks["one"].document
    state = "${data.terraform_remote_state.cross_stack_reference_input_one.outputs."
    rule = stacks["two"].resource("aws_vpc_security_group_ingress_rule")
    assert rule["security_group_id"].startswith(state)
    assert rule["referenced_security_group_id"] == "${aws_security_group.web_eu_west_1.id}"


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("port", [0, 65536, -1, "443", 44.3, True, None])
def test_an_invalid_port_is_refused(stack: HardenedStack, port: Any) -> None:
    vpc = name_vpc(stack)
    web, data = add_group(stack, "web", vpc), add_group(stack, "data", vpc)
    expected = f"shop/web: port={port!r}: must be a whole number from 1 to 65535"
    assert refusal(lambda: web.allow_to(data, port)) == expected
    assert refusal(lambda: web.allow_to_cidr("10.0.0.0/8", port, "x")) == expected
    assert refusal(lambda: web.allow_from_cidr("10.0.0.0/8", port, "x")) == expected


def test_every_address_is_allowed_on_outbound_port_443_only(stack: HardenedStack) -> None:
    web = add_group(stack, "web", name_vpc(stack))
    assert refusal(lambda: web.allow_to_cidr("0.0.0.0/0", 80, "x")) == (
        "shop/web: cidr='0.0.0.0/0': is allowed on port 443 only, not on port 80; give a narrower CIDR block"
    )
    assert refusal(lambda: web.allow_from_cidr("0.0.0.0/0", 443, "x")) == (
        "shop/web: cidr='0.0.0.0/0': is not allowed in inbound rules; give a narrower CIDR block"
    )


@pytest.mark.parametrize("cidr", ["10.0.0.1/16", "10.0.0.1", "everywhere", "::/0", "", None])
def test_an_invalid_cidr_block_is_refused(stack: HardenedStack, cidr: Any) -> None:
    web = add_group(stack, "web", name_vpc(stack))
    expected = f"shop/web: cidr={cidr!r}: must be an IPv4 CIDR block such as '10.0.0.0/16'"
    assert refusal(lambda: web.allow_to_cidr(cidr, 443, "x")) == expected
    assert refusal(lambda: web.allow_from_cidr(cidr, 443, "x")) == expected


def test_a_destination_in_another_vpc_is_refused(stack: HardenedStack) -> None:
    web = add_group(stack, "web", name_vpc(stack))
    data = add_group(stack, "data", name_vpc(stack, "other", "10.1.0.0/16"))
    assert refusal(lambda: web.allow_to(data, 5432)) == (
        "shop/web: destination='shop/data': is in another VPC; a rule can reference security groups of the same VPC "
        "only. Use allow_to_cidr with the CIDR block of the other VPC"
    )


def test_a_vpc_in_another_region_is_refused(stack: HardenedStack) -> None:
    vpc = name_vpc(stack)
    assert (
        refusal(
            lambda: SecurityGroup(stack, "web", region=stack.region("us-east-1"), vpc=vpc, description="Protects web")
        )
        == "shop/web: vpc='shop/vpc': is in eu-west-1; expected a VPC in us-east-1"
    )


def test_a_rule_for_a_gateway_endpoint_has_its_prefix_list(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=["private"])
        group = add_group(stack, "web", vpc)
        group.allow_to_gateway("dynamodb")
        group.allow_to_gateway("dynamodb")

    synth_stack(fill).resource("aws_vpc_security_group_egress_rule").assert_config(
        {
            "security_group_id": "${aws_security_group.web_eu_west_1.id}",
            "prefix_list_id": "${aws_vpc_endpoint.vpc_dynamodb_gateway_eu_west_1.prefix_list_id}",
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "description": "shop/web to dynamodb",
        }
    )


def test_a_vpc_without_gateway_endpoints_is_refused(stack: HardenedStack) -> None:
    group = add_group(stack, "web", name_vpc(stack))
    with pytest.raises(ConfigurationError) as error:
        group.allow_to_gateway("s3")
    assert str(error.value) == (
        "shop/vpc: service='s3': the VPC has no gateway endpoint of this service; RegionalVpc creates those of s3 and "
        "dynamodb for its gateway_tiers"
    )


def test_the_id_works_in_another_stack(synthesize: Synthesize) -> None:
    assert read_from_another_stack(synthesize, lambda stack: {"id": add_group(stack, "web", name_vpc(stack)).id}) == {
        "id": "${aws_security_group.web_eu_west_1.id}"
    }


def test_the_argument_peer_of_allow_to_is_deprecated(stack: HardenedStack) -> None:
    vpc = name_vpc(stack)
    web, data = add_group(stack, "web", vpc), add_group(stack, "data", vpc)
    with pytest.deprecated_call(
        match="argument peer is deprecated and will be removed in the next release; use destin"
    ):
        web.allow_to(peer=data, port=5432)  # type: ignore[call-arg]
