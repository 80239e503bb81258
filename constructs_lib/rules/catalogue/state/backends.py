"""Backends and state locking."""

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
_NO_S3: Final = NotApplicable("it has no S3 backend")


def _s3(root: Block) -> Section | None:
    return None if is_plan(root.stack) else root.section("backend.s3")


@rule(
    "STATE-006",
    "S3 backend bucket is not hard-coded",
    why="terraform init fails for everyone without access to this bucket, and all environments share it.",
    fix="Remove bucket and pass it with terraform init -backend-config=FILE, or read it from an environment variable "
    "in the program.",
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
    """Accept a bucket in synthesized JSON, which the program may read from an environment variable.

    The key must then contain an environment, so that no two environments share a state.
    """
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    expressions = [at for at, _ in edges(backend.body, "")]
    for at in expressions:
        yield backend.fail("must be a literal or passed at init: Terraform allows no expressions in a backend", at)
    bucket = backend.raw("bucket")
    if not bucket or "bucket" in expressions:
        return
    words = re.split(r"[^a-z]+", str(backend.raw("key")).lower())
    if not is_synthesized(root.stack) or not any(word in WORDS for word in words):
        yield backend.fail(
            "must be passed with terraform init -backend-config, or read from an environment variable", "bucket"
        )


def _backend(stack: Stack) -> tuple[str, dict[str, Any]] | None:
    """Return the type and the arguments of a stack's backend; None if the stack has none."""
    given = None if is_plan(stack) else stack.terraform.raw("backend")
    return next(((kind, merged(body)) for (kind,), body in labelled(given, 1)), None)


def _place(stack: Stack, kind: str, config: dict[str, Any]) -> tuple[object, ...]:
    """Return the location of the state; empty when part of it is passed at init."""
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
    "Stack has its own state and does not read it with terraform_remote_state",
    why="Two stacks with one state destroy each other's resources; a stack that reads its own state gets old values.",
    fix="Give every stack its own key.",
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
    unknown_passes="STATE-006 checks expressions in a backend",
)
def state_is_not_shared(root: Block) -> Iterator[Outcome]:
    """Compare with all backends of the estate, and with terraform_remote_state of this stack."""
    stack = root.stack
    backend = _backend(stack)
    if backend is None:
        yield NotApplicable("it has no backend")
        return
    kind, config = backend
    place = _place(stack, kind, config)
    at = f"backend.{kind}.{'path' if kind == 'local' else 'key'}"
    others = [other.name for other in _by_place(stack.estate).get(place, ()) if other is not stack] if place else []
    if others:
        yield root.fail(f"must be unique; the stack {others[0]} has the same state", at)
    for state in stack.estate.of("data.terraform_remote_state") if place else ():
        read = merged(state.get("config"))
        same = state.stack is stack and state.get("backend") == kind and state.raw("workspace") is None
        if same and _place(stack, kind, {**read, "workspace_key_prefix": place[-1]}) == place:
            yield state.fail("must not be the state of this stack; set key to that of another stack", "config")


@rule(
    "STATE-008",
    "S3 backend bucket is created by another stack",
    why="The bucket must exist before the first terraform init, and destroy would delete the state while it is in use.",
    fix="Create the bucket in a separate stack with another backend.",
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
    unknown_passes="STATE-006 checks expressions in a backend",
)
def backend_bucket_is_in_another_stack(bucket: Block) -> Iterator[Outcome]:
    """Compare bucket names."""
    backend = _s3(bucket.stack.terraform)
    name = backend.raw("bucket") if backend else None
    if name and bucket.get("bucket") == name:
        yield bucket.fail(
            "must not be the bucket of the S3 backend of this stack; create it in another stack", "bucket"
        )


