"""Providers, their sources and versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.catalogue.state.references import GOOD
from constructs_lib.rules.estate.json_values import merged
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once, unread
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


def _required(root: Block) -> dict[str, Any]:
    return {name: entry for name, entry in merged(root.raw("required_providers")).items() if name != "//"}


@rule(
    "STATE-004",
    "Provider is in required_providers",
    why="Otherwise Terraform derives the source from the name, and installs the latest version.",
    fix="Add the provider to required_providers, with source and a version constraint with an upper bound.",
    page=f"{TERRAFORM}/language/providers/requirements",
    types=["terraform"],
    severity=WARNING,
    lessons=["EVT-17"],
    good=GOOD,
    breaks=[
        {"terraform.required_providers.random": REMOVED},
        {"terraform.required_providers": REMOVED},
        {"provider.google": {"region": "europe-west1"}},
    ],
)
def providers_are_required(root: Block) -> Iterator[Outcome]:
    """Report the first block of each provider."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("a plan contains only the required providers that have a version")
        return
    required = {*_required(root), "terraform"}
    for block in once(stack):
        kind, _, label = block.type.partition(".")
        if kind == "provider":
            name = label
        elif "_" in block.type:
            given = block.raw("provider")
            name = str(given).strip("${} ").partition(".")[0] if given else (label or kind).partition("_")[0]
        else:
            continue
        if name in required:
            continue
        required.add(name)
        doubt = unread(stack)
        if doubt:
            yield block.undecided(doubt)
        else:
            yield block.fail(f"must have the provider {name} in required_providers; add it with source and version")


_ENDS: Final = re.compile(r"\s*(?:<=?|=|~>(?=\s*v?\d+\.\d)|(?=v?\d))\s*v?\d")
"""Constraints with an upper bound: `~> 5` alone allows 6 too."""


@rule(
    "STATE-005",
    "Provider version constraint has an upper bound",
    why="A new major version can remove arguments: the first terraform init after its release breaks the stack.",
    fix="Set version to a constraint with an upper bound, such as >= 5.100.0, < 7.0.0 or ~> 3.5.",
    page=f"{TERRAFORM}/language/expressions/version-constraints",
    types=["terraform"],
    severity=ADVICE,
    lessons=["EVT-17"],
    good=GOOD,
    breaks=[
        {"terraform.required_providers.random.version": REMOVED},
        {"terraform.required_providers.random.version": ">= 3.5"},
        {"terraform.required_providers.random.version": "~> 3"},
        {"terraform.required_providers.random": "hashicorp/random"},
    ],
)
def versions_are_bounded(root: Block) -> Iterator[Outcome]:
    """Find an upper bound in the parts of each constraint."""
    if is_plan(root.stack):
        yield NotApplicable("it is a plan, whose provider versions are selected")
        return
    for name, entry in _required(root).items():
        body = merged(entry)
        version = entry if isinstance(entry, str) else body.get("version")
        at = f"required_providers.{name}" if isinstance(entry, str) else f"required_providers.{name}.version"
        if str(body.get("source", "")).startswith("terraform.io/builtin/"):
            continue
        if version is None:
            yield root.fail("must be a version constraint with an upper bound, such as >= 5.100.0, < 7.0.0", at)
        elif "${" in str(version):
            yield root.fail("must be a literal: Terraform allows no expressions in required_providers", at)
        elif not any(_ENDS.match(part) for part in str(version).split(",")):
            yield root.fail("must have an upper bound, such as < 7.0.0", at)


@rule(
    "STATE-025",
    "Configuration does not use the archived template provider",
    why="The template provider has no build for newer platforms, such as darwin_arm64: terraform init fails there.",
    fix="Use templatefile() or data.cloudinit_config.",
    page="https://registry.terraform.io/providers/hashicorp/template/latest/docs",
    types=["terraform"],
    severity=WARNING,
    good={"data": {"cloudinit_config": {"web": {"part": {"content": "#!/bin/sh"}}}}},
    breaks=[
        {"data.template_file": {"web": {"template": "hello ${name}"}}},
        {"data": {"template_cloudinit_config": {"web": {"part": {"content": "#!/bin/sh"}}}}},
    ],
)
def no_template_provider(root: Block) -> Iterator[Outcome]:
    """Check resource and data source types."""
    for block in once(root.stack):
        if block.type.startswith(("data.template_", "template_")):
            instead = "data.cloudinit_config" if "cloudinit" in block.type else "templatefile()"
            yield block.fail(f"must not use the template provider, which is archived; use {instead}")
