"""Rules about Terraform itself: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source, load
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.estate.values import Unknown
from tests.rules.asking import RULES, found, look
from tests.rules.catalogue.state.documents import PROVIDER, QUEUE, SYNTHESIZED, source


def test_what_a_dynamic_block_a_loop_or_terraform_itself_names_is_declared() -> None:
    document = {
        "variable": {"rules": {"type": "${list(object({port = number}))}", "default": []}},
        "locals": {"all": "${[for rule in var.rules : rule.port]}"},
        "resource": {
            "aws_security_group": {
                "web": {
                    "for_each": {"a": 1},
                    "name": "${terraform.workspace}-${each.key}-${path.module}",
                    "dynamic": {
                        "ingress": {"for_each": "${var.rules}", "content": {"from_port": "${ingress.value.port}"}},
                        "egress": [
                            {
                                "for_each": "${var.rules}",
                                "iterator": "out",
                                "content": {"from_port": "${out.value.port}"},
                            }
                        ],
                    },
                    "provider": "${aws.us}",
                    "lifecycle": {"ignore_changes": ["tags"], "replace_triggered_by": ["aws_sqs_queue.jobs.name"]},
                }
            },
            **QUEUE,
        },
    }
    assert found("STATE-001", document) == []


def test_a_dynamic_block_within_a_block_names_its_iterator_too() -> None:
    inner = {"action": {"for_each": [1], "content": {"type": "${action.value.type}"}}}
    document = {"resource": {"aws_lb_listener": {"web": {"rule": [{"dynamic": inner}]}}}}
    assert found("STATE-001", document) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"depends_on": ["module.gone"]},
            'depends_on.0 = "module.gone": module.gone is not declared; add the module block',
        ),
        (
            {"lifecycle": {"replace_triggered_by": ["aws_kms_key.gone.arn"]}},
            'lifecycle.replace_triggered_by.0 = "aws_kms_key.gone.arn": aws_kms_key.gone is not declared; add the resource block',
        ),
        (
            {"name": "jobs-${count.index}"},
            'name = "jobs-${count.index}": count.index means nothing here: the block has no count',
        ),
        (
            {"delay_seconds": "${max(local.dely, 1)}"},
            'delay_seconds = "${max(local.dely, 1)}": local.dely is not declared; did you mean local.delay?',
        ),
    ],
)
def test_other_references_to_nothing_are_found(body: dict[str, Any], expected: str) -> None:
    document = {"locals": {"delay": 5}, "resource": {"aws_sqs_queue": {"jobs": body}}}
    assert found("STATE-001", document) == [f"aws_sqs_queue.jobs: {expected}"]


def test_what_an_unread_file_may_declare_is_unknown() -> None:
    given = source({"resource": {"aws_sqs_queue": {"jobs": {"name": "${var.name}"}}}}, unread=["main.tf"])
    assert look("STATE-001", given) == ([], ["main.tf is written in HCL, which is not read"])


def test_a_plan_says_nothing_of_what_stands_in_the_code() -> None:
    said = Unknown("a plan does not say")
    plan = {
        "terraform": {"backend": said, "required_version": said, "required_providers": said},
        "provider": PROVIDER,
        "variable": {"environment": {"default": "prod"}},
        "resource": {
            "aws_sqs_queue": {"jobs": {"name": "${var.name}-${terraform.workspace}", "count": 1}, "Jobs": {}},
            "random_password": {"p": {}},
        },
        "output": {"url": {"value": "${aws_sqs_queue.jobs.url}"}, "p": {"value": "${random_password.p.result}"}},
    }
    result = run(
        Estate([Source("plan", Path(), plan)], "prod"), [rule for rule in RULES.values() if rule.family == "STATE"]
    )
    assert result.findings == []
    assert result.doubts == []


def test_what_two_files_or_one_object_give_twice_is_found_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.tf.json").write_text(
        '{"locals": {"kms_keys": 1, "kms_keys": 2}, "variable": {"region": {}}}', "utf-8"
    )
    (tmp_path / "b.tf.json").write_text(
        json.dumps(
            {
                "variable": {"region": {"default": "us-east-1"}},
                "provider": {"aws": [{"region": "us-east-1"}, {"region": "us-east-1"}]},
            }
        ),
        "utf-8",
    )
    result = run(load([tmp_path]), [RULES["STATE-002"]])
    assert sorted(finding.message for finding in result.findings) == [
        "local.kms_keys: is given more than once, in a.tf.json; keep one",
        "provider.aws: is given more than once, in b.tf.json; keep one",
        "var.region: is given more than once, in a.tf.json and b.tf.json; keep one",
    ]


def test_equal_figures_lists_and_names_under_two_names_are_no_copies() -> None:
    document = {
        "locals": {
            "a": 1,
            "b": 1,
            "ports": [443],
            "private": [443],
            "x": "shop",
            "y": "shop",
            "m": "${var.a}",
            "n": "${var.a}",
        }
    }
    assert found("STATE-003", document) == []


def test_builtin_and_renamed_providers_are_required_under_their_names() -> None:
    document = {
        "terraform": {"required_providers": [{"aws": {"version": "~> 5.1"}, "google-beta": {"version": "5.0.0"}}]},
        "resource": {
            "terraform_data": {"x": {}},
            "aws_sqs_queue": {"jobs": {"provider": "aws.us"}},
            "google_project": {"p": {"provider": "google-beta"}},
        },
        "data": {"terraform_remote_state": {"n": {"backend": "local"}}},
    }
    assert found("STATE-004", document) == []


def test_a_data_source_needs_its_provider_too() -> None:
    document = {"data": {"archive_file": {"code": {"type": "zip"}, "other": {"type": "zip"}}}}
    assert found("STATE-004", document) == [
        "data.archive_file.code: needs the provider archive, which required_providers lacks; add it with a bounded version"
    ]


@pytest.mark.parametrize(
    "version", ["5.100.0", "= 5.100.0", "~> 5.1", ">= 5.100.0, < 7.0.0", ">=5.1,<=6.0", "~> v5.1.0"]
)
def test_a_version_with_an_end_is_bounded(version: str) -> None:
    assert found("STATE-005", {"terraform": {"required_providers": {"aws": {"version": version}}}}) == []


def test_the_provider_within_terraform_has_no_version() -> None:
    entry = {"source": "terraform.io/builtin/terraform"}
    assert found("STATE-005", {"terraform": {"required_providers": {"terraform": entry}}}) == []


@pytest.mark.parametrize("version", [">= 5.0", "> 5", "!= 5.3.0", ">= 5.0, != 5.3.0"])
def test_a_version_without_an_end_is_not(version: str) -> None:
    assert len(found("STATE-005", {"terraform": {"required_providers": {"aws": {"version": version}}}})) == 1


def s3(**body: Any) -> dict[str, Any]:
    return {"terraform": {"backend": {"s3": body}}}


def test_a_program_that_keys_by_environment_may_have_read_the_bucket_from_the_shell() -> None:
    by_environment = s3(bucket="acme-state", key="shop/prod/shop/terraform.tfstate")
    assert found("STATE-006", {**SYNTHESIZED, **by_environment}) == []
    assert len(found("STATE-006", by_environment)) == 1
    assert (
        len(found("STATE-006", {**SYNTHESIZED, **s3(bucket="acme-state", key="infrastructure/terraform.tfstate")})) == 1
    )


@pytest.mark.parametrize("backend", [{}, {"s3": {}}, {"s3": [{}]}, {"local": {}}, {"http": {"address": "https://x"}}])
def test_partial_and_other_backends_are_right(backend: dict[str, Any]) -> None:
    document = {"terraform": {"backend": backend}}
    for id_ in ("STATE-006", "STATE-007", "STATE-009", "STATE-010", "STATE-011"):
        assert found(id_, document) == []


def test_two_stacks_in_one_place_are_both_found() -> None:
    place = s3(bucket="acme-state", key="shop.tfstate")
    messages, _ = look(
        "STATE-007", source(place, "one"), source(place, "two"), source(s3(bucket="acme-state", key="x"), "three")
    )
    assert messages == [
        'terraform: backend.s3.key = "shop.tfstate": the stack two keeps its state there too; each needs a key of its own',
        'terraform: backend.s3.key = "shop.tfstate": the stack one keeps its state there too; each needs a key of its own',
    ]


def test_equal_keys_in_buckets_that_are_given_at_init_may_be_two_places() -> None:
    place = s3(key="terraform.tfstate")
    assert look("STATE-007", source(place, "one"), source(place, "two")) == ([], [])


def test_local_states_in_two_folders_are_two_places() -> None:
    place = {"terraform": {"backend": {"local": {"path": "terraform.tfstate"}}}}
    assert look("STATE-007", source(place, "one"), source(place, "two")) == ([], [])
    up = {"terraform": {"backend": {"local": {"path": "../terraform.tfstate"}}}}
    assert len(look("STATE-007", source(up, "one"), source(up, "two"))[0]) == 2


def test_another_workspace_of_the_own_state_may_be_read() -> None:
    state = {"backend": "s3", "workspace": "shared", "config": {"bucket": "acme-state", "key": "shop.tfstate"}}
    document = {**s3(bucket="acme-state", key="shop.tfstate"), "data": {"terraform_remote_state": {"shared": state}}}
    assert found("STATE-007", document) == []


@pytest.mark.parametrize(
    ("body", "findings"),
    [
        ({"bucket": "b"}, 1),
        ({"bucket": "b", "use_lockfile": "true"}, 0),
        ({"bucket": "b", "dynamodb_table": "locks"}, 0),
        ({"use_lockfile": False}, 1),
        ({"key": "k"}, 0),
    ],
)
def test_a_state_without_any_lock_is_found(body: dict[str, Any], findings: int) -> None:
    assert len(found("STATE-009", s3(**body))) == findings


@pytest.mark.parametrize("version", ["< 1.10", "~> 1.9.0", ">= 1.5, < 1.10.0"])
def test_below_the_lock_file_a_table_is_right(version: str) -> None:
    document = s3(bucket="b", dynamodb_table="locks")
    document["terraform"]["required_version"] = version
    assert found("STATE-010", document) == []


def test_a_table_beside_the_lock_file_is_a_team_on_the_move() -> None:
    assert found("STATE-010", s3(bucket="b", dynamodb_table="locks", use_lockfile=True)) == []
    newer = s3(bucket="b", dynamodb_table="locks")
    newer["terraform"]["required_version"] = ">= 1.11"
    assert len(found("STATE-010", newer)) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"provider": PROVIDER, "resource": {"aws_s3_bucket": {"state": {"bucket": "acme"}}}},
        {"resource": QUEUE},
        {"provider": PROVIDER},
        {"provider": PROVIDER, "resource": QUEUE, "terraform": {"cloud": {"organization": "acme"}}},
    ],
)
def test_what_comes_before_the_backend_or_has_none_keeps_no_local_state(document: dict[str, Any]) -> None:
    assert found("STATE-012", document, environment="prod") == []


def test_a_backend_may_stand_in_a_file_that_is_not_read() -> None:
    given = source({"provider": PROVIDER, "resource": QUEUE}, unread=["backend.tf"])
    expected: tuple[list[str], list[str]] = ([], ["backend.tf is written in HCL, which is not read"])
    assert look("STATE-012", given, environment="prod") == expected


def test_other_buckets_than_the_state_s_are_the_stack_s_own() -> None:
    buckets = {"a": {"bucket": "uploads"}, "b": {}, "c": {"bucket": "acme-state"}}
    document = {**s3(bucket="acme-state", key="k"), "resource": {"aws_s3_bucket": buckets}}
    assert len(found("STATE-008", document)) == 1


def test_local_state_outside_production_is_right() -> None:
    document = {"provider": PROVIDER, "resource": QUEUE}
    assert found("STATE-012", document, environment="dev") == []
    assert len(found("STATE-012", document, environment="prod")) == 1


@pytest.mark.parametrize(
    "value",
    [
        "${nonsensitive(sha256(random_password.p.result))}",
        "${random_password.p.length}",
        "${aws_secretsmanager_secret.s.arn}",
        '${tls_private_key.k["a"].public_key_openssh}',
        "${local.login.user}",
    ],
)
def test_what_is_about_a_secret_is_none(value: str) -> None:
    document = {
        "locals": {"login": {"user": "app", "password": "${random_password.p.result}"}},
        "resource": {
            "random_password": {"p": {"length": 32}},
            "aws_secretsmanager_secret": {"s": {"name": "s"}},
            "tls_private_key": {"k": {"for_each": {"a": 1}, "algorithm": "RSA"}},
        },
        "output": {"x": {"value": value}},
    }
    assert found("STATE-013", document) == []
