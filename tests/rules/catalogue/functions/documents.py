"""Documents that the tests of the LAM rules share."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import resources

FN = "resource.aws_lambda_function.worker"


def function(**arguments: object) -> dict[str, Any]:
    return resources(aws_lambda_function={"worker": {"function_name": "shop-worker", **arguments}})


def archive(**arguments: object) -> dict[str, Any]:
    return {"data": {"archive_file": {"code": {"type": "zip", "output_path": "out.zip", **arguments}}}}
