"""S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.responses import S3Response

from constructs_lib.testing.local_aws.fixes.patching import around

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult

RULE_PARTS = ("DeleteMarkerReplication", "Filter", "SourceSelectionCriteria", "ExistingObjectReplication")


def amend(self: S3Response, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the next answer of a response object before it becomes XML; the object serves one request."""
    serialized = self.serialized

    def changed(answer: ActionResult) -> object:
        content: Any = answer.result
        if not isinstance(content, Exception):
            change(content)
        return serialized(answer)

    vars(self)["serialized"] = changed


def notifications_to_eventbridge_come_back() -> None:
    """A bucket's notification to EventBridge is kept and not given back."""

    @around(S3Response, "get_bucket_notification")
    def get_bucket_notification(original: Callable[..., object], self: S3Response) -> object:
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configuration and configuration.event_bridge is not None:
            amend(self, lambda content: content.update(EventBridgeConfiguration={}))
        return original(self)


def replication_rules_come_back_whole() -> None:
    """A replication rule comes back with an empty filter and without delete markers, whatever was sent."""

    @around(S3Response, "get_bucket_replication")
    def get_bucket_replication(original: Callable[..., object], self: S3Response) -> object:
        replication: dict[str, Any] = self.backend.get_bucket_replication(self.bucket_name) or {"Rule": []}
        sent = {rule["ID"]: rule for rule in replication["Rule"]}

        def change(content: dict[str, Any]) -> None:
            for rule in content["ReplicationConfiguration"]["Rules"]:
                # An empty XML element is read as None.
                rule.update({part: sent[rule["ID"]][part] for part in RULE_PARTS if sent[rule["ID"]].get(part)})

        amend(self, change)
        return original(self)


FIXES = (notifications_to_eventbridge_come_back, replication_rules_come_back_whole)
