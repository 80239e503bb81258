from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from constructs_lib import App, ConfigurationError, HardenedStack, MultiRegionKey, PublicAccess, RestApi
from constructs_lib.constructs.rest_api.paths import PathNames, parse_path
from constructs_lib.constructs.web_acl import WebAcl
from constructs_lib.foundation.errors import Problems
from tests.constructs.rest_api.apis import SAFE, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

LIMIT = "must be a whole number of at least 1; 0 would reject every request, and -1 would turn throttling off"
STAGE = "must be 1 to 128 letters, digits, hyphens and underscores"


@pytest.fixture
def prod_stack(tmp_path_factory: pytest.TempPathFactory) -> HardenedStack:
    app = App(outdir=str(tmp_path_factory.mktemp("prod")))
    return HardenedStack(app, "shop", environment="prod", owner="team-shop")


def another_stack(stack: HardenedStack) -> HardenedStack:
    """Return a second stack of the same app."""
    return HardenedStack(cast("App", stack.node.root), "base", environment="dev", owner="team-shop")


def refused(make: Callable[[], object]) -> list[str]:
    """Return the problems of a refused call, without the construct path before each."""
    with pytest.raises(ConfigurationError) as error:
        make()
    assert error.value.path == "shop/api"
    return list(error.value.problems)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"stage": ""}, f"stage='': {STAGE}"),
        ({"stage": "live/v1"}, f"stage='live/v1': {STAGE}"),
        ({"stage": "${var.stage}"}, f"stage='${{var.stage}}': {STAGE}"),
        ({"stage": "s" * 129}, f"stage={'s' * 129!r}: {STAGE}"),
        ({"stage": None}, f"stage=None: {STAGE}"),
        ({"rate_limit": 0}, f"rate_limit=0: {LIMIT}"),
        ({"rate_limit": True}, f"rate_limit=True: {LIMIT}"),
        ({"burst_limit": -1}, f"burst_limit=-1: {LIMIT}"),
        ({"burst_limit": 1.5}, f"burst_limit=1.5: {LIMIT}"),
        ({"web_acl": "arn"}, "web_acl='arn': must be a WebAcl, True, False or NoWebAcl(reason)"),
        ({"web_acl": 1}, "web_acl=1: must be a WebAcl, True, False or NoWebAcl(reason)"),
    ],
    ids=str,
)
def test_an_api_that_cannot_be_deployed_is_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    assert refused(lambda: make_api(stack, **arguments)) == [problem]


def test_the_longest_stage_name_and_the_smallest_limits_are_allowed(stack: HardenedStack) -> None:
    api, _ = make_api(stack, stage="s" * 128, rate_limit=1, burst_limit=1, web_acl=False)
    assert (api.stage.name, api.stage.rate_limit, api.stage.burst_limit) == ("s" * 128, 1, 1)


def test_all_problems_of_an_api_are_reported_together(stack: HardenedStack) -> None:
    assert refused(lambda: make_api(stack, stage="", rate_limit=0)) == [f"stage='': {STAGE}", f"rate_limit=0: {LIMIT}"]


def test_prod_requires_a_web_acl_or_a_reason(prod_stack: HardenedStack) -> None:
    assert refused(lambda: make_api(prod_stack, web_acl=False)) == [
        "web_acl=False: prod requires a web ACL; give NoWebAcl(reason) to turn it off"
    ]


