"""IAM policy documents and service roles; statements can be added until synth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.naming import terraform_name
from constructs_lib.foundation.policy_quotas import PolicyKind, excess, policy_json, rendered_size

_SAME_OR_LIKE: Final = ("ArnEquals", "ArnLike", "StringEquals", "StringLike")


@dataclass(frozen=True)
class Condition:
    """One condition of a statement, for instance `Condition("ArnLike", "aws:SourceArn", (arn,))`."""

    test: str
    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One Allow or Deny of a policy.

    Attributes:
        sid: Letters and digits; unique in its policy.
        actions: Actions such as `sqs:SendMessage`.
        resources: ARNs; `*` only where the action has no resource type.
        principals: Principals by type, for resource policies: `(("Service", ("logs.eu-west-1.amazonaws.com",)),)`.
        conditions: Conditions, all of which must match.
        effect: `Allow` (default) or `Deny`.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, tuple[str, ...]], ...] = ()
    conditions: tuple[Condition, ...] = ()
    effect: str = "Allow"

    def as_struct(self) -> aws.data_aws_iam_policy_document.DataAwsIamPolicyDocumentStatement:
        """Return the statement of a policy document data source."""
        document = aws.data_aws_iam_policy_document
        return document.DataAwsIamPolicyDocumentStatement(
            sid=self.sid,
            effect=self.effect,
            actions=list(self.actions),
            resources=list(self.resources) or None,
            principals=[
                document.DataAwsIamPolicyDocumentStatementPrincipals(type=type_, identifiers=list(identifiers))
                for type_, identifiers in self.principals
            ]
            or None,
            condition=[
                document.DataAwsIamPolicyDocumentStatementCondition(
                    test=condition.test, variable=condition.variable, values=list(condition.values)
                )
                for condition in self.conditions
            ]
            or None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the statement as IAM's own JSON."""
        statement: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, "Action": list(self.actions)}
        if self.principals:
            statement["Principal"] = {type_: list(identifiers) for type_, identifiers in self.principals}
        if self.resources:
            statement["Resource"] = list(self.resources)
        for condition in self.conditions:
            tests = statement.setdefault("Condition", {}).setdefault(condition.test, {})
            tests[condition.variable] = list(condition.values)
        return statement


def merge_sources(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements of which those that differ in their source only are one, with unique ids.

    Policies have a quota of statements and bytes; a condition may have any number of values.
    """
    merged: dict[Statement, Statement] = {}
    for statement in statements:
        if sum(map(_is_source, statement.conditions)) != 1:
            merged[statement] = statement
            continue
        kind = replace(statement, sid="", conditions=tuple(map(_without_source, statement.conditions)))
        known = merged.setdefault(kind, statement)
        merged[kind] = replace(
            known,
            conditions=tuple(
                replace(one, values=tuple(dict.fromkeys((*one.values, *other.values))))
                for one, other in zip(known.conditions, statement.conditions, strict=True)
            ),
        )
    named: dict[str, Statement] = {}
    for statement in merged.values():
        # Grants of in/a and in-a result in one sid, and a policy accepts each sid once.
        sids = (statement.sid + (str(number) if number > 1 else "") for number in count(1))
        sid = next(sid for sid in sids if sid not in named)
        named[sid] = replace(statement, sid=sid)
    return list(named.values())


def _is_source(condition: Condition) -> bool:
    source = condition.variable == "aws:SourceArn" or condition.variable.startswith("kms:EncryptionContext:")
    return source and condition.test in _SAME_OR_LIKE


def _without_source(condition: Condition) -> Condition:
    return replace(condition, values=()) if _is_source(condition) else condition


def check_size(owner: HardenedConstruct, kind: PolicyKind, statements: Iterable[Statement], where: str = "") -> None:
    """Fail the synthesis when a policy exceeds AWS's quota of its kind.

    Args:
        owner: The construct that has the policy.
        kind: The kind of policy.
        statements: All its statements.
        where: Added to the policy's name in the message, such as ` in eu-west-1`.
    """
    listed = [statement.as_json() for statement in statements]
    text, naming = policy_json(listed), owner.region.naming
    prefix = f"{naming.project}-{naming.environment}-"
    if excess(kind, rendered_size(text, prefix), len(listed)):
        # The engine's tokens are resolved only where the estimate is above the quota: it takes a call into the engine.
        wrong = excess(kind, rendered_size(owner.region.stack.text(text), prefix), len(listed), where)
        if wrong:
            report_at_synth(owner, lambda: [wrong])


class PolicyDocument:
    """A policy document data source; statements can be added until synth.

    Statements that differ in their source only are merged, and the synthesis fails if the policy exceeds AWS's quota.

    Args:
        owner: The construct that has the policy.
        id_: The data source's id.
        statements: The first statements.
        kind: The kind of policy, whose quota applies.

    Attributes:
        json: A reference to the rendered policy.
    """

    def __init__(
        self, owner: HardenedConstruct, id_: str, statements: Iterable[Statement] = (), *, kind: PolicyKind
    ) -> None:
        self.statements = list(statements)
        self._owner = owner
        self._id = id_
        self._kind: PolicyKind = kind
        name = terraform_name((*owner.components, id_), owner.region.name)
        self.json = f"${{data.aws_iam_policy_document.{name}.json}}"
        owner.region.stack.at_synth(self._write)

    def add(self, statement: Statement) -> None:
        """Add a statement; a duplicate has no effect."""
        if statement not in self.statements:
            self.statements.append(statement)

    def _write(self) -> None:
        owner = self._owner
        statements = merge_sources(self.statements)
        check_size(owner, self._kind, statements)
        owner.resources[self._id] = owner.region.create(
            owner,
            (*owner.components, self._id),
            aws.data_aws_iam_policy_document.DataAwsIamPolicyDocument,
            statement=[statement.as_struct() for statement in statements],
        )


class ServiceRole(HardenedConstruct):
    """An IAM role that one AWS service assumes, with one inline policy.

    Args:
        scope: The construct that the service acts for.
        id_: The construct's id.
        region: The region; IAM is global, the role's name still ends in the region.
        service: The service principal, such as `lambda.amazonaws.com`.
        description: The role's description.
        statements: Statements of the policy; `grant` adds more.
        conditions: Conditions of the trust policy, such as `aws:SourceArn`; none by default.

    Attributes:
        name: The role's name.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        service: str,
        description: str,
        statements: Iterable[Statement],
        conditions: tuple[Condition, ...] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        trust = Statement(
            sid="AssumeRole",
            actions=("sts:AssumeRole",),
            principals=(("Service", (service,)),),
            conditions=conditions,
        )
        self.name = self._name("role")
        self._policy = PolicyDocument(self, "policy-document", statements, kind="role")
        self.resource = self._create(
            aws.iam_role.IamRole,
            "Resource",
            name=self.name,
            description=description,
            assume_role_policy=PolicyDocument(self, "trust", [trust], kind="trust").json,
        )
        self.policy = self._create(
            aws.iam_role_policy.IamRolePolicy,
            "policy",
            name=self._name("policy"),
            role=self._ref(self.resource, "id"),
            policy=self._policy.json,
        )
        """The inline policy, for `depends_on`: until it exists the role has no permissions."""

    @cached_property
    def arn(self) -> str:
        """The role's ARN."""
        return self.resource.arn

    def grant(self, statement: Statement) -> None:
        """Add a statement to the role's policy."""
        self._policy.add(statement)
