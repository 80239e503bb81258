"""Workspaces, environments and regions: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found
from tests.rules.catalogue.state.documents import QUEUE

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
def test_any_check_and_an_environment_that_is_the_workspace_are_clean(guard: dict[str, Any]) -> None:
    assert found("STATE-015", {**BOTH, **guard}) == []


def test_a_workspace_with_an_environment_and_no_precondition_is_found() -> None:
    assert len(found("STATE-015", BOTH)) == 1


def test_a_stack_without_workspaces_needs_no_precondition() -> None:
    document = {"variable": {"environment": {"default": "dev"}}, "resource": QUEUE}
    assert found("STATE-015", document) == []
