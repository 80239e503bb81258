from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import (
    App,
    ConfigurationError,
    ExternalValue,
    GeneratedValue,
    HardenedStack,
    MultiRegionKey,
    SecretParameter,
    WriteOnlyValue,
)
from constructs_lib.core.iam import ServiceRole
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import Environment
    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

KEY = "${aws_kms_key.key_eu_west_1.arn}"
ARN = "${aws_ssm_parameter.gateway_token_eu_west_1.arn}"
PARTNER = "aws_secretsmanager_random_password.partner_value_eu_west_1"


def make_key(stack: HardenedStack) -> MultiRegionKey:
    return MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))


def make(stack: HardenedStack, **arguments: Any) -> SecretParameter:
    key = make_key(stack)
    return SecretParameter(stack, "gateway-token", region=key.region, key=key, **arguments)


def make_role(stack: HardenedStack) -> ServiceRole:
    return ServiceRole(
        stack,
        "reader",
        region=stack.region("eu-west-1"),
        service="lambda.amazonaws.com",
        description="Reads",
        statements=[],
    )


def build(stack: HardenedStack) -> None:
    secret = make(stack, description="Opens the payment gateway")
    secret.grant_read(make_role(stack))
    key, region = secret._key, secret.region
    SecretParameter(
        stack, "pepper", region=region, key=key, value=WriteOnlyValue(length=64, symbols=False, generation=3)
    )
    SecretParameter(
        stack,
        "partner",
        region=region,
        key=key,
        value=ExternalValue(),
        tier="Advanced",
        allowed_pattern="^[A-Za-z0-9_.]+$",
    )
    SecretParameter(
        stack, "plain", region=region, key=key, value=GeneratedValue(length=16, symbols=False, generation=2)
    )


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_parameter_is_a_secure_string_with_a_customer_managed_key(
    synthesized: SynthesizedStack,
) -> None:
    synthesized.resource("aws_ssm_parameter", "*/gateway-token/*").assert_config(
        {
            "data_type": "text",
            "description": "Opens the payment gateway",
            "key_id": KEY,
            "name": "/dev/shop/gateway-token",
            "tier": "Standard",
            "type": "SecureString",
            "value": "${random_password.gateway_token_value_eu_west_1.result}",
        }
    )


def test_the_name_contains_the_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    stack = synth_stack(make, environment)
    assert stack.resource("aws_ssm_parameter")["name"] == f"/{environment.value}/shop/gateway-token"


def test_a_generated_value_has_symbols_that_need_no_escaping(synthesized: SynthesizedStack) -> None:
    synthesized.resource("random_password", "*/gateway-token/*").assert_config(
        {
            "keepers": {"generation": "1"},
            "length": 32,
            "min_lower": 2,
            "min_numeric": 2,
            "min_special": 2,
            "min_upper": 2,
            "override_special": "_.",
            "special": True,
        }
    )


def test_a_generated_value_without_symbols_has_letters_and_digits_only(synthesized: SynthesizedStack) -> None:
    synthesized.resource("random_password", "*/plain/*").assert_config(
        {
            "keepers": {"generation": "2"},
            "length": 16,
            "min_lower": 2,
            "min_numeric": 2,
            "min_upper": 2,
            "special": False,
        }
    )


