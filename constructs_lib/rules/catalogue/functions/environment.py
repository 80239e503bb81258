"""Environment variables of Lambda functions."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.lambda_environment import MAX_BYTES, RESERVED
from constructs_lib.rules.estate.expressions import references
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_set
from constructs_lib.rules.queries.links import sources
from constructs_lib.rules.rule import REMOVED, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{AWS}/lambda/latest/dg/configuration-envvars.html"
_AT: Final = "environment.variables"
_HIDDEN: Final = "(not shown)"
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PWD|SECRET|SECRET_?KEY|TOKEN|API_?KEY|APIKEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)$"
)
_SECRET_VALUE: Final = re.compile(
    r"^(?:AKIA|ASIA)[A-Z0-9]{16}$|-----BEGIN [A-Z ]*PRIVATE KEY-----|^[a-z][a-z0-9+]*://[^:/@\s]+:[^@/\s]+@"
)
_HARMLESS: Final = re.compile(
    r"|(?i:true|false|none|null)|[0-9]+|arn:.*|/.*|https?://[^@]*|\{\{resolve:.*|[a-z0-9._-]+(?:/[a-z0-9._-]+)+"
)
_SECRET_ATTRIBUTES: Final = frozenset(
    {
        ("random_password", "result"),
        ("data.aws_secretsmanager_secret_version", "secret_string"),
        ("aws_secretsmanager_secret_version", "secret_string"),
        ("aws_iam_access_key", "secret"),
        ("tls_private_key", "private_key_pem"),
        ("data.aws_secretsmanager_random_password", "random_password"),
    }
)

_GOOD = {
    "resource": {
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "kms_key_arn": "${aws_kms_key.k.arn}",
                "environment": {
                    "variables": {
                        "LOG_LEVEL": "INFO",
                        "DB_SECRET": "${aws_secretsmanager_secret.db.arn}",
                        "TOKEN": "/shop/prod/token",
                    }
                },
            }
        },
        "aws_kms_key": {"k": {"enable_key_rotation": True}},
        "aws_secretsmanager_secret": {"db": {"name": "shop-prod-db"}},
        "random_password": {"db": {"length": 32}},
    }
}


def _variables(function: Block) -> dict[str, object] | Unknown | None:
    value = function.get(_AT)
    return value if isinstance(value, dict | Unknown) else None


@rule(
    "LAM-011",
    "Lambda environment variables are encrypted with a customer managed key",
    why="With the AWS managed key, everyone with permission to read the function's configuration can read its "
    "variables.",
    fix="Set kms_key_arn to a customer managed key, and allow kms:Decrypt for the execution role.",
    page=f"{AWS}/lambda/latest/dg/configuration-envvars-encryption.html",
    types=["aws_lambda_function"],
    severity=Severity("info", "warning", "warning"),
    frameworks=Frameworks(checkov=("CKV_AWS_173",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.kms_key_arn": REMOVED},
        {"resource.aws_lambda_function.worker.kms_key_arn": ""},
    ],
)
def variables_have_a_customer_managed_key(function: Block) -> Iterator[Outcome]:
    """Skip functions without environment variables."""
    if not _variables(function):
        yield NotApplicable("it has no environment variables")
        return
    yield from expect_set(
        function,
        "kms_key_arn",
        "must be the ARN of a customer managed key, because the function has environment variables",
    )


@rule(
    "LAM-012",
    "Lambda environment variables contain no secrets",
    why="Environment variables are readable in the console, in GetFunction responses, in the Terraform state and in "
    "plans.",
    fix="Store the secret in Secrets Manager or as a SecureString parameter, pass its name or ARN, and read it during "
    "function initialization.",
    page=_PAGE,
    types=["aws_lambda_function"],
    lessons=["EVT-7"],
    frameworks=Frameworks(pci=("8.6.2",), checkov=("CKV_AWS_45",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.environment.variables": {"DB_PASSWORD": "hunter2-of-the-shop"}},
        {"resource.aws_lambda_function.worker.environment.variables": {"DB_PASS": "${random_password.db.result}"}},
        {"resource.aws_lambda_function.worker.environment.variables": {"DB": "postgres://shop:hunter2@db:5432/shop"}},
        {"resource.aws_lambda_function.worker.environment.variables": {"KEY": "AKIAIOSFODNN7EXAMPLE"}},
    ],
)
def variables_hold_no_secret(function: Block) -> Iterator[Outcome]:
    """Names, ARNs, paths, URLs, numbers and booleans are not secrets, whatever the name of the variable."""
    variables = _variables(function)
    if isinstance(variables, Unknown):
        yield function.undecided(variables, _AT)
        return
    for name, value in (variables or {}).items():
        at = f"{_AT}.{name}"
        origin = _secret_origin(value) or _sensitive_variable(function, at)
        if origin:
            yield function.fail(f"must not be the secret {origin}; pass its name or ARN and read it at runtime", at)
        elif isinstance(value, str) and _SECRET_VALUE.search(value):
            found = function.fail(
                "must not be a credential; pass the name or ARN of a secret and read it at runtime", at
            )
            yield replace(found, value=_HIDDEN)
        elif _is_secret(name, value) and not sources(function, at) and value not in _names_of_secrets(function.estate):
            found = function.fail("looks like a secret; pass the name or ARN of a secret and read it at runtime", at)
            yield replace(found, value=_HIDDEN)


def _is_secret(name: str, value: object) -> bool:
    return isinstance(value, str) and bool(_SECRET_NAME.search(name.upper())) and not _HARMLESS.fullmatch(value)


@lru_cache(maxsize=8)
def _names_of_secrets(estate: Estate) -> frozenset[object]:
    holders = estate.of("aws_secretsmanager_secret", "aws_ssm_parameter")
    return frozenset(holder.text("name") for holder in holders)


def _secret_origin(value: object) -> str:
    if isinstance(value, Computed) and value.block and (value.block.type, value.attribute) in _SECRET_ATTRIBUTES:
        return f"{value.block.address}.{value.attribute}"
    return ""


def _sensitive_variable(function: Block, at: str) -> str:
    raw = function.raw(at)
    for reference in references(raw) if isinstance(raw, str) and "var." in raw else ():
        variable = function.stack.one(reference.block) if reference.kind == "var" else None
        if variable is not None and variable.flag("sensitive") is True:
            return reference.block
    return ""


@rule(
    "LAM-013",
    "Lambda environment variables use no reserved names",
    why="Lambda rejects the function at apply; validate and plan do not report it.",
    fix="Rename the variable; Lambda itself sets the region, the function name and the credentials.",
    page=_PAGE,
    types=["aws_lambda_function"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.environment.variables.AWS_REGION": "eu-west-1"},
        {"resource.aws_lambda_function.worker.environment.variables": {"AWS_LAMBDA_FUNCTION_NAME": "worker"}},
    ],
)
def no_reserved_variable(function: Block) -> Iterator[Outcome]:
    """Compare the names only."""
    variables = _variables(function)
    if isinstance(variables, Unknown):
        yield function.undecided(variables, _AT)
        return
    for name in variables or {}:
        if name in RESERVED:
            yield function.fail("must not be set: Lambda reserves this name; rename or remove it", f"{_AT}.{name}")


@rule(
    "LAM-014",
    "Lambda environment variables do not exceed 4 KB",
    why="Lambda rejects the function at apply.",
    fix="Move long values to a parameter, AppConfig or a file in the package.",
    page=f"{AWS}/lambda/latest/dg/gettingstarted-limits.html",
    types=["aws_lambda_function"],
    good=_GOOD,
    breaks=[{"resource.aws_lambda_function.worker.environment.variables": {"ROUTES": "/a=b;" * 1000}}],
    unknown_passes="Only known values are counted; values that are known after apply, such as ARNs, are short.",
)
def variables_fit(function: Block) -> Iterator[Outcome]:
    """Count the names and the known values."""
    variables = _variables(function)
    if isinstance(variables, Unknown):
        return
    size = sum(
        len(f"{name}{'' if isinstance(value, Unknown) else value}".encode())
        for name, value in (variables or {}).items()
    )
    if size > MAX_BYTES:
        yield function.fail(f"must have at most {MAX_BYTES} bytes, names and values together; it has {size}", _AT)
