"""Module sources and versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_REGISTRY: Final = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?/)?[\w-]+/[\w-]+/[\w-]+(?://.*)?")


_GIT: Final = re.compile(r"git::|git@|(?:github\.com|bitbucket\.org)/|.*\.git(?:$|[/?])")


@rule(
    "STATE-017",
    "Module from a registry or Git has a version",
    why="Without a version the next terraform init uses the latest release, and changes the deployed resources.",
    fix="Set version for a registry module, and ?ref= with a tag or commit in the source of a Git module.",
    page=f"{TERRAFORM}/language/modules/sources",
    types=["module"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_TF_1", "CKV_TF_2")),
    good={
        "module": {
            "vpc": {"source": "terraform-aws-modules/vpc/aws", "version": "~> 5.0"},
            "logs": {"source": "git::https://example.com/logs.git//core?depth=1&ref=v1.2.0"},
            "local": {"source": "./modules/local"},
        }
    },
    breaks=[
        {"module.vpc.version": REMOVED},
        {"module.logs.source": "git::https://example.com/logs.git//core"},
        {"module.logs.source": "github.com/example/logs"},
        {"module.vpc": {"source": "app.terraform.io/example/vpc/aws//modules/core"}},
    ],
    unknown_passes="Terraform does not allow expressions in a source",
)
def modules_have_versions(module: Block) -> Iterator[Outcome]:
    """Skip local modules."""
    source = str(module.raw("source") or "")
    if source.startswith(("./", "../")):
        yield NotApplicable("it is a local module")
    elif _GIT.match(source):
        if not re.search(r"[?&]ref=[^&]", source):
            yield module.fail("must have ?ref= with a tag or commit", "source")
    elif _REGISTRY.fullmatch(source) and module.raw("version") is None:
        yield module.fail(f"must be set, for example to ~> 1.2; every version of {source} is allowed", "version")
