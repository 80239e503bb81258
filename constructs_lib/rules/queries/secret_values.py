"""Attributes that contain secrets, and how to recognize credentials in text."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions import references
from constructs_lib.rules.estate.values import Encoded
from constructs_lib.rules.facts.secrets import ATTRIBUTES, is_secret_name
from constructs_lib.rules.queries.texts import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate

HIDDEN: Final = "(not shown)"

KEPT_ELSEWHERE: Final = {
    "aws_db_instance": ("password",),
    "aws_docdb_cluster": ("master_password",),
    "aws_lambda_function": ("environment",),
    "aws_rds_cluster": ("master_password",),
}
"""Attributes that a rule of another family looks at."""

_PLACEHOLDER: Final = re.compile(
    r"replace|change[_ -]?(?:me|it|this)|todo|fixme|placeholder|dummy|example|insert[_ -]|your[_ -]|\btbd\b"
    r"|<[^<>]+>|x{4,}|^(?:pass(?:word)?|secret|token|test|none|empty|foo|bar|foobar)?[0-9!]{0,4}$",
    re.IGNORECASE,
)
_CREDENTIAL: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b(?<!EXAMPLE)"
    r"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{40,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{20,}|\b[rs]k_live_[A-Za-z0-9]{20,}\b|\bglpat-[A-Za-z0-9_-]{20,}"
)
_SHORTEST: Final = 20
"""Characters of an access key id."""
_HARMLESS: Final = re.compile(
    r"(?i:true|false|null|enabled|disabled|optional|required|secret|plaintext)|[0-9]*|arn:.*|https?://[^@]*"
    r"|\{\{resolve:.*|/[\w./-]+|[a-z0-9]+:[A-Za-z]+"
)


def is_placeholder(text: str) -> bool:
    """Return whether a text is a placeholder for a secret."""
    return _PLACEHOLDER.search(text) is not None


def credential(text: str) -> bool:
    """Return whether a text holds an access key, a private key or a token of a well-known service."""
    return len(text) >= _SHORTEST and _CREDENTIAL.search(text) is not None


def is_literal(value: object) -> bool:
    """Return whether a resolved value may be a secret that is written out."""
    return isinstance(value, str) and bool(value.strip()) and not _HARMLESS.fullmatch(value)


@lru_cache(maxsize=2)
def secrets_of(estate: Estate) -> dict[Block, list[str]]:
    """Return the paths of the secrets in each resource."""
    found: dict[Block, list[str]] = {}
    for block in estate.blocks:
        if "_" not in block.type or block.type.startswith("data.") or "." in block.type:
            continue
        skipped = KEPT_ELSEWHERE.get(block.type, ())
        given = texts(block) if block.type.startswith("aws_") else _leaves(block.body)
        own = ATTRIBUTES.get(block.type, ())
        paths = [
            at
            for at, _ in given
            if at.partition(".")[0] not in skipped and (_is_secret(at) or at.partition(".")[0] in own)
        ]
        if paths:
            found[block] = paths
    return found


def written_out(block: Block, at: str) -> Iterator[tuple[str, str]]:
    """Yield the texts at a path that may be secrets, each with the name that it goes by in a JSON text."""
    raw = block.raw(at)
    if isinstance(raw, str) and any(one.kind == "var" and is_secret_name(one.name) for one in references(raw)):
        return  # STATE-014 looks at the default of such a variable
    value = block.get(at)
    structure = value.value if isinstance(value, Encoded) else _json(value)
    if isinstance(structure, dict):
        for name, item in structure.items():
            if is_secret_name(str(name)) and is_literal(item):
                yield str(name), item
    elif is_literal(value):
        yield "", value


def _json(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) and value.lstrip().startswith("{") else None
    except ValueError:
        return None


@cache
def _is_secret(at: str) -> bool:
    names = [name for name in at.split(".") if not name.isdecimal()]
    return is_secret_name(names[-1]) and names[0] not in ("tags", "tags_all")


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  synthesized JSON has any shape
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key != "//":
                yield from _leaves(item, f"{at}.{key}" if at else str(key))
