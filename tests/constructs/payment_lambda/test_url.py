from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    Environment,
    FunctionUrl,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
)
from constructs_lib.constructs.payment_lambda.url import UnsignedUrl, check_url
from constructs_lib.foundation.environment import PROFILES
from constructs_lib.foundation.errors import Problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "arn:aws:iam::${data.aws_caller_identity.current_eu_west_1.account_id}:root"
NAMED = {
    "function_name": "${aws_lambda_function.pay_fn_eu_west_1.function_name}",
    "qualifier": "${aws_lambda_alias.pay_fn_live_eu_west_1.name}",
}
REASON = "a demonstration without any customer data"
ROLE = "arn:aws:iam::123456789012:role/partner/Caller"


def create(stack: HardenedStack, url: FunctionUrl | None) -> PaymentLambda:
    region = stack.region("eu-west-1")
    return PaymentLambda(
        stack,
        "pay-fn",
        region=region,
        source=InlineSource("def handler(event, context): ..."),
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=1,
        function_url=url,
    )


def permissions(synthesized: SynthesizedStack) -> list[dict[str, Any]]:
    blocks = synthesized.resources("aws_lambda_permission")
    return [{key: value for key, value in block.config.items() if key != "provider"} for block in blocks]


def test_a_function_has_no_url_by_default(synth_stack: Callable[..., SynthesizedStack]) -> None:
    synthesized = synth_stack(lambda stack: create(stack, None))
    assert synthesized.find("aws_lambda_function_url") == []
    assert synthesized.find("aws_lambda_permission") == []
    assert "pay_fn_url_eu_west_1" not in synthesized.outputs


