"""Fixes for deployments of API Gateway: a stage has the API as it was when its deployment was created.

See: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from moto.apigateway.exceptions import BadRequestException, StageNotFoundException, StageStillActive
from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.apigateway.responses import APIGatewayResponse

from constructs_lib.testing.local_aws.fixes.patching import around, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.apigateway.models import Deployment

ANY: Final = "x-amazon-apigateway-any-method"
INTEGRATION: Final = "x-amazon-apigateway-integration"

Snapshot = dict[str, dict[str, dict[str, Any]]]
"""The methods of an API, by path and HTTP method."""


def deployments_keep_a_snapshot() -> None:
    """Stages export the API as it is, not as it was deployed; the methods of a deployment cannot be read."""

    @around(RestAPI, "create_deployment")
    def create_deployment(original: Callable[..., Deployment], self: RestAPI, *given: Any, **named: Any) -> Deployment:  # noqa: ANN401
        deployment = original(self, *given, **named)
        keep(deployment, "snapshot", snapshot_of(self))
        return deployment

    @around(APIGatewayResponse, "get_export")
    def get_export(_original: Callable[..., Any], self: APIGatewayResponse) -> tuple[int, dict[str, str], bytes]:
        _, _, api_id, _, stage_name, _, type_ = self.path.split("/")[:7]
        api = self.backend.get_rest_api(api_id)
        if stage_name not in api.stages:
            raise StageNotFoundException
        if type_ not in ("oas30", "swagger"):
            raise BadRequestException(f"No API exporter for type '{type_}'")
        deployment = api.deployments[api.stages[stage_name].deployment_id or ""]
        document = {
            **({"openapi": "3.0.1"} if type_ == "oas30" else {"swagger": "2.0"}),
            "info": {"title": api.name, "version": str(deployment.created_date)},
            "paths": exported(kept(deployment, "snapshot", dict), self.querystring.get("extensions") or []),
        }
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{type_}_{deployment.created_date}.json"',
        }
        return 200, headers, json.dumps(document).encode()

    @around(APIGatewayResponse, "get_deployment")
    def get_deployment(original: Callable[..., str], self: APIGatewayResponse) -> str:
        answer: dict[str, Any] = json.loads(original(self))
        if "apisummary" in ",".join(self.querystring.get("embed") or []):
            api = self.backend.get_rest_api(self.path.split("/")[2])
            answer["apiSummary"] = summary_of(kept(api.deployments[answer["id"]], "snapshot", dict))
        return json.dumps(answer)


def deployments_of_stages_cannot_be_deleted() -> None:
    """A deployment can be deleted although a stage points to it, if it was created without the stage's name."""

    @around(APIGatewayBackend, "delete_deployment")
    def delete_deployment(
        original: Callable[..., Deployment], self: APIGatewayBackend, function_id: str, deployment_id: str
    ) -> Deployment:
        if any(stage.deployment_id == deployment_id for stage in self.get_stages(function_id)):
            raise StageStillActive
        return original(self, function_id, deployment_id)


def snapshot_of(api: RestAPI) -> Snapshot:
    """Return a copy of the API's methods."""
    return {
        resource.get_path(): {name: deepcopy(method.to_json()) for name, method in resource.resource_methods.items()}
        for resource in api.resources.values()
        if resource.resource_methods
    }


def exported(snapshot: Snapshot, extensions: list[str]) -> dict[str, Any]:
    """Return the paths of an OpenAPI document, with integrations if these or all extensions are requested."""
    with_integrations = bool({"integrations", "apigateway"} & set(",".join(extensions).split(",")))

    def operation(method: dict[str, Any]) -> dict[str, Any]:
        integration = {
            name: value for name, value in (method["methodIntegration"] or {}).items() if value not in (None, {}, [])
        }
        return {
            "responses": {code: {"description": f"{code} response"} for code in method["methodResponses"]},
            **({INTEGRATION: integration} if with_integrations and integration else {}),
        }

    return {
        path: {ANY if name == "ANY" else name.lower(): operation(method) for name, method in methods.items()}
        for path, methods in snapshot.items()
    }


def summary_of(snapshot: Snapshot) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what GetDeployment embeds: authorization and API key requirement of each method."""
    return {
        path: {
            name: {"authorizationType": method["authorizationType"], "apiKeyRequired": method["apiKeyRequired"]}
            for name, method in methods.items()
        }
        for path, methods in snapshot.items()
    }


FIXES = (deployments_keep_a_snapshot, deployments_of_stages_cannot_be_deleted)
