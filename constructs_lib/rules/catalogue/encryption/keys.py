"""KMS keys: rotation, deletion and key policies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import is_for_everyone
from constructs_lib.rules.queries.common import AWS, expect_flag, expect_number, policy_text
from constructs_lib.rules.queries.kms import EXTERNAL, KEY, KEY_POLICY, OWNER, REPLICA, key_of, policies_of
from constructs_lib.rules.queries.links import LOG_GROUP, called
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome

_DG: Final = f"{AWS}/kms/latest/developerguide"
_SHORTEST, _LONGEST = 7, 30
_WINDOWS: Final = {"dev": 7, "staging": 14, "prod": 30}
_USING: Final = ("kms:Encrypt", "kms:GenerateDataKey")
_LIMITS: Final = ("kms:CallerAccount", "kms:ViaService", "aws:PrincipalOrgID")


_LOGS: Final[dict[str, object]] = {
    "Effect": "Allow",
    "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
    "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
    "Resource": "*",
    "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:*"}},
}
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "eu-west-1"}},
    "resource": {
        KEY: {
            "data": {
                "description": "The shop's data",
                "enable_key_rotation": True,
                "deletion_window_in_days": 30,
                "policy": policy_text(OWNER, _LOGS),
            },
            "signing": {"description": "Signs tokens", "customer_master_key_spec": "RSA_2048"},
        },
        LOG_GROUP: {"app": {"name": "/shop/prod/app", "kms_key_id": "${aws_kms_key.data.arn}"}},
    },
}
_DATA: Final = f"resource.{KEY}.data"


@rule(
    "ENC-001",
    "KMS key has rotation enabled",
    why="Without rotation one key protects all data for ever, and compliance standards require annual rotation.",
    fix="Set enable_key_rotation to true. AWS retains old key material to decrypt old data, so nothing else changes.",
    page=f"{_DG}/rotate-keys.html",
    types=[KEY],
    frameworks=Frameworks(cis=("3.6",), pci=("3.7.4",), checkov=("CKV_AWS_7",)),
    good=_GOOD,
    breaks=[
        {f"{_DATA}.enable_key_rotation": REMOVED},
        {f"{_DATA}.enable_key_rotation": False},
        {f"{_DATA}.enable_key_rotation": "false"},
    ],
)
def key_has_rotation(key: Block) -> Iterator[Outcome]:
    """AWS does not rotate asymmetric and HMAC keys, imported key material and custom key stores."""
    spec = key.get("customer_master_key_spec")
    usage = key.get("key_usage")
    elsewhere = key.raw("custom_key_store_id") is not None or key.raw("xks_key_id") is not None
    if spec not in (None, "", "SYMMETRIC_DEFAULT") or usage not in (None, "", "ENCRYPT_DECRYPT") or elsewhere:
        yield NotApplicable("automatic rotation is not supported for this type of key")
        return
    yield from expect_flag(key, "enable_key_rotation", "must be true; AWS retains old key material to decrypt old data")


@rule(
    "ENC-002",
    "KMS key has a sufficient deletion waiting period",
    why="When a key is deleted, everything that it encrypted is lost, including backups. AWS accepts 7 to 30 days "
    "only.",
    fix="Omit deletion_window_in_days, which gives 30 days; set at least 14 in staging, 7 in dev.",
    page=f"{_DG}/deleting-keys.html",
    types=[KEY, REPLICA, *EXTERNAL],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("KMS.3",)),
    good=_GOOD,
    breaks=[
        {f"{_DATA}.deletion_window_in_days": 7},
        {f"{_DATA}.deletion_window_in_days": "14"},
        {f"{_DATA}.deletion_window_in_days": 1},
        {f"{_DATA}.deletion_window_in_days": 90},
    ],
)
def key_has_a_waiting_period(key: Block) -> Iterator[Outcome]:
    """The default is 30 days."""
    shortest = _WINDOWS[key.environment]
    yield from expect_number(
        key,
        "deletion_window_in_days",
        lambda days: days is None or shortest <= days <= _LONGEST,
        f"must be {_LONGEST} days in {key.environment}"
        if shortest == _LONGEST
        else f"must be {shortest} to {_LONGEST} days in {key.environment}",
    )


@rule(
    "ENC-003",
    "KMS key policy does not allow public access",
    why="The principal * is every AWS account: anyone can decrypt with the key, or delete it.",
    fix="Name accounts, roles or services, or restrict the statement with kms:CallerAccount or aws:PrincipalOrgID.",
    page=f"{_DG}/key-policies.html",
    types=[KEY, KEY_POLICY, REPLICA, *EXTERNAL],
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("KMS.5",), checkov=("CKV_AWS_33",)),
    good=_GOOD,
    breaks=[
        {f"{_DATA}.policy": policy_text({**OWNER, "Principal": "*"})},
        {f"{_DATA}.policy": policy_text(OWNER, {**OWNER, "Principal": {"AWS": ["*"]}, "Action": "kms:Decrypt"})},
        {
            f"resource.{KEY_POLICY}": {
                "data": {
                    "key_id": "${aws_kms_key.data.id}",
                    "policy": policy_text({**OWNER, "Principal": {"AWS": "*"}}),
                }
            }
        },
    ],
)
def key_policy_is_not_public(holder: Block) -> Iterator[Outcome]:
    """A condition on the calling account or on the service that makes the request restricts a statement."""
    if holder.raw("policy") is None:
        yield NotApplicable("default key policy")
        return
    found = statements(holder, "policy")
    if isinstance(found, Unknown):
        yield holder.undecided(found, "policy")
        return
    for statement in found:
        limited = any(value != "*" for key in _LIMITS for value in statement.condition(key))
        if is_for_everyone(statement) and not limited:
            name = f'statement "{statement.sid}"' if statement.sid else "a statement"
            yield holder.fail(
                f"must not be public: {name} allows {', '.join(map(str, statement.actions)) or 'actions'} to every "
                "account; name principals, or add a condition such as kms:CallerAccount",
                "policy",
            )


@rule(
    "ENC-004",
    "KMS key policy allows CloudWatch Logs to encrypt log groups",
    why="AWS rejects the log group: CloudWatch Logs needs a statement in the key policy. Terraform validate and "
    "plan do not report it.",
    fix="Allow kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey* and kms:Describe* to "
    "logs.REGION.amazonaws.com in the key policy.",
    page=f"{AWS}/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    types=[LOG_GROUP],
    lessons=["TRD-11"],
    good=_GOOD,
    breaks=[
        {f"{_DATA}.policy": policy_text(OWNER)},
        {f"{_DATA}.policy": REMOVED},
        {"provider.aws.region": "us-east-1"},
        {f"{_DATA}.policy": policy_text(OWNER, {**_LOGS, "Effect": "Deny"})},
        {f"{_DATA}.policy": policy_text(OWNER, {**_LOGS, "Action": "kms:DescribeKey"})},
        {f"{_DATA}.policy": policy_text(OWNER, {**_LOGS, "Principal": {"Service": "lambda.amazonaws.com"}})},
    ],
)
def log_group_key_allows_cloudwatch_logs(group: Block) -> Iterator[Outcome]:
    """Keys outside of the checked stacks are exempt."""
    key = key_of(group, "kms_key_id")
    if key is None:
        value = group.get("kms_key_id")
        if isinstance(value, Unknown):
            yield group.undecided(value, "kms_key_id")
        else:
            yield NotApplicable("its key is not in the checked stacks")
        return
    found = policies_of(key)
    doubt = next((each for _, each in found if isinstance(each, Unknown)), None)
    if any(
        _admits(statement, group.region) for _, each in found if not isinstance(each, Unknown) for statement in each
    ):
        return
    holder = found[0][0] if found else key
    region = group.region if isinstance(group.region, str) else "REGION"
    if doubt:
        yield holder.undecided(doubt, "policy")
    else:
        yield holder.fail(
            f"must allow kms:Encrypt*, kms:Decrypt* and kms:GenerateDataKey* to logs.{region}.amazonaws.com, since "
            f"{called(group, holder)} is encrypted with the key",
            "policy",
        )


def _admits(statement: Statement, region: str | Unknown) -> bool:
    if not all(map(statement.allows, _USING)):
        return False
    for who in statement.principals:
        text = who.value.text if isinstance(who.value, Unknown) else who.value
        named = re.match(r"logs\.(?:(.+)\.)?amazonaws\.com", text)
        in_region = named and (named[1] in (None, region) or "${" in named[1] or isinstance(region, Unknown))
        if text == "*" or in_region or (who.kind == "Service" and (not text or text.startswith("${"))):
            return True
    return False
