"""A summary of a synthesized app: its stacks with their regions, resources and outputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading.json_files import read_json

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class StackSummary:
    """One synthesized stack."""

    name: str
    environment: str
    regions: tuple[str, ...]
    resources: dict[str, int]
    """Resources by Terraform type, most frequent first."""
    data_sources: int
    outputs: int
    file: Path


def summarize(output: Path) -> list[StackSummary]:
    """Return the stacks of an output folder such as `cdktf.out`, by name.

    Raises:
        ConfigurationError: The folder contains no synthesized stack, or a file is not JSON.
    """
    files = sorted(output.glob("stacks/*/cdk.tf.json"))
    if not files:
        raise ConfigurationError(
            str(output), "no synthesized stacks found (stacks/*/cdk.tf.json); run `cdktf synth` first"
        )
    return [_summary(file) for file in files]


def _summary(file: Path) -> StackSummary:
    document = read_json(file)
    kinds = Counter({type_: len(named) for type_, named in document.get("resource", {}).items()})
    providers = document.get("provider", {}).get("aws", [])
    summary = document.get("output", {}).get("deployment_summary", {}).get("value", {})
    return StackSummary(
        name=file.parent.name,
        environment=summary.get("environment", ""),
        regions=tuple(dict.fromkeys(provider["region"] for provider in providers if "region" in provider)),
        resources=dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
        data_sources=sum(len(named) for named in document.get("data", {}).values()),
        outputs=len(document.get("output", {})),
        file=file,
    )