def test_a_write_only_value_is_ephemeral_and_its_version_is_the_generation(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_ssm_parameter", "*/pepper/*").assert_config(
        {
            "data_type": "text",
            "description": "Secret of shop/pepper",
            "key_id": KEY,
            "name": "/dev/shop/pepper",
            "tier": "Standard",
            "type": "SecureString",
            "value_wo": "${ephemeral.aws_secretsmanager_random_password.pepper_value_eu_west_1.random_password}",
            "value_wo_version": 3,
        }
    )
    blocks = synthesized.document["ephemeral"]["aws_secretsmanager_random_password"]
    assert blocks["pepper_value_eu_west_1"] == {
        "exclude_characters": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "password_length": 64,
        "provider": "aws.eu_west_1",
        "require_each_included_type": True,
    }


def test_an_external_value_is_write_only_and_never_overwritten(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_ssm_parameter", "*/partner/*").assert_config(
        {
            "allowed_pattern": "^[A-Za-z0-9_.]+$",
            "data_type": "text",
            "description": "Secret of shop/partner",
            "key_id": KEY,
            "lifecycle": {"ignore_changes": ["value_wo_version"]},
            "name": "/dev/shop/partner",
            "tier": "Advanced",
            "type": "SecureString",
            "value_wo": f"${{ephemeral.{PARTNER}.random_password}}",
            "value_wo_version": 1,
        }
    )
    blocks = synthesized.document["ephemeral"]["aws_secretsmanager_random_password"]
    assert blocks["partner_value_eu_west_1"] == {
        "exclude_characters": "!\"#$%&'()*+,-/:;<=>?@[\\]^`{|}~",
        "password_length": 32,
        "provider": "aws.eu_west_1",
        "require_each_included_type": True,
    }


def test_only_generated_values_use_the_random_provider(synthesized: SynthesizedStack) -> None:
    paths = {block.path for block in synthesized.resources("random_password")}
    assert paths == {"shop/gateway-token/value", "shop/plain/value"}


def test_grant_read_allows_the_parameter_and_the_key_for_it_only(synthesized: SynthesizedStack) -> None:
    document = synthesized.resource("data.aws_iam_policy_document", "*/reader/policy-document")
    assert document["statement"] == [
        {"actions": ["ssm:GetParameter"], "effect": "Allow", "resources": [ARN], "sid": "ReadGatewayTokenEuWest1"},
        {
            "actions": ["kms:Decrypt"],
            "condition": [{"test": "StringEquals", "values": [ARN], "variable": "kms:EncryptionContext:PARAMETER_ARN"}],
            "effect": "Allow",
            "resources": [KEY],
            "sid": "DecryptGatewayTokenEuWest1",
        },
    ]


def test_the_outputs_are_the_name_and_the_arn_but_not_the_value(synthesized: SynthesizedStack) -> None:
    outputs = {name: value for name, value in synthesized.outputs.items() if name.startswith("gateway_token")}
    assert outputs == {
        "gateway_token_arn_eu_west_1": ARN,
        "gateway_token_name_eu_west_1": "${aws_ssm_parameter.gateway_token_eu_west_1.name}",
    }
    assert "result" not in str(synthesized.outputs)
    assert "random_password" not in str(synthesized.outputs)


def test_references_work_in_other_stacks(synthesize: Synthesize) -> None:
    def build_references(stack: HardenedStack) -> dict[str, str]:
        secret = make(stack)
        return {"arn": secret.arn, "name": secret.name}

    assert read_from_another_stack(synthesize, build_references) == {"arn": ARN, "name": "/dev/shop/gateway-token"}


def test_outside_value_is_the_deprecated_name_of_external_value() -> None:
    with pytest.deprecated_call(match=r"^constructs_lib\.OutsideValue is deprecated .* use ExternalValue$"):
        assert constructs_lib.OutsideValue is ExternalValue  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "REPLACE_WITH_ACTUAL_TOKEN",
            "CHANGEME",
            "change-me",
            "TODO",
            "to do",
            "FIXME",
            "TBD",
            "example-key",
            "sample",
        ),
        *(
            "dummy",
            "placeholder",
            "<insert here>",
            "password",
            "Passw0rd!",
            "my-secret",
            "your_token",
            "default",
            "foo",
        ),
        *("test", "1234", "12345678", "xxxxxxxx", "", "****", "abc123", "none", "admin", "tba", "passphrase", "qwerty"),
    ],
)
def test_a_placeholder_is_refused(stack: HardenedStack, value: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(stack, value=value)
    assert str(error.value) == (
        f"shop/gateway-token: value={value!r}: is a placeholder; leave the argument out to generate a value, or "
        "use ExternalValue() and set the value outside of Terraform"
    )


VALUE = (
    "must be GeneratedValue(), WriteOnlyValue() or ExternalValue(), not the secret itself, which would be in the code or in "
    "the state"
)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"value": "kJ8-2fQz"}, f"value='...': {VALUE}"),
        ({"value": 42}, f"value='...': {VALUE}"),
        ({"value": "${var.token}"}, f"value='${{var.token}}': {VALUE}"),
        ({"value": "${var.password}"}, f"value='${{var.password}}': {VALUE}"),
        ({"value": GeneratedValue(length=15)}, "value.length=15: must be a whole number from 16 to 128"),
        ({"value": WriteOnlyValue(length=129)}, "value.length=129: must be a whole number from 16 to 128"),
        ({"value": GeneratedValue(length=True)}, "value.length=True: must be a whole number from 16 to 128"),
        ({"value": GeneratedValue(symbols=1)}, "value.symbols=1: must be True or False"),  # type: ignore[arg-type]
        ({"value": GeneratedValue(generation=0)}, "value.generation=0: must be a whole number of at least 1"),
        (
            {"value": WriteOnlyValue(generation="2")},  # type: ignore[arg-type]
            "value.generation='2': must be a whole number of at least 1",
        ),
        ({"tier": "Basic"}, "tier='Basic': must be one of Standard, Advanced, Intelligent-Tiering"),
        ({"description": "x" * 1025}, f"description={'x' * 1025!r}: must be a string of at most 1024 characters"),
        ({"description": 7}, "description=7: must be a string of at most 1024 characters"),
        (
            {"allowed_pattern": ""},
            "allowed_pattern='': must be a regular expression of 1 to 1024 characters without references",
        ),
        (
            {"allowed_pattern": "x" * 1025},
            f"allowed_pattern={'x' * 1025!r}: must be a regular expression of 1 to 1024 characters without references",
        ),
        (
            {"allowed_pattern": "${var.p}"},
            "allowed_pattern='${var.p}': must be a regular expression of 1 to 1024 characters without references",
        ),
        (
            {"allowed_pattern": "[a-"},
            "allowed_pattern='[a-': is not a valid regular expression: unterminated character set at position 0",
        ),
        (
            {"allowed_pattern": "^[A-Za-z0-9]+$"},
            (
                "allowed_pattern='^[A-Za-z0-9]+$': does not match generated values such as "
                "'qW7_.qW7_.qW7_.qW7_.qW7_.qW7_.qW'; widen the pattern, or change length and symbols"
            ),
        ),
        (
            {"allowed_pattern": "^[a-z]", "value": GeneratedValue(length=16, symbols=False)},
            (
                "allowed_pattern='^[a-z]': does not match generated values such as 'W7qW7qW7qW7qW7qW'; widen the pattern, or change "
                "length and symbols"
            ),
        ),
        (
            {"allowed_pattern": "^sk_live_", "value": ExternalValue()},
            (
                "allowed_pattern='^sk_live_': does not match generated values such as 'qW7_.qW7_.qW7_.qW7_.qW7_.qW7_.qW'; "
                "widen the pattern, or change length and symbols"
            ),
        ),
    ],
    ids=str,
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(stack, **arguments)
    assert str(error.value) == f"shop/gateway-token: {problem}"


