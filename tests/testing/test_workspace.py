from __future__ import annotations

import fcntl
import functools
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from constructs_lib.testing import overrides, plan, settings
from constructs_lib.testing import terraform as real

REAL = pytest.mark.terraform
ROOT = Path(__file__).parents[2]
AWS = {"aws": ">= 5.100.0, < 7.0.0"}
NO_PROVIDER: dict[str, Any] = {"resource": {"terraform_data": {"one": {"input": "x"}}}}


# What Terraform says.


def changed(actions: list[str], **sides: Any) -> dict[str, Any]:
    resource = {"address": "aws_thing.a[0]", "type": "aws_thing", "mode": "managed"}
    return {"resource_changes": [{**resource, "change": {"actions": actions, **sides}}]}


def read(document: dict[str, Any]) -> list[tuple[str, object, object]]:
    return [(found.attribute, found.before, found.after) for found in plan.read_differences(document, {})]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b", 2, 3)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}, [("a.b.c", 1, None)]),
        ({"rule": [{"x": 1}, {"x": 2}]}, {"rule": [{"x": 1}, {"x": 3}]}, [("rule[1].x", 2, 3)]),
        ({"ids": ["a"]}, {"ids": ["a", "b"]}, [("ids", ["a"], ["a", "b"])]),
    ],
)
def test_an_update_is_told_by_attribute(before: Any, after: Any, expected: list[Any]) -> None:
    assert read(changed(["update"], before=before, after=after)) == expected


def test_a_sensitive_attribute_is_told_without_its_value() -> None:
    document = changed(
        ["update"],
        before={"value": "old", "list": [{"key": "old"}]},
        after={"value": "new", "list": [{"key": "new"}, {"key": "more"}]},
        before_sensitive={"value": True, "list": [{"key": True}]},
        after_sensitive={"value": True, "list": [{"key": True}, {"key": True}]},
    )
    assert read(document) == [
        ("list", [{"key": plan.REDACTED}], [{"key": plan.REDACTED}, {"key": plan.REDACTED}]),
        ("value", plan.REDACTED, plan.REDACTED),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"before": {"a": 1, "b": 2}, "after": {"b": 2}, "after_unknown": {"a": True}}, [("a", 1, plan.UNKNOWN)]),
        ({"before": {"a": 1}, "after": {"a": 1}}, [("*", {"a": 1}, {"a": 1})]),
        ({"actions": ["create"], "before": None, "after": {"a": 1}}, [("*", None, {"a": 1})]),
        ({"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}}, []),
    ],
    ids=["known after apply", "no visible reason", "gone", "unchanged"],
)
def test_what_has_no_two_values_is_told_too(change: dict[str, Any], expected: list[Any]) -> None:
    assert read(changed(**{"actions": ["update"], **change})) == expected


def test_a_difference_names_its_type_and_its_construct_and_outputs_differ_too() -> None:
    document = changed(["update"], before={"a": 1}, after={"a": 2})
    document["output_changes"] = {"arn": {"actions": ["update"], "before": "a", "after": "b"}}
    resource, output = plan.read_differences(document, {"aws_thing.a": plan.Origin("shop/a/Resource")})
    assert resource.type == "aws_thing"
    assert str(resource) == "aws_thing.a[0] [shop/a/Resource] a: 1 -> 2"
    assert output == plan.Difference("output.arn", "*", "a", "b")


def test_changes_are_counted_by_type_and_a_replacement_twice() -> None:
    messages = [
        {"type": "planned_change", "change": {"action": action, "resource": {"resource_type": type_}}}
        for action, type_ in [("create", "aws_a"), ("create", "aws_a"), ("replace", "aws_b"), ("update", "aws_c")]
    ]
    counted = plan.planned([*messages, {"type": "change_summary"}])
    assert counted == plan.Changes(Counter(aws_a=2, aws_b=1), Counter(aws_c=1), Counter(aws_b=1))
    assert str(counted) == "3 to add, 1 to change, 1 to destroy"


