"""Length and characters of resource names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.names import NAMES, PAGE, RANDOM_PART
from constructs_lib.rules.queries.common import PROVIDER
from constructs_lib.rules.queries.names import name_of
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_LIMITED: Final = sorted(type_ for type_, fact in NAMES.items() if fact.longest)
_FORMED: Final = sorted(type_ for type_, fact in NAMES.items() if fact.pattern or fact.refused)
_PREFIXED: Final = sorted(type_ for type_, fact in NAMES.items() if fact.longest and fact.prefix_at)
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker"}},
        "aws_lb_target_group": {"web": {"name": "shop-prod-web"}},
        "aws_db_parameter_group": {"main": {"name": "shop-prod-main"}},
        "aws_lb": {"web": {"name": "shop-prod-web"}, "app": {"name_prefix": "shop-"}},
        "aws_iam_role": {"worker": {"name_prefix": "shop-prod-worker-"}},
        "aws_kms_alias": {"data": {"name": "alias/shop-prod-data"}},
        "aws_ssm_parameter": {"token": {"name": "/shop/prod/token"}},
        "aws_security_group": {"web": {"name": "shop-prod-web"}},
        "aws_dynamodb_table": {"orders": {"name": "shop-prod-orders"}},
    }
}
_LONG: Final = "shop-prod-payment-validation"


def _known(value: object) -> tuple[str, Unknown | None]:
    """Return the known part of a name, and the unknown value if there is one."""
    if isinstance(value, Unknown):
        return _EXPRESSION.sub("", value.text), value
    return (value, None) if isinstance(value, str) and not value.startswith("arn:") else ("", None)


def _doubtful(value: Unknown | None) -> bool:
    """Whether neither a part of a name nor the block that it derives from is known."""
    return value is not None and not isinstance(value, Computed) and not _EXPRESSION.sub("", value.text)


@rule(
    "NAME-007",
    "Resource name length is within the service limits",
    why="Plan and tests succeed; the service rejects the resource at apply, which leaves the stack partially created.",
    fix="Shorten the name; truncate a long one and append a short hash of it.",
    page=PAGE,
    types=_LIMITED,
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.function_name": f"{_LONG}-{_LONG}-ap-southeast-1"},
        {"resource.aws_lb_target_group.web.name": f"{_LONG}-us-east-1"},
        {"resource.aws_lb.web.name": f"{_LONG}-${{random_id.suffix.hex}}-web"},
        {"resource.aws_dynamodb_table.orders.name": "ab"},
    ],
)
def name_length_is_valid(block: Block) -> Iterator[Outcome]:
    """Count the known part of the name only."""
    fact = NAMES[block.type]
    known, doubt = _known(name_of(block))
    if len(known) > fact.longest:
        more = " without the expressions in it" if doubt else ""
        yield block.fail(
            f"must have at most {fact.longest} characters; it has {len(known)}{more}; see {fact.source}", fact.at
        )
    elif _doubtful(doubt):
        yield block.undecided(doubt or Unknown(""), fact.at)
    elif known and not doubt and len(known) < fact.shortest:
        yield block.fail(f"must have at least {fact.shortest} characters; see {fact.source}", fact.at)


@rule(
    "NAME-008",
    "Resource name contains only characters that the service allows",
    why="Plan and tests succeed; the service rejects the resource at apply, which leaves the stack partially created.",
    fix="Use lowercase letters, digits and single hyphens, which every service accepts.",
    page=PAGE,
    types=_FORMED,
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.function_name": "shop.prod.worker"},
        {"resource.aws_db_parameter_group.main.name": "shop--main"},
        {"resource.aws_lb.web.name": "internal-shop"},
        {"resource.aws_kms_alias.data.name": "alias/aws/shop"},
        {"resource.aws_kms_alias.data.name": "shop-prod-data"},
        {"resource.aws_ssm_parameter.token.name": "/aws/shop/token"},
        {"resource.aws_security_group.web.name": "sg-web"},
        {"resource.aws_dynamodb_table.orders.name": "shop orders ${random_id.suffix.hex}"},
    ],
)
def name_characters_are_valid(block: Block) -> Iterator[Outcome]:
    """Check the known characters and the beginning of a name that is partly known."""
    fact = NAMES[block.type]
    value = name_of(block)
    known, doubt = _known(value)
    if _doubtful(doubt):
        yield block.undecided(doubt or Unknown(""), fact.at)
        return
    if not known:
        return
    text = value.text if isinstance(value, Unknown) else known
    # A letter replaces each expression, so that removing it does not create new ends or double characters.
    whole = _EXPRESSION.sub("x", text)
    if fact.pattern and not re.fullmatch(fact.pattern, whole, re.ASCII):
        yield block.fail(f"must contain only {fact.words}; see {fact.source}", fact.at)
    elif fact.refused and re.search(fact.refused, whole, re.ASCII):
        yield block.fail(f"must not {fact.refused_words}; see {fact.source}", fact.at)


@rule(
    "NAME-009",
    "Name prefix leaves room for the suffix that Terraform adds",
    why=f"Terraform appends {RANDOM_PART} characters to name_prefix; the provider or AWS rejects a longer name.",
    fix="Shorten the name prefix.",
    page=f"{PROVIDER}/resources/iam_role",
    types=_PREFIXED,
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_role.worker.name_prefix": f"{_LONG}-lambda-role-"},
        {"resource.aws_lb.app.name_prefix": "shop-prod-"},
    ],
)
def prefixes_leave_room(block: Block) -> Iterator[Outcome]:
    """Count the known part of the prefix; load balancers allow six characters."""
    fact = NAMES[block.type]
    known, doubt = _known(block.get(fact.prefix_at))
    if _doubtful(doubt):
        yield block.undecided(doubt or Unknown(""), fact.prefix_at)
    elif len(known) > fact.prefix_limit:
        yield block.fail(f"must have at most {fact.prefix_limit} characters; it has {len(known)}", fact.prefix_at)
