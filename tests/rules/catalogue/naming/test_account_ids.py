"""Rules about account IDs: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from tests.rules.asking import RULES, found

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "document",
    [
        {"variable": {"partner": {"default": "123456789012"}}},
        {"locals": {"accounts": {"prod": "123456789012"}, "trusted": {"principal": "123456789012"}}},
        {"resource": {"aws_lambda_permission": {"p": {"principal": "o-123456789012"}}}},
        {"provider": {"aws": {"assume_role": {"role_arn": "arn:aws:iam::123456789012:role/deploy"}}}},
        {"provider": {"aws": {"allowed_account_ids": ["123456789012"]}}},
        {"resource": {"aws_lambda_function": {"f": {"layers": ["arn:aws:lambda:us-east-1:580247275435:layer:x:1"]}}}},
        {"data": {"aws_ami": {"a": {"owners": ["099720109477"]}}}},
        {"resource": {"aws_sqs_queue": {"q": {"name": "jobs-123456789012"}}}},
        {
            "resource": {
                "aws_iam_role": {
                    "r": {"path": "/x/", "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
                }
            }
        },
        {"resource": {"aws_cloudwatch_metric_alarm": {"a": {"threshold": 123456789012}}}},
        {"resource": {"aws_s3_bucket_policy": {"p": {"policy": '{"Statement": [{"Sid": "x202511221200"}]}'}}}},
    ],
)
def test_other_numbers_and_required_account_ids_pass(document: dict[str, Any]) -> None:
    assert found("NAME-013", document) == []


@pytest.mark.parametrize(
    "resource",
    [
        {"aws_cloudwatch_event_permission": {"p": {"principal": "123456789012"}}},
        {"aws_lambda_permission": {"p": {"source_account": "123456789012"}}},
        {"aws_vpc_peering_connection": {"p": {"peer_owner_id": "123456789012"}}},
        {
            "aws_sqs_queue_policy": {
                "p": {"policy": '${jsonencode({Statement = [{Principal = {AWS = "123456789012"}}]})}'}
            }
        },
        {
            "aws_iam_role": {
                "p": {
                    "assume_role_policy": '{"Statement":[{"Principal":{"AWS":["arn:aws-cn:iam::123456789012:root"]}}]}'
                }
            }
        },
    ],
)
def test_account_ids_in_every_argument_are_reported_once(resource: dict[str, Any]) -> None:
    assert len(found("NAME-013", {"resource": resource})) == 1


def test_the_id_of_this_account_may_be_set_in_a_tfvars_file(tmp_path: Path) -> None:
    document = {"variable": {"account_id": {"type": "string", "default": "123456789012"}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    (finding,) = run(load([tmp_path]), [RULES["NAME-013"]]).findings
    assert finding.message == (
        'var.account_id: default = "123456789012": must not be a hard-coded account ID; use '
        "data.aws_caller_identity.current.account_id"
    )
    (tmp_path / "prod.auto.tfvars.json").write_text('{"account_id": "123456789012"}', encoding="utf-8")
    assert run(load([tmp_path]), [RULES["NAME-013"]]).findings == []


def test_an_account_id_in_an_arn_of_an_output_is_reported() -> None:
    document = {"output": {"q": {"value": {"arn": "arn:aws:sqs:us-east-1:123456789012:jobs"}}}}
    assert [message.split(":")[0] for message in found("NAME-013", document)] == ["output.q"]
