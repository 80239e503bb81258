from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import App, HardenedStack, MultiRegionKey, RestApi, ShorterTimeout
from constructs_lib.constructs.web_acl import NoWebAcl
from constructs_lib.foundation.errors import ConfigurationWarning
from tests.constructs.rest_api.apis import API, OPEN, SAFE, SCHEMA, build, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs_lib.testing import SynthesizedStack


DIGEST_BASE = {
    "method": "POST",
    "path": "/payments/{id}",
    "timeout": 20,
    "request_schema": SCHEMA,
    "required_parameters": ["header.Idempotency-Key"],
}


def digest(
    stack: HardenedStack, *, function_id: str = "pay-fn", api: Mapping[str, Any] | None = None, **changes: Any
) -> str:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    made = RestApi(stack, "api", region=region, key=key, **(api or {}))
    arguments = {**DIGEST_BASE, **changes}
    made.add_method(
        arguments.pop("method"),
        arguments.pop("path"),
        make_function(stack, key, function_id),
        shorter_timeout=SAFE,
        **arguments,
    )
    return made._declared.digest(made.region.stack.text)


@pytest.fixture(scope="module")
def base_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    app = App(outdir=str(tmp_path_factory.mktemp("base")))
    return digest(HardenedStack(app, "shop", environment="dev", owner="team-shop"))


def test_the_digest_is_stable(base_digest: str) -> None:
    """Another digest redeploys every API: change it here only for a change that must reach all of them."""
    assert base_digest == "224c33108225b3a4da9319fcd374f44037d2755884a532eb2dc03f9b60b4e522"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/payments/{key}"},
        {"path": "/refunds/{id}"},
        {"function_id": "refund-fn"},
        {"timeout": 21},
        {"request_schema": None},
        {"request_schema": {**SCHEMA, "additionalProperties": False}},
        {"required_parameters": []},
        {"authorization": OPEN},
        {"api": {"custom_domain": True}},
    ],
    ids=str,
)
def test_a_change_of_the_api_is_deployed(stack: HardenedStack, base_digest: str, change: dict[str, Any]) -> None:
    assert digest(stack, **change) != base_digest


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"request_schema": dict(reversed(SCHEMA.items()))},
        {"rate_limit": 3},
        {"burst_limit": 3},
        {"api": {"rate_limit": 3, "burst_limit": 2}},
        {"api": {"web_acl": True}},
        {"api": {"account_has_log_role": True}},
        {"api": {"stage": "v2"}},
        {"api": {"description": "Takes payments"}},
    ],
    ids=str,
)
def test_a_change_that_needs_no_deployment_keeps_the_digest(
    stack: HardenedStack, base_digest: str, change: dict[str, Any]
) -> None:
    assert digest(stack, **change) == base_digest


