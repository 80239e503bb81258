"""Checks of a function's environment variables: names and size that Lambda refuses, and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.lambda_environment import MAX_BYTES, RESERVED
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.regions import is_token

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_SECRET_KEY: Final = re.compile(
    r"(passw(or)?d|passphrase|pwd|secret|token|credentials?|(api|access|private|secret|signing|encryption)_?key)$"
)
_SECRET_VALUES: Final = (
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\b(sk|rk)_live_[0-9A-Za-z]{16,}"),
    re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36}"),
    re.compile(r"://[^/\s:@]*:[^/\s@]+@"),
)
"""An AWS access key, a private key, a Stripe key, a GitHub token, a URL with a password in it."""


def check_variables(problems: Problems, given: Mapping[str, str], log_level: str) -> dict[str, str]:
    """Return the function's variables with `LOG_LEVEL`, sorted, and report those that are refused."""
    for key, value in given.items():
        argument = f"environment[{key!r}]"
        if key in RESERVED:
            problems.add(argument, value, "is reserved for Lambda; choose another name")
        elif key == "LOG_LEVEL":
            problems.add(argument, value, "is set from log_level; leave it out, and give log_level")
        elif not isinstance(key, str) or not _KEY.fullmatch(key):
            problems.add(
                argument,
                value,
                "invalid name; expected at least two letters, digits or underscores, with a letter first",
            )
        elif not isinstance(value, str):
            problems.add(argument, value, f"is of the type {type(value).__name__}; expected a string")
        elif is_secret(key, value):
            # Without the value, which would be in the log of the build.
            problems.add(
                argument,
                "***",
                "looks like a secret, which everyone who can read the function's configuration could read. Store it in "
                f"Secrets Manager or a SecretParameter, and give its ARN as {key}_ARN",
            )
    variables = dict(sorted({**given, "LOG_LEVEL": log_level}.items(), key=str))
    # The length of a reference is known at apply only.
    known = {key: "" if is_token(value) else value for key, value in variables.items()}
    size = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False, default=str).encode())
    problems.check(
        size <= MAX_BYTES,
        "environment",
        f"{len(variables)} variables",
        f"have {size} bytes with their names; Lambda allows {MAX_BYTES}. Store large values in a parameter",
    )
    return variables


def is_secret(key: str, value: str) -> bool:
    """Return whether a variable looks like a secret in plain text; references and ARNs do not."""
    if any(pattern.search(value) for pattern in _SECRET_VALUES):
        return True
    plain = value and not value.startswith("arn:") and not is_token(value)
    return bool(plain) and _SECRET_KEY.search("_".join(words(key))) is not None
