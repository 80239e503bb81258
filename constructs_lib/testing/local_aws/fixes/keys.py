"""Fixes for replicas of KMS keys and of Secrets Manager secrets."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from moto.kms import models
from moto.kms.models import KmsBackend, kms_backends
from moto.kms.responses import KmsResponse
from moto.secretsmanager.models import FakeSecret

from constructs_lib.testing.local_aws.fixes.patching import around, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.kms.models import Key
    from moto.secretsmanager.models import ReplicaSecret

DEFAULT_ROTATION_DAYS = 365


def replica_keys_are_independent() -> None:
    """Replicas share aliases, grants and key role with the primary key, whose role becomes REPLICA."""

    @around(KmsBackend, "replicate_key")
    def replicate_key(original: Callable[..., Key], self: KmsBackend, key_id: str, replica_region: str) -> Key:
        replica = original(self, key_id, replica_region)
        primary = self.keys[self.get_key_id(key_id)]
        replica.aliases, replica.grants = {}, {}
        replica.multi_region_configuration = {
            **deepcopy(primary.multi_region_configuration),
            "MultiRegionKeyType": "REPLICA",
        }
        replica.key_state, replica.deletion_date = "Enabled", None
        return replica


def replica_keys_keep_policy_description_and_tags() -> None:
    """`ReplicateKey` ignores policy, description and tags, and the provider waits ten minutes for the tags."""

    @around(KmsResponse, "replicate_key")
    def replicate_key(original: Callable[..., str], self: KmsResponse) -> str:
        answer: dict[str, Any] = json.loads(original(self))
        region = self._get_param("ReplicaRegion")
        backend = kms_backends[self.current_account][region]
        replica = backend.keys[answer["ReplicaKeyMetadata"]["KeyId"]]
        replica.policy = self._get_param("Policy") or replica.generate_default_policy()
        replica.description = self._get_param("Description") or ""
        if tags := self._get_param("Tags"):
            backend.tagger.tag_resource(replica.id, tags)
        return json.dumps({"ReplicaKeyMetadata": replica.to_dict()["KeyMetadata"], "ReplicaPolicy": replica.policy})


def key_rotation_keeps_its_period() -> None:
    """`EnableKeyRotation` ignores the rotation period, so that every plan sets it again."""

    @around(KmsResponse, "enable_key_rotation")
    def enable_key_rotation(original: Callable[..., str], self: KmsResponse) -> str:
        answer = original(self)
        if days := self._get_param("RotationPeriodInDays"):
            keep(_key(self), "rotation_days", days)
        return answer

    @around(KmsResponse, "get_key_rotation_status")
    def get_key_rotation_status(original: Callable[..., str], self: KmsResponse) -> str:
        status: dict[str, Any] = json.loads(original(self))
        if status["KeyRotationEnabled"]:
            status["RotationPeriodInDays"] = kept(_key(self), "rotation_days", lambda: DEFAULT_ROTATION_DAYS)
        return json.dumps(status)

    def _key(self: KmsResponse) -> Key:
        backend = self.kms_backend
        return backend.keys[backend.any_id_to_key_id(self._get_param("KeyId"))]


def secret_replicas_keep_their_kms_key() -> None:
    """Replicas always return `alias/aws/secretsmanager`, so that every plan replaces them."""

    @around(FakeSecret, "create_replicas")
    def create_replicas(
        original: Callable[..., list[ReplicaSecret]],
        self: FakeSecret,
        replica_regions: list[dict[str, str]],
        force_overwrite: bool,  # noqa: FBT001  moto's signature
    ) -> list[ReplicaSecret]:
        replicas = original(self, replica_regions, force_overwrite)
        for replica, asked in zip(replicas, replica_regions or [], strict=True):
            if key := asked.get("KmsKeyId"):
                replica.config["KmsKeyId"] = key
        return replicas


def multi_region_key_ids_have_no_hyphens() -> None:
    """Ids of multi-Region keys contain hyphens, which Terraform's S3 backend rejects; AWS ids have 32 digits."""
    generate: Callable[[bool], str] = vars(models)["generate_key_id"]

    def generate_key_id(multi_region: bool = False) -> str:  # noqa: FBT001, FBT002  moto's signature
        id_ = generate(multi_region)
        return f"mrk-{id_.removeprefix('mrk-').replace('-', '')}" if multi_region else id_

    vars(models)["generate_key_id"] = generate_key_id

    @around(KmsResponse, "_validate_cmk_id")
    def _validate_cmk_id(original: Callable[..., None], self: KmsResponse, key_id: str) -> None:
        # An ARN's id is looked up as it is, a bare one must have moto's form.
        original(self, self._display_arn(key_id) if key_id.startswith("mrk-") else key_id)


FIXES = (
    replica_keys_are_independent,
    replica_keys_keep_policy_description_and_tags,
    key_rotation_keeps_its_period,
    secret_replicas_keep_their_kms_key,
    multi_region_key_ids_have_no_hyphens,
)
