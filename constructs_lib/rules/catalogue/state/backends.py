"""Backends: where a stack keeps its state, and how it is locked."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.environments import WORDS
from constructs_lib.rules.estate.json_values import labelled, merged, place_of_state
from constructs_lib.rules.estate.references import edges
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM, expect_flag
from constructs_lib.rules.queries.documents import is_plan, is_root, is_synthesized, resources, unread
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section, Stack
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{TERRAFORM}/language/backend/s3"
_INFO: Final = Severity("info", "info", "info")
_BUCKET: Final = "terraform.backend.s3.bucket"
_GOOD: Final[dict[str, Any]] = {
    "terraform": {
        "backend": {
            "s3": {"key": "shop/prod/network/terraform.tfstate", "encrypt": True, "use_lockfile": True},
        }
    },
    "provider": {"aws": {"region": "us-east-1"}},
    "resource": {"aws_s3_bucket": {"uploads": {"bucket": "shop-prod-uploads"}}},
}
_NO_S3: Final = NotApplicable("its state is not in a bucket")


def _s3(root: Block) -> Section | None:
    return None if is_plan(root.stack) else root.section("backend.s3")


@rule(
    "STATE-006",
    "The backend's bucket is not written into the stack",
    why="The init fails for everybody who does not own that bucket, and every environment shares it.",
    fix="Leave bucket out and give it at init: terraform init -backend-config=FILE; or let the code read it from the "
    "shell.",
    page=f"{TERRAFORM}/language/backend",
    types=["terraform"],
    severity=WARNING,
    lessons=["PLAT-2", "TRD-8"],
    good=_GOOD,
    breaks=[
        {_BUCKET: "terraform-state-multi-env", "terraform.backend.s3.key": "infrastructure/terraform.tfstate"},
        {_BUCKET: "shop-state"},
        {"terraform.backend.s3.key": "shop/${terraform.workspace}/terraform.tfstate"},
    ],
)
def bucket_is_chosen_outside(root: Block) -> Iterator[Outcome]:
    """Look at bucket and expressions; a program that wrote the document may have read the bucket from the shell.

    Such a program is believed when the key names an environment: then no two environments share a state.
    """
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    expressions = [at for at, _ in edges(backend.body, "")]
    for at in expressions:
        yield backend.fail("must be written out or given at init: Terraform evaluates nothing in a backend", at)
    bucket = backend.raw("bucket")
    if not bucket or "bucket" in expressions:
        return
    words = re.split(r"[^a-z]+", str(backend.raw("key")).lower())
    if not is_synthesized(root.stack) or not any(word in WORDS for word in words):
        yield backend.fail(
            "must be given at init with -backend-config, or come from the shell of whoever runs it", "bucket"
        )


def _backend(stack: Stack) -> tuple[str, dict[str, Any]] | None:
    """Return the kind of a stack's backend and what it says; None when the stack declares none."""
    given = None if is_plan(stack) else stack.terraform.raw("backend")
    return next(((kind, merged(body)) for (kind,), body in labelled(given, 1)), None)


def _place(stack: Stack, kind: str, config: dict[str, Any]) -> tuple[object, ...]:
    """Return what tells one state from another; empty when part of it is given at init."""
    if kind == "s3" and not (config.get("bucket") and config.get("key")):
        return ()
    place = place_of_state(kind, config, stack.source.folder)
    return (kind, *place, str(config.get("workspace_key_prefix", ""))) if place else ()


@lru_cache(maxsize=4)
def _by_place(estate: Estate) -> dict[tuple[object, ...], list[Stack]]:
    found: dict[tuple[object, ...], list[Stack]] = defaultdict(list)
    for stack in estate.stacks:
        backend = _backend(stack)
        place = _place(stack, *backend) if backend else ()
        if place:
            found[place].append(stack)
    return found


