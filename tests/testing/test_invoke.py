"""A deployed function, run once from the package that the local AWS has."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing.errors import HarnessError
from constructs_lib.testing.invoke import Function, deployed_functions, find_function, invoke, read_event

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

REGION = "eu-west-1"
ROOT = Path(__file__).parents[2]
HANDLER = """
import os

def handler(event, context):
    print("greeting", event["name"])
    left = context.get_remaining_time_in_millis()
    return {"hello": os.environ["GREETING"], "region": os.environ["AWS_REGION"], "left": left, "path": context.function_name}
"""
FAILS = "def handler(event, context):\n    raise ValueError('no such thing')\n"
HANGS = "import time\ndef handler(event, context):\n    time.sleep(60)\n"


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}


def deploy(aws: LocalAws, name: str, code: str, runtime: str = "python3.13") -> Function:
    aws.client("iam", REGION).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        files.writestr("app/index.py", code)
    aws.client("lambda", REGION).create_function(
        FunctionName=name,
        Role=f"arn:aws:iam::123456789012:role/{name}",
        Runtime=runtime,
        Handler="app/index.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=2,
        Environment={"Variables": {"GREETING": "you"}},
    )
    return Function(name, REGION)


@pytest.mark.slow
def test_it_gets_its_variables_an_event_and_a_context(local_aws: LocalAws) -> None:
    answer = invoke(local_aws, deploy(local_aws, "shop-dev-greeter", HANDLER), {"name": "Ada"})
    assert answer.value == {"hello": "you", "region": REGION, "left": 2000, "path": "shop-dev-greeter"}
    assert answer.logs == "greeting Ada"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "runtime", "message"),
    [
        (FAILS, "python3.13", r"^failing: invocation failed:\n(.|\n)*ValueError: no such thing$"),
        (HANGS, "python3.13", r"^hanging: invocation timed out after 2 s$"),
        ("", "nodejs22.x", r"^node: only Python runtimes can be invoked, not nodejs22\.x$"),
    ],
    ids=["failing", "hanging", "node"],
)
def test_one_that_cannot_be_run_says_why(
    local_aws: LocalAws, request: pytest.FixtureRequest, code: str, runtime: str, message: str
) -> None:
    function = deploy(local_aws, request.node.callspec.id, code, runtime)
    with pytest.raises(HarnessError, match=message):
        invoke(local_aws, function, {})


def test_functions_are_found_in_the_state_by_a_part_of_their_name() -> None:
    def deployed(name: str, region: str) -> dict[str, Any]:
        return {"attributes": {"function_name": name, "arn": f"arn:aws:lambda:{region}:123456789012:function:{name}"}}

    instances = [deployed("shop-dev-payer-us-east-1", "us-east-1"), deployed("shop-dev-payer-eu-west-1", "eu-west-1")]
    state = {
        "resources": [
            {"mode": "managed", "type": "aws_lambda_function", "instances": instances},
            {"mode": "data", "type": "aws_lambda_function", "instances": [deployed("other", "us-east-1")]},
        ]
    }
    eu, us = functions = list(deployed_functions(state))
    assert find_function(functions, "payer") == eu == Function("shop-dev-payer-eu-west-1", "eu-west-1")
    assert find_function(functions, "shop-dev-payer-us-east-1") == us
    with pytest.raises(
        HarnessError, match=r"^function 'pay' is not deployed; deployed functions: shop-dev-payer-eu-west-1, shop"
    ):
        find_function(functions, "pay")
    assert list(deployed_functions({})) == []


def test_a_sample_event_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{", encoding="utf-8")
    for name in ("event.json", "missing.json"):
        with pytest.raises(HarnessError, match=rf"^{tmp_path / name}: event cannot be read: "):
            read_event(tmp_path / name)


def test_the_sample_event_of_payments_is_a_payment() -> None:
    assert read_event(ROOT / "sample_events" / "payments" / "validator.json")
