from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from constructs_lib import (
    Canary,
    ConfigurationError,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    Queue,
    RegionalVpc,
    Unreserved,
)
from constructs_lib.constructs.shared.environment_variables import check_variables
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.lambda_environment import RESERVED

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.constructs.regional_vpc import Vpc
    from constructs_lib.testing import SynthesizedStack

EVENTS = "events.amazonaws.com"
LEVELS = "TRACE, DEBUG, INFO, WARN, ERROR, FATAL"


def create(stack: HardenedStack, **arguments: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    given: dict[str, Any] = {
        "id_": "pay-fn",
        "region": region,
        "source": InlineSource("def handler(event, context): ..."),
        "handler": "index.handler",
        "reserved_concurrency": 1,
    } | arguments
    if "key" not in given:
        given["key"] = MultiRegionKey(stack, f"key-of-{given['id_']}", region=region)
    return PaymentLambda(stack, **given)


def refused(stack: HardenedStack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        create(stack, **arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"timeout": 5}, "timeout=5: must be a whole number of seconds from 30 to 300"),
        (
            {"timeout": 9, "synchronous": True},
            "timeout=9: must be a whole number of seconds from 10 to 300",
        ),
        ({"timeout": 301}, "timeout=301: must be a whole number of seconds from 30 to 300"),
        ({"timeout": 30.5}, "timeout=30.5: must be a whole number of seconds from 30 to 300"),
        ({"memory": 127}, "memory=127: must be a whole number of MB from 128 to 10240"),
        ({"memory": 10241}, "memory=10241: must be a whole number of MB from 128 to 10240"),
        ({"ephemeral_storage": 511}, "ephemeral_storage=511: must be a whole number of MB from 512 to 10240"),
        ({"ephemeral_storage": 10241}, "ephemeral_storage=10241: must be a whole number of MB from 512 to 10240"),
        ({"retries": 3}, "retries=3: must be a whole number of retries from 0 to 2"),
        ({"retries": True}, "retries=True: must be a whole number of retries from 0 to 2"),
        ({"log_level": "info"}, f"log_level='info': expected one of {LEVELS}"),
        ({"description": "x" * 257}, f"description={'x' * 257!r}: expected at most 256 characters"),
        (
            {"runtime": "python3.8"},
            (
                "runtime='python3.8': is out of support since 2024-10-14; must be one of python3.11, python3.12, "
                "python3.13, nodejs22.x"
            ),
        ),
        (
            {"runtime": "ruby3.3"},
            "runtime='ruby3.3': must be one of python3.11, python3.12, python3.13, nodejs22.x",
        ),
        ({"layers": ["arn"] * 6}, f"layers={['arn'] * 6!r}: expected a list of at most 5 LambdaLayers or ARNs"),
        ({"layers": "arn"}, "layers='arn': expected a list of at most 5 LambdaLayers or ARNs"),
        (
            {"layers": ["arn:aws:lambda:eu-west-1:123456789012:layer:tools"]},
            (
                "layers='arn:aws:lambda:eu-west-1:123456789012:layer:tools': expected the ARN of a layer version, with its "
                "number"
            ),
        ),
        (
            {"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:tools:3"]},
            (
                "layers='arn:aws:lambda:us-east-1:123456789012:layer:tools:3': is in another region; expected a layer in the "
                "function's region, eu-west-1"
            ),
        ),
        (
            {"code_signing_config_arn": "csc-0123456789abcdef0"},
            "code_signing_config_arn='csc-0123456789abcdef0': expected the ARN of a code signing configuration",
        ),
        (
            {"canary": Canary(version="$LATEST", weight=0.1)},
            "canary.version='$LATEST': expected the number of a published version as a string, such as '7'",
        ),
        (
            {"canary": Canary(version=7, weight=0.1)},  # type: ignore[arg-type]
            "canary.version=7: expected the number of a published version as a string, such as '7'",
        ),
        (
            {"canary": Canary(version="7", weight="0.1")},  # type: ignore[arg-type]
            "canary.weight='0.1': expected a number above 0 and below 1",
        ),
        ({"canary": Canary(version="7", weight=0.0)}, "canary.weight=0.0: expected a number above 0 and below 1"),
        ({"canary": Canary(version="7", weight=1.0)}, "canary.weight=1.0: expected a number above 0 and below 1"),
        (
            {"reserved_concurrency": 0},
            "reserved_concurrency=0: expected a whole number of at least 1, or Unreserved(reason)",
        ),
        (
            {"reserved_concurrency": None},
            "reserved_concurrency=None: expected a whole number of at least 1, or Unreserved(reason)",
        ),
    ],
)
def test_arguments_that_lambda_refuses_are_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    assert refused(stack, **arguments) == f"shop/pay-fn: {problem}"