@rule(
    "STATE-007",
    "No two stacks share a state, and none reads its own",
    why="Each apply destroys what the other stack has made; a stack that reads its own state sees yesterday's values.",
    fix="Give every stack a key of its own.",
    page=_PAGE,
    types=["terraform"],
    good={
        "terraform": {
            "backend": {"s3": {"bucket": "shop-state", "key": "shop/prod/app.tfstate", "region": "us-east-1"}}
        },
        "data": {
            "terraform_remote_state": {
                "network": {"backend": "s3", "config": {"bucket": "shop-state", "key": "shop/prod/network.tfstate"}}
            }
        },
    },
    breaks=[
        {"terraform.backend.s3.key": "shop/prod/network.tfstate"},
        {
            "terraform.backend": {"local": {"path": "../shop.tfstate"}},
            "data.terraform_remote_state.network": {"backend": "local", "config": {"path": "../shop.tfstate"}},
        },
    ],
    unknown_passes="an expression in a backend is what STATE-006 is about",
)
def state_has_a_place_of_its_own(root: Block) -> Iterator[Outcome]:
    """Compare with all backends of the estate, and with the states that this stack reads."""
    stack = root.stack
    backend = _backend(stack)
    if backend is None:
        yield NotApplicable("it declares no backend")
        return
    kind, config = backend
    place = _place(stack, kind, config)
    at = f"backend.{kind}.{'path' if kind == 'local' else 'key'}"
    others = [other.name for other in _by_place(stack.estate).get(place, ()) if other is not stack] if place else []
    if others:
        yield root.fail(f"the stack {others[0]} keeps its state there too; each needs a key of its own", at)
    for state in stack.estate.of("data.terraform_remote_state") if place else ():
        read = merged(state.get("config"))
        same = state.stack is stack and state.get("backend") == kind and state.raw("workspace") is None
        if same and _place(stack, kind, {**read, "workspace_key_prefix": place[-1]}) == place:
            yield state.fail("is this stack's own state; name the key of the other stack, or of this one", "config")


@rule(
    "STATE-008",
    "A stack does not make the bucket that its own state is in",
    why="The bucket must be there before the first init, and a destroy takes the state away while it is in use.",
    fix="Make the bucket in a stack of its own that keeps its state elsewhere.",
    page=_PAGE,
    types=["aws_s3_bucket"],
    severity=WARNING,
    lessons=["PLAT-8"],
    good=_GOOD,
    breaks=[
        {_BUCKET: "shop-prod-uploads"},
        {
            _BUCKET: "shop-state",
            "resource.aws_s3_bucket.uploads.bucket": "${local.state}",
            "locals": {"state": "shop-state"},
        },
    ],
    unknown_passes="an expression in a backend is what STATE-006 is about",
)
def bucket_is_another_stacks(bucket: Block) -> Iterator[Outcome]:
    """Compare names."""
    backend = _s3(bucket.stack.terraform)
    name = backend.raw("bucket") if backend else None
    if name and bucket.get("bucket") == name:
        yield bucket.fail(
            "this stack keeps its own state in it (backend.s3.bucket); make it in another stack", "bucket"
        )


