"""A stack in the real Terraform, from init to destroy, and what ends a step early."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import HardenedStack, archive, aws
from constructs_lib.testing import plan
from constructs_lib.testing import terraform as real
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App

REAL = pytest.mark.terraform
ROOT = Path(__file__).parents[2]
AWS = {"aws": ">= 5.100.0, < 7.0.0"}
NO_PROVIDER: dict[str, Any] = {"resource": {"terraform_data": {"one": {"input": "x"}}}}


def build(app: App) -> None:
    """Put a stack of fast resources into an app: two regions, a data source, something protected, something moto lacks."""
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    here, there = stack.region("eu-west-1"), stack.region("us-east-1")
    # No KMS key: it takes 20 s with its replica, and the reference stacks have some.
    log_group = aws.cloudwatch_log_group.CloudwatchLogGroup
    log_group(stack, "logs", provider=there.provider, name="shop-logs", retention_in_days=365)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = aws.iam_role.IamRole(stack, "role", provider=here.provider, name="shop", assume_role_policy=trust)
    stack.output("role_arn", role.arn, "ARN of the role")
    source: dict[str, Any] = {"source_content": "print()", "source_content_filename": "index.py", "type": "zip"}
    provider = stack.provider_for("archive")
    archive.data_archive_file.DataArchiveFile(stack, "code", provider=provider, output_path="code.zip", **source)
    secret = {"name": "/shop/secret", "type": "SecureString", "value": "first"}
    aws.ssm_parameter.SsmParameter(stack, "secret", provider=here.provider, **secret)
    aws.dynamodb_table.DynamodbTable(
        stack,
        "table",
        provider=here.provider,
        name="shop",
        hash_key="id",
        attribute=[aws.dynamodb_table.DynamodbTableAttribute(name="id", type="S")],
        billing_mode="PAY_PER_REQUEST",
        deletion_protection_enabled=True,
    )
    alarm = aws.cloudwatch_composite_alarm.CloudwatchCompositeAlarm
    alarm(stack, "lacking", provider=here.provider, alarm_name="a", alarm_rule="ALARM(x)")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def seen(synthesize: Any, aws_provider: real.Terraform) -> Any:
    """What one whole cycle shows, with a change behind Terraform's back in its middle."""
    stack = synthesize(build)["shop"]
    app = stack.directory.parents[1]
    seen = SimpleNamespace(before=contents(app))
    with real.LocalAws() as local, real.Workspace(stack, aws=local, terraform=aws_provider) as workspace:
        workspace.init()
        seen.planned, seen.made, seen.drift = workspace.plan(), workspace.apply(), workspace.drift()
        logs, parameters = local.client("logs", "us-east-1"), local.client("ssm", "eu-west-1")
        logs.put_retention_policy(logGroupName="shop-logs", retentionInDays=7)
        parameters.put_parameter(Name="/shop/secret", Value="changed", Overwrite=True)
        seen.later, seen.outputs, seen.destroyed = workspace.drift(), workspace.outputs(), workspace.destroy()
        seen.left = [logs.describe_log_groups()["logGroups"], parameters.describe_parameters()["Parameters"]]
        seen.after, seen.copy, seen.left_out = contents(app), workspace.directory, workspace.left_out
    return seen


@pytest.fixture
def hanging(
    sleeper: Callable[[], Path],
    descendants: object,  # noqa: ARG001  the mark must be set before anything starts
    terraform: object,  # noqa: ARG001  skips
) -> Iterator[real.Workspace]:
    """A workspace whose apply hangs, with a local AWS of its own."""
    with real.LocalAws() as aws, real.Workspace(sleeper(), aws=aws) as workspace:
        workspace.init()
        yield workspace


# The cycle.


@REAL
def test_a_stack_is_made_as_planned_and_the_second_plan_is_empty(seen: Any) -> None:
    types = ("aws_cloudwatch_log_group", "aws_dynamodb_table", "aws_iam_role", "aws_ssm_parameter")
    assert seen.planned == seen.made == plan.Changes(add=Counter(types))
    assert seen.drift == real.Drift((), ())
    assert seen.left_out == ("aws_cloudwatch_composite_alarm.lacking",)
    assert seen.outputs["role_arn"] == "arn:aws:iam::123456789012:role/shop"


@REAL
def test_a_change_behind_terraforms_back_is_told_by_attribute_and_construct(seen: Any) -> None:
    found = {(each.origin.path, each.attribute): (each.before, each.after) for each in seen.later.unexpected}
    assert {path for path, _ in found} == {"shop/logs", "shop/secret"}
    assert found["shop/logs", "retention_in_days"] == (7, 365)
    assert found["shop/secret", "value"] == (plan.REDACTED, plan.REDACTED)


@REAL
def test_everything_is_destroyed_also_what_is_protected(seen: Any) -> None:
    assert (seen.destroyed.destroy, seen.left) == (seen.made.add, [[], []])


@REAL
def test_the_synthesized_stack_is_never_changed_and_the_copy_removed(seen: Any) -> None:
    assert seen.after == seen.before
    assert not seen.copy.parent.exists()


# What goes wrong.


@REAL
@pytest.mark.usefixtures("aws_provider")
def test_an_invalid_argument_is_told_with_its_construct(write_stack: Any) -> None:
    key = {"provider": "aws.eu", "deletion_window_in_days": 3, "//": {"metadata": {"path": "shop/key/Resource"}}}
    with real.Workspace(write_stack(required=AWS, resource={"aws_kms_key": {"key": key}})) as workspace:
        workspace.init()
        with pytest.raises(real.StepError, match=r"expected deletion_window_in_days to be in the range") as failed:
            workspace.validate()
    (problem,) = failed.value.problems
    assert (problem.address, problem.origin.path) == ("aws_kms_key.key", "shop/key/Resource")


