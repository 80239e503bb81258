"""Consistency of resource names in a stack: style, prefix, suffix."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.names import NAMES, bare
from constructs_lib.rules.facts.regions import NAME as REGION
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.documents import resources
from constructs_lib.rules.queries.links import sources
from constructs_lib.rules.queries.names import name_of, text_of
from constructs_lib.rules.rule import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_INFO: Final = Severity("info", "info", "info")
_PAGE: Final = f"{AWS}/prescriptive-guidance/latest/terraform-aws-provider-best-practices/structure.html"
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "us-east-1"}},
    "resource": {
        "aws_lambda_function": {
            "auth": {"function_name": "shop-prod-auth-fn"},
            "ingest": {"function_name": "shop-prod-ingest-fn"},
            "process": {"function_name": "shop-prod-process-fn"},
        },
        "aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs"}},
    },
}

_SKIPPED: Final = frozenset({"aws_ssm_parameter", "aws_secretsmanager_secret", "aws_cloudwatch_log_group"})
"""Types whose names are paths."""
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")


@lru_cache(maxsize=8)
def _names(stack: Stack) -> tuple[tuple[Block, str], ...]:
    """Return the names that a stack chooses; expressions in them are replaced with `${}`."""
    found: dict[str, tuple[Block, str]] = {}
    for block in resources(stack):
        fact = NAMES.get(block.type)
        if fact is None or not fact.is_own or block.type in _SKIPPED or block.base in found:
            continue
        text = text_of(block)
        # A name that derives from another block has the style of that block's name.
        if text and not (isinstance(name_of(block), Unknown) and sources(block, fact.at)):
            found[block.base] = block, _EXPRESSION.sub("${}", bare(text))
    return tuple(found.values())


def _style(name: str) -> str:
    """Return the style of a name; empty if it is a single word."""
    text = REGION.sub("", name.removesuffix(".fifo").replace("${}", ""))
    words = re.search(r"[A-Za-z0-9][-_.][A-Za-z0-9]", text)
    if re.search(r"[a-z0-9][A-Z]", text) or (re.search(r"[A-Z]", text) and not words):
        return "camelCase"
    marks = set(re.findall(r"[-_.]", text.strip("-_.")))
    if len(marks) > 1:
        return "mixed styles"
    return {"-": "kebab-case", "_": "snake_case", ".": "dots"}.get("".join(marks), "")


@rule(
    "NAME-004",
    "Resource names in a stack use one style",
    why="Searches, wildcards in IAM policies and cost reports by name miss resources that are named differently.",
    fix="Use kebab-case: project-environment-component.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["PAY-4", "TRD-2"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.process.function_name": "shopProdProcessFn"},
        {"resource.aws_sqs_queue.jobs.name": "shop_prod_jobs"},
        {"resource.aws_sqs_queue.jobs.name": "shop-prod_jobs"},
    ],
    unknown_passes="The style of a name that is not known cannot be compared.",
)
def names_have_one_style(root: Block) -> Iterator[Outcome]:
    """Compare with the most common style."""
    styles = [(block, style) for block, name in _names(root.stack) if (style := _style(name))]
    usual = Counter(style for _, style in styles).most_common(2)
    if len(usual) < 2 or usual[0][1] == usual[1][1]:  # noqa: PLR2004  one style, or none is most common
        return
    for block, style in styles:
        if style != usual[0][0]:
            yield block.fail(f"must be in {usual[0][0]} like the other names; it is in {style}", NAMES[block.type].at)


_AT_LEAST: Final = 3
"""Minimum number of names with a prefix that is the stack's prefix."""


def _prefix(name: str) -> str:
    """Return the first word; a region is one word."""
    if REGION.match(name):
        return "a region"
    return re.split(r"[-_./]|(?<=[a-z0-9])(?=[A-Z])", name, maxsplit=1)[0].lower()


@rule(
    "NAME-005",
    "Resource names in a stack share one prefix",
    why="Resources of a system cannot be selected by name prefix in searches, IAM policies and cost reports.",
    fix="Begin every name with the project.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["TRD-2", "PAY-4"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs.name": "prod-jobs"},
        {"resource.aws_lambda_function.auth.function_name": "us-east-1-shop-prod-auth-fn"},
    ],
    unknown_passes="The prefix of a name that is not known cannot be compared.",
)
def names_share_a_prefix(root: Block) -> Iterator[Outcome]:
    """Compare with the prefix of more than half of the names."""
    found = [(block, _prefix(name)) for block, name in _names(root.stack) if not name.startswith("${}")]
    usual = Counter(start for _, start in found).most_common(1)
    if not usual or usual[0][1] < _AT_LEAST or usual[0][1] * 2 <= len(found):
        return
    for block, start in found:
        if start != usual[0][0]:
            yield block.fail(
                f"must begin with {usual[0][0]} like the other names; it begins with {start}", NAMES[block.type].at
            )


_ENDINGS: Final = {
    "aws_lambda_function": ("fn", "func", "function", "lambda"),
    "aws_sqs_queue": ("queue", "q", "sqs"),
    "aws_sns_topic": ("topic", "sns"),
    "aws_dynamodb_table": ("table", "tbl"),
    "aws_security_group": ("sg", "group"),
    "aws_lb_target_group": ("tg", "group"),
    "aws_s3_bucket": ("bucket",),
}


def _suffix(type_: str, words: list[str]) -> str:
    known = [word for word in words if word in _ENDINGS[type_]]
    return known[-1] if known else ""


@rule(
    "NAME-006",
    "Resource names of one type share one suffix",
    why="With event-processing next to ingest-fn, no name can be predicted, and the long ones exceed limits.",
    fix="Use one form, such as auth-fn, ingest-fn, process-fn, store-fn.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["EVT-19"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.process.function_name": "shop-prod-event-processing"},
        {"resource.aws_lambda_function.process.function_name": "shop-prod-process-lambda"},
    ],
    unknown_passes="The suffix of a name that is not known cannot be compared.",
)
def names_share_a_suffix(root: Block) -> Iterator[Outcome]:
    """Compare the words for the resource type; an environment or region may follow them."""
    by_type: dict[str, list[tuple[Block, str]]] = defaultdict(list)
    for block, name in _names(root.stack):
        if block.type in _ENDINGS:
            words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
            by_type[block.type].append((block, _suffix(block.type, words)))
    for blocks in by_type.values():
        usual = Counter(end for _, end in blocks).most_common(2)
        if len(usual) < 2 or usual[0][1] == usual[1][1]:  # noqa: PLR2004  one form, or none is most common
            continue
        for block, end in blocks:
            if end != usual[0][0]:
                wanted = f"must end in -{usual[0][0]}" if usual[0][0] else f"must not end in -{end}"
                yield block.fail(f"{wanted}, to match the other names of its type", NAMES[block.type].at)