def test_an_error_names_the_construct_and_the_line_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "constructs.json").write_text('{"callers": {"shop": "main.py:3", "shop/key": "main.py:12"}}')
    metadata = {"metadata": {"path": "shop/key/Resource"}}
    known = plan.origins({"resource": {"aws_kms_key": {"key": {"//": metadata}}}}, tmp_path)
    by_address = {"severity": "error", "summary": "no", "detail": "because", "address": "aws_kms_key.key"}
    by_context = {"severity": "error", "summary": "no", "snippet": {"context": "resource.aws_kms_key.key"}}
    first, second = plan.diagnostics([{"diagnostic": by_address}, {"diagnostics": [by_context, by_context]}], known)
    assert str(first) == "error: no [aws_kms_key.key, shop/key/Resource, main.py:12]\n  because"
    assert second.origin == first.origin


def test_errors_for_people_are_read_too() -> None:
    text = "Initializing...\n╷\n│ Error: First\n│ \n│ one\n│ two\n╵\n╷\n│ Error: Second\n│ \n│ three\n╵\n"
    assert plan.text_errors(text) == (
        plan.Diagnostic("error", "First", "one\ntwo"),
        plan.Diagnostic("error", "Second", "three"),
    )


def test_an_object_is_found_behind_warnings() -> None:
    assert plan.read_object('# a comment\nWarning: something\n{\n  "valid": true\n}\nmore\n') == {"valid": True}


# What lies beside the stack.


def test_the_override_reaches_every_provider_and_nothing_else(tmp_path: Path) -> None:
    document = {
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "allowed_account_ids": ["111122223333"]}]},
        "resource": {"aws_sqs_queue": {"q": {}}},
    }
    assert overrides.override(document, state=tmp_path, account_id="123456789012", left_out={}) == {
        "terraform": {"backend": {"local": {"path": str(tmp_path)}}},
        "provider": {
            "aws": [{"max_retries": 2}, {"max_retries": 2, "alias": "us", "allowed_account_ids": ["123456789012"]}]
        },
    }


def test_a_type_that_the_local_aws_lacks_is_left_out(tmp_path: Path) -> None:
    named = {"one": {"depends_on": ["aws_a.b"]}, "many": {"for_each": "${local.all}"}}
    left_out = overrides.find_left_out(
        {"resource": {"aws_lacking": named, "aws_a": {"b": {}}}}, frozenset({"aws_lacking"})
    )
    change = overrides.override({}, state=tmp_path, account_id="1", left_out=left_out)
    assert change["resource"] == {"aws_lacking": {"one": {"count": 0}, "many": {"for_each": {}}}}


def test_a_resource_that_others_use_cannot_be_left_out() -> None:
    document = {"resource": {"aws_lacking": {"one": {}}}, "output": {"arn": {"value": "${aws_lacking.one.arn}"}}}
    with pytest.raises(
        real.HarnessError, match=r"^the local AWS has no aws_lacking, and output uses a value of aws_la"
    ):
        overrides.find_left_out(document, frozenset({"aws_lacking"}))


def test_protections_are_lifted_and_only_attributes_need_an_apply() -> None:
    by_terraform = {"resource": {"aws_a": {"x": {"lifecycle": [{"prevent_destroy": True}]}, "y": {}}}}
    assert overrides.unprotect(by_terraform) == (
        {"resource": {"aws_a": {"x": {"lifecycle": {"prevent_destroy": False}}}}},
        False,
    )
    by_aws = {"resource": {"aws_b": {"x": {"deletion_protection": True}}}}
    assert overrides.unprotect(by_aws) == ({"resource": {"aws_b": {"x": {"deletion_protection": False}}}}, True)
    assert overrides.unprotect({"resource": {"aws_a": {"y": {"deletion_protection": False}}}}) == ({}, False)


# What this machine has.