def test_values_at_the_limits_and_references_are_accepted(synth_stack: Callable[..., SynthesizedStack]) -> None:
    given: dict[str, dict[str, Any]] = {
        "a": {"timeout": 300, "memory": 128, "ephemeral_storage": 10240, "retries": 1},
        "b": {"memory": 10240, "layers": ["${aws_lambda_layer_version.tools.arn}"], "description": "x" * 256},
        "c": {"layers": [f"arn:aws:lambda:eu-west-1:123456789012:layer:tools:{n}" for n in range(5)]},
        "d": {
            "code_signing_config_arn": (
                "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
            )
        },
        "e": {"code_signing_config_arn": "${aws_lambda_code_signing_config.strict.arn}"},
    }

    def build(stack: HardenedStack) -> None:
        for id_, arguments in given.items():
            create(stack, id_=id_, **arguments)

    stack = synth_stack(build)
    a, b, c, d, e = (stack.resource("aws_lambda_function", f"shop/{id_}/*") for id_ in given)
    assert (a["timeout"], a["memory_size"], a["ephemeral_storage"]) == (300, 128, {"size": 10240})
    assert stack.resource("aws_lambda_function_event_invoke_config", "shop/a/*")["maximum_retry_attempts"] == 1
    assert (b["memory_size"], b["layers"], b["description"]) == (10240, given["b"]["layers"], "x" * 256)
    assert c["layers"] == given["c"]["layers"]
    assert d["code_signing_config_arn"] == given["d"]["code_signing_config_arn"]
    assert e["code_signing_config_arn"] == given["e"]["code_signing_config_arn"]


def test_more_reserved_concurrency_than_the_region_has_left_is_refused(stack: HardenedStack) -> None:
    create(stack, id_="auth-fn", reserved_concurrency=800)
    assert refused(stack, reserved_concurrency=101) == (
        "shop/pay-fn: reserved_concurrency=101: only 100 of the 1000 concurrent executions in eu-west-1 are left (100 "
        "stay unreserved; reserved by shop/auth-fn 800): reserve less, or raise the account's quota and give "
        "region(..., concurrency_limit=). Request the increase in Service Quotas, of Lambda's "
        "Concurrent executions (L-B99A9384)"
    )


def test_all_concurrency_that_the_region_has_left_can_be_reserved(stack: HardenedStack) -> None:
    create(stack, id_="auth-fn", reserved_concurrency=800)
    create(stack, reserved_concurrency=100)
    assert stack.region("eu-west-1").concurrency.available == 0


def test_a_short_reason_is_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        Unreserved("because")
    assert str(error.value) == (
        "Unreserved: reason='because': must be a sentence of at least 20 characters that says why"
    )


def vpc(stack: HardenedStack, region: str, tier: Literal["private", "public"]) -> Vpc:
    return RegionalVpc.from_attributes(
        stack,
        "vpc",
        region=stack.region(region),
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.10.0.0/16",
        subnets={tier: {"a": "subnet-0123456789abcdef0"}},
    )


def test_a_vpc_of_another_region_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, vpc=vpc(stack, "us-east-1", "private")) == (
        "shop/pay-fn: vpc='shop/vpc': is in us-east-1, and the function in eu-west-1; expected a VPC in eu-west-1"
    )


def test_a_vpc_without_private_subnets_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, vpc=vpc(stack, "eu-west-1", "public")) == (
        "shop/pay-fn: vpc='shop/vpc': has no private subnets; expected a VPC with private subnets"
    )


def test_a_key_without_replica_in_the_region_is_refused(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region("us-east-1"))
    assert refused(stack, key=key) == (
        "shop/pay-fn: key='shop/key': exists in us-east-1 and not in eu-west-1, and a resource cannot use a key of "
        "another region; add eu-west-1 to the key's replicas"
    )


def test_all_problems_are_reported_together(stack: HardenedStack) -> None:
    message = refused(
        stack,
        source=InlineSource("def handler(event, context): ...", filename="main.py"),
        timeout=5,
        environment={"AWS_REGION": "eu-west-1"},
        reserved_concurrency=901,
    )
    starts = ("handler=", "timeout=", "environment['AWS_REGION']=", "reserved_concurrency=")
    assert [line.split(": ")[1].startswith(start) for line, start in zip(message.splitlines(), starts, strict=True)]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        (
            {"AWS_REGION": "eu-west-1"},
            "environment['AWS_REGION']='eu-west-1': is reserved for Lambda; choose another name",
        ),
        (
            {"LOG_LEVEL": "DEBUG"},
            "environment['LOG_LEVEL']='DEBUG': is set from log_level; leave it out, and give log_level",
        ),
        (
            {"1ST": "x"},
            "environment['1ST']='x': invalid name; expected at least two letters, digits or underscores, with a letter first",
        ),
        (
            {"A": "x"},
            "environment['A']='x': invalid name; expected at least two letters, digits or underscores, with a letter first",
        ),
        (
            {"A-B": "x"},
            "environment['A-B']='x': invalid name; expected at least two letters, digits or underscores, with a letter first",
        ),
        ({"LIMIT": 5}, "environment['LIMIT']=5: is of the type int; expected a string"),
        ({"LIMIT": None}, "environment['LIMIT']=None: is of the type NoneType; expected a string"),
        ({"LIMIT": {1}}, "environment['LIMIT']={1}: is of the type set; expected a string"),
        (
            {5: "x"},
            "environment[5]='x': invalid name; expected at least two letters, digits or underscores, with a letter first",
        ),
        (
            {"TABLE": "x" * 4066},
            (
                "environment='2 variables': have 4097 bytes with their names; Lambda allows 4096. Store large values in a "
                "parameter"
            ),
        ),
    ],
)
def test_variables_that_lambda_refuses_are_refused(
    stack: HardenedStack, variables: dict[str, str], problem: str
) -> None:
    assert refused(stack, environment=variables) == f"shop/pay-fn: {problem}"


