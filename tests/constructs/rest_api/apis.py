"""REST APIs for tests."""

from __future__ import annotations

from typing import Any

from constructs_lib import (
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    PublicAccess,
    RestApi,
    ShorterTimeout,
)

SAFE = ShorterTimeout("charging twice is prevented by the idempotency key")
OPEN = PublicAccess("the status page asks for it without credentials")
SCHEMA = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}
API = "${aws_api_gateway_rest_api.api_eu_west_1.id}"
ROOT = "${aws_api_gateway_rest_api.api_eu_west_1.root_resource_id}"
ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
ARN = "${aws_api_gateway_rest_api.api_eu_west_1.execution_arn}"


def invoke_arn(function: str) -> str:
    """Return the invoke ARN of a function's alias, made of names."""
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop-dev-{function}-eu-west-1:live"
    return f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def make_function(stack: HardenedStack, key: MultiRegionKey, id_: str = "pay-fn") -> PaymentLambda:
    """Return a function that may run for 30 s, in the key's region."""
    return PaymentLambda(
        stack,
        id_,
        region=key.region,
        source=InlineSource("def handler(event, context):\n    return {'statusCode': 200}\n"),
        handler="index.handler",
        key=key,
        reserved_concurrency=1,
    )


def make_api(stack: HardenedStack, **arguments: Any) -> tuple[RestApi, PaymentLambda]:
    """Return an API without methods and a function for it."""
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    return RestApi(stack, "api", region=region, key=key, **arguments), make_function(stack, key)


def with_one_method(stack: HardenedStack, **arguments: Any) -> RestApi:
    """Return an API with the method GET /."""
    api, function = make_api(stack, **arguments)
    api.add_method("GET", "/", function, shorter_timeout=SAFE)
    return api


def build(stack: HardenedStack) -> None:
    """Make an API with four methods, each with something that the others have not."""
    api, function = make_api(stack)
    api.add_method(
        "POST",
        "/payments",
        function,
        shorter_timeout=SAFE,
        request_schema=SCHEMA,
        required_parameters=["header.Idempotency-Key"],
    )
    api.add_method("GET", "/payments/{id}", function, shorter_timeout=SAFE, timeout=5, rate_limit=7)
    api.add_method("GET", "/", function, shorter_timeout=SAFE, authorization=OPEN, burst_limit=3)
    api.add_method("ANY", "/files/{proxy+}", function, shorter_timeout=SAFE)