@rule(
    "STATE-009",
    "S3 backend locks the state",
    why="Two concurrent applies overwrite each other's state, and Terraform loses track of resources.",
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
    unknown_passes="STATE-006 checks expressions in a backend",
)
def state_is_locked(root: Block) -> Iterator[Outcome]:
    """Accept a lock file or a DynamoDB table; both may be passed at init, together with the bucket."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    given_at_init = not backend.raw("bucket") and backend.raw("use_lockfile") is None
    if not given_at_init and not backend.raw("dynamodb_table"):
        yield from expect_flag(backend, "use_lockfile", "must be true; the state is not locked")


_BELOW_LOCKFILE: Final = re.compile(
    r"(?:~>\s*v?(?:0|1\.[0-9])\.\d+|(?:<=?|=|^)\s*v?(?:0|1\.[0-9])(?:\.\d+)*|<\s*v?1\.10(?:\.0)?)\s*$"
)


@rule(
    "STATE-010",
    "S3 backend locks the state with a lock file instead of a DynamoDB table",
    why="dynamodb_table is deprecated since Terraform 1.11; the table has costs and needs permissions.",
    fix="Set use_lockfile to true, and remove dynamodb_table when every user has Terraform 1.10 or later.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["PLAT-2"],
    good=_GOOD,
    breaks=[
        {"terraform.backend.s3.use_lockfile": REMOVED, "terraform.backend.s3.dynamodb_table": "terraform-state-lock"}
    ],
    unknown_passes="STATE-006 checks expressions in a backend",
)
def lock_is_a_file(root: Block) -> Iterator[Outcome]:
    """Accept both during a migration, and a table alone with Terraform before 1.10."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    versions = str(root.raw("required_version") or "").split(",")
    old = any(_BELOW_LOCKFILE.match(part.strip()) for part in versions)
    if backend.raw("dynamodb_table") and backend.flag("use_lockfile") is not True and not old:
        yield backend.fail("must not be set: the argument is deprecated; set use_lockfile to true", "dynamodb_table")


@rule(
    "STATE-011",
    "S3 backend encrypts the state",
    why="The state contains every password and private key of the stack in plain text.",
    fix="Set encrypt to true, and kms_key_id to a customer managed key.",
    page=_PAGE,
    types=["terraform"],
    severity=WARNING,
    lessons=["PLAT-2"],
    good=_GOOD,
    breaks=[{"terraform.backend.s3.encrypt": False}, {"terraform.backend.s3.encrypt": "false"}],
    unknown_passes="STATE-006 checks expressions in a backend",
)
def state_is_encrypted(root: Block) -> Iterator[Outcome]:
    """Accept a missing argument: every bucket has default encryption."""
    backend = _s3(root)
    if backend is None:
        yield _NO_S3
        return
    yield from expect_flag(backend, "encrypt", "must be true", default=True)


def _creates_state_buckets(stack: Stack) -> bool:
    """Whether a stack creates the buckets of the backends, and so cannot use one itself."""
    return any(
        block.type == "aws_s3_bucket" and re.search(r"state|backend", f"{block.name} {block.raw('bucket')}".lower())
        for block in stack.blocks
    )


@rule(
    "STATE-012",
    "Production stack has a remote backend",
    why="A local state is lost with the computer that it is on, has no lock for the team, and nobody else can apply.",
    fix="Use the S3 backend, with bucket passed at init.",
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
def production_backend_is_remote(root: Block) -> Iterator[Outcome]:
    """Skip modules, and stacks that create the buckets of backends."""
    stack = root.stack
    if is_plan(stack) or not is_root(stack) or not any(resources(stack)) or root.environment != "prod":
        yield NotApplicable("it is a plan or a module, has no resources, or is not in production")
        return
    backend = _backend(stack)
    kind = backend[0] if backend else "local"
    if kind != "local" or root.raw("cloud") is not None or _creates_state_buckets(stack):
        return
    doubt = unread(stack)
    if backend is None and doubt:
        yield root.undecided(doubt, "backend")
    else:
        yield root.fail("must be a remote backend, such as s3, not a local file", "backend")
