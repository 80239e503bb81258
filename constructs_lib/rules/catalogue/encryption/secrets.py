"""Secrets: Secrets Manager, SSM parameters, hard-coded values and generated values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.secrets import is_secret_name
from constructs_lib.rules.outcomes import Fail
from constructs_lib.rules.queries.common import AWS, PROVIDER, TERRAFORM, expect_number
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.queries.secret_values import (
    HIDDEN,
    credential,
    is_placeholder,
    secrets_of,
    written_out,
)
from constructs_lib.rules.queries.texts import texts
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_SECRET: Final = "aws_secretsmanager_secret"  # noqa: S105  a resource type
_VERSION: Final = f"{_SECRET}_version"
_ROTATION: Final = f"{_SECRET}_rotation"
_PARAMETER: Final = "aws_ssm_parameter"
_MANAGER: Final = f"{AWS}/secretsmanager/latest/userguide"
_PLAIN: Final = ("String", "StringList")
_LONG_ENOUGH: Final = 16
_TOKEN: Final = f"resource.{_PARAMETER}.token"

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        "random_password": {"token": {"length": 32}},
        _SECRET: {"partner": {"name": "shop-prod-partner", "kms_key_id": "${aws_kms_key.data.arn}"}},
        _ROTATION: {
            "partner": {
                "secret_id": "${aws_secretsmanager_secret.partner.id}",
                "rotation_rules": {"automatically_after_days": 30},
            }
        },
        _VERSION: {
            "partner": {
                "secret_id": "${aws_secretsmanager_secret.partner.id}",
                "secret_string": '${jsonencode({user = "shop", password = random_password.token.result})}',
            }
        },
        _PARAMETER: {
            "token": {
                "name": "/shop/prod/partner-token",
                "type": "SecureString",
                "key_id": "${aws_kms_key.data.arn}",
                "value": "${random_password.token.result}",
            },
            "level": {"name": "/shop/prod/log-level", "type": "String", "value": "INFO"},
        },
        "aws_elasticache_user": {
            "app": {"user_id": "app", "passwords": ["${random_password.token.result}"]},
        },
    }
}


@rule(
    "ENC-008",
    "Secrets Manager secret is encrypted with a customer managed key",
    why="With the AWS managed key aws/secretsmanager you cannot control who can decrypt the secret, or grant access "
    "to another account.",
    fix="Set kms_key_id to a customer managed key.",
    page=f"{_MANAGER}/security-encryption.html",
    types=[_SECRET],
    severity=PRODUCTION,
    frameworks=Frameworks(checkov=("CKV_AWS_149",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_SECRET}.partner.kms_key_id": REMOVED},
        {f"resource.{_SECRET}.partner.kms_key_id": "alias/aws/secretsmanager"},
    ],
)
def secret_has_a_customer_key(secret: Block) -> Iterator[Outcome]:
    """The default is the AWS managed key aws/secretsmanager."""
    yield from expect_customer_key(
        secret, "kms_key_id", "must be a customer managed key, whose key policy controls access"
    )


@rule(
    "ENC-009",
    "Secrets Manager secret has rotation enabled",
    why="A leaked secret remains valid until it is changed.",
    fix="Add an aws_secretsmanager_secret_rotation of at most 90 days; or waive this rule and state how the secret "
    "is changed.",
    page=f"{_MANAGER}/rotating-secrets.html",
    types=[_SECRET],
    severity=ADVICE,
    frameworks=Frameworks(
        fsbp=("SecretsManager.1", "SecretsManager.4"), pci=("8.6.3",), checkov=("CKV2_AWS_57", "CKV_AWS_304")
    ),
    good=_GOOD,
    breaks=[
        {f"resource.{_ROTATION}": REMOVED},
        {f"resource.{_ROTATION}.partner.rotation_rules.automatically_after_days": 365},
    ],
)
def secret_has_rotation(secret: Block) -> Iterator[Outcome]:
    """Any schedule expression is accepted."""
    found = secret.referrers_at("secret_id", _ROTATION)
    if not found:
        yield secret.fail(f"must have an {_ROTATION} of at most 90 days")
    for rotation in found[:1]:
        yield from expect_number(
            rotation,
            "rotation_rules.automatically_after_days",
            lambda days: days is None or days <= 90,  # noqa: PLR2004  the number in the control
            "must be at most 90 days",
        )


@rule(
    "ENC-010",
    "SSM parameter with a secret is a SecureString with a customer managed key",
    why="A String is readable in plain text by everyone who may read parameters.",
    fix='Set type to "SecureString" and key_id to a customer managed key.',
    page=f"{AWS}/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html",
    types=[_PARAMETER],
    lessons=["EVT-7"],
    frameworks=Frameworks(checkov=("CKV2_AWS_34", "CKV_AWS_337")),
    severity=PRODUCTION,
    good=_GOOD,
    breaks=[
        {f"{_TOKEN}.type": "String"},
        {f"{_TOKEN}.key_id": REMOVED},
        {f"{_TOKEN}.key_id": "alias/aws/ssm"},
        {
            f"resource.{_PARAMETER}.level": {
                "name": "/shop/x",
                "type": "String",
                "value": "${random_password.token.result}",
            }
        },
    ],
)
def secret_parameter_is_a_secure_string(parameter: Block) -> Iterator[Outcome]:
    """Decide by the name and by the value; a parameter with the location of a secret is not a secret."""
    type_, value = parameter.get("type"), parameter.get("value")
    if isinstance(type_, Unknown):
        yield parameter.undecided(type_, "type")
    elif type_ == "SecureString":
        yield from expect_customer_key(
            parameter, "key_id", "must be a customer managed key, whose key policy controls access"
        )
    elif parameter.targets("value", "random_password"):
        yield parameter.fail('must be "SecureString": the value is a generated password', "type")
    elif _names_a_secret(parameter) and not _is_location(value):
        yield parameter.fail('must be "SecureString": the name indicates a secret', "type")


def _names_a_secret(parameter: Block) -> bool:
    name = parameter.get("name")
    text = name.text if isinstance(name, Unknown) else name
    return is_secret_name((str(text or "") or parameter.name).rpartition("/")[2].replace(".", "_"))


def _is_location(value: object) -> bool:
    """Return whether a value is the location of a secret rather than the secret."""
    if isinstance(value, Computed):
        return value.attribute in ("arn", "id", "name", "key_id")
    return isinstance(value, str) and bool(re.match(r"arn:|https?://|/", value))


@rule(
    "ENC-011",
    "Secret is not a placeholder",
    why="The placeholder is deployed: logins fail, or succeed with a password that is easy to guess.",
    fix="Generate the value with random_password, or take it from a sensitive variable.",
    page=f"{PROVIDER}/resources/ssm_parameter",
    types=["*"],
    lessons=["EVT-7"],
    good=_GOOD,
    breaks=[
        {f"{_TOKEN}.value": "REPLACE_WITH_ACTUAL_TOKEN"},
        {f"{_TOKEN}.value": "changeme"},
        {f"resource.{_VERSION}.partner.secret_string": "TODO"},
        {f"resource.{_VERSION}.partner.secret_string": '{"user": "shop", "password": "CHANGE_ME"}'},
        {"resource.aws_elasticache_user.app.passwords": ["password123"]},
        {f"resource.{_PARAMETER}.level.value": "REPLACE_ME"},
        {"resource.github_actions_secret": {"key": {"secret_name": "KEY", "plaintext_value": "x", "token": "<token>"}}},
    ],
    unknown_passes="an unknown value is not a literal placeholder",
)
def no_placeholders(block: Block) -> Iterator[Outcome]:
    """Check the attributes that contain secrets, by name or by the provider's schema."""
    for at in secrets_of(block.estate).get(block, ()):
        for name, text in written_out(block, at):
            if is_placeholder(text) and (block.get("type") not in _PLAIN or _is_filled_in(text)):
                where = f'"{name}" ' if name else ""
                wanted = f"{where}must not be a placeholder; generate the secret, or take it from a sensitive variable"
                yield block.fail(wanted, at) if block.raw(at) == text else Fail(block, at, wanted, HIDDEN)


