"""Resources for CloudFront: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import found
from tests.rules.catalogue.regions.documents import eu, two_regions, us


def test_a_lambda_edge_function_outside_us_east_1_is_found() -> None:
    edge = {"lambda_function_association": {"lambda_arn": "${aws_lambda_function.edge.qualified_arn}"}}
    document = two_regions(
        aws_lambda_function={"edge": eu()}, aws_cloudfront_distribution={"cdn": us(default_cache_behavior=edge)}
    )
    assert len(found("REG-009", document)) == 1


def test_a_certificate_of_a_validation_is_checked() -> None:
    document = two_regions(
        aws_acm_certificate_validation={"cdn": us()},
        aws_cloudfront_distribution={
            "cdn": eu(
                viewer_certificate={"acm_certificate_arn": "${aws_acm_certificate_validation.cdn.certificate_arn}"}
            )
        },
    )
    assert found("REG-009", document) == []


def test_a_regional_domain_name_has_its_certificate_in_its_own_region() -> None:
    document = two_regions(
        aws_acm_certificate={"api": eu()},
        aws_api_gateway_domain_name={"api": eu(regional_certificate_arn="${aws_acm_certificate.api.arn}")},
    )
    assert found("REG-009", document) == []
    assert found("REG-002", document) == []
