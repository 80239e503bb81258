"""Fixes for S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

from constructs_lib.testing.local_aws.fixes.patching import around, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult

RULE_PARTS = ("DeleteMarkerReplication", "Filter", "SourceSelectionCriteria", "ExistingObjectReplication")


def amend(self: S3Response, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the next result of a response object before it is serialized to XML; the object serves one request."""
    serialized = self.serialized

    def changed(answer: ActionResult) -> object:
        content: Any = answer.result
        if not isinstance(content, Exception):
            change(content)
        return serialized(answer)

    vars(self)["serialized"] = changed


def eventbridge_notifications_are_returned() -> None:
    """The EventBridge notification of a bucket is stored and not returned."""

    @around(S3Response, "get_bucket_notification")
    def get_bucket_notification(original: Callable[..., object], self: S3Response) -> object:
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configuration and configuration.event_bridge is not None:
            amend(self, lambda content: content.update(EventBridgeConfiguration={}))
        return original(self)


def replication_rules_are_returned() -> None:
    """Replication rules are returned with an empty filter and without delete marker replication."""

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


def lifecycle_rules_keep_newer_noncurrent_versions() -> None:
    """Lifecycle rules do not store NewerNoncurrentVersions, and the provider waits for it until its timeout."""

    @around(FakeBucket, "set_lifecycle")
    def set_lifecycle(original: Callable[..., object], self: FakeBucket, rules: list[dict[str, Any]]) -> object:
        result = original(self, rules)
        for rule, sent in zip(self.rules, rules, strict=True):
            keep(rule, "newest", (sent.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions"))
        return result

    @around(S3Response, "get_bucket_lifecycle")
    def get_bucket_lifecycle(original: Callable[..., object], self: S3Response) -> object:
        rules = self.backend.get_bucket_lifecycle(self.bucket_name)

        def change(content: dict[str, Any]) -> None:
            for rule, told in zip(rules, content["Rules"], strict=True):
                newest: str | None = kept(rule, "newest", lambda: None)
                if newest:
                    told["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = newest

        amend(self, change)
        return original(self)


def inventories_keep_encryption() -> None:
    """The encryption of an inventory destination is stored under its XML name and not returned."""

    @around(S3Response, "get_bucket_inventory_configuration")
    def get_bucket_inventory_configuration(original: Callable[..., object], self: S3Response) -> object:
        def change(content: dict[str, Any]) -> None:
            bucket = content["InventoryConfiguration"]["Destination"]["S3BucketDestination"]
            if "Encryption" in bucket:
                # An empty XML element is read as None.
                sent = bucket["Encryption"].items()
                bucket["Encryption"] = {name.replace("-", ""): inner or {} for name, inner in sent}

        amend(self, change)
        return original(self)


def conditional_denies_are_ignored() -> None:
    """Bucket policies are evaluated without their conditions: a conditional Deny denies every request."""

    @around(FakeBucket, "get_permission")
    def get_permission(original: Callable[..., object], self: FakeBucket, action: str, resource: str) -> object:
        policy: bytes | None = self.policy
        if policy is None:
            return original(self, action, resource)
        document = json.loads(policy)
        document["Statement"] = [
            statement
            for statement in document["Statement"]
            if statement["Effect"] != "Deny" or "Condition" not in statement
        ]
        try:
            self.policy = json.dumps(document).encode()
            return original(self, action, resource)
        finally:
            self.policy = policy


def access_logs_are_never_delivered() -> None:
    """Access logs are delivered immediately, also during a destroy, so that the log bucket is never empty."""

    @around(S3Backend, "log_incoming_request")
    def log_incoming_request(original: Callable[..., object], self: S3Backend, *request: object) -> None:
        pass


def object_lock_is_enabled_on_buckets_with_objects() -> None:
    """Object Lock is refused on buckets with objects; S3 enables it on them too.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html.
    """

    @around(S3Backend, "put_object_lock_configuration")
    def put_object_lock_configuration(
        original: Callable[..., object], self: S3Backend, bucket_name: str, *given: object, **named: object
    ) -> object:
        bucket = self.get_bucket(bucket_name)
        keys, bucket.keys = bucket.keys, type(bucket.keys)()
        try:
            return original(self, bucket_name, *given, **named)
        finally:
            bucket.keys = keys


FIXES = (
    eventbridge_notifications_are_returned,
    replication_rules_are_returned,
    lifecycle_rules_keep_newer_noncurrent_versions,
    inventories_keep_encryption,
    conditional_denies_are_ignored,
    access_logs_are_never_delivered,
    object_lock_is_enabled_on_buckets_with_objects,
)
