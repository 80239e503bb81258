"""Policies that are too long, or have too many statements."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.local_aws.policies import statements
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked

QUEUE_BYTES: Final = 8_192
QUEUE_STATEMENTS: Final = 20
TOPIC_BYTES: Final = 30_720
ROLE_CHARACTERS: Final = 10_240
MANAGED_CHARACTERS: Final = 6_144
TRUST_CHARACTERS: Final = 2_048
FUNCTION_BYTES: Final = 20_480
BUCKET_BYTES: Final = 20_480
LOG_POLICIES: Final = 10


def _length(document: Any) -> int:  # noqa: ANN401  text, bytes or a file
    return len(document.encode() if isinstance(document, str) else document or b"")


def _characters(document: str | None) -> int:
    """Return the length without white space, which IAM does not count."""
    return len(re.sub(r"\s", "", document or ""))


@refuses("sqs:CreateQueue", "sqs:SetQueueAttributes")
def queue_policies(asked: Asked) -> None:
    """A queue policy has at most 8,192 bytes and 20 statements.

    See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
    """
    policy = (asked.parameters.get("Attributes") or {}).get("Policy")
    if _length(policy) > QUEUE_BYTES:
        raise RefusedError("InvalidAttributeValue", f"Policy has {_length(policy)} bytes; the maximum is {QUEUE_BYTES}")
    if (count := len(statements(policy))) > QUEUE_STATEMENTS:
        raise RefusedError("InvalidAttributeValue", f"Policy has {count} statements; the maximum is {QUEUE_STATEMENTS}")


@refuses("sns:CreateTopic", "sns:SetTopicAttributes")
def topic_policies(asked: Asked) -> None:
    """A topic policy has at most 30 KB.

    See: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    given = asked.parameters
    policy = given.get("AttributeValue") if given.get("AttributeName") == "Policy" else None
    policy = policy or (given.get("Attributes") or {}).get("Policy")
    if _length(policy) > TOPIC_BYTES:
        raise RefusedError("InvalidParameter", f"Policy has {_length(policy)} bytes; the maximum is {TOPIC_BYTES}")


@refuses("iam:PutRolePolicy")
def role_policies(asked: Asked) -> None:
    """The inline policies of a role have at most 10,240 characters together.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    given = asked.parameters
    roles = asked.backend("iam", "aws").roles.values()
    role = next((role for role in roles if role.name == given["RoleName"]), None)
    policies = {**(role.policies if role else {}), given["PolicyName"]: given["PolicyDocument"]}
    if sum(map(_characters, policies.values())) > ROLE_CHARACTERS:
        name = given["RoleName"]
        raise RefusedError(
            "LimitExceeded", f"Maximum policy size of {ROLE_CHARACTERS} bytes exceeded for role {name}", 409
        )


@refuses("iam:CreatePolicy", "iam:CreatePolicyVersion")
def managed_policies(asked: Asked) -> None:
    """A managed policy has at most 6,144 characters.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    if _characters(asked.parameters["PolicyDocument"]) > MANAGED_CHARACTERS:
        raise RefusedError("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED_CHARACTERS}", 409)


@refuses("iam:CreateRole", "iam:UpdateAssumeRolePolicy")
def trust_policies(asked: Asked) -> None:
    """A trust policy has at most 2,048 characters.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    document = asked.parameters.get("AssumeRolePolicyDocument") or asked.parameters.get("PolicyDocument")
    if _characters(document) > TRUST_CHARACTERS:
        raise RefusedError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS}", 409)


@refuses("lambda:AddPermission")
def function_policies(asked: Asked) -> None:
    """The resource policy of a function has at most 20 KB.

    See: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    given = asked.parameters
    function = asked.backend("lambda").get_function(given["FunctionName"], qualifier=given.get("Qualifier"))
    added = {name: value for name, value in given.items() if name not in ("FunctionName", "Qualifier")}
    size = _length(json.dumps([*function.policy.statements, added]))
    if size > FUNCTION_BYTES:
        message = f"The final policy size ({size}) is bigger than the limit ({FUNCTION_BYTES})."
        raise RefusedError("PolicyLengthExceededException", message)


@refuses("s3:PutBucketPolicy")
def bucket_policies(asked: Asked) -> None:
    """A bucket policy has at most 20 KB.

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
    """
    if _length(asked.parameters.get("Policy")) > BUCKET_BYTES:
        raise RefusedError("PolicyTooLarge", f"The policy has more than {BUCKET_BYTES} bytes")


@refuses("logs:PutResourcePolicy")
def log_resource_policies(asked: Asked) -> None:
    """A Region of an account has at most 10 resource policies of CloudWatch Logs.

    See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    """
    known = asked.backend("logs").resource_policies
    if asked.parameters["policyName"] not in known and len(known) >= LOG_POLICIES:
        raise RefusedError("LimitExceededException", "Resource limit exceeded.")
