"""Policies are read wherever they are written, and what cannot be read says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Computed, Estate
from constructs_lib.rules.estate.policies import Condition, Principal, Statement, roles_policies, statements
from constructs_lib.rules.estate.values import Unknown

SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
READ_SEND = Statement(actions=("sqs:SendMessage",), resources=("*",))


def estate(document: dict[str, Any], **others: dict[str, Any]) -> Estate:
    everything = {"shop": document, **others}
    return Estate([Source(name, Path("stacks") / name, content) for name, content in everything.items()])


def read(policy: object, path: str = "policy", **document: Any) -> Any:
    """The statements of a queue policy, without where they stand."""
    resource = {"aws_sqs_queue": {"jobs": {}}, "aws_sqs_queue_policy": {"jobs": {"policy": policy}}}
    found = statements(estate({"resource": resource, **document}).of("aws_sqs_queue_policy")[0], path)
    return found if isinstance(found, Unknown) else [plain(statement) for statement in found]


def plain(statement: Statement) -> Statement:
    return Statement(**{**vars(statement), "at": ""})


def policy(*statements_: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements_)}


def document(**body: Any) -> dict[str, Any]:
    return {"data": {"aws_iam_policy_document": {"x": body}}}


@pytest.mark.parametrize(
    ("written", "around"),
    [
        (json.dumps(policy(SEND)), {}),
        (json.dumps({"Statement": SEND}), {}),
        (json.dumps(policy({**SEND, "Action": ["sqs:SendMessage"], "Resource": ["*"]})), {}),
        (json.dumps(policy({**SEND, "Action": "${local.action}"})), {"locals": {"action": "sqs:SendMessage"}}),
        (json.dumps(policy({**SEND, "Action": "${local.all}"})), {"locals": {"all": ["sqs:SendMessage"]}}),
        (
            '${jsonencode({"Statement" = [{"Effect" = "Allow", "Action" = "sqs:SendMessage", "Resource" = "*"}]})}',
            {},
        ),
        ("${jsonencode(local.policy)}", {"locals": {"policy": policy(SEND)}}),
        ("${local.policy}", {"locals": {"policy": json.dumps(policy(SEND))}}),
        ("${local.a}", {"locals": {"a": "${local.b}", "b": "${jsonencode(local.c)}", "c": policy(SEND)}}),
        ("${var.policy}", {"variable": {"policy": {"default": json.dumps(policy(SEND))}}}),
        ("${<<EOT\n" + json.dumps(policy(SEND), indent=1) + "\nEOT\n}", {}),
        (
            '{"Statement": [{"Effect": "Allow", "Action": "${join(":", ["sqs", "SendMessage"])}", "Resource": "*"}]}',
            {},
        ),
        (
            "${data.aws_iam_policy_document.x.json}",
            document(statement={"actions": ["sqs:SendMessage"], "resources": ["*"]}),
        ),
        (
            "${data.aws_iam_policy_document.x.minified_json}",
            document(statement=[{"effect": "Allow", "actions": ["sqs:SendMessage"], "resources": ["*"]}]),
        ),
        (
            "${local.p}",
            {
                "locals": {"p": "${data.aws_iam_policy_document.x.json}"},
                **document(statement=[{"actions": ["sqs:SendMessage"], "resources": ["*"]}]),
            },
        ),
        (
            "${data.aws_iam_policy_document.x.json}",
            document(
                dynamic={
                    "statement": {
                        "for_each": ["sqs:SendMessage"],
                        "content": {"actions": ["${statement.value}"], "resources": ["*"]},
                    }
                }
            ),
        ),
    ],
)
def test_one_policy_written_in_many_ways_is_read_alike(written: str, around: dict[str, Any]) -> None:
    assert read(written, **around) == [READ_SEND]


def test_every_part_of_a_statement_is_read() -> None:
    body = {
        "Sid": "One",
        "Effect": "Deny",
        "NotAction": "s3:*",
        "NotResource": ["a", "b"],
        "Principal": {"AWS": ["111111111111", "*"], "Service": "sns.amazonaws.com"},
        "NotPrincipal": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "1", "aws:x": ["a", "b"]}, "Bool": {"aws:y": False}},
    }
    expected = Statement(
        sid="One",
        effect="Deny",
        not_actions=("s3:*",),
        not_resources=("a", "b"),
        principals=(Principal("AWS", "111111111111"), Principal("AWS", "*"), Principal("Service", "sns.amazonaws.com")),
        not_principals=(Principal("*", "*"),),
        conditions=(
            Condition("StringEquals", "aws:SourceAccount", ("1",)),
            Condition("StringEquals", "aws:x", ("a", "b")),
            Condition("Bool", "aws:y", ("false",)),
        ),
    )
    assert read(json.dumps(policy(body))) == [expected]
    block = {
        "sid": "One",
        "effect": "Deny",
        "not_actions": ["s3:*"],
        "not_resources": ["a", "b"],
        "principals": [
            {"type": "AWS", "identifiers": ["111111111111", "*"]},
            {"type": "Service", "identifiers": ["sns.amazonaws.com"]},
        ],
        "not_principals": {"type": "*", "identifiers": ["*"]},
        "condition": [
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]},
            {"test": "StringEquals", "variable": "aws:x", "values": ["a", "b"]},
            {"test": "Bool", "variable": "aws:y", "values": [False]},
        ],
    }
    assert read("${data.aws_iam_policy_document.x.json}", **document(statement=block)) == [expected]


def test_a_statement_says_where_it_stands() -> None:
    found = statements(
        estate(
            {
                "resource": {"aws_iam_role": {"r": {"inline_policy": [{"policy": json.dumps(policy(SEND, SEND))}]}}},
            }
        )
        .of("aws_iam_role")[0]
        .sections("inline_policy")[0],
        "policy",
    )
    assert not isinstance(found, Unknown)
    assert [statement.at for statement in found] == [
        "inline_policy.0.policy.Statement.0",
        "inline_policy.0.policy.Statement.1",
    ]


def test_a_leaf_that_is_known_at_apply_is_unknown_and_says_whose_attribute_it_is() -> None:
    text = json.dumps(policy({**SEND, "Resource": "${aws_sqs_queue.jobs.arn}"}))
    for written in (
        text,
        '${jsonencode({"Statement" = [{"Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.jobs.arn}]})}',
        "${local.a}",
    ):
        ((statement,),) = (read(written, locals={"a": "${ local.b }", "b": text}),)
        (resource,) = statement.resources
        assert isinstance(resource, Computed)
        assert (str(resource.block), resource.attribute) == ("<shop: aws_sqs_queue.jobs>", "arn")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("${var.policy}", "var.policy is not declared"),
        ("${local.policy}", "local.policy is not declared"),
        ('${file("policy.json")}', None),
        ("allow everything", "the policy is not JSON"),
        ("${aws_sqs_queue.jobs.arn}", "aws_sqs_queue.jobs.arn is known after apply"),
        ("${aws_sqs_queue.jobs}", "aws_sqs_queue.jobs is a whole block"),
        ('{"Statement": "x"}', "a statement of the policy is not an object"),
        ('{"Statement": [1]}', "a statement of the policy is not an object"),
        ('{"Statement": ["${var.x}"]}', "var.x is not declared"),
        (7, "the policy is not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(written: object, reason: str | None) -> None:
    found = read(written)
    assert isinstance(found, Unknown)
    assert reason is None or found.reason == reason


def test_no_policy_and_one_without_statements_have_none() -> None:
    assert read(None) == []
    assert read("{}") == []
    assert read(json.dumps(policy())) == []
    assert read("${data.aws_iam_policy_document.x.json}", **document()) == []


def test_documents_start_from_others_and_are_overridden_by_sid() -> None:
    def one(sid: str, action: str) -> dict[str, Any]:
        return {"sid": sid, "actions": [action], "resources": ["*"]}

    documents = {
        "base": {"statement": [one("A", "a:base"), one("B", "b:base"), one("", "n:base")]},
        "over": {"statement": [one("B", "b:over"), one("D", "d:over")]},
        "x": {
            "source_policy_documents": ["${data.aws_iam_policy_document.base.json}", json.dumps(policy(SEND))],
            "override_policy_documents": ["${data.aws_iam_policy_document.over.json}"],
            "statement": [one("A", "a:own"), one("C", "c:own")],
        },
    }
    found = read("${data.aws_iam_policy_document.x.json}", data={"aws_iam_policy_document": documents})
    actions = [(statement.sid, *statement.actions) for statement in found]
    assert actions == [
        ("A", "a:own"),
        ("B", "b:over"),
        ("", "n:base"),
        ("", "sqs:SendMessage"),
        ("C", "c:own"),
        ("D", "d:over"),
    ]


def test_a_document_that_starts_from_itself_or_from_something_unknown_is_unknown() -> None:
    own = {"source_policy_documents": ["${data.aws_iam_policy_document.x.json}"]}
    found = read("${data.aws_iam_policy_document.x.json}", **document(**own))
    assert found == Unknown("data.aws_iam_policy_document.x refers to itself")
    other = {"source_policy_documents": "${var.documents}"}
    found = read("${data.aws_iam_policy_document.x.json}", **document(**other))
    assert isinstance(found, Unknown)
    assert found.reason == "var.documents is not declared"


def test_statements_that_an_unknown_list_makes_are_unknown() -> None:
    dynamic = {"statement": {"for_each": "${var.x}", "content": {"actions": ["${statement.value}"]}}}
    (statement,) = read("${data.aws_iam_policy_document.x.json}", **document(dynamic=dynamic))
    assert isinstance(statement.actions[0], Unknown)


def test_a_policy_of_another_stack_is_read_through_its_output() -> None:
    platform = {
        "output": {"cross-stack-output-x": {"value": "${data.aws_iam_policy_document.x.json}"}},
        **document(statement={"actions": ["sqs:SendMessage"], "resources": ["*"]}),
    }
    state = "cross-stack-reference-input-platform"
    shop = {
        "data": {"terraform_remote_state": {state: {"backend": "local"}}},
        "resource": {
            "aws_iam_policy": {
                "p": {"policy": f"${{data.terraform_remote_state.{state}.outputs.cross-stack-output-x}}"}
            }
        },
    }
    found = statements(estate(shop, platform=platform).of("aws_iam_policy")[0], "policy")
    assert not isinstance(found, Unknown)
    assert [plain(statement) for statement in found] == [READ_SEND]


@pytest.mark.parametrize(
    ("statement", "action", "allowed"),
    [
        (Statement(actions=("s3:Get*",)), "s3:GetObject", True),
        (Statement(actions=("S3:getobject",)), "s3:GetObject", True),
        (Statement(actions=("s3:Get?bject",)), "s3:GetObject", True),
        (Statement(actions=("s3:Get",)), "s3:GetObject", False),
        (Statement(actions=("*",)), "s3:GetObject", True),
        (Statement(actions=("s3.GetObject",)), "s3:GetObject", False),
        (Statement(actions=("s3:*",), effect="Deny"), "s3:GetObject", False),
        (Statement(not_actions=("iam:*",)), "s3:GetObject", True),
        (Statement(not_actions=("iam:*", "s3:*")), "s3:GetObject", False),
        (Statement(actions=(Unknown("x"), "s3:GetObject")), "s3:GetObject", True),
        (Statement(actions=(Unknown("x"),)), "s3:GetObject", False),
        (Statement(), "s3:GetObject", False),
    ],
)
def test_actions_match_patterns(statement: Statement, action: str, allowed: bool) -> None:  # noqa: FBT001
    assert statement.allows(action) is allowed


def test_the_values_of_a_condition_key_are_found_whatever_its_case() -> None:
    statement = Statement(
        conditions=(Condition("ArnLike", "AWS:SourceArn", ("a",)), Condition("x", "aws:sourcearn", ("b",)))
    )
    assert statement.condition("aws:SourceArn") == ("a", "b")
    assert statement.condition("aws:SourceAccount") == ()


def test_a_role_has_the_policies_that_it_holds_and_those_that_others_attach() -> None:
    text = json.dumps(policy(SEND))
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    found = estate(
        {
            "resource": {
                "aws_iam_role": {
                    "r": {
                        "name": "r",
                        "inline_policy": [{"name": "a", "policy": text}],
                        "managed_policy_arns": [managed, "${aws_iam_policy.one.arn}"],
                    },
                    "other": {},
                },
                "aws_iam_role_policy": {
                    "mine": {"role": "${aws_iam_role.r.id}", "policy": text},
                    "others": {"role": "${aws_iam_role.other.id}", "policy": text},
                },
                "aws_iam_policy": {name: {"policy": text} for name in ("one", "two", "three", "loose")},
                "aws_iam_role_policy_attachment": {
                    "two": {"role": "${aws_iam_role.r.name}", "policy_arn": "${aws_iam_policy.two.arn}"},
                    "again": {"role": "${aws_iam_role.r.name}", "policy_arn": "${aws_iam_policy.two.arn}"},
                    "read": {"role": "${aws_iam_role.r.name}", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
                    "var": {"role": "${aws_iam_role.r.name}", "policy_arn": "${var.arn}"},
                },
                "aws_iam_policy_attachment": {
                    "three": {"roles": ["${aws_iam_role.r.name}"], "policy_arn": "${aws_iam_policy.three.arn}"}
                },
            },
        }
    )
    (role, _) = found.of("aws_iam_role")
    policies = roles_policies(role)
    assert [block.address for block, _ in policies] == [
        "aws_iam_role.r",
        "aws_iam_role_policy.mine",
        "aws_iam_policy.two",
        "aws_iam_policy.three",
        "aws_iam_policy.one",
    ]
    assert all(not isinstance(read_, Unknown) and len(read_) == 1 for _, read_ in policies)
    assert policies.managed == [
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        Unknown("var.arn is not declared", "${var.arn}"),
        managed,
    ]
