"""Deployments of REST APIs: triggers, dependencies and replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.apis import (
    API,
    DEPLOYMENT,
    GATEWAY,
    INTEGRATION,
    METHOD,
    api_of,
    listed,
    parts_of,
)
from constructs_lib.rules.queries.common import PROVIDER, TERRAFORM, expect_flag
from constructs_lib.rules.queries.links import has_module, predecessors, sources
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_AT: Final = "resource.aws_api_gateway_deployment.this"
_OF_METHOD: Final = {
    "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
    "resource_id": "${aws_api_gateway_rest_api.shop.root_resource_id}",
    "http_method": "GET",
}

_GOOD: Final[dict[str, Any]] = {
    "locals": {"api": ["${aws_api_gateway_method.get}", "${aws_api_gateway_integration.get}"]},
    "resource": {
        "aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api", "lifecycle": {"create_before_destroy": True}}},
        "aws_api_gateway_method": {"get": _OF_METHOD | {"authorization": "AWS_IAM"}},
        "aws_api_gateway_integration": {"get": _OF_METHOD | {"type": "AWS_PROXY"}},
        "aws_api_gateway_deployment": {
            "this": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "triggers": {"redeployment": "${sha1(jsonencode(local.api))}"},
                "lifecycle": {"create_before_destroy": True},
            }
        },
    },
}


@rule(
    "API-010",
    "API Gateway deployment has triggers for methods and integrations",
    why="A deployment is a snapshot of the API. Without a trigger, later changes are applied but never served.",
    fix="Set triggers.redeployment to a hash of every method and integration, such as sha1(jsonencode([...])).",
    page=f"{PROVIDER}/resources/api_gateway_deployment",
    types=[DEPLOYMENT],
    lessons=["EVT-8"],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {f"{_AT}.triggers": REMOVED, f"{_AT}.depends_on": ["aws_api_gateway_integration.get"]},
        {"locals.api": ["${aws_api_gateway_method.get.id}"]},
        {f"{_AT}.triggers.redeployment": "${sha1(jsonencode(aws_api_gateway_integration.get))}"},
        {f"{_AT}.triggers": {}},
    ],
    unknown_passes="a variable as trigger is a deliberate choice of when to deploy",
)
def deployment_has_triggers(deployment: Block) -> Iterator[Outcome]:
    """Hashes of files and precomputed values are accepted as they are."""
    if deployment.raw("triggers") in (None, {}):
        older = str(deployment.raw("stage_description")) + str(deployment.raw("variables"))
        if "${" not in older:
            yield deployment.fail(
                "must contain a hash of every method and integration of the API, such as sha1(jsonencode([...]))",
                "triggers",
            )
        return
    named = sources(deployment, "triggers")
    bases = {block.base for block in named}
    api = api_of(deployment)
    if api is None or not named or any(block.type == "module" for block in named):
        return
    if api.base in bases and api.raw("body") is not None:
        return
    parts = parts_of(deployment.estate, METHOD, INTEGRATION).get(api, [])
    missing = [part for part in parts if part.stack is deployment.stack and part.base not in bases]
    if missing:
        yield deployment.fail(f"must also reference {listed(missing)}, or changes are not deployed", "triggers")


@rule(
    "API-011",
    "API Gateway deployment depends on every integration",
    why="AWS rejects a deployment of methods that have no integration yet, or deploys the API without them.",
    fix="Reference every integration in triggers, or list them in depends_on.",
    page=f"{GATEWAY}/how-to-deploy-api.html",
    types=[DEPLOYMENT],
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {f"{_AT}.triggers": REMOVED},
        {f"{_AT}.triggers.redeployment": "${sha1(jsonencode(aws_api_gateway_method.get))}"},
        {f"{_AT}.triggers": REMOVED, f"{_AT}.depends_on": ["aws_api_gateway_method.get"]},
    ],
    unknown_passes="depends_on takes addresses only, and a trigger from a variable adds no dependency",
)
def deployment_depends_on_integrations(deployment: Block) -> Iterator[Outcome]:
    """Dependencies through other resources and local values count as well."""
    api = api_of(deployment)
    if api is None:
        yield NotApplicable("its API is not in the checked stacks")
        return
    parts = parts_of(deployment.estate, INTEGRATION).get(api, [])
    earlier = predecessors(deployment)
    missing = [part for part in parts if part.stack is deployment.stack and part.base not in earlier]
    if missing and not has_module(earlier):
        yield deployment.fail(f"must contain {listed(missing)}, or triggers must reference it", "depends_on")


@rule(
    "API-012",
    "API Gateway REST API and deployment are replaced with create_before_destroy",
    why="Terraform destroys the old deployment first, and AWS rejects that while a stage uses it.",
    fix="Set lifecycle.create_before_destroy to true.",
    page=f"{TERRAFORM}/language/meta-arguments/lifecycle",
    types=[DEPLOYMENT, API],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_217", "CKV_AWS_237")),
    good=_GOOD,
    breaks=[
        {f"{_AT}.lifecycle": REMOVED},
        {f"{_AT}.lifecycle": [{"create_before_destroy": False}]},
        {"resource.aws_api_gateway_rest_api.shop.lifecycle": REMOVED},
    ],
)
def api_has_create_before_destroy(block: Block) -> Iterator[Outcome]:
    """A stage serves the old deployment until the new one exists."""
    yield from expect_flag(
        block, "lifecycle.create_before_destroy", "must be true, or a replacement interrupts the API"
    )


@rule(
    "API-024",
    "API Gateway deployment does not create a stage",
    why="stage_name and stage_description are deprecated: the stage that they create has no settings and is "
    "replaced with every deployment.",
    fix="Remove stage_name and stage_description, and declare an aws_api_gateway_stage with the deployment's id.",
    page=f"{PROVIDER}/guides/version-6-upgrade",
    types=[DEPLOYMENT],
    severity=WARNING,
    good=_GOOD,
    breaks=[{f"{_AT}.stage_name": "prod"}, {f"{_AT}.stage_description": '${sha1(file("api.json"))}'}],
)
def deployment_creates_no_stage(deployment: Block) -> Iterator[Outcome]:
    """An empty stage_name creates no stage."""
    for name in ("stage_name", "stage_description"):
        value = deployment.get(name)
        if deployment.raw(name) in (None, ""):
            continue
        if isinstance(value, Unknown) and name == "stage_name" and value.reason.startswith("var."):
            yield deployment.undecided(value, name)
        else:
            yield deployment.fail("must not be set, the argument is deprecated; declare an aws_api_gateway_stage", name)
