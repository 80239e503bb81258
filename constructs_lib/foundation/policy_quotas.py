"""Quotas of the size of policies, and the size that a policy will have."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PolicyKind = Literal["bucket", "event-bus", "function", "key", "logs", "managed", "queue", "role", "topic", "trust"]


class PolicyQuota(NamedTuple):
    """How large a kind of policy may be."""

    name: str
    """The policy as messages name it."""
    size: int
    """Bytes; IAM does not count white space, and the provider sends none."""
    source: str
    """The page that says so."""
    statements: int | None = None
    """How many statements it may have; None for any number."""


_DOCS: Final = "https://docs.aws.amazon.com"
_IAM: Final = f"{_DOCS}/IAM/latest/UserGuide/reference_iam-quotas.html"
POLICY_QUOTAS: Final[dict[PolicyKind, PolicyQuota]] = {
    "bucket": PolicyQuota("bucket policy", 20_480, f"{_DOCS}/AmazonS3/latest/userguide/bucket-policies.html"),
    "event-bus": PolicyQuota("event bus policy", 10_240, f"{_DOCS}/eventbridge/latest/userguide/eb-quota.html"),
    "function": PolicyQuota(
        "function's resource-based policy", 20_480, f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html"
    ),
    "key": PolicyQuota("key policy", 32_768, f"{_DOCS}/kms/latest/developerguide/resource-limits.html"),
    "logs": PolicyQuota(
        "resource policy of CloudWatch Logs",
        5_120,
        f"{_DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html",
    ),
    "managed": PolicyQuota("managed policy", 6_144, _IAM),
    "queue": PolicyQuota(
        "queue policy",
        8_192,
        f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html",
        statements=20,
    ),
    "role": PolicyQuota("inline policy of the role", 10_240, _IAM),
    "topic": PolicyQuota(
        "topic policy",
        30_720,
        f"{_DOCS}/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html",
        statements=100,
    ),
    "trust": PolicyQuota("trust policy of the role", 2_048, _IAM),
}

_ACCOUNT: Final = "0" * 12
_REFERENCE: Final = re.compile(r"\$\{(?:data\.)?[a-z]\w*\.([^.}]*)\.?[^}]*\}|\$\{[^}]*\}")
_ARN_HEAD: Final = len("arn:aws:service:eu-central-1:000000000000:resource/")


def policy_json(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return a policy without white space, with lists of one value as AWS receives them from a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": _shortened(list(statements))}, separators=(",", ":"))


def rendered_size(text: str, prefix: str) -> int:
    """Return the number of bytes that a text will have once its references are replaced.

    A reference counts as an ARN whose last part is the prefix of AWS names and the resource's Terraform name, which is
    how the library makes names.

    Args:
        text: Text with references.
        prefix: The prefix of AWS names, `project-environment-`.
    """

    def stand_in(found: re.Match[str]) -> str:
        if found[0].endswith(".account_id}"):
            return _ACCOUNT
        return "x" * (_ARN_HEAD + len(prefix) + len(found[1] or ""))

    return len(_REFERENCE.sub(stand_in, text).encode())


def excess(kind: PolicyKind, size: int, statements: int, where: str = "") -> str | None:
    """Return what is wrong with a policy of this size and number of statements, for a message; None when it fits."""
    quota = POLICY_QUOTAS[kind]
    if quota.statements is not None and statements > quota.statements:
        return f"the {quota.name}{where} has {statements} statements; AWS allows {quota.statements} ({quota.source})"
    if size > quota.size:
        return f"the {quota.name}{where} has about {size} bytes; AWS allows {quota.size} ({quota.source})"
    return None


def _shortened(value: Any) -> Any:  # noqa: ANN401  JSON has any shape
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return [_shortened(one) for one in value] if isinstance(value, list) else value
