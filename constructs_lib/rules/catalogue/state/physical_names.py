"""Resources with the same physical name."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.names import NAMES
from constructs_lib.rules.queries.common import PROVIDER
from constructs_lib.rules.queries.documents import is_plan, is_synthesized
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.queries.names import text_of
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_ACCOUNT_AT: Final = ("profile", "assume_role", "assume_role_with_web_identity", "allowed_account_ids", "access_key")
_PER_INSTANCE: Final = re.compile(r"\b(?:each|count|self)\.|\b(?:uuid|timestamp|plantimestamp|bcrypt)\(")


@lru_cache(maxsize=64)
def _account(provider: Block | None) -> str:
    """Return the arguments of a provider that select its account."""
    given = {at: provider.body[at] for at in _ACCOUNT_AT if at in provider.body} if provider else {}
    return json.dumps(given, sort_keys=True, default=str)


def _together(block: Block) -> object:
    """Return what two blocks in one account have in common: the environment of the app, or else the stack."""
    stack = block.stack
    app = is_synthesized(stack) and not is_plan(stack)
    return (stack.source.folder.parent, block.environment) if app else stack.name


def _place(block: Block) -> tuple[object, ...]:
    """Return the scope in which a name must be unique, with the name; empty if it is not known."""
    fact = NAMES[block.type]
    name = text_of(block)
    if not name or not fact.once_in or may_be_absent(block) or ("${" in name and _PER_INSTANCE.search(name)):
        return ()
    stack = block.stack.name if "${" in name else ""
    kind = "aws_rds_cluster_instance" if block.type == "aws_db_instance" else block.type.replace("aws_alb", "aws_lb")
    if fact.once_in == "world" and not stack:
        return (kind, name)
    region: object = block.region if fact.once_in == "region" else ""
    if isinstance(region, Unknown):
        region = (block.stack.name, str(block.raw("provider")))
    beside = fact.beside and (block.stack.name, block.raw(fact.beside), str(block.get(fact.beside)))
    return (kind, name, stack, region, beside, _together(block), _account(block.provider))


@lru_cache(maxsize=4)
def _copies(estate: Estate) -> dict[str, list[tuple[Block, Block]]]:
    """Return each block that has the name of an earlier one, with that one, by stack; of instances the first."""
    first: dict[tuple[object, ...], Block] = {}
    reported: set[tuple[str, str, str, str]] = set()
    found: dict[str, list[tuple[Block, Block]]] = defaultdict(list)
    for block in estate.of(*NAMES):
        place = _place(block)
        earlier = first.setdefault(place, block) if place else block
        pair = (block.stack.name, block.base, earlier.stack.name, earlier.base)
        if earlier is not block and pair not in reported:
            reported.add(pair)
            found[block.stack.name].append((block, earlier))
    return found


@rule(
    "STATE-019",
    "Physical resource name is unique",
    why="AWS rejects the second resource, or Terraform manages one resource twice and each apply reverts the other.",
    fix="Give each resource its own name.",
    page=f"{PROVIDER}",
    types=["terraform"],
    good={
        "provider": {"aws": [{"region": "us-east-1"}, {"region": "eu-west-1", "alias": "eu"}]},
        "resource": {
            "aws_sqs_queue": {
                "jobs": {"name": "shop-prod-jobs"},
                "jobs_eu": {"name": "shop-prod-jobs", "provider": "aws.eu"},
                "mails": {"name": "shop-prod-mails"},
            },
            "aws_iam_role": {
                "worker": {"name": "shop-prod-worker"},
                "worker_eu": {"name": "shop-prod-worker-eu", "provider": "aws.eu"},
            },
        },
    },
    breaks=[
        {"resource.aws_sqs_queue.mails.name": "shop-prod-jobs"},
        {"resource.aws_iam_role.worker_eu.name": "shop-prod-worker"},
        {"resource.aws_sqs_queue.jobs_eu.provider": REMOVED},
        {"resource.aws_sqs_queue.mails.for_each": {"a": 1, "b": 2}},
    ],
    unknown_passes="a name from a variable may be different",
)
def physical_names_are_unique(root: Block) -> Iterator[Outcome]:
    """Compare type, region, account and name, also with other stacks of the same app."""
    for block, earlier in _copies(root.estate).get(root.stack.name, ()):
        yield block.fail(f"must be unique; {called(earlier, block)} has the same name", NAMES[block.type].at)
