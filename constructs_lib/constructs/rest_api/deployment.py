"""The check that a stage has no methods that its API no longer declares."""

from __future__ import annotations

import json
from typing import Any, Final

_METHOD: Final = "^(delete|get|head|options|patch|post|put|x-amazon-apigateway-any-method)$"


def check_of_deployed_methods(
    name: str, *, provider: str, api_id: str, stage: str, stage_name: str, deployment: str, declared: list[str]
) -> dict[str, Any]:
    """Return the body of a `check` block: it warns of methods that are deployed and not declared.

    Terraform creates the new deployment, a snapshot of the API, before it destroys what the code no longer has: what a
    create_before_destroy resource depends on is replaced in the same order. A removed method therefore stays in the
    stage until the next deployment.

    Args:
        name: The name of the data source in the block.
        provider: The provider, such as `aws.eu_west_1`.
        api_id: A reference to the API's id.
        stage: The address of the stage.
        stage_name: The stage's name.
        deployment: The address of the deployment.
        declared: The methods and paths, such as `GET /payments/{id}`.

    See https://developer.hashicorp.com/terraform/language/checks.
    """
    exported = f"jsondecode(data.aws_api_gateway_export.{name}.body).paths"
    method = 'upper(replace(method, "x-amazon-apigateway-any-method", "any"))'
    deployed = (
        f"flatten([for path, methods in {exported} : [for method in keys(methods) : "
        f'format("%s %s", {method}, path) if can(regex("{_METHOD}", method))]])'
    )
    stale = f"setsubtract({deployed}, {json.dumps(sorted(declared))})"
    return {
        "data": {
            "aws_api_gateway_export": {
                name: {
                    "provider": provider,
                    "rest_api_id": api_id,
                    "stage_name": stage_name,
                    "export_type": "oas30",
                    "depends_on": [stage],
                }
            }
        },
        "assert": [
            {
                "condition": f"${{length({stale}) == 0}}",
                "error_message": f"The stage {stage_name} still has methods that were removed: "
                f'${{join(", ", {stale})}}. '
                f"Deploy the API again: terraform apply -replace={deployment}",
            }
        ],
    }
