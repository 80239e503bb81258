"""The page of the reference stacks: their regions, sizes and outputs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib import Environment
from constructs_lib.testing import read_stack
from estates import ROOT, estates

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack

OWN = ("deployment_summary", "workspace")
ENTRANCES = ("url", "endpoint", "dns_name", "_name", "backend_config")
"""How outputs end that say where something is found or reached: those that the README names."""
TABLE = re.compile(r"(<!-- reference stacks -->\n).*?(<!-- end -->)", re.DOTALL)


def stacks_page() -> str:
    """Return the page, made from the stacks as they are synthesized now."""
    rows = [[f"`{name}`", _regions(made), *map(_resources, made)] for name, made in _systems().items()]
    table = tabulate(rows, headers=["stack", "regions", *Environment], tablefmt="github", disable_numparse=True)
    outputs = "\n\n".join(f"## {name}\n\n{_outputs(made[-1])}" for name, made in _systems().items())
    return (
        "# Reference stacks\n\nThe number of resources of each stack in each environment, and its outputs in prod. "
        "Names of outputs with one value for each region end with the region, such as `_us_east_1`. Every stack has "
        "the outputs `deployment_summary`, the same values nested by region and construct, and `workspace`."
        f"\n\n{table}\n\n{outputs}\n\nGenerated from the synthesized stacks by `make docs`.\n"
    )


def with_stacks(page: str) -> str:
    """Return the README with its table of reference stacks updated."""
    rows = [
        [
            f"`stacks/{name.replace('-', '_')}.py`",
            _described(name),
            _regions(made),
            " / ".join(map(_resources, made)),
            ", ".join(f"`{output}`" for output in sorted(_places(made[-1])) if output.endswith(ENTRANCES)),
        ]
        for name, made in _systems().items()
    ]
    heads = ["Stack", "What it is", "Regions", "Resources in dev / staging / prod", "Outputs to begin with"]
    table = tabulate(rows, headers=heads, tablefmt="github", disable_numparse=True)
    return TABLE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", page)


@cache
def _systems() -> dict[str, list[SynthesizedStack]]:
    """Return every stack in dev, staging and prod."""
    names = sorted(file.parent.name for file in estates()[Environment.PROD].glob("stacks/*/cdk.tf.json"))
    return {name: [_read(environment, name) for environment in Environment] for name in names}


def _described(name: str) -> str:
    """Return what the first line of the stack's file says after the system's name."""
    source = (ROOT / "stacks" / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    return first.partition(": ")[2].removesuffix(".")


def _regions(made: list[SynthesizedStack]) -> str:
    return ", ".join(sorted(made[-1].outputs["deployment_summary"]["regions"]))


def _resources(stack: SynthesizedStack) -> str:
    return str(sum(not block.address.startswith("data.") for block in stack.blocks))


def _read(environment: Environment, name: str) -> SynthesizedStack:
    return read_stack(Path(estates()[environment], "stacks", name))


def _outputs(stack: SynthesizedStack) -> str:
    rows = [
        [f"`{name}`", ", ".join(sorted(found)) if any(found) else "one for all"]
        for name, found in _places(stack).items()
    ]
    return tabulate(sorted(rows), headers=["output", "regions"], tablefmt="github", disable_numparse=True)


def _places(stack: SynthesizedStack) -> dict[str, list[str]]:
    """Return the names of the outputs without their regions, and the regions of each."""
    places: dict[str, list[str]] = {}
    regions = list(stack.outputs["deployment_summary"]["regions"])
    for name in stack.document["output"]:
        region = next((region for region in regions if name.endswith(f"_{region.replace('-', '_')}")), "")
        if name not in OWN:
            plain = name.removesuffix(f"_{region.replace('-', '_')}") if region else name
            places.setdefault(plain, []).append(region)
    return places
