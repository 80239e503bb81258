"""Roles and functions for tests of the local AWS."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

EU = "eu-west-1"


def make_role(aws: LocalAws, name: str, service: str = "lambda.amazonaws.com", actions: tuple[str, ...] = ()) -> str:
    """Create a role that a service assumes, with one policy, and return its ARN."""
    roles = aws.client("iam", EU)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    arn: str = roles.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if actions:
        allow(aws, name, actions)
    return arn


def allow(aws: LocalAws, role: str, actions: tuple[str, ...]) -> None:
    """Allow a role actions on everything."""
    policy = document({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
    aws.client("iam", EU).put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy)


def make_function(aws: LocalAws, name: str, role: str, **settings: Any) -> str:
    """Create a Python function and return its ARN."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): ...")
    given = {"Runtime": "python3.13", "Handler": "index.handler", "Code": {"ZipFile": package.getvalue()}, **settings}
    arn: str = aws.client("lambda", EU).create_function(FunctionName=name, Role=role, **given)["FunctionArn"]
    return arn


def document(*statements: Any) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
