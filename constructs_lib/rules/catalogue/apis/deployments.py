"""Deployments of REST APIs: when they are made anew, and after what."""

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

    from constructs_lib.rules.estate.blocks import Block
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
    "An API is deployed again when a method or integration changes",
    why="A deployment is a copy: what changes after it is not served, and Terraform says that all is well.",
    fix="Give triggers.redeployment the hash of every method and integration, such as sha1(jsonencode([...])).",
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
    unknown_passes="a variable as trigger is a choice: who sets it decides when the API is deployed",
)
def api_is_deployed_again(deployment: Block) -> Iterator[Outcome]:
    """The hash of a file, or a text computed before, is taken at its word."""
    if deployment.raw("triggers") in (None, {}):
        older = str(deployment.raw("stage_description")) + str(deployment.raw("variables"))
        if "${" not in older:
            yield deployment.fail("must hold a hash of every method and integration of the API", "triggers")
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
        yield deployment.fail(f"must also hold {listed(missing)}, so that a change is deployed", "triggers")


@rule(
    "API-011",
    "A deployment comes after every integration of its API",
    why="AWS refuses a deployment of methods that have no integration yet, or serves the API without them.",
    fix="Refer to every integration in triggers, or name them in depends_on.",
    page=f"{GATEWAY}/how-to-deploy-api.html",
    types=[DEPLOYMENT],
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {f"{_AT}.triggers": REMOVED},
        {f"{_AT}.triggers.redeployment": "${sha1(jsonencode(aws_api_gateway_method.get))}"},
        {f"{_AT}.triggers": REMOVED, f"{_AT}.depends_on": ["aws_api_gateway_method.get"]},
    ],
    unknown_passes="depends_on takes addresses, and a trigger from elsewhere orders nothing: the next one finds it",
)
def deployment_comes_after_integrations(deployment: Block) -> Iterator[Outcome]:
    """What it waits for counts through other blocks and local values as well."""
    api = api_of(deployment)
    if api is None:
        yield NotApplicable("its API is not in the estate")
        return
    parts = parts_of(deployment.estate, INTEGRATION).get(api, [])
    earlier = predecessors(deployment)
    missing = [part for part in parts if part.stack is deployment.stack and part.base not in earlier]
    if missing and not has_module(earlier):
        yield deployment.fail(f"must hold {listed(missing)}, or name it in triggers", "depends_on")


@rule(
    "API-012",
    "An API and its deployment are replaced before the old ones go",
    why="Terraform takes the old deployment away first, which AWS refuses while a stage serves it.",
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
def replaced_before_the_old_goes(block: Block) -> Iterator[Outcome]:
    """A stage serves the old deployment until the new one is there."""
    yield from expect_flag(
        block, "lifecycle.create_before_destroy", "must be true, or a replacement interrupts the API"
    )


@rule(
    "API-024",
    "A deployment makes no stage of its own",
    why="The stage that stage_name makes has no settings and is made anew with each deployment; the argument is "
    "deprecated.",
    fix="Declare an aws_api_gateway_stage with the deployment's id.",
    page=f"{PROVIDER}/guides/version-6-upgrade",
    types=[DEPLOYMENT],
    severity=WARNING,
    good=_GOOD,
    breaks=[{f"{_AT}.stage_name": "prod"}, {f"{_AT}.stage_description": '${sha1(file("api.json"))}'}],
)
def deployment_makes_no_stage(deployment: Block) -> Iterator[Outcome]:
    """An empty name makes none."""
    for name in ("stage_name", "stage_description"):
        value = deployment.get(name)
        if deployment.raw(name) in (None, ""):
            continue
        if isinstance(value, Unknown) and name == "stage_name" and value.reason.startswith("var."):
            yield deployment.undecided(value, name)
        else:
            yield deployment.fail("is deprecated; use an aws_api_gateway_stage", name)
