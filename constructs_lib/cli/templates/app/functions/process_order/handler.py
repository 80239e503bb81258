"""Processes the orders of an SQS queue, and reports the messages that failed."""

from __future__ import annotations

import json
import logging
from typing import Any

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda passes it
    """Process a batch of messages; SQS delivers only the failed ones again."""
    failed = []
    for record in event["Records"]:
        try:
            process(json.loads(record["body"]))
        except Exception:
            logger.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def process(order: dict[str, Any]) -> None:
    """Process one order."""
    logger.info("order %s of %s items", order["id"], len(order["items"]))
