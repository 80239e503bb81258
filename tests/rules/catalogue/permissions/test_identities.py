"""IAM users, roles and the policies attached to them: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import found, resources

ROLE = {"r": {"name": "shop-role"}}


def test_other_uses_of_a_policy_are_clean() -> None:
    users: list[dict[str, Any]] = [
        {"output": {"arn": {"value": "${aws_iam_policy.p.arn}"}}},
        {"output": {"arn": {"value": {"all": ["${local.arn}"]}}}, "locals": {"arn": "${aws_iam_policy.p.arn}"}},
        resources(aws_iam_role={"r": {"permissions_boundary": "${aws_iam_policy.p.arn}"}}),
        resources(aws_iam_role_policy_attachment={"a": {"role": "r", "policy_arn": "arn:aws:iam::1:policy/shop"}}),
    ]
    for user in users:
        made = {**user, "resource": {**user.get("resource", {}), "aws_iam_policy": {"p": {"name": "shop"}}}}
        assert found("IAM-022", made) == [], user


def test_a_module_may_attach_a_policy() -> None:
    made = resources(aws_iam_policy={"p": {"name": "shop"}}) | {"module": {"m": {"source": "./m"}}}
    assert found("IAM-022", made) == []


def test_a_customer_managed_policy_is_not_an_administrator_policy() -> None:
    made = resources(
        aws_iam_policy={"p": {"name": "shop"}},
        aws_iam_role_policy_attachment={"a": {"role": "r", "policy_arn": "${aws_iam_policy.p.arn}"}},
    )
    assert found("IAM-018", made) == []


def test_the_same_policy_twice_counts_once() -> None:
    attachments = {
        str(n): {"role": "${aws_iam_role.r.name}", "policy_arn": "arn:aws:iam::1:policy/P"} for n in range(12)
    }
    assert found("IAM-021", resources(aws_iam_role=ROLE, aws_iam_role_policy_attachment=attachments)) == []