def check(variables: dict[str, str]) -> list[str]:
    problems = Problems("shop/pay-fn")
    check_variables(problems, variables, "INFO")
    return problems.found


def test_four_kilobytes_of_variables_are_accepted_without_references() -> None:
    assert check({"TABLE": "x" * 4065}) == []
    assert check({"TABLE": "\N{EURO SIGN}" * 1355}) == []
    assert check({"TABLE": "x" * 4055, "NAME": "${aws_dynamodb_table." + "x" * 100 + ".name}"}) == []


def test_reserved_variables_are_refused() -> None:
    assert len(RESERVED) == 18
    for key in RESERVED:
        assert check({key: "x"}) == [f"environment[{key!r}]='x': is reserved for Lambda; choose another name"]


def test_variables_that_lambda_sets_and_allows_to_change_are_accepted() -> None:
    assert check({"TZ": "Europe/Berlin", "PATH": "/opt/bin", "LANG": "C", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/w"}) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PASSWORD", "hunter2"),
        ("dbPassword", "hunter2"),
        ("DBPASSWD", "hunter2"),
        ("CLIENT_SECRET", "x"),
        ("AUTH_TOKEN", "x"),
        ("API_KEY", "x"),
        ("APIKEY", "x"),
        ("SIGNING_KEY", "x"),
        ("DB_CREDENTIALS", "x"),
        ("KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("PEM", "-----BEGIN RSA PRIVATE KEY-----"),
        ("STRIPE", "sk_live_0123456789abcdefABCDEF"),
        ("GIT", "ghp_" + "a" * 36),
        ("DATABASE_URL", "postgres://shop:hunter2@db:5432/shop"),
    ],
)
def test_a_secret_is_refused_without_repeating_its_value(key: str, value: str) -> None:
    assert check({key: value}) == [
        (
            f"environment[{key!r}]='***': looks like a secret, which everyone who can read the function's configuration "
            f"could read. Store it in Secrets Manager or a SecretParameter, and give its ARN as {key}_ARN"
        )
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("API_TOKEN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t"),
        ("API_TOKEN", "${aws_secretsmanager_secret.token.arn}"),
        ("API_TOKEN", ""),
        ("TOKEN_TTL", "300"),
        ("SECRET_NAME", "shop/dev/token"),
        ("PARTITION_KEY", "id"),
        ("ENDPOINT", "https://api.example.com/v1"),
    ],
)
def test_references_to_secrets_and_other_values_are_accepted(key: str, value: str) -> None:
    assert check({key: value}) == []


def test_a_function_that_an_api_waits_for_may_have_a_shorter_timeout(stack: HardenedStack) -> None:
    made = create(stack, timeout=10, synchronous=True)
    assert (made.timeout, made.synchronous) == (10, True)
    made.allow_invoke(
        "api", service="apigateway.amazonaws.com", source_arn="arn:aws:execute-api:eu-west-1:111122223333:a/*"
    )


def test_a_synchronous_function_has_no_asynchronous_sources(stack: HardenedStack) -> None:
    made = create(stack, synchronous=True)
    queue = Queue(stack, "queue", region=made.region, key=MultiRegionKey(stack, "other", region=made.region))
    rule, stream = "arn:aws:events:eu-west-1:111122223333:rule/r", "arn:aws:dynamodb:eu-west-1:1:table/t/stream/s"
    for argument, value, call in (
        ("service", "events.amazonaws.com", lambda: made.allow_invoke("r", service=EVENTS, source_arn=rule)),
        ("queue", "shop/queue", lambda: made.add_queue(queue)),
        ("stream_arn", stream, lambda: made.add_stream("s", stream)),
    ):
        with pytest.raises(ConfigurationError) as error:
            call()
        assert str(error.value) == (
            f"shop/pay-fn: {argument}={value!r}: does not wait for the function's response, and the function is "
            "synchronous; create it with synchronous=False and a timeout of at least 30 seconds"
        )
