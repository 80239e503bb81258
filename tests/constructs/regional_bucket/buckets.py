"""A stack with every kind of RegionalBucket in it, and helpers that find its resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    MultiRegionKey,
    NoAccessLogs,
    ObjectLock,
    RegionalBucket,
    Transition,
)
from constructs_lib.core.iam import ServiceRole

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
DATA, LOGS = "aws_s3_bucket.data_eu_west_1", "aws_s3_bucket.logs_eu_west_1"
KEY = "${aws_kms_key.key_eu_west_1.arn}"
REPLICA_KEY = "${aws_kms_replica_key.key_replica_us_east_1.arn}"
ALL = {"type": "AWS", "identifiers": ["*"]}


def arn(address: str, path: str = "") -> str:
    return f"${{{address}.arn}}{path}"


def build(stack: HardenedStack) -> None:
    eu, us = stack.region("eu-west-1"), stack.region("us-east-1")
    key = MultiRegionKey(stack, "key", region=eu, replicas=[us])
    logs = RegionalBucket(stack, "logs", region=eu, log_delivery=True, expire_days=400)
    logs.allow_load_balancer_logs()
    logs.allow_load_balancer_logs("web")
    there = RegionalBucket(
        stack,
        "copy",
        region=us,
        key=key,
        access_logs=NoAccessLogs("The original keeps the record of who reads"),
        object_lock=ObjectLock(days=5),
    )
    data = RegionalBucket(
        stack,
        "data",
        region=eu,
        key=key,
        access_logs=logs,
        noncurrent_days=120,
        newer_noncurrent_versions=3,
        transitions=[Transition(30, "STANDARD_IA"), Transition(90, "GLACIER_IR")],
        object_lock=ObjectLock(days=5, mode="COMPLIANCE"),
        replicate_to=there,
    )
    role = ServiceRole(
        stack, "worker", region=eu, service="lambda.amazonaws.com", description="Works on objects", statements=[]
    )
    data.grant_read(role, "in/")
    data.grant_write(role, "out/")
    logs.grant_read(role)


def statements(stack: SynthesizedStack, path: str) -> dict[str, dict[str, Any]]:
    document = stack.resource("data.aws_iam_policy_document", path)
    return {statement.pop("sid"): statement for statement in map(dict, document["statement"])}


def part(stack: SynthesizedStack, type_: str, bucket: str = "data") -> Any:
    return stack.resource(f"aws_s3_bucket_{type_}", f"shop/{bucket}/*")


class Shop:
    """A stack with a key and a log bucket, to which tests add one bucket."""

    def __init__(self, folder: Path, environment: str = "dev", **arguments: Any) -> None:
        folder.mkdir(exist_ok=True)
        self.app = App(outdir=str(folder / "cdktf.out"))
        self.stack = HardenedStack(self.app, "shop", environment=environment, owner="me", **arguments)
        self.eu, self.us = self.stack.region("eu-west-1"), self.stack.region("us-east-1")
        self.key = MultiRegionKey(self.stack, "key", region=self.eu, replicas=[self.us])
        self.logs = RegionalBucket(self.stack, "logs", region=self.eu, log_delivery=True)

    def bucket(self, id_: str = "data", **arguments: Any) -> RegionalBucket:
        given = {"region": self.eu, "key": self.key, "access_logs": self.logs, **arguments}
        return RegionalBucket(self.stack, id_, **given)

    def refusal(self, **arguments: Any) -> list[str]:
        id_ = f"data-{len(self.stack.node.children)}"
        with pytest.raises(ConfigurationError) as error:
            self.bucket(id_, **arguments)
        return [line.removeprefix(f"shop/{id_}: ") for line in str(error.value).split("\n")]
