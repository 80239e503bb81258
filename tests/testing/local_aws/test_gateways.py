"""API Gateway and its certificates in the local AWS, as the AWS provider meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow

EU = "eu-west-1"


def test_an_authorizer_keeps_the_expression_that_tokens_match(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    api = apis.create_rest_api(name="a")["id"]
    given = {"restApiId": api, "name": "n", "type": "TOKEN", "authorizerUri": "arn"}
    authorizer = apis.create_authorizer(**given, identityValidationExpression="^Bearer .+$")["id"]
    assert apis.get_authorizer(restApiId=api, authorizerId=authorizer)["identityValidationExpression"] == "^Bearer .+$"
    plain = apis.create_authorizer(**{**given, "name": "m"})["id"]
    assert "identityValidationExpression" not in apis.get_authorizer(restApiId=api, authorizerId=plain)


def test_a_certificate_says_the_key_that_was_asked_for(local_aws: LocalAws) -> None:
    certificates = local_aws.client("acm", EU)

    def algorithm(**given: str) -> str:
        asked = certificates.request_certificate(DomainName="example.com", ValidationMethod="DNS", **given)
        answer = certificates.describe_certificate(CertificateArn=asked["CertificateArn"])
        found: str = answer["Certificate"]["KeyAlgorithm"]
        return found.replace("-", "_")

    assert algorithm(KeyAlgorithm="EC_prime256v1") == "EC_prime256v1"
    assert algorithm() == "RSA_2048"