def test_a_change_of_the_functions_name_is_deployed(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    api = RestApi(stack, "api", region=region, key=key)
    function = make_function(stack, key)
    function.name = "shop-dev-renamed-eu-west-1"
    arguments = {name: value for name, value in DIGEST_BASE.items() if name not in ("method", "path")}
    api.add_method("POST", "/payments/{id}", function, shorter_timeout=SAFE, **arguments)  # type: ignore[arg-type]
    assert api._declared.digest(api.region.stack.text) != base_digest


def test_the_order_of_methods_is_not_part_of_the_digest(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(paths: list[str]) -> Callable[[HardenedStack], None]:
        def run(stack: HardenedStack) -> None:
            api, function = make_api(stack)
            for path in paths:
                api.add_method("GET", path, function, shorter_timeout=SAFE)

        return run

    one, other = (
        synth_stack(fill(paths)).resource("aws_api_gateway_deployment")["triggers"]
        for paths in (["/a", "/b"], ["/b", "/a"])
    )
    assert one == other
    assert len(one["redeployment"]) == 64


def test_an_api_without_methods_is_refused_at_synth(synth_stack: Callable[..., SynthesizedStack]) -> None:
    with pytest.raises(
        RuntimeError, match=r"\[shop/api\] the API has no methods; add one with add_method, or remove the API"
    ):
        synth_stack(make_api)


def test_an_api_without_a_web_acl_in_prod_is_recorded(tmp_path_factory: pytest.TempPathFactory) -> None:
    reason = NoWebAcl("only the warehouse's fixed addresses reach it")
    app = App(outdir=str(tmp_path_factory.mktemp("prod")))
    stack = HardenedStack(app, "shop", environment="prod", owner="team-shop")
    api, _ = make_api(stack, web_acl=reason)
    assert api.web_acl is None
    assert stack.opt_outs == [("shop/api", reason)]


def test_public_access_and_an_acknowledged_timeout_are_recorded(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/", function, authorization=OPEN, shorter_timeout=SAFE)
    assert stack.opt_outs == [("shop/api", OPEN), ("shop/api", SAFE)]


def test_a_function_with_a_longer_timeout_causes_a_warning(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    with pytest.warns(ConfigurationWarning) as warned:
        api.add_method("POST", "/payments", function)
    (warning,) = warned
    assert str(warning.message) == (
        "shop/api: POST /payments: the function shop/pay-fn has a timeout of 30 seconds, and API Gateway waits 29 seconds: "
        "it responds with 504 while the function still runs, and a client that retries invokes it again. Set the "
        "function's timeout to at most 29 seconds, or make the function idempotent and give "
        "shorter_timeout=ShorterTimeout(reason)"
    )
    assert warning.filename == __file__


def test_a_function_with_a_timeout_of_29_seconds_causes_no_warning(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    function.timeout = 29
    api.add_method("GET", "/", function)
    api.add_method("PUT", "/", function, shorter_timeout=SAFE)
    assert stack.opt_outs == []


def test_late_finish_is_the_deprecated_name_of_shorter_timeout(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    with pytest.deprecated_call(match="argument late_finish is deprecated .* use shorter_timeout"):
        api.add_method("GET", "/", function, late_finish=SAFE)  # type: ignore[call-arg]
    with pytest.deprecated_call(match="constructs_lib.LateFinish is deprecated .* use ShorterTimeout"):
        assert constructs_lib.LateFinish is ShorterTimeout  # type: ignore[attr-defined]
    assert stack.opt_outs == [("shop/api", SAFE)]


def test_removed_methods_that_are_still_deployed_are_reported(synth_stack: Callable[..., SynthesizedStack]) -> None:
    """Terraform creates the new deployment, a snapshot, before it destroys the methods that the code no longer has."""
    stack = synth_stack(build)
    (name,) = stack.document["check"]
    check = stack.document["check"][name]
    deployed = (
        f"flatten([for path, methods in jsondecode(data.aws_api_gateway_export.{name}.body).paths : [for method in "
        'keys(methods) : format("%s %s", upper(replace(method, "x-amazon-apigateway-any-method", "any")), path) if '
        'can(regex("^(delete|get|head|options|patch|post|put|x-amazon-apigateway-any-method)$", method))]])'
    )
    declared = '["ANY /files/{proxy+}", "GET /", "GET /payments/{id}", "POST /payments"]'
    assert (name, check) == (
        "api_deployed_eu_west_1",
        {
            "data": {
                "aws_api_gateway_export": {
                    name: {
                        "depends_on": ["aws_api_gateway_stage.api_stage_eu_west_1"],
                        "export_type": "oas30",
                        "provider": "aws.eu_west_1",
                        "rest_api_id": API,
                        "stage_name": "live",
                    }
                }
            },
            "assert": [
                {
                    "condition": f"${{length(setsubtract({deployed}, {declared})) == 0}}",
                    "error_message": "The stage live still has methods that were removed: "
                    f'${{join(", ", setsubtract({deployed}, {declared}))}}. Deploy the API again: '
                    "terraform apply -replace=aws_api_gateway_deployment.api_deployment_eu_west_1",
                }
            ],
        },
    )