def test_a_web_acl_in_another_region_is_refused(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    acl = WebAcl(stack, "acl", region=us, key=MultiRegionKey(stack, "us-key", region=us))
    assert refused(lambda: make_api(stack, web_acl=acl)) == [
        "web_acl='shop/acl': is in us-east-1 of the stack shop; expected a web ACL in eu-west-1 of the stack shop"
    ]


def test_a_key_of_another_stack_is_refused(stack: HardenedStack) -> None:
    other = another_stack(stack)
    key = MultiRegionKey(other, "key", region=other.region("eu-west-1"))
    assert refused(lambda: RestApi(stack, "api", region=stack.region("eu-west-1"), key=key)) == [
        (
            "key='base/key': belongs to the stack base; expected a key of the stack shop: the name of the execution log "
            "group contains the API's id, which only a key policy of the same stack can reference"
        )
    ]


def test_a_key_that_is_not_in_the_region_is_refused(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region("us-east-1"))
    assert refused(lambda: RestApi(stack, "api", region=stack.region("eu-west-1"), key=key)) == [
        (
            "key='shop/key': exists in us-east-1 and not in eu-west-1, and a resource cannot use a key of another region; "
            "add eu-west-1 to the key's replicas"
        )
    ]


PLAIN = "must be a string without references, such as '/payments/{id}': its parts become resources"
SHAPE = "must start with '/', must not end with it, and must not have empty parts"
PART = "is not valid; expected letters, digits and ._:- or a parameter such as {id}"
SECONDS = (
    "must be a whole number of seconds from 1 to 29, the quota of API Gateway: "
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
)
PARAMETER = "must be a name such as 'header.Idempotency-Key' or 'querystring.page'"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"method": "FETCH"}, "method='FETCH': must be one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ({"method": "get"}, "method='get': must be one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ({"path": "${local.path}"}, f"path='${{local.path}}': {PLAIN}"),
        ({"path": None}, f"path=None: {PLAIN}"),
        ({"path": ""}, f"path='': {SHAPE}"),
        ({"path": "payments"}, f"path='payments': {SHAPE}"),
        ({"path": "/payments/"}, f"path='/payments/': {SHAPE}"),
        ({"path": "/a//b"}, f"path='/a//b': {SHAPE}"),
        ({"path": "/a b"}, f"path='/a b': the part 'a b' {PART}"),
        ({"path": "/p-{id}"}, f"path='/p-{{id}}': the part 'p-{{id}}' {PART}"),
        ({"path": "/{}"}, f"path='/{{}}': the part '{{}}' {PART}"),
        ({"path": "/{a+}/b"}, "path='/{a+}/b': {a+} is a greedy path variable; it must be the last part"),
        ({"path": "/{a}/x/{a}"}, "path='/{a}/x/{a}': duplicate path parameter 'a'"),
        (
            {"path": "/known/{key}"},
            (
                "path='/known/{key}': has {key} where another path of the API has {id}; API Gateway allows one name at a "
                "position"
            ),
        ),
        (
            {"path": "/known/{proxy+}"},
            (
                "path='/known/{proxy+}': has {proxy+} where another path of the API has {id}; API Gateway allows one name "
                "at a position"
            ),
        ),
        ({"path": "/known/{id}"}, "method='POST': /known/{id} already has this method"),
        ({"timeout": 0}, f"timeout=0: {SECONDS}"),
        ({"timeout": 30}, f"timeout=30: {SECONDS}"),
        ({"timeout": 2.5}, f"timeout=2.5: {SECONDS}"),
        ({"timeout": True}, f"timeout=True: {SECONDS}"),
        ({"rate_limit": 0}, f"rate_limit=0: {LIMIT}"),
        ({"burst_limit": 0}, f"burst_limit=0: {LIMIT}"),
        ({"required_parameters": "header.A"}, "required_parameters='header.A': must be a list of names"),
        ({"required_parameters": ["A"]}, f"required_parameters='A': {PARAMETER}"),
        ({"required_parameters": ["path.id"]}, f"required_parameters='path.id': {PARAMETER}"),
        ({"required_parameters": [1]}, f"required_parameters=1: {PARAMETER}"),
        (
            {"authorization": "NONE"},
            "authorization='NONE': must be 'AWS_IAM' or PublicAccess(reason)",
        ),
        (
            {"authorization": None},
            "authorization=None: must be 'AWS_IAM' or PublicAccess(reason)",
        ),
    ],
    ids=str,
)
def test_a_method_that_cannot_be_deployed_is_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    api, function = make_api(stack)
    api.add_method("POST", "/known/{id}", function, shorter_timeout=SAFE)
    given: dict[str, Any] = {"method": "POST", "path": "/payments", "shorter_timeout": SAFE, **arguments}
    assert refused(lambda: api.add_method(function=function, **given)) == [problem]


