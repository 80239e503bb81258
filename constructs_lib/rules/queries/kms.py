"""KMS keys: the key that a value refers to, and its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.policies import statements

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.estate.values import Unknown

ALIAS: Final = "aws_kms_alias"
KEY: Final = "aws_kms_key"
REPLICA: Final = "aws_kms_replica_key"
KEY_POLICY: Final = "aws_kms_key_policy"
EXTERNAL: Final = ("aws_kms_external_key", "aws_kms_replica_external_key")
KEYS: Final = (KEY, REPLICA, *EXTERNAL)
OWNER: Final[dict[str, object]] = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}
"""The statement that lets the account administer a key, for the documents of rules."""


def key_of(section: Section, at: str) -> Block | None:
    """Return the key of the estate that a value means, also through an alias of it; None when there is none."""
    found = section.target(at, *KEYS, ALIAS)
    return found.target("target_key_id", *KEYS) if found is not None and found.type == ALIAS else found


def policies_of(key: Block) -> list[tuple[Block, list[Statement] | Unknown]]:
    """Return the policies of a key, each with the block that holds it under `policy`; none where AWS gives its own."""
    holders = key.referrers_at("key_id", KEY_POLICY)
    if not holders and key.raw("policy") is not None:
        holders = [key]
    return [(holder, statements(holder, "policy")) for holder in holders]
