from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Certificate,
    ConfigurationError,
    CustomDomain,
    HardenedStack,
    HostedZone,
    MultiRegionKey,
    RestApi,
)
from constructs_lib.constructs.custom_domain import AliasRecords
from tests.constructs.rest_api.apis import SAFE, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

ZONE = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
DOMAIN = "${aws_api_gateway_domain_name.domain_eu_west_1.%s}"


def make_api(stack: HardenedStack, key: MultiRegionKey, id_: str = "api", **arguments: Any) -> RestApi:
    return RestApi(stack, id_, region=key.region, key=key, **{"custom_domain": True, **arguments})


def make(stack: HardenedStack, **arguments: Any) -> CustomDomain:
    region = stack.region("eu-west-1")
    if "api" not in arguments:
        arguments["api"] = make_api(stack, MultiRegionKey(stack, "key", region=region))
    return CustomDomain(stack, "domain", region=region, **{"domain": "api.example.com", "zone": ZONE, **arguments})


def build(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
    api, admin, function = make_api(stack, key), make_api(stack, key, "admin"), make_function(stack, key)
    for one in (api, admin):
        one.add_method("GET", "/", function, shorter_timeout=SAFE)
    make(stack, api=api).add_api(admin, base_path="admin")


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_domain_name_is_regional_and_requires_tls_1_2(synthesized: SynthesizedStack) -> None:
    domain = synthesized.resource("aws_api_gateway_domain_name")
    domain.assert_config(
        {
            "domain_name": "api.example.com",
            "endpoint_configuration": {"ip_address_type": "dualstack", "types": ["REGIONAL"]},
            "regional_certificate_arn": (
                "${aws_acm_certificate_validation.domain_certificate_validation_eu_west_1.certificate_arn}"
            ),
            "security_policy": "TLS_1_2",
        }
    )
    assert domain["tags"] == {"Name": "shop-dev-domain-eu-west-1"}


def test_the_created_certificate_is_for_the_domain_name_only(synthesized: SynthesizedStack) -> None:
    certificate = synthesized.resource("aws_acm_certificate")
    assert certificate["domain_name"] == "api.example.com"
    assert "subject_alternative_names" not in certificate


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_alias_records_point_to_the_domain_name(synthesized: SynthesizedStack, kind: str) -> None:
    synthesized.resource("aws_route53_record", f"*/records/{kind.lower()}").assert_config(
        {
            "alias": {
                "evaluate_target_health": False,
                "name": DOMAIN % "regional_domain_name",
                "zone_id": DOMAIN % "regional_zone_id",
            },
            "name": "api.example.com",
            "type": kind,
            "zone_id": "Z0123456789ABCDEFGHIJ",
        }
    )


def test_each_base_path_is_mapped_to_the_stage_of_its_api(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_base_path_mapping", "*/mapping").assert_config(
        {
            "api_id": "${aws_api_gateway_rest_api.api_eu_west_1.id}",
            "domain_name": DOMAIN % "domain_name",
            "stage_name": "${aws_api_gateway_stage.api_stage_eu_west_1.stage_name}",
        }
    )
    synthesized.resource("aws_api_gateway_base_path_mapping", "*/mapping-admin").assert_config(
        {
            "api_id": "${aws_api_gateway_rest_api.admin_eu_west_1.id}",
            "base_path": "admin",
            "domain_name": DOMAIN % "domain_name",
            "stage_name": "${aws_api_gateway_stage.admin_stage_eu_west_1.stage_name}",
        }
    )


def test_the_output_is_the_url(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["domain_url_eu_west_1"] == "https://api.example.com"


def test_the_execute_api_endpoints_are_disabled(synthesized: SynthesizedStack) -> None:
    closed = {api["disable_execute_api_endpoint"] for api in synthesized.resources("aws_api_gateway_rest_api")}
    assert closed == {True}


def test_an_api_alone_has_no_domain_name(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
        make_api(stack, key).add_method("GET", "/", make_function(stack, key), shorter_timeout=SAFE)

    stack = synth_stack(fill)
    kinds = ("aws_acm_certificate", "aws_route53_record", "aws_api_gateway_domain_name")
    assert [stack.find(kind) for kind in kinds] == [[], [], []]


def test_a_base_path_is_part_of_the_url(stack: HardenedStack) -> None:
    domain = make(stack, base_path="v1")
    assert domain.url == "https://api.example.com/v1"
    assert "mapping-v1" in domain.resources


def test_a_certificate_can_be_passed(stack: HardenedStack) -> None:
    certificate = Certificate(
        stack,
        "web",
        region=stack.region("eu-west-1"),
        domain="example.com",
        zone=ZONE,
        alternative_names=["*.example.com"],
    )
    assert make(stack, certificate=certificate).certificate is certificate


def test_the_created_certificate_has_the_key_algorithm(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
        api = make_api(stack, key)
        api.add_method("GET", "/", make_function(stack, key), shorter_timeout=SAFE)
        make(stack, api=api, key_algorithm="EC_secp384r1")

    assert synth_stack(fill).resource("aws_acm_certificate")["key_algorithm"] == "EC_secp384r1"


def refused(make_it: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_it()
    return str(error.value)


PATH = "must be one path part: 1 to 300 letters, digits and $_.+!*'()-"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"domain": "api.example.org"}, "domain='api.example.org': is not in the hosted zone example.com"),
        (
            {"domain": "*.example.com"},
            (
                "domain='*.example.com': must be two or more labels of lower-case letters, digits and hyphens, separated "
                "by dots; up to 253 characters, without a trailing dot"
            ),
        ),
        ({"zone": "example.com"}, "zone='example.com': must be a HostedZone"),
        ({"certificate": "arn"}, "certificate='arn': must be a Certificate"),
        ({"base_path": "a/b"}, f"base_path='a/b': {PATH}"),
        ({"base_path": ""}, f"base_path='': {PATH}"),
        ({"base_path": "x" * 301}, f"base_path={'x' * 301!r}: {PATH}"),
    ],
    ids=str,
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], problem: str) -> None:
    assert refused(lambda: make(stack, **arguments)) == f"shop/domain: {problem}"