@REAL
@pytest.mark.usefixtures("aws_provider")
def test_a_provider_version_that_nobody_has_is_told(write_stack: Any) -> None:
    with real.Workspace(write_stack(required={"aws": ">= 99.0.0"})) as workspace:
        with pytest.raises(real.StepError, match=r"no available releases match") as failed:
            workspace.init()
        for mirror in workspace.providers.mirrors.values():
            assert str(failed.value).startswith(f"init: hashicorp/aws: {mirror} has ")


@REAL
@pytest.mark.usefixtures("terraform")
def test_steps_that_lack_something_say_what(write_stack: Any) -> None:
    with real.Workspace(write_stack(**NO_PROVIDER)) as workspace:
        with pytest.raises(
            real.HarnessError, match=r"^plan: a local AWS is required; create the workspace with aws=LocalAws\(\)$"
        ):
            workspace.plan()
        with pytest.raises(real.HarnessError, match=r"^apply: no saved plan; call plan\(\) first$"):
            workspace.apply()
    with pytest.raises(
        real.HarnessError, match=r"^.*: copy cannot be written: .*; set scratch or TMPDIR to another folder$"
    ):
        real.Workspace(workspace.source, scratch=workspace.source / "cdk.tf.json")


@REAL
def test_a_locked_state_is_told(hanging: real.Workspace) -> None:
    with hanging.state.open("w") as state:
        fcntl.lockf(state, fcntl.LOCK_EX)
        with pytest.raises(real.StepError, match=r"^plan: the state is locked by another Terraform process"):
            hanging.plan()


@REAL
def test_a_step_that_takes_too_long_leaves_its_log_and_no_process(
    hanging: Any, descendants: Any, tmp_path: Path
) -> None:
    hanging.plan()
    hanging._timeouts = real.Timeouts(apply=0.2)
    hanging._watch = lambda *_: wait_for((tmp_path / "started").exists, "the apply")
    with pytest.raises(real.StepError, match=r"^apply: timed out after 0\.2 s\n") as failed:
        hanging.apply()
    wait_for(lambda: all("local_aws.server" in found for found in descendants()), "the end of Terraform")
    hanging.close(keep_logs=True)
    assert failed.value.log.read_text().startswith(f"# {hanging.terraform} apply -json first.tfplan\n")


@REAL
def test_a_local_aws_that_dies_in_the_middle_ends_the_step(hanging: Any, tmp_path: Path) -> None:
    def kill() -> None:
        wait_for((tmp_path / "started").exists, "the apply")
        os.killpg(hanging.aws.pid, signal.SIGKILL)

    hanging.plan()
    (killer := Thread(target=kill)).start()
    with pytest.raises(real.StepError, match=r"^apply: the local AWS ended unexpectedly with exit code -9:"):
        hanging.apply()
    killer.join()


RUN = """
import signal, sys, tempfile
_, stack, tempfile.tempdir = sys.argv
from constructs_lib.testing.terraform import run_cycle
signal.signal(signal.SIGINT, signal.default_int_handler)
run_cycle(stack)
"""


@REAL
@pytest.mark.usefixtures("aws_provider")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_leaves_no_process_and_the_next_one_starts_clean(
    *, how: Any, sleeper: Any, write_stack: Any, local_aws: Any, descendants: Any, tmp_path: Path
) -> None:
    queue = {"aws_sqs_queue": {"q": {"provider": "aws.eu", "name": "q"}}}
    stack = sleeper() if how is signal.SIGINT else write_stack(required=AWS, resource=queue)
    wanted = ["local_aws.server", "apply -json", "sleep" if how is signal.SIGINT else "terraform-provider-aws"]
    with subprocess.Popen([sys.executable, "-c", RUN, stack, tmp_path], cwd=ROOT, stderr=subprocess.PIPE) as run:
        logs = functools.partial(tmp_path.glob, "constructs-lib-terraform-*/logs/*-apply.log")
        try:
            wait_for(lambda: any("apply_start" in log.read_text() for log in logs()), "the apply")
            wait_for(lambda: all(any(name in found for found in descendants()) for name in wanted), f"all of {wanted}")
        finally:
            run.send_signal(how)
    wait_for(lambda: not descendants(), "the end of everything")
    assert how is signal.SIGKILL or not list(tmp_path.glob("constructs-lib-*"))
    with real.Workspace(stack, aws=local_aws) as workspace:
        workspace.init()
        assert how is signal.SIGKILL or workspace.plan().add.total() == 1


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_whole_cycle_tells_what_it_did(write_stack: Any, local_aws: real.LocalAws) -> None:
    said: list[str] = []
    report = real.run_cycle(write_stack(**NO_PROVIDER), aws=local_aws, say=said.append)
    assert report.made == plan.Changes(add=Counter(terraform_data=1))
    assert said == [str(report)]
    assert "\ncreated 1, destroyed 1; second plan: 0 unexpected, 0 known differences\n" in said[0]


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_second_plan_that_is_not_empty_fails_the_cycle(write_stack: Any, local_aws: real.LocalAws) -> None:
    stack = write_stack(resource={"terraform_data": {"one": {"input": "${timestamp()}"}}})
    with pytest.raises(real.DriftError, match=r"unexpected: terraform_data\.one input: "):
        real.run_cycle(stack, aws=local_aws)