def _is_filled_in(text: str) -> bool:
    return re.search(r"replace|change[_ -]?me|todo|placeholder", text, re.IGNORECASE) is not None


@rule(
    "ENC-012",
    "Secret is not hard-coded",
    why="A hard-coded secret is in every clone of the repository, in its history and in plan output; it cannot be "
    "revoked there.",
    fix="Generate the value with random_password, let the service generate it, or take it from a sensitive "
    "variable. Rotate the secret that was hard-coded.",
    page=f"{TERRAFORM}/language/manage-sensitive-data",
    types=["*"],
    lessons=["EVT-7"],
    frameworks=Frameworks(pci=("8.6.2",)),
    good=_GOOD,
    breaks=[
        {f"{_TOKEN}.value": "kJ8#sPq2-vbn"},
        {f"resource.{_VERSION}.partner.secret_string": "hunter2hunter2"},
        {
            f"resource.{_VERSION}.partner.secret_string": (
                '${jsonencode({user = aws_kms_key.data.id, password = "hunter2hunter2"})}'
            )
        },
        {"resource.aws_elasticache_user.app.passwords": ["kJ8-sPq2-vbn-16ch"]},
        {
            "resource.aws_elasticache_user.app.passwords": ["${local.login}"],
            "locals": {"login": "kJ8-sPq2-vbn-16ch"},
        },
        {
            "resource.aws_lb_listener": {
                "web": {"default_action": {"authenticate_oidc": {"client_secret": "kJ8sPq2vbn"}}}
            }
        },
    ],
    unknown_passes="an unknown value is not hard-coded",
)
def no_hard_coded_secrets(block: Block) -> Iterator[Outcome]:
    """Names, ARNs, paths, addresses and numbers are not secrets; the message does not repeat the value."""
    for at in secrets_of(block.estate).get(block, ()):
        for name, text in written_out(block, at):
            if not is_placeholder(text) and not credential(text) and block.get("type") not in _PLAIN:
                where = f'"{name}" ' if name else ""
                text_ = f"{where}must not be hard-coded; generate it, or take it from a sensitive variable"
                yield Fail(block, at, text_, HIDDEN)