@pytest.mark.parametrize(
    ("programs", "named", "reason"),
    [
        ({}, "", r"^no terraform or tofu on PATH$"),
        ({"terraform": "1.11.4"}, "tf9", r"^TERRAFORM_BINARY_NAME='tf9': no such program$"),
        ({"terraform": "1.4.7"}, "", r"/terraform is version 1\.4\.7; 1\.5 or later is needed$"),
        ({"terraform": '"'}, "", r"/terraform does not tell its version: "),
    ],
)
def test_a_machine_without_a_usable_terraform_says_why(
    machine: Any, programs: dict[str, str], named: str, reason: str
) -> None:
    with pytest.raises(real.UnavailableError, match=reason):
        real.Terraform.discover({**machine(**programs), "TERRAFORM_BINARY_NAME": named})


def test_terraform_comes_before_opentofu_unless_one_is_named(machine: Any) -> None:
    variables = machine(terraform="1.11.4", tofu="1.10.0")
    assert str(real.Terraform.discover(variables)) == "terraform 1.11.4"
    found = real.Terraform.discover({**variables, "TERRAFORM_BINARY_NAME": "tofu"})
    assert (str(found), found.registry) == ("tofu 1.10.0", "registry.opentofu.org")


def test_a_mirror_is_found_by_what_it_holds_or_by_anything_in_it(machine: Any) -> None:
    variables = machine("a", "b")
    first, second = (Path(variables["HOME"], "plugins", name) for name in "ab")
    assert settings.find_mirrors(variables, "registry.terraform.io") == [first, second]
    inside = str(second / "registry.terraform.io/hashicorp/aws/5.100.0")
    assert settings.find_mirrors({**variables, "TF_PLUGIN_DIR": inside}, "registry.terraform.io") == [second]
    with pytest.raises(
        real.UnavailableError, match=r"^TF_PLUGIN_DIR='/nowhere': neither it nor a folder above it holds"
    ):
        settings.find_mirrors({**variables, "TF_PLUGIN_DIR": "/nowhere"}, "registry.terraform.io")


def test_each_provider_comes_from_a_mirror_or_a_stand_in_or_is_missed(machine: Any) -> None:
    terraform = real.Terraform.discover(machine("a", terraform="1.11.4"))
    required: dict[str, Any] = {"aws": {"source": "hashicorp/aws"}, "random": {}}
    found = settings.find_providers(terraform, {"terraform": {"required_providers": required}})
    mirror = Path(terraform.variables["HOME"], "plugins", "a")
    assert str(found) == (
        f"hashicorp/aws from {mirror}; hashicorp/random: STAND-IN of constructs_lib, not the real provider"
    )
    assert found.versions("hashicorp/aws") == ["5.100.0"]
    text = found.cli_configuration(Path("/stand-ins"))
    assert f'path    = "{mirror}"\n    include = ["registry.terraform.io/hashicorp/aws"]' in text
    assert 'path    = "/stand-ins"\n    include = ["registry.terraform.io/hashicorp/random"]' in text
    assert "direct" not in text
    with pytest.raises(real.UnavailableError, match=rf"^registry\..* cannot be reached and hashicorp/tls .*{mirror}"):
        settings.find_providers(terraform, {"terraform": {"required_providers": {"tls": {}, "random": {}}}})


def test_a_configuration_of_the_callers_decides_alone_if_it_is_there(machine: Any, tmp_path: Path) -> None:
    file = tmp_path / "terraform.rc"
    terraform = real.Terraform.discover({**machine("a", terraform="1.11.4"), "TF_CLI_CONFIG_FILE": str(file)})
    document: dict[str, Any] = {"terraform": {"required_providers": {"aws": {}}}}
    assert settings.find_providers(terraform, document).configuration is None
    Path(terraform.variables["HOME"], ".terraformrc").write_text("provider_installation {}")
    assert settings.find_providers(terraform, document).configuration == tmp_path / ".terraformrc"
    file.touch()
    assert str(settings.find_providers(terraform, document)) == f"providers as {file} says"


