from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib.core.iam import Condition, ServiceRole, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import HardenedStack
    from constructs_lib.testing import SynthesizedStack

WRITE = Statement("Write", ("logs:PutLogEvents",), ("arn:aws:logs:eu-west-1:111122223333:log-group:a:*",))


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    def fill(stack: HardenedStack) -> None:
        role = ServiceRole(
            stack,
            "writer",
            region=stack.region("eu-west-1"),
            service="vpc-flow-logs.amazonaws.com",
            description="Writes one log group",
            statements=[WRITE],
            conditions=(Condition("StringEquals", "aws:SourceAccount", ("111122223333",)),),
        )
        role.grant(WRITE)
        role.grant(Statement("Read", ("s3:GetObject",), ("arn:aws:s3:::a/*",), effect="Deny"))

    return synth_stack(fill)


def test_a_role_has_a_name_a_purpose_and_a_trust_policy(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_iam_role").assert_config(
        {
            "name": "shop-dev-writer-eu-west-1",
            "description": "Writes one log group",
            "assume_role_policy": "${data.aws_iam_policy_document.writer_trust_eu_west_1.json}",
        }
    )
    synthesized.at("data.aws_iam_policy_document.writer_trust_eu_west_1").assert_config(
        {
            "statement": [
                {
                    "sid": "AssumeRole",
                    "effect": "Allow",
                    "actions": ["sts:AssumeRole"],
                    "principals": [{"type": "Service", "identifiers": ["vpc-flow-logs.amazonaws.com"]}],
                    "condition": [
                        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["111122223333"]}
                    ],
                }
            ]
        }
    )


def test_a_role_has_one_policy_with_every_grant_once(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_iam_role_policy").assert_config(
        {
            "name": "shop-dev-writer-eu-west-1",
            "role": "${aws_iam_role.writer_eu_west_1.id}",
            "policy": "${data.aws_iam_policy_document.writer_policy_document_eu_west_1.json}",
        }
    )
    synthesized.at("data.aws_iam_policy_document.writer_policy_document_eu_west_1").assert_config(
        {
            "statement": [
                {
                    "sid": "Write",
                    "effect": "Allow",
                    "actions": ["logs:PutLogEvents"],
                    "resources": ["arn:aws:logs:eu-west-1:111122223333:log-group:a:*"],
                },
                {
                    "sid": "Read",
                    "effect": "Deny",
                    "actions": ["s3:GetObject"],
                    "resources": ["arn:aws:s3:::a/*"],
                },
            ]
        }
    )


def test_a_statement_reads_the_same_as_json() -> None:
    statement = Statement(
        "Use",
        ("kms:Decrypt",),
        ("*",),
        principals=(("Service", ("sns.amazonaws.com",)),),
        conditions=(Condition("ArnLike", "aws:SourceArn", ("a",)), Condition("ArnLike", "aws:PrincipalArn", ("b",))),
    )
    assert statement.as_json() == {
        "Sid": "Use",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Principal": {"Service": ["sns.amazonaws.com"]},
        "Resource": ["*"],
        "Condition": {"ArnLike": {"aws:SourceArn": ["a"], "aws:PrincipalArn": ["b"]}},
    }
