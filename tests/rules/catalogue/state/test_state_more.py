"""Rules about Terraform itself: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.state.documents import PROVIDER, QUEUE, SYNTHESIZED, source


@pytest.mark.parametrize(
    "value",
    [
        {"nested": ["${random_password.p.result}"]},
        '${tls_private_key.k["a"].private_key_pem}',
        "${random_password.p}",
        "${local.logins[0].password}",
        "${data.aws_ssm_parameter.token.value}",
        "${[for key in tls_private_key.k : key.id]}",
        "${local.login.password}",
    ],
)
def test_a_secret_in_any_wrapping_is_found(value: Any) -> None:
    document = {
        "locals": {
            "login": {"user": "app", "password": "${random_password.p.result}"},
            "logins": [{"password": "${random_password.p.result}"}],
        },
        "data": {"aws_ssm_parameter": {"token": {"name": "t"}}},
        "resource": {"random_password": {"p": {}}, "tls_private_key": {"k": {"for_each": {"a": 1}}}},
        "output": {"x": {"value": value}},
    }
    assert len(found("STATE-013", document)) == 1


def test_whether_an_output_is_sensitive_may_be_unknown() -> None:
    document = {
        "variable": {"hide": {}},
        "resource": {"random_password": {"p": {}}},
        "output": {"x": {"value": "${random_password.p.result}", "sensitive": "${var.hide}"}},
    }
    assert look("STATE-013", source(document)) == ([], ["var.hide has no default"])


@pytest.mark.parametrize(
    "variable",
    [
        {"password_length": {"default": 32}},
        {"rotate_secret": {"type": "bool", "default": True}},
        {"secret_arn": {"default": "arn:aws:secretsmanager:us-east-1:1:secret:x"}},
        {"token": {"type": "${number}"}},
        {"token": {"ephemeral": True}},
        {"db_password": {"sensitive": True, "default": None}},
        {"db_password": {"sensitive": "true", "default": ""}},
    ],
)
def test_variables_about_secrets_are_none(variable: dict[str, Any]) -> None:
    assert found("STATE-014", {"variable": variable}) == []


def test_a_secret_default_is_not_repeated_in_the_message() -> None:
    messages = found("STATE-014", {"variable": {"db_password": {"sensitive": True, "default": "hunter2hunter2"}}})
    assert len(messages) == 1
    assert "hunter2" not in messages[0]


BOTH = {
    "variable": {"environment_suffix": {"default": "dev"}},
    "locals": {"workspace_name": "${terraform.workspace}"},
    "resource": {"aws_sqs_queue": {"jobs": {"name": "${local.workspace_name}-jobs"}}},
}


@pytest.mark.parametrize(
    "guard",
    [
        {"check": {"w": {"assert": {"condition": "${terraform.workspace == var.environment_suffix}"}}}},
        {
            "variable": {
                "environment_suffix": {"validation": {"condition": "${var.environment_suffix == terraform.workspace}"}}
            }
        },
        {
            "resource": {
                "null_resource": {
                    "validation": {
                        "provisioner": {
                            "local-exec": {
                                "command": 'if [ "${local.workspace_name}" != "${var.environment_suffix}" ]; then exit 1; fi'
                            }
                        }
                    }
                }
            }
        },
        {
            "resource": {
                "aws_sqs_queue": {
                    "jobs": {
                        "lifecycle": {
                            "precondition": [{"condition": "${terraform.workspace == var.environment_suffix}"}]
                        }
                    }
                }
            }
        },
        {"locals": {"environment": "${terraform.workspace}"}},
        {"variable": {}},
    ],
)
def test_any_guard_and_an_environment_that_is_the_workspace_are_right(guard: dict[str, Any]) -> None:
    assert found("STATE-015", {**BOTH, **guard}) == []


def test_a_workspace_beside_an_environment_without_guard_is_found() -> None:
    assert len(found("STATE-015", BOTH)) == 1


def test_a_stack_without_workspaces_needs_no_guard() -> None:
    document = {"variable": {"environment": {"default": "dev"}}, "resource": QUEUE}
    assert found("STATE-015", document) == []


@pytest.mark.parametrize(
    "module",
    [
        {"source": "../shared"},
        {"source": "git@github.com:example/vpc.git?ref=v1"},
        {"source": "https://example.com/vpc.zip"},
        {"source": "s3::https://s3.amazonaws.com/bucket/vpc.zip"},
        {"source": "app.terraform.io/example/vpc/aws", "version": "1.0.0"},
    ],
)
def test_modules_that_are_fixed_or_cannot_be_are_right(module: dict[str, Any]) -> None:
    assert found("STATE-017", {"module": {"m": module}}) == []


@pytest.mark.parametrize(
    "origin", ["git@github.com:example/vpc.git", "git::ssh://x/y.git?depth=1", "bitbucket.org/a/b"]
)
def test_every_form_of_git_needs_a_commit(origin: str) -> None:
    assert len(found("STATE-017", {"module": {"m": {"source": origin}}})) == 1


@pytest.mark.parametrize(
    "value",
    [
        "${var.on ? aws_eip.maybe[0].id : null}",
        "${try(aws_eip.two[5].id, null)}",
        "${aws_eip.two.*.id}",
        "${aws_eip.two[var.on].id}",
        "${[for each in aws_eip.two : each.id]}",
        "${aws_eip.unknown[7].id}",
        "${aws_eip.one.id}",
        "${aws_eip.two}",
    ],
)
def test_instances_that_may_exist_are_right(value: str) -> None:
    document = {
        "variable": {"on": {}},
        "resource": {
            "aws_eip": {"one": {}, "two": {"count": 2}, "maybe": {"count": 0}, "unknown": {"count": "${var.on}"}}
        },
        "output": {"x": {"value": value}},
    }
    assert found("STATE-018", document) == []


def test_an_index_into_a_single_resource_is_found() -> None:
    document = {"resource": {"aws_eip": {"one": {}}}, "output": {"x": {"value": "${aws_eip.one[0].id}"}}}
    assert found("STATE-018", document) == [
        'output.x: value = "${aws_eip.one[0].id}": aws_eip.one has neither count nor for_each; leave the index out'
    ]


def queues(**bodies: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider": {"aws": [{"region": "us-east-1"}, {"alias": "eu", "region": "eu-west-1"}]},
        "resource": {"aws_sqs_queue": bodies},
    }


@pytest.mark.parametrize(
    "other",
    [
        {"name": "jobs", "provider": "aws.eu"},
        {"name": "jobs", "region": "eu-west-1"},
        {"name": "jobs", "count": "${var.on ? 1 : 0}"},
        {"name_prefix": "jobs"},
        {},
    ],
)
def test_one_name_in_two_places_is_right(other: dict[str, Any]) -> None:
    assert found("STATE-019", queues(jobs={"name": "jobs"}, other=other)) == []


def test_many_instances_of_one_name_are_one_finding() -> None:
    assert found("STATE-019", queues(jobs={"name": "jobs", "count": 5})) == [
        'aws_sqs_queue.jobs[1]: name = "jobs": is the name of aws_sqs_queue.jobs[0] too; give each its own'
    ]


def test_accounts_are_told_apart_by_their_provider() -> None:
    document = queues(jobs={"name": "jobs"}, other={"name": "jobs", "provider": "aws.eu"})
    document["provider"]["aws"][1] = {"alias": "eu", "region": "us-east-1", "assume_role": {"role_arn": "x"}}
    assert found("STATE-019", document) == []


def test_names_of_one_expression_are_one_name() -> None:
    document = queues(jobs={"name": "${var.env}-jobs"}, other={"name": "${var.env}-jobs"})
    document["variable"] = {"env": {}}
    assert len(found("STATE-019", document)) == 1


def test_security_groups_share_a_name_in_two_vpcs_only() -> None:
    groups = {"a": {"name": "web", "vpc_id": "vpc-1"}, "b": {"name": "web", "vpc_id": "vpc-2"}}
    document = {"provider": PROVIDER, "resource": {"aws_security_group": groups}}
    assert found("STATE-019", document) == []
    groups["b"]["vpc_id"] = "vpc-1"
    assert len(found("STATE-019", document)) == 1


def test_stacks_of_one_program_share_an_account_and_folders_by_hand_need_not() -> None:
    document = queues(jobs={"name": "shop-jobs"})
    assert look("STATE-019", source(document, "one"), source(document, "two"))[0] == []
    synthesized = {**SYNTHESIZED, **document}
    assert look("STATE-019", source(synthesized, "one"), source(synthesized, "two"))[0] == [
        'aws_sqs_queue.jobs: name = "shop-jobs": is the name of aws_sqs_queue.jobs of the stack one too; give each its own'
    ]


def test_buckets_share_one_world() -> None:
    document = {"provider": PROVIDER, "resource": {"aws_s3_bucket": {"b": {"bucket": "acme"}}}}
    assert len(look("STATE-019", source(document, "one"), source(document, "two"))[0]) == 1


def test_modules_and_stacks_without_resources_need_no_outputs() -> None:
    assert found("STATE-020", {"resource": QUEUE}) == []
    assert found("STATE-020", {"provider": PROVIDER}) == []


def test_outputs_of_lists_or_of_unknown_shape_are_no_objects() -> None:
    outputs = {"a": {"value": {"x": 1}}, "b": {"value": "${aws_sqs_queue.jobs}"}}
    assert found("STATE-021", {"resource": QUEUE, "output": outputs}) == []


@pytest.mark.parametrize(
    "command",
    ["echo zipped", "aws s3 sync dist s3://x", "python remake.py", "curl https://x/zip-codes", "kubectl apply -f x"],
)
def test_commands_that_build_nothing_are_right(command: str) -> None:
    body = {"provisioner": [{"local-exec": {"command": command}}]}
    assert found("STATE-023", {"resource": {"null_resource": {"x": body}}}) == []


@pytest.mark.parametrize(
    "command",
    [
        "bash ./build_lambda.sh",
        "pip3 install -r r.txt -t out",
        "cd a && npm ci",
        "python3 -m zipfile -c a.zip b.py",
        "make",
    ],
)
def test_commands_that_build_are_found(command: str) -> None:
    body = {"provisioner": [{"local-exec": {"command": command}}]}
    assert len(found("STATE-023", {"resource": {"null_resource": {"x": body}}})) == 1


def test_a_file_whose_name_is_not_known_may_be_code() -> None:
    document = {"variable": {"file": {}}, "resource": {"local_file": {"x": {"filename": "${var.file}"}}}}
    assert look("STATE-023", source(document)) == ([], ["var.file has no default"])
