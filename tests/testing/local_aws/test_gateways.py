"""API Gateway and its certificates in the local AWS, as the AWS provider meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

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


def api_with_methods(apis: Any, *methods: str) -> tuple[str, str]:
    api: str = apis.create_rest_api(name="shop")["id"]
    (root,) = apis.get_resources(restApiId=api)["items"]
    for method in methods:
        apis.put_method(restApiId=api, resourceId=root["id"], httpMethod=method, authorizationType="AWS_IAM")
        apis.put_integration(restApiId=api, resourceId=root["id"], httpMethod=method, type="MOCK")
    return api, root["id"]


def paths_of(apis: Any, api: str, **parameters: str) -> dict[str, Any]:
    document = apis.get_export(restApiId=api, stageName="live", exportType="oas30", parameters=parameters)
    paths: dict[str, Any] = json.loads(document["body"].read())["paths"]
    return paths


def test_a_stage_has_the_methods_of_its_deployment_until_it_points_to_another(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    api, root = api_with_methods(apis, "GET", "POST")
    first = apis.create_deployment(restApiId=api)["id"]
    apis.create_stage(restApiId=api, stageName="live", deploymentId=first)
    second_too_early = apis.create_deployment(restApiId=api)["id"]
    apis.delete_method(restApiId=api, resourceId=root, httpMethod="POST")
    assert set(paths_of(apis, api)["/"]) == {"get", "post"}
    change = {"op": "replace", "path": "/deploymentId", "value": second_too_early}
    apis.update_stage(restApiId=api, stageName="live", patchOperations=[change])
    assert set(paths_of(apis, api)["/"]) == {"get", "post"}
    third = apis.create_deployment(restApiId=api)["id"]
    apis.update_stage(restApiId=api, stageName="live", patchOperations=[{**change, "value": third}])
    assert set(paths_of(apis, api)["/"]) == {"get"}
    summary = apis.get_deployment(restApiId=api, deploymentId=first, embed=["apisummary"])["apiSummary"]
    method = {"authorizationType": "AWS_IAM", "apiKeyRequired": False}
    assert summary == {"/": {"GET": method, "POST": method}}


def test_an_export_has_integrations_on_request(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    api, _ = api_with_methods(apis, "ANY")
    apis.create_deployment(restApiId=api, stageName="live")
    (any_,) = paths_of(apis, api, extensions="integrations")["/"].items()
    assert any_[0] == "x-amazon-apigateway-any-method"
    assert any_[1]["x-amazon-apigateway-integration"]["type"] == "MOCK"
    assert paths_of(apis, api) == {"/": {"x-amazon-apigateway-any-method": {"responses": {}}}}


def test_the_deployment_of_a_stage_cannot_be_deleted(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    api, _ = api_with_methods(apis, "GET")
    used = apis.create_deployment(restApiId=api)["id"]
    apis.create_stage(restApiId=api, stageName="live", deploymentId=used)
    with pytest.raises(ClientError, match="Active stages pointing to this deployment must be moved or deleted"):
        apis.delete_deployment(restApiId=api, deploymentId=used)
    unused = apis.create_deployment(restApiId=api)["id"]
    apis.delete_deployment(restApiId=api, deploymentId=unused)
