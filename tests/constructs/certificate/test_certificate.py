from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Certificate, ConfigurationError, HardenedStack, HostedZone
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

ZONE = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
ADDRESS = "aws_acm_certificate.web_eu_west_1"
ISSUED = "${aws_acm_certificate_validation.web_validation_eu_west_1.certificate_arn}"


def make(stack: HardenedStack, id_: str = "web", region: str = "eu-west-1", **arguments: Any) -> Certificate:
    given = {"domain": "example.com", "zone": ZONE, **arguments}
    return Certificate(stack, id_, region=stack.region(region), **given)


def build(stack: HardenedStack) -> None:
    make(stack, alternative_names=["*.example.com", "api.shop.example.com", "*.eu.example.com"])
    make(stack, "edge", region="us-east-1", domain="*.example.com", key_algorithm="EC_prime256v1", validation_minutes=5)


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def option(attribute: str, name: str) -> str:
    return f'${{one([for o in {ADDRESS}.domain_validation_options : o.{attribute} if o.domain_name == "{name}"])}}'


def test_the_certificate_has_dns_validation_and_create_before_destroy(synthesized: SynthesizedStack) -> None:
    certificate = synthesized.resource("aws_acm_certificate", "*/web/*")
    certificate.assert_config(
        {
            "domain_name": "example.com",
            "key_algorithm": "RSA_2048",
            "lifecycle": {"create_before_destroy": True},
            "options": {"certificate_transparency_logging_preference": "ENABLED"},
            "subject_alternative_names": ["*.eu.example.com", "*.example.com", "api.shop.example.com"],
            "validation_method": "DNS",
        }
    )
    assert certificate["tags"] == {"Name": "shop-dev-web-eu-west-1"}


def test_the_key_algorithm_is_an_argument(synthesized: SynthesizedStack) -> None:
    edge = synthesized.resource("aws_acm_certificate", "*/edge/*")
    edge.assert_config(
        {
            "domain_name": "*.example.com",
            "key_algorithm": "EC_prime256v1",
            "lifecycle": {"create_before_destroy": True},
            "options": {"certificate_transparency_logging_preference": "ENABLED"},
            "validation_method": "DNS",
        }
    )
    assert edge["provider"] == "aws.us_east_1"


def test_a_name_its_wildcard_and_other_certificates_share_one_record(synthesized: SynthesizedStack) -> None:
    records = {record.address: record for record in synthesized.resources("aws_route53_record")}
    assert set(records) == {
        "aws_route53_record.validation_api_shop_example_com_eu_west_1",
        "aws_route53_record.validation_eu_example_com_eu_west_1",
        "aws_route53_record.validation_example_com_eu_west_1",
    }
    records["aws_route53_record.validation_example_com_eu_west_1"].assert_config(
        {
            "allow_overwrite": True,
            "name": option("resource_record_name", "example.com"),
            "records": [option("resource_record_value", "example.com")],
            "ttl": 300,
            "type": option("resource_record_type", "example.com"),
            "zone_id": "Z0123456789ABCDEFGHIJ",
        }
    )
    wildcard = records["aws_route53_record.validation_eu_example_com_eu_west_1"]
    assert wildcard["name"] == option("resource_record_name", "*.eu.example.com")


def test_the_address_of_a_record_does_not_contain_a_certificate(synthesized: SynthesizedStack) -> None:
    paths = {record.path for record in synthesized.resources("aws_route53_record")}
    assert "shop/validation-example-com" in paths


def test_the_validation_depends_on_the_records(synthesized: SynthesizedStack) -> None:
    record = "${aws_route53_record.validation_%s_eu_west_1.fqdn}"
    synthesized.resource("aws_acm_certificate_validation", "*/web/*").assert_config(
        {
            "certificate_arn": f"${{{ADDRESS}.arn}}",
            "timeouts": {"create": "45m"},
            "validation_record_fqdns": [
                record % "api_shop_example_com",
                record % "eu_example_com",
                record % "example_com",
            ],
        }
    )
    edge = synthesized.resource("aws_acm_certificate_validation", "*/edge/*")
    assert edge["timeouts"] == {"create": "5m"}
    assert edge["validation_record_fqdns"] == [record % "example_com"]


def test_the_output_is_the_arn_of_the_validation(synthesized: SynthesizedStack) -> None:
    output = "${aws_acm_certificate_validation.web_validation_eu_west_1.certificate_arn}"
    assert synthesized.outputs["web_certificate_arn_eu_west_1"] == output


def test_a_construct_in_the_region_uses_the_arn_of_the_validation(stack: HardenedStack) -> None:
    certificate = make(stack)
    assert certificate.arn_for(certificate) == ISSUED


def test_the_arn_works_in_another_stack(synthesize: Synthesize) -> None:
    assert read_from_another_stack(synthesize, lambda stack: {"arn": make(stack).arn}) == {"arn": ISSUED}


def test_a_construct_in_another_region_is_refused(stack: HardenedStack) -> None:
    certificate, other = make(stack), make(stack, "edge", region="us-east-1")
    with pytest.raises(ConfigurationError) as error:
        certificate.arn_for(other)
    assert str(error.value) == (
        "shop/edge: certificate='shop/web': is in eu-west-1; expected a certificate in us-east-1"
    )


@pytest.mark.parametrize(
    ("name", "covered"),
    [("example.com", True), ("a.example.com", True), ("b.a.example.com", False), ("api.eu.example.com", False)],
)
def test_a_wildcard_covers_one_label(stack: HardenedStack, name: str, *, covered: bool) -> None:
    assert make(stack, alternative_names=["*.example.com"]).covers(name) is covered


