"""Documents that the tests of the IAM rules share."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.asking import resources


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**resources(aws_iam_role_policy={"p": {"role": "shop-role", "policy": document(*statements)}}), **more}
