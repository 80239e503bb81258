"""Rules about the length and characters of names: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.facts.names import NAMES
from tests.rules.asking import found, look
from tests.rules.catalogue.naming.documents import queues


def test_the_longest_valid_name_of_each_type_passes() -> None:
    for type_, fact in NAMES.items():
        if fact.longest:
            start = "alias/" if type_ == "aws_kms_alias" else "x"
            name = start + "x" * (fact.longest - len(start))
            assert found("NAME-007", {"resource": {type_: {"x": {fact.at: name}}}}) == [], type_
            assert found("NAME-008", {"resource": {type_: {"x": {fact.at: name}}}}) == [], type_
            assert len(found("NAME-007", {"resource": {type_: {"x": {fact.at: f"{name}x"}}}})) == 1, type_


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("aws_cloudwatch_log_group", "/aws/lambda/shop-prod-worker"),
        ("aws_cloudwatch_log_group", "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.a.id}/live"),
        ("aws_lb_target_group", "shop-${var.env}"),
        ("aws_s3_bucket", "Checked elsewhere"),
        ("aws_lb", "shop-${var.env}-web"),
        ("aws_sqs_queue", "shop-prod-jobs.fifo"),
        ("aws_lambda_function", "arn:aws:lambda:us-east-1:123456789012:function:worker"),
        ("aws_security_group", "web (public)"),
        ("aws_iam_role", "AWSServiceRole@shop"),
        ("aws_ssm_parameter", "/shop/aws/token"),
        ("aws_api_gateway_rest_api", "Shop API, v1"),
    ],
)
def test_valid_names_with_unusual_characters_pass(type_: str, name: str) -> None:
    document: dict[str, Any] = {"variable": {"env": {}}, "resource": {"aws_api_gateway_rest_api": {"a": {"name": "a"}}}}
    document["resource"].setdefault(type_, {})["x"] = {NAMES[type_].at: name}
    assert found("NAME-007", document) == []
    assert found("NAME-008", document) == []


def test_letters_of_other_alphabets_are_reported() -> None:
    assert len(found("NAME-008", queues("größe"))) == 1


def test_a_name_in_a_variable_is_undecided() -> None:
    document = queues("${var.name}", variable={"name": {}})
    assert look("NAME-007", document) == ([], ["var.name has no default"])
    assert look("NAME-008", document) == ([], ["var.name has no default"])