def test_all_problems_are_reported_at_once(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(stack, value="TODO", tier="Basic")
    assert len(error.value.problems) == 2


def test_a_name_that_is_too_long_is_refused(stack: HardenedStack) -> None:
    key = make_key(stack)
    with pytest.raises(ConfigurationError) as error:
        SecretParameter(stack, "x" * 1002, region=key.region, key=key)
    (problem,) = error.value.problems
    assert problem.endswith("': makes a name of more than 1011 characters; choose a shorter id")


def test_a_name_at_the_limit_is_accepted(stack: HardenedStack) -> None:
    key = make_key(stack)
    assert len(SecretParameter(stack, "x" * 1001, region=key.region, key=key).name) == 1011


def test_a_key_of_another_region_is_refused(stack: HardenedStack) -> None:
    key = make_key(stack)
    with pytest.raises(ConfigurationError, match="exists in eu-west-1 and not in us-east-1"):
        SecretParameter(stack, "token", region=stack.region("us-east-1"), key=key)


def test_a_grantee_in_another_stack_is_refused(stack: HardenedStack) -> None:
    other = HardenedStack(App.of(stack), "other", environment="dev", owner="team-shop")
    with pytest.raises(ConfigurationError) as error:
        make(stack).grant_read(make_role(other))
    assert str(error.value) == (
        "shop/gateway-token: grantee='other/reader': is in another stack; add a statement for this parameter's arn there"
    )