@rule(
    "ENC-013",
    "Configuration contains no access keys, private keys or tokens",
    why="Everyone who reads the repository, the plan or the state can use the credential; leaked ones are found "
    "within minutes.",
    fix="Revoke the credential. Use an IAM role instead, or read it from Secrets Manager at run time.",
    page=f"{AWS}/IAM/latest/UserGuide/securing_access-keys.html",
    types=["terraform"],
    lessons=["EVT-7"],
    frameworks=Frameworks(pci=("8.6.2",), checkov=("CKV_AWS_41", "CKV_AWS_46")),
    good=_GOOD,
    breaks=[
        {"locals": {"key": "AKIAQWERTZUIOPASDFGH"}},
        {"provider": {"aws": {"region": "eu-west-1", "access_key": "AKIAQWERTZUIOPASDFGH"}}},
        {"resource.aws_instance": {"web": {"user_data": "#!/bin/sh\nexport AWS_ACCESS_KEY_ID=ASIAQWERTZUIOPASDFGH"}}},
        {f"{_TOKEN}.value": "-----BEGIN RSA PRIVATE KEY-----\nMIIE"},
        {"variable": {"token": {"default": "ghp_" + "a1B2" * 9}}},
    ],
    unknown_passes="an unknown value is not hard-coded",
)
def no_hard_coded_credentials(root: Block) -> Iterator[Outcome]:
    """Check every text once for all instances of a block; example keys of AWS's documentation are exempt."""
    seen: set[str] = set()
    for block in root.stack.blocks:
        if block.base in seen:
            continue
        seen.add(block.base)
        for at, text in texts(block) or _texts(block.body):
            if credential(text) and not (block.type == "aws_lambda_function" and at.startswith("environment")):
                yield Fail(
                    block, at, "must not contain a credential; revoke it, and use a role or the ARN of a secret", HIDDEN
                )


def _texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  synthesized JSON has any shape
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key != "//":
                yield from _texts(item, f"{at}.{key}" if at else str(key))


@rule(
    "ENC-014",
    "Generated secret is a random_password of sufficient length",
    why="Short passwords can be guessed, and random_string shows its value in every plan.",
    fix=f"Use random_password with a length of at least {_LONG_ENOUGH}.",
    page="https://registry.terraform.io/providers/hashicorp/random/latest/docs/resources/password",
    types=["random_password", "random_string"],
    severity=WARNING,
    lessons=["PLAT-13", "EVT-7"],
    frameworks=Frameworks(pci=("8.3.6",)),
    good=_GOOD,
    breaks=[
        {"resource.random_password.token.length": 8},
        {"resource.random_password.token.length": "12"},
        {f"{_TOKEN}.value": "${random_string.token.result}", "resource.random_string": {"token": {"length": 32}}},
    ],
    unknown_passes="a value of unknown origin is not known to be from random_string",
)
def generated_secret_is_a_long_password(generated: Block) -> Iterator[Outcome]:
    """A random_string is fine for a name."""
    if generated.type == "random_string":
        for user in generated.referrers():
            at = next((at for at in secrets_of(user.estate).get(user, ()) if generated in user.targets(at)), "")
            if at and user.get("type") not in _PLAIN:
                yield generated.fail(f"must be a random_password, since {called(user, generated)}.{at} is a secret")
                return
        return
    yield from expect_number(
        generated,
        "length",
        lambda length: length is None or length >= _LONG_ENOUGH,
        f"must be at least {_LONG_ENOUGH}",
    )


@rule(
    "ENC-015",
    "Private key is not generated by Terraform",
    why="The private key is in the state in plain text, readable by everyone who can read the state.",
    fix="Let the service generate the key, such as ACM for certificates, or use Session Manager instead of SSH; or "
    "generate it elsewhere and give Terraform the public key.",
    page="https://registry.terraform.io/providers/hashicorp/tls/latest/docs/resources/private_key",
    types=["tls_private_key", "aws_key_pair"],
    severity=WARNING,
    lessons=["TRD-4"],
    good={"resource": {"aws_key_pair": {"admin": {"public_key": "ssh-ed25519 AAAA"}}}},
    breaks=[{"resource.tls_private_key": {"admin": {"algorithm": "ED25519"}}}],
)
def private_key_is_not_in_the_state(key: Block) -> Iterator[Outcome]:
    """A key pair with a public key, and an ephemeral tls_private_key, keep no private key in the state."""
    if key.type == "tls_private_key":
        yield key.fail("must be removed: the state contains the private key in plain text")
