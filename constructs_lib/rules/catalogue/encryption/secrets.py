"""Secrets: where they are kept, and where they are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Computed, Unknown
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

    from constructs_lib.rules.estate.blocks import Block
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
    "A secret is encrypted with a customer key",
    why="With the key of Secrets Manager whoever may read the secret reads it, and no other account ever can.",
    fix="Set kms_key_id to a customer key.",
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
def secrets_have_a_customer_key(secret: Block) -> Iterator[Outcome]:
    """Secrets Manager encrypts by itself with its own key."""
    yield from expect_customer_key(secret, "kms_key_id", "must be a customer key, which its own policy guards")


@rule(
    "ENC-009",
    "A secret is rotated",
    why="A secret that has leaked stays good for as long as nobody changes it.",
    fix="Add an aws_secretsmanager_secret_rotation of at most 90 days; or waive with the way in which it is changed.",
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
def secrets_are_rotated(secret: Block) -> Iterator[Outcome]:
    """A schedule is right whatever it says."""
    found = secret.referrers_at("secret_id", _ROTATION)
    if not found:
        yield secret.fail(f"needs an {_ROTATION} of at most 90 days")
    for rotation in found[:1]:
        yield from expect_number(
            rotation,
            "rotation_rules.automatically_after_days",
            lambda days: days is None or days <= 90,  # noqa: PLR2004  the figure of the control
            "must be at most 90 days",
        )


@rule(
    "ENC-010",
    "A parameter that holds a secret is a SecureString with a customer key",
    why="A String is plain text for everybody who may list parameters.",
    fix="Set type to SecureString and key_id to a customer key.",
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
def secret_parameters_are_secure(parameter: Block) -> Iterator[Outcome]:
    """Go by the name, and by what the value is made of; a parameter that names where a secret lies is none."""
    type_, value = parameter.get("type"), parameter.get("value")
    if isinstance(type_, Unknown):
        yield parameter.undecided(type_, "type")
    elif type_ == "SecureString":
        yield from expect_customer_key(parameter, "key_id", "must be a customer key, which its own policy guards")
    elif parameter.targets("value", "random_password"):
        yield parameter.fail('must be "SecureString": the value is a generated password', "type")
    elif _names_a_secret(parameter) and not _is_place(value):
        yield parameter.fail('must be "SecureString": the name speaks of a secret', "type")


def _names_a_secret(parameter: Block) -> bool:
    name = parameter.get("name")
    text = name.text if isinstance(name, Unknown) else name
    return is_secret_name((str(text or "") or parameter.name).rpartition("/")[2].replace(".", "_"))


def _is_place(value: object) -> bool:
    """Return whether a value says where a secret lies, rather than what it is."""
    if isinstance(value, Computed):
        return value.attribute in ("arn", "id", "name", "key_id")
    return isinstance(value, str) and bool(re.match(r"arn:|https?://|/", value))


@rule(
    "ENC-011",
    "No placeholder stands where a secret belongs",
    why="It is deployed as it is: logins fail, or succeed with a password that everybody can guess.",
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
    unknown_passes="a secret that is not known is no placeholder in the code, which is what this rule is about",
)
def no_placeholders(block: Block) -> Iterator[Outcome]:
    """Look at the attributes that hold secrets, by their name or by what the provider says of them."""
    for at in secrets_of(block.estate).get(block, ()):
        for name, text in written_out(block, at):
            if is_placeholder(text) and (block.get("type") not in _PLAIN or _is_filled_in(text)):
                where = f'"{name}" ' if name else ""
                wanted = f"{where}must be a secret: generate it, or take it from a sensitive variable"
                yield block.fail(wanted, at) if block.raw(at) == text else Fail(block, at, wanted, HIDDEN)


def _is_filled_in(text: str) -> bool:
    return re.search(r"replace|change[_ -]?me|todo|placeholder", text, re.IGNORECASE) is not None


@rule(
    "ENC-012",
    "No secret stands in the code",
    why="It is in every clone of the repository, in its history, and in the log of whoever plans; it cannot be taken "
    "back.",
    fix="Generate the value with random_password, let the service make it, or take it from a sensitive variable; "
    "change the secret that stood here.",
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
    unknown_passes="a secret that is not known does not stand in the code",
)
def no_secrets_in_the_code(block: Block) -> Iterator[Outcome]:
    """Names, ARNs, paths, addresses and numbers are no secrets; the value is not repeated in the message."""
    for at in secrets_of(block.estate).get(block, ()):
        for name, text in written_out(block, at):
            if not is_placeholder(text) and not credential(text) and block.get("type") not in _PLAIN:
                where = f'"{name}" ' if name else ""
                text_ = f"{where}must not stand in the code: generate it, or take it from a sensitive variable"
                yield Fail(block, at, text_, HIDDEN)


@rule(
    "ENC-013",
    "No access key, private key or token stands in the documents",
    why="Whoever reads the repository, the plan or the state acts with it; such keys are found within minutes.",
    fix="Withdraw it, use a role instead, or read it from Secrets Manager when the program starts.",
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
    unknown_passes="a text that is not known does not stand in the documents",
)
def no_credentials_anywhere(root: Block) -> Iterator[Outcome]:
    """Look at every text of the stack, once for all instances of a block; keys of AWS's documentation are none."""
    seen: set[str] = set()
    for block in root.stack.blocks:
        if block.base in seen:
            continue
        seen.add(block.base)
        for at, text in texts(block) or _texts(block.body):
            if credential(text) and not (block.type == "aws_lambda_function" and at.startswith("environment")):
                yield Fail(block, at, "holds a credential; withdraw it, and give a role or the ARN of a secret", HIDDEN)


def _texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  synthesized JSON has any shape
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key != "//":
                yield from _texts(item, f"{at}.{key}" if at else str(key))


@rule(
    "ENC-014",
    "A generated secret is long, and generated as a secret",
    why="A short password is guessed; and random_string is printed in every plan.",
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
    unknown_passes="a secret whose origin is not known is not seen to come from random_string",
)
def generated_secrets_are_long(generated: Block) -> Iterator[Outcome]:
    """A random_string for a name is right."""
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
    "Private keys are not made by Terraform",
    why="The key stands in the state in plain text, for everybody who may read the state.",
    fix="Let the service make the key, such as ACM for certificates or Session Manager in place of SSH; or make it "
    "outside and give Terraform the public half.",
    page="https://registry.terraform.io/providers/hashicorp/tls/latest/docs/resources/private_key",
    types=["tls_private_key", "aws_key_pair"],
    severity=WARNING,
    lessons=["TRD-4"],
    good={"resource": {"aws_key_pair": {"admin": {"public_key": "ssh-ed25519 AAAA"}}}},
    breaks=[{"resource.tls_private_key": {"admin": {"algorithm": "ED25519"}}}],
)
def private_keys_are_made_elsewhere(key: Block) -> Iterator[Outcome]:
    """A key pair that is given its public half is right, and so is an ephemeral key, which is another kind of block."""
    if key.type == "tls_private_key":
        yield key.fail("must go: the private key is in the state in plain text")