OWNER = """
import os, pathlib, sys
from constructs_lib.testing.processes import Process
stubborn = "import signal, subprocess as s; signal.signal(2, signal.SIG_IGN); s.run('touch up; sleep 300; :', shell=True)"
places = {"cwd": pathlib.Path.cwd(), "stdout": pathlib.Path("out"), "stderr": pathlib.Path("out")}
Process([sys.executable, "-c", stubborn], env=os.environ, grace=0.2, **places).wait(float(sys.argv[1]))
"""


@pytest.mark.parametrize("limit", ["2", "300"])
def test_processes_end_when_they_take_too_long_and_when_their_owner_is_killed(
    limit: str, tmp_path: Path, descendants: Any, wait_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with subprocess.Popen([sys.executable, "-c", OWNER, limit], cwd=tmp_path, stderr=subprocess.PIPE) as owner:
        wait_for((tmp_path / "up").exists, "the process")
        if limit == "300":
            owner.kill()
        assert owner.wait() == (-signal.SIGKILL if limit == "300" else 1)
        wait_for(lambda: not descendants(), "the end of everything", 10)


# The real thing.


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
        with pytest.raises(real.HarnessError, match=r"^plan: needs a local AWS; give aws=LocalAws\(\) to the work"):
            workspace.plan()
        with pytest.raises(real.HarnessError, match=r"^apply: there is no plan to carry out; call plan\(\) before$"):
            workspace.apply()
    with pytest.raises(real.HarnessError, match=r"^cannot write a scratch copy of .*; give scratch or TMPDIR$"):
        real.Workspace(workspace.source, scratch=workspace.source / "cdk.tf.json")


@REAL
def test_a_locked_state_is_told(hanging: real.Workspace) -> None:
    with hanging.state.open("w") as state:
        fcntl.lockf(state, fcntl.LOCK_EX)
        with pytest.raises(real.StepError, match=r"^plan: another Terraform works in this workspace: the state is lo"):
            hanging.plan()


@REAL
def test_a_step_that_takes_too_long_leaves_its_log_and_no_process(
    hanging: Any, descendants: Any, wait_for: Any
) -> None:
    hanging.plan()
    with pytest.raises(real.StepError, match=r"^apply: longer than 4 s\n") as failed:
        hanging.apply()
    wait_for(lambda: all("local_aws.server" in found for found in descendants()), "the end of Terraform", 10)
    hanging.close(keep_logs=True)
    assert failed.value.log.read_text().startswith(f"# {hanging.terraform} apply -json first.tfplan\n")


@REAL
def test_a_local_aws_that_dies_in_the_middle_ends_the_step(hanging: Any, wait_for: Any, tmp_path: Path) -> None:
    def kill() -> None:
        wait_for((tmp_path / "started").exists, "the apply")
        os.killpg(hanging.aws.pid, signal.SIGKILL)

    hanging.plan()
    (killer := Thread(target=kill)).start()
    with pytest.raises(real.StepError, match=r"^apply: the local AWS ended by itself, exit code -9:"):
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
    *, how: Any, sleeper: Any, write_stack: Any, local_aws: Any, descendants: Any, wait_for: Any, tmp_path: Path
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
    wait_for(lambda: not descendants(), "the end of everything", 30)
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
    assert "\nmade 1, destroyed 1; second plan: 0 unexpected, 0 known differences\n" in said[0]


@REAL
@pytest.mark.usefixtures("terraform")
def test_a_second_plan_that_is_not_empty_fails_the_cycle(write_stack: Any, local_aws: real.LocalAws) -> None:
    stack = write_stack(resource={"terraform_data": {"one": {"input": "${timestamp()}"}}})
    with pytest.raises(real.DriftError, match=r"unexpected: terraform_data\.one input: "):
        real.run_cycle(stack, aws=local_aws)
