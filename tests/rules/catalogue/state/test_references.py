"""References and duplicate definitions: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from tests.rules.asking import RULES, found, look
from tests.rules.catalogue.state.documents import QUEUE, source

if TYPE_CHECKING:
    from pathlib import Path


def test_iterators_loop_variables_and_terraform_values_are_defined() -> None:
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


def test_iterators_of_nested_dynamic_blocks_are_defined() -> None:
    inner = {"action": {"for_each": [1], "content": {"type": "${action.value.type}"}}}
    document = {"resource": {"aws_lb_listener": {"web": {"rule": [{"dynamic": inner}]}}}}
    assert found("STATE-001", document) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"depends_on": ["module.gone"]},
            'depends_on.0 = "module.gone": module.gone is not defined; add the module block',
        ),
        (
            {"lifecycle": {"replace_triggered_by": ["aws_kms_key.gone.arn"]}},
            'lifecycle.replace_triggered_by.0 = "aws_kms_key.gone.arn": aws_kms_key.gone is not defined; add the resource block',
        ),
        (
            {"name": "jobs-${count.index}"},
            'name = "jobs-${count.index}": must not use count.index: the block has no count',
        ),
        (
            {"delay_seconds": "${max(local.dely, 1)}"},
            'delay_seconds = "${max(local.dely, 1)}": local.dely is not defined; did you mean local.delay?',
        ),
    ],
)
def test_other_undefined_references_are_found(body: dict[str, Any], expected: str) -> None:
    document = {"locals": {"delay": 5}, "resource": {"aws_sqs_queue": {"jobs": body}}}
    assert found("STATE-001", document) == [f"aws_sqs_queue.jobs: {expected}"]


def test_definitions_may_be_in_hcl_files() -> None:
    given = source({"resource": {"aws_sqs_queue": {"jobs": {"name": "${var.name}"}}}}, unread=["main.tf"])
    assert look("STATE-001", given) == ([], ["main.tf is written in HCL, which is not read"])


def test_duplicates_are_reported_with_their_files(tmp_path: Path) -> None:
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
        "local.kms_keys: must be defined once; it is defined more than once in a.tf.json",
        "provider.aws: must be defined once; it is defined more than once in b.tf.json",
        "var.region: must be defined once; it is defined in a.tf.json and b.tf.json",
    ]


def test_equal_literals_are_not_duplicates() -> None:
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
