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

LIMIT = "must be a whole number of requests, at least 1; 0 stops every request and -1 would let all through"
STAGE = "must be a plain string of 1 to 128 letters, digits, '-' and '_'"


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
        ({"web_acl": "arn"}, "web_acl='arn': must be a WebAcl, True, False or NoWebAcl('why not')"),
        ({"web_acl": 1}, "web_acl=1: must be a WebAcl, True, False or NoWebAcl('why not')"),
    ],
    ids=str,
)
def test_an_api_that_cannot_be_deployed_is_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    assert refused(lambda: make_api(stack, **arguments)) == [problem]


def test_the_longest_stage_name_and_the_smallest_limits_are_fine(stack: HardenedStack) -> None:
    api, _ = make_api(stack, stage="s" * 128, rate_limit=1, burst_limit=1, web_acl=False)
    assert (api.stage.name, api.stage.rate_limit, api.stage.burst_limit) == ("s" * 128, 1, 1)


def test_all_problems_of_an_api_are_named_at_once(stack: HardenedStack) -> None:
    assert refused(lambda: make_api(stack, stage="", rate_limit=0)) == [f"stage='': {STAGE}", f"rate_limit=0: {LIMIT}"]


def test_prod_does_without_a_web_acl_only_with_a_reason(prod_stack: HardenedStack) -> None:
    assert refused(lambda: make_api(prod_stack, web_acl=False)) == [
        "web_acl=False: in prod a web ACL is asked for; give NoWebAcl('why not') to do without"
    ]