def test_the_shortest_and_the_longest_timeout_are_allowed(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def build(stack: HardenedStack) -> None:
        api, function = make_api(stack)
        api.add_method("GET", "/", function, timeout=1, shorter_timeout=SAFE)
        api.add_method("PUT", "/", function, timeout=29, shorter_timeout=SAFE)

    waits = synth_stack(build).resources("aws_api_gateway_integration")
    assert [wait["timeout_milliseconds"] for wait in waits] == [1000, 29000]


def test_a_refused_method_can_be_added_again(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def build(stack: HardenedStack) -> None:
        api, function = make_api(stack)
        refused(lambda: api.add_method("GET", "/a", function, timeout=0))
        api.add_method("GET", "/a", function, shorter_timeout=SAFE)

    assert [method.path for method in synth_stack(build).resources("aws_api_gateway_method")] == [
        "shop/api/method-a-get"
    ]


@pytest.mark.parametrize("path", ["/ping", "/sping"])
def test_paths_that_api_gateway_reserves_are_refused_behind_a_custom_domain(stack: HardenedStack, path: str) -> None:
    api, function = make_api(stack, custom_domain=True)
    assert refused(lambda: api.add_method("GET", path, function, shorter_timeout=SAFE)) == [
        f"path={path!r}: is reserved by API Gateway on custom domains; choose another path"
    ]
    api.add_method("GET", f"{path}/deep", function, shorter_timeout=SAFE)


def test_a_function_of_another_region_is_refused(stack: HardenedStack) -> None:
    api, _ = make_api(stack)
    far = make_function(stack, MultiRegionKey(stack, "us-key", region=stack.region("us-east-1")), "us-fn")
    assert refused(lambda: api.add_method("GET", "/", far, shorter_timeout=SAFE)) == [
        ("function='shop/us-fn': is in us-east-1 of the stack shop; expected a function in eu-west-1 of the stack shop")
    ]


def test_a_function_of_another_stack_is_refused(stack: HardenedStack) -> None:
    api, _ = make_api(stack)
    other = another_stack(stack)
    far = make_function(other, MultiRegionKey(other, "key", region=other.region("eu-west-1")))
    assert refused(lambda: api.add_method("GET", "/", far, shorter_timeout=SAFE)) == [
        (
            "function='base/pay-fn': is in eu-west-1 of the stack base; expected a function in eu-west-1 of the stack shop"
        )
    ]


def test_a_statement_for_an_undefined_method_is_refused(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    unknown = "method='PUT /a': is not defined; defined methods: "
    assert refused(lambda: api.invoke_statement("PUT", "/a", sid="Put")) == [f"{unknown}none"]
    api.add_method("GET", "/a", function, shorter_timeout=SAFE)
    api.add_method("GET", "/b", function, shorter_timeout=SAFE)
    assert refused(lambda: api.invoke_statement("PUT", "/a", sid="Put")) == [f"{unknown}GET /a, GET /b"]


def test_an_opt_out_requires_a_reason() -> None:
    with pytest.raises(ConfigurationError, match=r"PublicAccess: reason='public': must be a sentence of at least 20"):
        PublicAccess("public")


def slugs(*paths: str) -> list[str]:
    names = PathNames()
    return [names.of(parse_path(Problems("test"), path).position) for path in paths]


@pytest.mark.parametrize(
    ("path", "slug"),
    [("/", "root"), ("/payments", "payments"), ("/userAccounts/{id}", "user-accounts-param"), ("/v1.0", "v1-0")],
)
def test_the_name_of_a_path_contains_its_words(path: str, slug: str) -> None:
    assert slugs(path) == [slug]


@pytest.mark.parametrize(("one", "other"), [("/{id}", "/{key}"), ("/a/{id}/b", "/a/{id}/b"), ("/{id}", "/{proxy+}")])
def test_renaming_a_parameter_does_not_change_the_name_of_its_path(one: str, other: str) -> None:
    assert slugs(one) == slugs(other)


@pytest.mark.parametrize(
    ("first", "second"),
    [("/a/b", "/a-b"), ("/", "/root"), ("/ab/c", "/a/bc"), ("/{id}", "/param"), ("/A", "/a"), ("/a", "/a.")],
)
def test_paths_of_the_same_words_have_different_names(first: str, second: str) -> None:
    one, other = slugs(first, second)
    assert one.replace("-", "") != other.replace("-", "")
    assert other.startswith(slugs(second)[0])
    assert slugs(first, second, first, second) == [one, other, one, other]
