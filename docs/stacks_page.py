"""The page that shows every reference stack: where it is, how big it is, and what it exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib import Environment
from constructs_lib.testing import read_stack
from estates import estates

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack

OWN = ("deployment_summary", "workspace")


def stacks_page() -> str:
    """Return the page, made from the stacks as they are synthesized now."""
    names = sorted(file.parent.name for file in estates()[Environment.PROD].glob("stacks/*/cdk.tf.json"))
    systems = {name: [_read(environment, name) for environment in Environment] for name in names}
    rows = [
        [
            f"`{name}`",
            ", ".join(sorted(made[-1].outputs["deployment_summary"]["regions"])),
            *(sum(not block.address.startswith("data.") for block in stack.blocks) for stack in made),
        ]
        for name, made in systems.items()
    ]
    table = tabulate(rows, headers=["stack", "regions", *Environment], tablefmt="github", disable_numparse=True)
    outputs = "\n\n".join(f"## {name}\n\n{_outputs(made[-1])}" for name, made in systems.items())
    return (
        "# The reference stacks\n\nResources of each stack in each environment, and its outputs in prod. Outputs of "
        "one value for each region end with the region, `_us_east_1`; every stack has `deployment_summary`, the same "
        f"values nested by region and construct, and `workspace`.\n\n{table}\n\n{outputs}\n\nMade from the synthesized "
        "stacks by `make docs`.\n"
    )


def _read(environment: Environment, name: str) -> SynthesizedStack:
    return read_stack(Path(estates()[environment], "stacks", name))


def _outputs(stack: SynthesizedStack) -> str:
    places: dict[str, list[str]] = {}
    regions = list(stack.outputs["deployment_summary"]["regions"])
    for name in stack.document["output"]:
        region = next((region for region in regions if name.endswith(f"_{region.replace('-', '_')}")), "")
        if name not in OWN:
            plain = name.removesuffix(f"_{region.replace('-', '_')}") if region else name
            places.setdefault(plain, []).append(region)
    rows = [[f"`{name}`", ", ".join(sorted(found)) if any(found) else "one for all"] for name, found in places.items()]
    return tabulate(sorted(rows), headers=["output", "regions"], tablefmt="github", disable_numparse=True)
