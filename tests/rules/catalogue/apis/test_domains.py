"""Rules of apis/domains: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good


def record(**body: object) -> dict[str, Any]:
    document = good("API-041", {})
    document["resource"]["aws_route53_record"] = {"it": {"zone_id": "${aws_route53_zone.main.zone_id}"} | body}
    return document


def test_an_alias_of_another_record_is_in_the_same_zone() -> None:
    document = record(
        name="www",
        type="A",
        alias={"name": "${aws_route53_record.it.name}", "zone_id": "${aws_route53_zone.main.zone_id}"},
    )
    assert found("API-041", document) == []


def test_the_zone_id_of_a_target_may_be_a_literal() -> None:
    alias = {"name": "${aws_lb.web.dns_name}", "zone_id": "Z32O12XQLNTSW2"}
    assert found("API-041", record(type="A", alias=alias)) == []


@pytest.mark.parametrize(
    "name", ["s3-website-eu-west-1.amazonaws.com", "shop.example.com", "mail.amazonaws.com", "amazonses.com"]
)
def test_names_outside_of_aws_endpoints_are_accepted(name: str) -> None:
    assert found("API-042", record(type="CNAME", records=[name])) == []


def test_records_are_compared_with_the_apex_of_their_own_zone() -> None:
    assert found("API-043", record(type="CNAME", name="www.example.com")) == []
    assert found("API-043", record(type="A", name="example.com")) == []
    assert len(found("API-043", record(type="CNAME", name="Example.com."))) == 1
    document = record(type="CNAME", name="example.com") | {"data": {"aws_route53_zone": {"main": {"name": "com"}}}}
    document["resource"]["aws_route53_record"]["it"]["zone_id"] = "${data.aws_route53_zone.main.zone_id}"
    assert found("API-043", document) == []


def test_a_reference_to_the_zone_name_is_the_apex_even_if_the_name_is_unknown() -> None:
    document = record(
        type="CNAME", name="${data.aws_route53_zone.main.name}", zone_id="${data.aws_route53_zone.main.id}"
    )
    document["data"] = {"aws_route53_zone": {"main": {"zone_id": "Z0123456789"}}}
    assert len(found("API-043", document)) == 1
    document["resource"]["aws_route53_record"]["it"]["name"] = "www.${data.aws_route53_zone.main.name}"
    assert found("API-043", document) == []


def test_a_domain_name_whose_target_is_an_output_needs_no_record() -> None:
    document = good("API-044", {"resource.aws_route53_record.api": REMOVED})
    document["output"] = {"target": {"value": {"name": "${aws_api_gateway_domain_name.api.regional_domain_name}"}}}
    assert found("API-044", document) == []
    document["output"] = {"url": {"value": "https://${aws_api_gateway_domain_name.api.domain_name}"}}
    assert len(found("API-044", document)) == 1


def test_a_record_of_another_provider_counts() -> None:
    document = good("API-044", {"resource.aws_route53_record.api": REMOVED})
    value = "${aws_api_gateway_domain_name.api.regional_domain_name}"
    document["resource"]["cloudflare_record"] = {"api": {"value": value}}
    assert found("API-044", document) == []


def test_a_mapping_of_an_unknown_domain_may_be_for_this_one() -> None:
    at = "resource.aws_api_gateway_base_path_mapping.api.domain_name"
    document = good("API-044", {at: "${var.domain}", "variable": {"domain": {}}})
    assert doubted("API-044", document) == ["var.domain has no default"]