PLAIN = "must be a domain name without references"
LEGAL = (
    "must be two or more labels of lower-case letters, digits and hyphens, separated by dots, the first one may be '*'; "
    "up to 253 characters, without a trailing dot"
)
LONG = "a" * 53 + ".example.com"
WIDE = f"{'b' * 60}.{'b' * 60}.{'b' * 60}.{'b' * 58}.example.com"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"domain": "${var.domain}"}, f"domain='${{var.domain}}': {PLAIN}"),
        ({"domain": None}, f"domain=None: {PLAIN}"),
        ({"domain": "Example.com"}, f"domain='Example.com': {LEGAL}"),
        ({"domain": "example.com."}, f"domain='example.com.': {LEGAL}"),
        ({"domain": "com"}, f"domain='com': {LEGAL}"),
        ({"domain": "-a.example.com"}, f"domain='-a.example.com': {LEGAL}"),
        ({"domain": "a-.example.com"}, f"domain='a-.example.com': {LEGAL}"),
        ({"domain": "a..example.com"}, f"domain='a..example.com': {LEGAL}"),
        ({"domain": "a.*.example.com"}, f"domain='a.*.example.com': {LEGAL}"),
        ({"domain": "a_b.example.com"}, f"domain='a_b.example.com': {LEGAL}"),
        ({"domain": "10.0.0.1"}, f"domain='10.0.0.1': {LEGAL}"),
        ({"alternative_names": ["b" + WIDE]}, f"alternative_names={'b' + WIDE!r}: {LEGAL}"),
        ({"domain": "a" * 64 + ".example.com"}, f"domain={'a' * 64 + '.example.com'!r}: {LEGAL}"),
        (
            {"domain": "shop.local"},
            "domain='shop.local': ends with .local, for which no public certificates are issued; use a domain that you own",
        ),
        ({"domain": "api.example.org"}, "domain='api.example.org': is not in the hosted zone example.com"),
        ({"domain": "badexample.com"}, "domain='badexample.com': is not in the hosted zone example.com"),
        (
            {"domain": LONG},
            f"domain={LONG!r}: must have at most 64 characters; longer names are allowed in alternative_names",
        ),
        ({"zone": "example.com"}, "zone='example.com': must be a HostedZone"),
        ({"alternative_names": "a.example.com"}, "alternative_names='a.example.com': must be a list of domain names"),
        ({"alternative_names": None}, "alternative_names=None: must be a list of domain names"),
        (
            {"domain": "bücher.example.com"},
            "domain='bücher.example.com': must be ASCII: encode it as Punycode, such as 'xn--bcher-kva.example.com'",
        ),
        (
            {"alternative_names": ["a.example.org"]},
            "alternative_names='a.example.org': is not in the hosted zone example.com",
        ),
        (
            {"alternative_names": ["example.com"]},
            "alternative_names=['example.com']: has duplicate names",
        ),
        (
            {"alternative_names": [f"a{n}.example.com" for n in range(10)]},
            "alternative_names='11 names': ACM allows 10 names with the domain name",
        ),
        (
            {"key_algorithm": "RSA_1024"},
            "key_algorithm='RSA_1024': must be one of RSA_2048, EC_prime256v1, EC_secp384r1",
        ),
        ({"validation_minutes": 4}, "validation_minutes=4: must be a whole number from 5 to 75"),
        ({"validation_minutes": 76}, "validation_minutes=76: must be a whole number from 5 to 75"),
        ({"validation_minutes": 10.0}, "validation_minutes=10.0: must be a whole number from 5 to 75"),
    ],
    ids=str,
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(stack, **arguments)
    assert str(error.value) == f"shop/web: {problem}"


@pytest.mark.parametrize(
    "arguments",
    [
        {"domain": "a" * 52 + ".example.com"},
        {"alternative_names": [WIDE]},
        {"alternative_names": [LONG, *(f"a{n}.example.com" for n in range(8))]},
        {"domain": "xn--mnchen-3ya.example.com"},
        {"zone": HostedZone("Z1", "xn--mnchen-3ya.xn--p1ai"), "domain": "a.xn--mnchen-3ya.xn--p1ai"},
    ],
    ids=str,
)
def test_an_argument_at_its_limit_is_allowed(stack: HardenedStack, arguments: dict[str, Any]) -> None:
    assert make(stack, **arguments)


def test_an_iterator_of_names_is_refused(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError, match=r"alternative_names=.*: must be a list of domain names"):
        make(stack, alternative_names=iter(["api.example.com"]))


@pytest.mark.parametrize(
    "top", ["corp", "example", "home", "internal", "invalid", "lan", "local", "localhost", "onion", "test"]
)
def test_a_zone_without_public_dns_is_refused(top: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        HostedZone("Z1", f"shop.{top}")
    assert str(error.value) == (
        f"HostedZone: name='shop.{top}': ends with .{top}, for which no public certificates are issued; use a domain "
        "that you own"
    )


@pytest.mark.parametrize("id_", ["/hostedzone/Z1", "${aws_route53_zone.z.id}", "", "z1", "Z" * 33, None])
def test_an_invalid_zone_id_is_refused(id_: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        HostedZone(id_, "example.com")
    assert str(error.value) == f"HostedZone: id={id_!r}: must be an id such as 'Z0123456789ABCDEFGHIJ'"


def test_a_wildcard_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"name='\*\.example\.com': must be two or more labels"):
        HostedZone("Z1", "*.example.com")