def test_an_api_with_an_execute_api_endpoint_is_refused(stack: HardenedStack) -> None:
    api = make_api(stack, MultiRegionKey(stack, "key", region=stack.region("eu-west-1")), custom_domain=False)
    assert refused(lambda: make(stack, api=api)) == (
        "shop/domain: api='shop/api': has an execute-api endpoint with another TLS policy; create the API with "
        "custom_domain=True"
    )


def test_an_api_in_another_region_is_refused(stack: HardenedStack) -> None:
    api = make_api(stack, MultiRegionKey(stack, "key", region=stack.region("us-east-1")))
    assert refused(lambda: make(stack, api=api)) == (
        "shop/domain: api='shop/api': is in us-east-1; expected an API in eu-west-1"
    )


def test_a_certificate_for_other_names_and_in_another_region_is_refused(stack: HardenedStack) -> None:
    certificate = Certificate(stack, "web", region=stack.region("us-east-1"), domain="example.com", zone=ZONE)
    assert refused(lambda: make(stack, certificate=certificate)) == (
        "shop/domain: certificate='shop/web': is not valid for api.example.com; its names are example.com\n"
        "shop/domain: certificate='shop/web': is in us-east-1; expected a certificate in eu-west-1"
    )


def test_a_base_path_is_mapped_to_one_api(stack: HardenedStack) -> None:
    domain = make(stack)
    key = MultiRegionKey(stack, "second-key", region=stack.region("eu-west-1"))
    admin = make_api(stack, key, "admin")
    domain.add_api(admin, base_path="v1")
    assert refused(lambda: domain.add_api(admin, base_path="v1")) == (
        "shop/domain: base_path='v1': is already mapped to shop/admin"
    )
    assert refused(lambda: domain.add_api(admin, base_path=None)) == (  # type: ignore[arg-type]
        "shop/domain: base_path=None: is already mapped to shop/api"
    )


@pytest.mark.parametrize(("ipv6", "types"), [(False, ["A"]), (True, ["A", "AAAA"])])
def test_alias_records_can_evaluate_the_health_of_a_load_balancer(
    synth_stack: Callable[..., SynthesizedStack], *, ipv6: bool, types: list[str]
) -> None:
    def fill(stack: HardenedStack) -> None:
        AliasRecords(
            stack,
            "www",
            region=stack.region("eu-west-1"),
            zone=ZONE,
            domain="www.example.com",
            target="${aws_lb.web.dns_name}",
            target_zone="${aws_lb.web.zone_id}",
            evaluate_health=True,
            ipv6=ipv6,
        )

    records = synth_stack(fill).resources("aws_route53_record")
    assert [record["type"] for record in records] == types
    alias = {"evaluate_target_health": True, "name": "${aws_lb.web.dns_name}", "zone_id": "${aws_lb.web.zone_id}"}
    assert [record["alias"] for record in records] == [alias] * len(types)


def test_an_alias_outside_of_the_zone_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    problem = refused(
        lambda: AliasRecords(stack, "www", region=region, zone=ZONE, domain="a.org", target="t", target_zone="z")
    )
    assert problem == "shop/www: domain='a.org': is not in the hosted zone example.com"


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("zone", "Z0123456789ABCDEFGHIJ", "zone='Z0123456789ABCDEFGHIJ': must be a HostedZone"),
        ("target", None, "target=None: must be a reference or a string"),
        ("target_zone", "", "target_zone='': must be a reference or a string"),
    ],
)
def test_an_alias_without_a_zone_or_a_target_is_refused(
    stack: HardenedStack, argument: str, value: Any, message: str
) -> None:
    given = {"zone": ZONE, "target": "web.example.net", "target_zone": "Z1", argument: value}
    with pytest.raises(ConfigurationError) as error:
        AliasRecords(stack, "www", region=stack.region("eu-west-1"), domain="www.example.com", **given)
    assert str(error.value) == f"shop/www: {message}"
