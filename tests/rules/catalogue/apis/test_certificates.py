"""Rules of apis/certificates: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, good, resources


def test_a_private_ca_may_issue_any_name() -> None:
    certificate = {
        "domain_name": "shop.local",
        "certificate_authority_arn": "${aws_acmpca_certificate_authority.own.arn}",
    }
    document = resources(
        aws_acm_certificate={"web": certificate},
        aws_acmpca_certificate_authority={"own": {}},
        aws_lb_listener={"https": {"certificate_arn": "${aws_acm_certificate.web.arn}"}},
    )
    for id_ in ("API-029", "API-038", "API-039"):
        assert found(id_, document) == []


@pytest.mark.parametrize(("name", "fine"), [("local.example.org", True), ("${terraform.workspace}.shop.local", False)])
def test_names_are_judged_by_their_top_level_domain(name: str, *, fine: bool) -> None:
    document = resources(aws_acm_certificate={"web": {"domain_name": name, "validation_method": "DNS"}})
    assert (found("API-029", document) == []) is fine


def test_a_listener_may_depend_on_the_validation() -> None:
    used = {"resource.aws_lb_listener.https.certificate_arn": "${aws_acm_certificate.web.arn}"}
    waits = used | {"resource.aws_lb_listener.https.depends_on": ["aws_acm_certificate_validation.web"]}
    assert found("API-039", good("API-039", waits)) == []
    assert len(found("API-039", good("API-039", used))) == 1
