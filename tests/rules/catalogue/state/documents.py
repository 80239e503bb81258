"""Documents that the tests of the STATE rules share."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from constructs_lib.rules.estate.loading import Source

SYNTHESIZED = {"//": {"metadata": {"backend": "s3", "stackName": "shop", "version": "0.21.0"}}}


QUEUE = {"aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs"}}}


PROVIDER = {"aws": {"region": "us-east-1"}}


def source(document: dict[str, Any], name: str = "shop", **more: Any) -> Source:
    return Source(name=name, folder=Path("out/stacks") / name, document=copy.deepcopy(document), **more)
