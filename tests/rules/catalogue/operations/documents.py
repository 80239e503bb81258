"""Documents that the tests of the OPS rules share."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import resources

GROUP = "resource.aws_autoscaling_group.web"


def instance(script: str) -> dict[str, Any]:
    return resources(aws_instance={"web": {"user_data": script}})
