"""Documents that the tests of the MSG rules share."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.asking import resources

ACCOUNT = "111122223333"


def queue(**arguments: object) -> dict[str, Any]:
    return resources(aws_sqs_queue={"q": {"name": "shop-q", **arguments}})


def arn(name: str, service: str = "sqs", region: str = "eu-west-1") -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"


def policy(**more: object) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", **more}]})
