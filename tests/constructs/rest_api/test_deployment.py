from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import App, HardenedStack, MultiRegionKey, RestApi
from constructs_lib.constructs.web_acl import NoWebAcl
from constructs_lib.foundation.errors import ConfigurationWarning
from tests.constructs.rest_api.apis import OPEN, SAFE, SCHEMA, make_api, make_function

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
        late_finish=SAFE,
        **arguments,
    )
    return made._declared.digest(made.region.stack.text)


@pytest.fixture(scope="module")
def base_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    app = App(outdir=str(tmp_path_factory.mktemp("base")))
    return digest(HardenedStack(app, "shop", environment="dev", owner="team-shop"))


def test_a_new_version_of_the_library_deploys_nothing_by_itself(base_digest: str) -> None:
    """A change that is meant to reach every API changes the digest on purpose, here too."""
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
def test_what_is_no_part_of_the_api_deploys_nothing(
    stack: HardenedStack, base_digest: str, change: dict[str, Any]
) -> None:
    assert digest(stack, **change) == base_digest


def test_a_renamed_function_is_deployed_although_its_reference_stays(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    api = RestApi(stack, "api", region=region, key=key)
    function = make_function(stack, key)
    function.name = "shop-dev-renamed-eu-west-1"
    arguments = {name: value for name, value in DIGEST_BASE.items() if name not in ("method", "path")}
    api.add_method("POST", "/payments/{id}", function, late_finish=SAFE, **arguments)  # type: ignore[arg-type]
    assert api._declared.digest(api.region.stack.text) != base_digest


def test_the_order_of_methods_deploys_nothing(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(paths: list[str]) -> Callable[[HardenedStack], None]:
        def run(stack: HardenedStack) -> None:
            api, function = make_api(stack)
            for path in paths:
                api.add_method("GET", path, function, late_finish=SAFE)

        return run

    one, other = (
        synth_stack(fill(paths)).resource("aws_api_gateway_deployment")["triggers"]
        for paths in (["/a", "/b"], ["/b", "/a"])
    )
    assert one == other
    assert len(one["redeployment"]) == 64


def test_an_api_without_methods_is_refused_at_synth(synth_stack: Callable[..., SynthesizedStack]) -> None:
    with pytest.raises(
        RuntimeError, match=r"\[shop/api\] has no method: add one with add_method, or leave the API out"
    ):
        synth_stack(make_api)


def test_doing_without_a_web_acl_in_prod_is_recorded(tmp_path_factory: pytest.TempPathFactory) -> None:
    reason = NoWebAcl("only the warehouse's fixed addresses reach it")
    app = App(outdir=str(tmp_path_factory.mktemp("prod")))
    stack = HardenedStack(app, "shop", environment="prod", owner="team-shop")
    api, _ = make_api(stack, web_acl=reason)
    assert api.web_acl is None
    assert stack.opt_outs == [("shop/api", reason)]


def test_public_access_and_a_late_finish_are_recorded(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/", function, authorization=OPEN, late_finish=SAFE)
    assert stack.opt_outs == [("shop/api", OPEN), ("shop/api", SAFE)]


def test_a_function_that_may_outlive_the_answer_is_warned_about(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    with pytest.warns(ConfigurationWarning) as warned:
        api.add_method("POST", "/payments", function)
    (warning,) = warned
    assert str(warning.message) == (
        "shop/api: POST /payments: the function shop/pay-fn may run for 30 s, and API Gateway answers 504 after 29 s "
        "while it goes on, so that a caller who tries again starts it twice; make it safe to run twice and give "
        "late_finish=LateFinish('why it is')"
    )
    assert warning.filename == __file__


def test_a_function_that_ends_in_time_needs_no_reason(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    function.timeout = 29
    api.add_method("GET", "/", function)
    api.add_method("PUT", "/", function, late_finish=SAFE)
    assert stack.opt_outs == []