def test_a_url_allows_signed_requests_of_this_account(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    synthesized = synth_stack(lambda stack: create(stack, FunctionUrl()), environment)
    synthesized.resource("aws_lambda_function_url").assert_config(
        {**NAMED, "authorization_type": "AWS_IAM", "invoke_mode": "BUFFERED"}
    )
    assert permissions(synthesized) == [
        {**NAMED, "action": "lambda:InvokeFunction", "principal": ACCOUNT, "statement_id": "url-invoke-1"},
        {
            **NAMED,
            "action": "lambda:InvokeFunctionUrl",
            "function_url_auth_type": "AWS_IAM",
            "principal": ACCOUNT,
            "statement_id": "url-1",
        },
    ]
    assert synthesized.outputs["pay_fn_url_eu_west_1"] == "${aws_lambda_function_url.pay_fn_url_eu_west_1.function_url}"
    version = synthesized.document["terraform"]["required_providers"]["aws"]["version"]
    assert version == ">= 5.100.0, < 7.0.0"


def test_each_principal_gets_both_permissions(synth_stack: Callable[..., SynthesizedStack]) -> None:
    synthesized = synth_stack(lambda stack: create(stack, FunctionUrl(principals=("123456789012", ROLE))))
    found = {(block["action"], block["principal"]) for block in permissions(synthesized)}
    assert found == {
        (f"lambda:{action}", principal)
        for action in ("InvokeFunction", "InvokeFunctionUrl")
        for principal in ("arn:aws:iam::123456789012:root", ROLE)
    }


def test_origins_are_allowed_by_cors(synth_stack: Callable[..., SynthesizedStack]) -> None:
    url = FunctionUrl(
        origins=("https://shop.example.com",),
        methods=("PUT",),
        headers=("x-request-id",),
        credentials=True,
        max_age_seconds=60,
        streaming=True,
    )
    block = synth_stack(lambda stack: create(stack, url), "prod").resource("aws_lambda_function_url")
    assert block["invoke_mode"] == "RESPONSE_STREAM"
    assert block["cors"] == {
        "allow_credentials": True,
        "allow_headers": ["x-request-id"],
        "allow_methods": ["PUT"],
        "allow_origins": ["https://shop.example.com"],
        "max_age": 60,
    }


def test_the_headers_of_signed_requests_are_allowed_by_default(synth_stack: Callable[..., SynthesizedStack]) -> None:
    url = FunctionUrl(origins=("http://localhost:3000",))
    cors = synth_stack(lambda stack: create(stack, url)).resource("aws_lambda_function_url")["cors"]
    assert cors == {
        "allow_credentials": False,
        "allow_headers": [
            "authorization",
            "content-type",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-security-token",
        ],
        "allow_methods": ["GET", "POST"],
        "allow_origins": ["http://localhost:3000"],
        "max_age": 300,
    }


def test_a_public_url_in_dev_allows_invocations_through_the_url_only(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    url = FunctionUrl(authorization="NONE", reason=REASON, origins=("*",))
    stacks: list[HardenedStack] = []

    def fill(stack: HardenedStack) -> None:
        create(stack, url)
        stacks.append(stack)

    synthesized = synth_stack(fill)
    assert synthesized.resource("aws_lambda_function_url")["authorization_type"] == "NONE"
    assert permissions(synthesized) == [
        {
            **NAMED,
            "action": "lambda:InvokeFunction",
            "invoked_via_function_url": True,
            "principal": "*",
            "statement_id": "url-invoke-anybody",
        },
        {
            **NAMED,
            "action": "lambda:InvokeFunctionUrl",
            "function_url_auth_type": "NONE",
            "principal": "*",
            "statement_id": "url-anybody",
        },
    ]
    assert stacks[0].opt_outs == [("shop/pay-fn/url", UnsignedUrl(REASON))]
    assert synthesized.document["terraform"]["required_providers"] == {
        "archive": {"source": "hashicorp/archive", "version": ">= 2.4.0, < 3.0.0"},
        "aws": {"source": "hashicorp/aws", "version": ">= 6.29.0, < 7.0.0"},
        "random": {"source": "hashicorp/random", "version": ">= 3.5.0, < 4.0.0"},
    }


OPEN = "function_url.authorization='NONE': public URLs are allowed in dev only; expected AWS_IAM"
STAR = "function_url.origins='*': '*' is allowed in dev only; expected a list of origins"


@pytest.mark.parametrize(
    ("url", "strict", "problems"),
    [
        (FunctionUrl(authorization="NONE", reason=REASON), True, [OPEN]),
        (
            FunctionUrl(authorization="NONE", reason="because"),
            False,
            ["function_url.reason='because': expected at least 20 characters that say why the URL is public"],
        ),
        (
            FunctionUrl(authorization="NONE"),
            False,
            ["function_url.reason=None: expected at least 20 characters that say why the URL is public"],
        ),
        (
            FunctionUrl(authorization="NONE", reason=REASON, principals=("123456789012",)),
            False,
            [
                (
                    "function_url.principals=('123456789012',): has no effect with authorization NONE; leave it out, "
                    "or use AWS_IAM"
                )
            ],
        ),
        (
            FunctionUrl(authorization="none"),  # type: ignore[arg-type]
            False,
            ["function_url.authorization='none': expected AWS_IAM or NONE"],
        ),
        (
            FunctionUrl(principals=("*",)),
            False,
            ["function_url.principals='*': expected an account id of 12 digits, or the ARN of a role or user"],
        ),
        (FunctionUrl(origins=("*",)), True, [STAR]),
        (
            FunctionUrl(origins=("*",), credentials=True),
            False,
            ["function_url.credentials=True: cannot be combined with the origin '*'; expected a list of origins"],
        ),
        (
            FunctionUrl(origins=("http://shop.example.com",)),
            True,
            ["function_url.origins='http://shop.example.com': http is allowed in dev only; expected https"],
        ),
        (
            FunctionUrl(origins=("https://shop.example.com/",)),
            False,
            [
                (
                    "function_url.origins='https://shop.example.com/': expected scheme and host without a path, such as "
                    "'https://shop.example.com'"
                )
            ],
        ),
        (
            FunctionUrl(methods=("*",)),
            False,
            ["function_url.methods='*': expected one of DELETE, GET, HEAD, PATCH, POST, PUT"],
        ),
        (
            FunctionUrl(headers=("*",)),
            False,
            ["function_url.headers=('*',): '*' allows every header; expected a list of headers"],
        ),
        (
            FunctionUrl(credentials=True),
            False,
            ["function_url.credentials=True: has no effect without origins; give them, or leave it out"],
        ),
        (
            FunctionUrl(max_age_seconds=86401),
            False,
            ["function_url.max_age_seconds=86401: must be a whole number of seconds from 0 to 86400"],
        ),
        (
            FunctionUrl(max_age_seconds=1.5),  # type: ignore[arg-type]
            False,
            ["function_url.max_age_seconds=1.5: must be a whole number of seconds from 0 to 86400"],
        ),
        (FunctionUrl(origins=("*",), principals=("${aws_iam_role.x.arn}",), max_age_seconds=0), False, []),
        (FunctionUrl(authorization="NONE", reason="twenty characters ok", max_age_seconds=86400), False, []),
    ],
)
def test_arguments_of_a_url_that_are_not_allowed_are_refused(
    url: FunctionUrl, *, strict: bool, problems: list[str]
) -> None:
    for environment, profile in PROFILES.items():
        found = Problems("shop/pay-fn")
        check_url(found, url, profile)
        if (environment is not Environment.DEV) is strict:
            assert found.found == problems


def test_a_public_url_is_refused_outside_dev(synth_stack: Callable[..., SynthesizedStack]) -> None:
    for environment in ("staging", "prod"):
        with pytest.raises(ConfigurationError) as error:
            synth_stack(
                lambda stack: create(stack, FunctionUrl(authorization="NONE", reason=REASON, origins=("*",))),
                environment,
            )
        assert str(error.value) == f"shop/pay-fn: {OPEN}\nshop/pay-fn: {STAR}"
