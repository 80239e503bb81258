"""How the names of one stack look beside each other."""

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
"""Types whose names are paths, with styles of their own."""
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")


@lru_cache(maxsize=8)
def _names(stack: Stack) -> tuple[tuple[Block, str], ...]:
    """Return the names of a stack that are its own to choose; what is not known of them is `${}`."""
    found: dict[str, tuple[Block, str]] = {}
    for block in resources(stack):
        fact = NAMES.get(block.type)
        if fact is None or not fact.is_own or block.type in _SKIPPED or block.base in found:
            continue
        text = text_of(block)
        # What is made of another block's name looks as that one does.
        if text and not (isinstance(name_of(block), Unknown) and sources(block, fact.at)):
            found[block.base] = block, _EXPRESSION.sub("${}", bare(text))
    return tuple(found.values())


def _style(name: str) -> str:
    """Return the style of a name; empty where one word tells nothing."""
    text = REGION.sub("", name.removesuffix(".fifo").replace("${}", ""))
    words = re.search(r"[A-Za-z0-9][-_.][A-Za-z0-9]", text)
    if re.search(r"[a-z0-9][A-Z]", text) or (re.search(r"[A-Z]", text) and not words):
        return "camelCase"
    marks = set(re.findall(r"[-_.]", text.strip("-_.")))
    if len(marks) > 1:
        return "several styles at once"
    return {"-": "kebab-case", "_": "snake_case", ".": "dots"}.get("".join(marks), "")


@rule(
    "NAME-004",
    "The names of a stack are written in one style",
    why="Searches, policies with wildcards and cost reports by name miss what is spelled otherwise.",
    fix="Write project-environment-component in kebab-case.",
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
    unknown_passes="nobody sees the style of a name that is not known",
)
def names_have_one_style(root: Block) -> Iterator[Outcome]:
    """Compare with the style that most names have."""
    styles = [(block, style) for block, name in _names(root.stack) if (style := _style(name))]
    usual = Counter(style for _, style in styles).most_common(2)
    if len(usual) < 2 or usual[0][1] == usual[1][1]:  # noqa: PLR2004  one style, or nobody can say which is usual
        return
    for block, style in styles:
        if style != usual[0][0]:
            yield block.fail(f"is in {style}, the other names are in {usual[0][0]}", NAMES[block.type].at)


_AT_LEAST: Final = 3
"""Names with one beginning that make it the stack's own."""


def _beginning(name: str) -> str:
    """Return the first word; a region counts as a word."""
    if REGION.match(name):
        return "a region"
    return re.split(r"[-_./]|(?<=[a-z0-9])(?=[A-Z])", name, maxsplit=1)[0].lower()


@rule(
    "NAME-005",
    "The names of a stack begin alike",
    why="What belongs to one system cannot be found, allowed or billed by its beginning.",
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
    unknown_passes="nobody sees the beginning of a name that is not known",
)
def names_begin_alike(root: Block) -> Iterator[Outcome]:
    """Compare with the beginning of more than half of the names."""
    found = [(block, _beginning(name)) for block, name in _names(root.stack) if not name.startswith("${}")]
    usual = Counter(start for _, start in found).most_common(1)
    if not usual or usual[0][1] < _AT_LEAST or usual[0][1] * 2 <= len(found):
        return
    for block, start in found:
        if start != usual[0][0]:
            yield block.fail(f"begins with {start}, the other names with {usual[0][0]}", NAMES[block.type].at)


_ENDINGS: Final = {
    "aws_lambda_function": ("fn", "func", "function", "lambda"),
    "aws_sqs_queue": ("queue", "q", "sqs"),
    "aws_sns_topic": ("topic", "sns"),
    "aws_dynamodb_table": ("table", "tbl"),
    "aws_security_group": ("sg", "group"),
    "aws_lb_target_group": ("tg", "group"),
    "aws_s3_bucket": ("bucket",),
}


def _ending(type_: str, words: list[str]) -> str:
    known = [word for word in words if word in _ENDINGS[type_]]
    return known[-1] if known else ""


@rule(
    "NAME-006",
    "Names of one type end alike",
    why="Whoever writes event-processing beside ingest-fn guesses every name wrong, and the long ones meet limits.",
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
    unknown_passes="nobody sees the end of a name that is not known",
)
def names_end_alike(root: Block) -> Iterator[Outcome]:
    """Compare the words that say what a thing is, wherever an environment or region follows them."""
    by_type: dict[str, list[tuple[Block, str]]] = defaultdict(list)
    for block, name in _names(root.stack):
        if block.type in _ENDINGS:
            words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
            by_type[block.type].append((block, _ending(block.type, words)))
    for blocks in by_type.values():
        usual = Counter(end for _, end in blocks).most_common(2)
        if len(usual) < 2 or usual[0][1] == usual[1][1]:  # noqa: PLR2004  one form, or nobody can say which is usual
            continue
        for block, end in blocks:
            if end != usual[0][0]:
                other = f"end in -{usual[0][0]}" if usual[0][0] else "end in no such word"
                shown = f"ends in -{end}" if end else "does not say what it is"
                yield block.fail(f"{shown}, others of its type {other}", NAMES[block.type].at)
