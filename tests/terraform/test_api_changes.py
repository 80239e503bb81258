"""An API after its first apply: a tainted function, a removed method."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Workspace
from tests.constructs.rest_api.apis import SAFE, make_api
from tests.terraform.changes import change_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

EU = "eu-west-1"
DEPLOYMENT = "aws_api_gateway_deployment.api_deployment_eu_west_1"
TAINTED = ("aws_lambda_function.pay_fn", "aws_iam_role.pay_fn_role", "aws_cloudwatch_log_group.pay_fn_log_group")


@pytest.fixture(scope="module")
def build(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> Callable[[Sequence[str]], SynthesizedStack]:
    """Return a stack with an API that has a GET method on each path."""

    def make(paths: Sequence[str]) -> SynthesizedStack:
        def shop(app: App) -> None:
            api, function = make_api(HardenedStack(app, "shop", environment="dev", owner="team-shop"))
            for path in paths:
                api.add_method("GET", path, function, shorter_timeout=SAFE)

        return synthesize(shop)["shop"]

    return make


@pytest.fixture(scope="module")
def applied(
    build: Callable[[Sequence[str]], SynthesizedStack], aws_provider: Terraform
) -> Iterator[tuple[LocalAws, Workspace]]:
    with LocalAws() as aws, Workspace(build(["/a", "/b"]), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        yield aws, workspace


def terraform(workspace: Workspace, *arguments: str) -> str:
    command = [str(workspace.terraform.binary), *arguments]
    environment = workspace._environment()
    done = subprocess.run(command, cwd=workspace.directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def served(aws: LocalAws) -> set[str]:
    """Return the paths of the stage's deployment."""
    client = aws.client("apigateway", EU)
    (api,) = client.get_rest_apis()["items"]
    export = client.get_export(restApiId=api["id"], stageName="live", exportType="oas30")
    return set(json.loads(export["body"].read())["paths"])


def test_a_removed_method_is_reported_until_the_api_is_deployed_again(
    applied: tuple[LocalAws, Workspace], build: Callable[[Sequence[str]], SynthesizedStack]
) -> None:
    aws, workspace = applied
    api = aws.client("apigateway", EU).get_rest_apis()["items"][0]["id"]
    actions = change_to(workspace, build(["/a"]))
    assert actions[DEPLOYMENT] == "create-delete"
    assert actions["aws_lambda_permission.pay_fn_api_b_get_eu_west_1"] == "delete"
    workspace.apply()
    assert served(aws) == {"/a", "/b"}
    policy = aws.client("lambda", EU).get_policy(FunctionName="shop-dev-pay-fn-eu-west-1", Qualifier="live")["Policy"]
    assert [one["Sid"] for one in json.loads(policy)["Statement"]] == ["api_a_get"]

    warning = "The stage live still has methods that were removed: GET /b"
    assert warning in terraform(workspace, "plan", "-json")
    last = terraform(workspace, "apply", "-json", "-auto-approve", f"-replace={DEPLOYMENT}")
    assert warning not in last.partition("Apply complete!")[2]
    assert served(aws) == {"/a"}
    assert warning not in terraform(workspace, "plan", "-json")
    assert aws.client("apigateway", EU).get_rest_apis()["items"][0]["id"] == api


def test_a_function_role_and_log_group_behind_an_api_can_be_replaced(applied: tuple[LocalAws, Workspace]) -> None:
    _, workspace = applied
    for address in TAINTED:
        terraform(workspace, "taint", f"{address}_eu_west_1")
    workspace.plan()
    changes = workspace.show()["resource_changes"]
    actions = {change["address"]: change["change"]["actions"] for change in changes}
    assert {actions[f"{address}_eu_west_1"] == ["delete", "create"] for address in TAINTED} == {True}
    workspace.apply()