@rule(
    "STATE-009",
    "A state in a bucket is locked",
    why="Two applies at the same time overwrite each other's state, and resources are lost from it.",
    fix="Set use_lockfile to true.",
    page=_PAGE,
    types=["terraform"],
    severity=WARNING,
    lessons=["PLAT-2"],
    good={
        "terraform": {
            "backend": {"s3": {"bucket": "shop-state", "key": "shop/prod/app.tfstate", "use_lockfile": True}},
        }
    },
    breaks=[{"terraform.backend.s3.use_lockfile": REMOVED}, {"terraform.backend.s3.use_lockfile": False}],
    unknown_passes="an expression in a backend is what STATE-006 is about",
)
def state_is_locked(root: Block) -> Iterator[Outcome]:
    """A lock file or a table; where the bucket is given at init, the lock may be too."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    given_at_init = not backend.raw("bucket") and backend.raw("use_lockfile") is None
    if not given_at_init and not backend.raw("dynamodb_table"):
        yield from expect_flag(backend, "use_lockfile", "must be true: nothing locks this state")


_BELOW_LOCKFILE: Final = re.compile(
    r"(?:~>\s*v?(?:0|1\.[0-9])\.\d+|(?:<=?|=|^)\s*v?(?:0|1\.[0-9])(?:\.\d+)*|<\s*v?1\.10(?:\.0)?)\s*$"
)


@rule(
    "STATE-010",
    "A state is locked by the bucket's own lock file rather than by a table",
    why="Terraform calls dynamodb_table deprecated since 1.11 and will remove it; the table costs and needs rights.",
    fix="Set use_lockfile to true, and remove dynamodb_table once every user has Terraform 1.10 or newer.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["PLAT-2"],
    good=_GOOD,
    breaks=[
        {"terraform.backend.s3.use_lockfile": REMOVED, "terraform.backend.s3.dynamodb_table": "terraform-state-lock"}
    ],
    unknown_passes="an expression in a backend is what STATE-006 is about",
)
def lock_is_a_file(root: Block) -> Iterator[Outcome]:
    """A table beside a lock file is a team on the move; below Terraform 1.10 there is no lock file."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    versions = str(root.raw("required_version") or "").split(",")
    old = any(_BELOW_LOCKFILE.match(part.strip()) for part in versions)
    if backend.raw("dynamodb_table") and backend.flag("use_lockfile") is not True and not old:
        yield backend.fail("is deprecated; set use_lockfile to true instead", "dynamodb_table")


@rule(
    "STATE-011",
    "A state in a bucket is encrypted",
    why="A state holds every password and key of the stack in plain text.",
    fix="Set encrypt to true, with kms_key_id for a key of your own.",
    page=_PAGE,
    types=["terraform"],
    severity=WARNING,
    lessons=["PLAT-2"],
    good=_GOOD,
    breaks=[{"terraform.backend.s3.encrypt": False}, {"terraform.backend.s3.encrypt": "false"}],
    unknown_passes="an expression in a backend is what STATE-006 is about",
)
def state_is_encrypted(root: Block) -> Iterator[Outcome]:
    """Without the argument the bucket's own encryption holds, which every bucket has."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    yield from expect_flag(backend, "encrypt", "must not be switched off", default=True)


def _makes_state_buckets(stack: Stack) -> bool:
    """Whether a stack is the one that comes before every backend."""
    return any(
        block.type == "aws_s3_bucket" and re.search(r"state|backend", f"{block.name} {block.raw('bucket')}".lower())
        for block in stack.blocks
    )


@rule(
    "STATE-012",
    "A production stack keeps its state where the team and its locks are",
    why="A state on one machine is lost with it, and nobody else can apply.",
    fix="Use the s3 backend, completed at init.",
    page=f"{TERRAFORM}/language/backend",
    types=["terraform"],
    severity=ADVICE,
    lessons=["PLAT-2"],
    good=_GOOD,
    breaks=[
        {"terraform.backend": {"local": {"path": "terraform.tfstate"}}},
        {"terraform.backend": REMOVED},
    ],
)
def production_state_is_shared(root: Block) -> Iterator[Outcome]:
    """Stacks that make the bucket for states come before it, and modules have no state."""
    stack = root.stack
    if is_plan(stack) or not is_root(stack) or not any(resources(stack)) or root.environment != "prod":
        yield NotApplicable("it is a plan, a module, without resources, or not production")
        return
    backend = _backend(stack)
    kind = backend[0] if backend else "local"
    if kind != "local" or root.raw("cloud") is not None or _makes_state_buckets(stack):
        return
    doubt = unread(stack)
    if backend is None and doubt:
        yield root.undecided(doubt, "backend")
    else:
        yield root.fail("must be a shared backend such as s3: a file on one machine is no place for it", "backend")