def test_a_web_acl_of_another_region_is_refused(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    acl = WebAcl(stack, "acl", region=us, key=MultiRegionKey(stack, "us-key", region=us))
    assert refused(lambda: make_api(stack, web_acl=acl)) == [
        "web_acl='shop/acl': is in us-east-1 of the stack shop; it must be in eu-west-1 of shop"
    ]


def test_a_key_of_another_stack_is_refused(stack: HardenedStack) -> None:
    other = another_stack(stack)
    key = MultiRegionKey(other, "key", region=other.region("eu-west-1"))
    assert refused(lambda: RestApi(stack, "api", region=stack.region("eu-west-1"), key=key)) == [
        (
            "key='base/key': belongs to another stack than shop; the execution log is named after the API's id, which "
            "only a key policy in the same stack can name"
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


PLAIN = "must be a plain string such as '/payments/{id}', because resources are made from it"
SHAPE = "must start with '/', not end with it, and have no empty part"
PART = "must be letters, digits and ._:- or a whole parameter such as {id}"
SECONDS = (
    "must be a whole number of seconds from 1 to 29, API Gateway's own limit: "
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
        ({"path": "/{a+}/b"}, "path='/{a+}/b': {a+} takes the rest of the path and must be its last part"),
        ({"path": "/{a}/x/{a}"}, "path='/{a}/x/{a}': names the parameter 'a' twice"),
        (
            {"path": "/known/{key}"},
            (
                "path='/known/{key}': has {key} where another path of the API has {id}; API Gateway allows one parameter "
                "in a place"
            ),
        ),
        (
            {"path": "/known/{proxy+}"},
            (
                "path='/known/{proxy+}': has {proxy+} where another path of the API has {id}; API Gateway allows one "
                "parameter in a place"
            ),
        ),
        ({"path": "/known/{id}"}, "method='POST': /known/{id} has it already"),
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
            "authorization='NONE': must be 'AWS_IAM', or PublicAccess('why anybody may call it')",
        ),
        (
            {"authorization": None},
            "authorization=None: must be 'AWS_IAM', or PublicAccess('why anybody may call it')",
        ),
    ],
    ids=str,
)
def test_a_method_that_cannot_be_deployed_is_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    api, function = make_api(stack)
    api.add_method("POST", "/known/{id}", function, late_finish=SAFE)
    given: dict[str, Any] = {"method": "POST", "path": "/payments", "late_finish": SAFE, **arguments}
    assert refused(lambda: api.add_method(function=function, **given)) == [problem]


def test_the_shortest_and_the_longest_wait_are_fine(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def build(stack: HardenedStack) -> None:
        api, function = make_api(stack)
        api.add_method("GET", "/", function, timeout=1, late_finish=SAFE)
        api.add_method("PUT", "/", function, timeout=29, late_finish=SAFE)

    waits = synth_stack(build).resources("aws_api_gateway_integration")
    assert [wait["timeout_milliseconds"] for wait in waits] == [1000, 29000]


def test_a_refused_method_can_be_given_again(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def build(stack: HardenedStack) -> None:
        api, function = make_api(stack)
        refused(lambda: api.add_method("GET", "/a", function, timeout=0))
        api.add_method("GET", "/a", function, late_finish=SAFE)

    assert [method.path for method in synth_stack(build).resources("aws_api_gateway_method")] == [
        "shop/api/method-a-get"
    ]


@pytest.mark.parametrize("path", ["/ping", "/sping"])
def test_paths_that_api_gateway_answers_itself_are_refused_behind_a_custom_domain(
    stack: HardenedStack, path: str
) -> None:
    api, function = make_api(stack, custom_domain=True)
    assert refused(lambda: api.add_method("GET", path, function, late_finish=SAFE)) == [
        f"path={path!r}: API Gateway answers it itself on a custom domain; choose another"
    ]
    api.add_method("GET", f"{path}/deep", function, late_finish=SAFE)


def test_a_function_of_another_region_is_refused(stack: HardenedStack) -> None:
    api, _ = make_api(stack)
    far = make_function(stack, MultiRegionKey(stack, "us-key", region=stack.region("us-east-1")), "us-fn")
    assert refused(lambda: api.add_method("GET", "/", far, late_finish=SAFE)) == [
        (
            "function='shop/us-fn': is in us-east-1 of the stack shop, and the API in eu-west-1 of shop; both must be the "
            "same"
        )
    ]


def test_a_function_of_another_stack_is_refused(stack: HardenedStack) -> None:
    api, _ = make_api(stack)
    other = another_stack(stack)
    far = make_function(other, MultiRegionKey(other, "key", region=other.region("eu-west-1")))
    assert refused(lambda: api.add_method("GET", "/", far, late_finish=SAFE)) == [
        (
            "function='base/pay-fn': is in eu-west-1 of the stack base, and the API in eu-west-1 of shop; both must be "
            "the same"
        )
    ]


def test_a_grant_for_a_method_that_is_not_there_is_refused(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    unknown = "method='PUT /a': has not been added; there are: "
    assert refused(lambda: api.invoke_statement("PUT", "/a", sid="Put")) == [f"{unknown}none"]
    api.add_method("GET", "/a", function, late_finish=SAFE)
    api.add_method("GET", "/b", function, late_finish=SAFE)
    assert refused(lambda: api.invoke_statement("PUT", "/a", sid="Put")) == [f"{unknown}GET /a, GET /b"]


def test_a_reason_must_say_something() -> None:
    with pytest.raises(ConfigurationError, match=r"PublicAccess: reason='public': must be a sentence of at least 20"):
        PublicAccess("public")


def slugs(*paths: str) -> list[str]:
    names = PathNames()
    return [names.of(parse_path(Problems("test"), path).position) for path in paths]


@pytest.mark.parametrize(
    ("path", "slug"),
    [("/", "root"), ("/payments", "payments"), ("/userAccounts/{id}", "user-accounts-param"), ("/v1.0", "v1-0")],
)
def test_the_name_of_a_path_is_made_of_its_words(path: str, slug: str) -> None:
    assert slugs(path) == [slug]


@pytest.mark.parametrize(("one", "other"), [("/{id}", "/{key}"), ("/a/{id}/b", "/a/{id}/b"), ("/{id}", "/{proxy+}")])
def test_a_renamed_parameter_keeps_the_name_of_its_path(one: str, other: str) -> None:
    assert slugs(one) == slugs(other)


@pytest.mark.parametrize(
    ("first", "second"),
    [("/a/b", "/a-b"), ("/", "/root"), ("/ab/c", "/a/bc"), ("/{id}", "/param"), ("/A", "/a"), ("/a", "/a.")],
)
def test_paths_of_the_same_words_get_different_names(first: str, second: str) -> None:
    one, other = slugs(first, second)
    assert one.replace("-", "") != other.replace("-", "")
    assert other.startswith(slugs(second)[0])
    assert slugs(first, second, first, second) == [one, other, one, other]
