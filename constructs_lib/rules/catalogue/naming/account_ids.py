"""Hard-coded account IDs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.facts.accounts import LOAD_BALANCERS
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER
from constructs_lib.rules.queries.documents import is_plan
from constructs_lib.rules.queries.texts import texts
from constructs_lib.rules.rule import WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_IN_ARN: Final = re.compile(r"arn:[\w-]*:[\w-]*:[\w*-]*:(\d{12})(?=:)")
_QUOTED: Final = re.compile(r'"(\d{12})\\?"')
_ACCOUNT: Final = re.compile(r"\d{12}")
_FIELD: Final = re.compile(
    r"(?:^|\.)(?:principals?|identifiers|account|account_ids?|accounts|source_account|peer_owner_id|peer_account_id|"
    r"aws_account_id|owner_account|registry_id|catalog_id|target_account_id|AWS|values)(?:\.\d+)?$"
)
_OWN: Final = re.compile(r"(?:aws_|current_|my_|own_|this_)?account(?:_?id|_?number)?", re.IGNORECASE)
"""Names of local values and variables for the ID of this account."""
_FOREIGN: Final = re.compile(r"^(?:layers|image_uri|owners|filter|most_recent|allowed_publishers)(?:\.|$)")
"""Attributes that refer to resources of other accounts by design."""
_BLOCKS: Final = ("local", "output")


def _leaves(value: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict | list):
        for label, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{at}.{label}")


def _numbers(at: str, text: str, *, arns_only: bool) -> Iterator[str]:
    if not re.search(r"\d{12}", text):
        return
    yield from _IN_ARN.findall(text)
    if arns_only:
        return
    if _FIELD.search(at) and _ACCOUNT.fullmatch(text.strip()):
        yield text.strip()
    elif '"' in text and re.search("statement", text, re.IGNORECASE):
        yield from _QUOTED.findall(text)


@rule(
    "NAME-013",
    "Account ID is not hard-coded",
    why="In any other account, the permission applies to a foreign account, and this account is denied.",
    fix="Use data.aws_caller_identity.current.account_id; pass the ID of another account as a variable.",
    page=f"{PROVIDER}/data-sources/caller_identity",
    types=["terraform"],
    severity=WARNING,
    lessons=["EVT-3"],
    good={
        "data": {
            "aws_caller_identity": {"current": {}},
            "aws_iam_policy_document": {
                "topic": {
                    "statement": [
                        {
                            "actions": ["sns:Publish"],
                            "resources": ["*"],
                            "principals": [
                                {"type": "AWS", "identifiers": ["${data.aws_caller_identity.current.account_id}"]}
                            ],
                        }
                    ]
                }
            },
        },
        "resource": {
            "aws_lambda_layer_version_permission": {
                "common": {"principal": "${data.aws_caller_identity.current.account_id}"}
            },
            "aws_lambda_permission": {
                "events": {
                    "source_arn": "arn:aws:events:us-east-1:${data.aws_caller_identity.current.account_id}:rule/tick"
                }
            },
            "aws_s3_bucket_policy": {
                "logs": {"policy": '{"Statement": [{"Principal": {"AWS": "arn:aws:iam::127311923021:root"}}]}'}
            },
        },
    },
    breaks=[
        {"resource.aws_lambda_layer_version_permission.common.principal": "123456789012"},
        {"resource.aws_lambda_permission.events.source_arn": "arn:aws:events:us-east-1:123456789012:rule/tick"},
        {
            "resource.aws_s3_bucket_policy.logs.policy": '{"Statement": [{"Principal": {"AWS": "123456789012"}}]}',
        },
        {
            "data.aws_iam_policy_document.topic.statement.0.principals": {
                "type": "AWS",
                "identifiers": ["arn:aws:iam::123456789012:root"],
            }
        },
        {"locals": {"queue": "arn:aws:sqs:us-east-1:123456789012:jobs"}},
        {"locals": {"account_id": "123456789012"}},
        {"variable": {"aws_account_id": {"default": "123456789012"}}},
    ],
    unknown_passes="A variable is the recommended source of another account's ID.",
)
def accounts_are_looked_up(root: Block) -> Iterator[Outcome]:
    """Check resources and data sources, ARNs in local values and outputs, and variables for the account ID."""
    if is_plan(root.stack):
        yield NotApplicable("a plan contains resolved account IDs")
        return
    seen: set[str] = set()
    for block in root.stack.blocks:
        if block.base in seen or not ("_" in block.type or block.type in (*_BLOCKS, "var")):
            continue
        seen.add(block.base)
        at = {"local": "value", "var": "default"}.get(block.type, "")
        if at and _OWN.fullmatch(block.name) and _ACCOUNT.fullmatch(str(block.body.get(at))):
            if block.type == "local" or block.name not in root.stack.source.given:
                yield block.fail(
                    "must not be a hard-coded account ID; use data.aws_caller_identity.current.account_id", at
                )
            continue
        for at, text in texts(block) or _leaves(block.body.get("value"), "value"):
            if _FOREIGN.match(at):
                continue
            for number in _numbers(at, text, arns_only=block.type in _BLOCKS):
                if number not in LOAD_BALANCERS:
                    yield block.fail(
                        f"must not contain the hard-coded account ID {number}; use "
                        "data.aws_caller_identity.current.account_id, or a variable for another account",
                        at,
                    )
                    break
