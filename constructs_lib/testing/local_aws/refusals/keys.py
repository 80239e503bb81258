"""KMS keys whose policy does not let the service in, or is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.local_aws.policies import allowed, statements
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked

POLICY_BYTES: Final = 32_768
LOGS_ACTIONS: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey")


@refuses("kms:CreateKey", "kms:PutKeyPolicy", "kms:ReplicateKey")
def key_policies(asked: Asked) -> None:
    """A key policy has at most 32 KB.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
    """
    if len((asked.parameters.get("Policy") or "").encode()) > POLICY_BYTES:
        raise RefusedError("LimitExceededException", f"The policy has more than {POLICY_BYTES} bytes")


@refuses("logs:CreateLogGroup", "logs:AssociateKmsKey")
def keys_of_log_groups(asked: Asked) -> None:
    """The policy of a log group's key lets the CloudWatch Logs of the Region encrypt for that log group.

    See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    if not (key_arn := asked.parameters.get("kmsKeyId")):
        return
    region = asked.call.region
    group = f"arn:aws:logs:{region}:{asked.account}:log-group:{asked.parameters.get('logGroupName', '')}"
    if (key := _key(asked, key_arn)) is None:
        return
    context = {"kms:EncryptionContext:aws:logs:arn": group}
    principal = ("Service", f"logs.{region}.amazonaws.com")
    policy = statements(key.policy)
    if not all(allowed(policy, action, principal=principal, context=context) for action in LOGS_ACTIONS):
        raise RefusedError(
            "InvalidParameterException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
        )


def _key(asked: Asked, id_: str) -> Any:  # noqa: ANN401  moto's
    parts = id_.split(":")
    backend = asked.backend("kms", parts[3] if len(parts) > 4 else asked.call.region)  # noqa: PLR2004  an ARN
    return backend.keys.get(backend.get_key_id(id_))
