"""The page of the reference stacks."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib import Environment
from constructs_lib.testing import read_stack
from estates import PRINTS, ROOT, estates

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack

OWN = ("deployment_summary", "workspace")
PRINTED = re.compile(r"(```console\n\$ make synth\n)(?!\$).*?(```\n)", re.DOTALL)


PAGE = """\
# Reference stacks

Complete systems to read, synthesize and copy.

```console
$ make synth ENVIRONMENT=prod
$ make deploy-local
```

`make synth` synthesizes all stacks; `make deploy-local` applies payments to a
[local AWS](testing.md#deploy-to-a-local-aws).

## Overview

{table}

The rules report no errors. They report notes about settings of dev and staging, and a warning in prod while state is
local; see [state](state.md).

## Certificates of the trading stack

The variable `TRADING_CERTIFICATES` lists the ARNs of ACM certificates for the load balancers, separated by commas,
one for each region. Without it, the stack serves HTTP in dev. In staging and prod it refers to example certificates
in the account 111122223333 of AWS's documentation, and the provider rejects the plan; see the
[decision](adr/0010-certificates-of-the-trading-stack.md). `TradingStack(zone=HostedZone(...))` creates certificates
and alias records in a Route 53 hosted zone instead.

## Outputs

Outputs in prod. The name of an output with a value for each region ends with the region, such as `api_url_us_east_1`.
Every stack also has the outputs `deployment_summary`, the same values nested by region and construct, and
`workspace`.

{outputs}

## See also

- [Platform by environment](platform.md): what differs between dev, staging and prod, and the cost
- [Environments](environments.md)

Generated from the synthesized stacks by `make docs`.
"""


def stacks_page() -> str:
    """Return the page, generated from the synthesized stacks."""
    outputs = "\n\n".join(f"### {name}\n\n{_outputs(made[-1])}" for name, made in _systems().items())
    return PAGE.format(table=_overview(), outputs=outputs)


def _overview() -> str:
    rows = [
        [f"`stacks/{name.replace('-', '_')}.py`", _described(name), _regions(made), " / ".join(map(_resources, made))]
        for name, made in _systems().items()
    ]
    heads = ["Stack", "Description", "Regions", "Resources in dev / staging / prod"]
    return tabulate(rows, headers=heads, tablefmt="github", disable_numparse=True)


def with_synth(page: str) -> str:
    """Return the README with what `make synth` prints now."""
    return PRINTED.sub(lambda found: f"{found[1]}{_printed()}{found[2]}", page)


@cache
def _printed() -> str:
    place = estates()[Environment.DEV]
    command = [sys.executable, "-m", "constructs_lib", "summary", str(place)]
    variables = {**os.environ, "COLUMNS": "100", "PYTHONPATH": "."}
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=True, text=True)  # noqa: S603
    both = (place / PRINTS).read_text(encoding="utf-8") + ended.stdout
    lines = both.replace(str(place), "cdktf.out").strip().splitlines()
    # On a machine that has never loaded the bindings a line says so.
    return "".join(f"{line.rstrip()}\n" for line in lines if "first use" not in line)


@cache
def _systems() -> dict[str, list[SynthesizedStack]]:
    """Return every stack in dev, staging and prod."""
    names = sorted(file.parent.name for file in estates()[Environment.PROD].glob("stacks/*/cdk.tf.json"))
    return {name: [_read(environment, name) for environment in Environment] for name in names}


def _described(name: str) -> str:
    """Return the first line of the module's docstring, after the name."""
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
        [f"`{name}`", ", ".join(sorted(found)) if any(found) else "one value"] for name, found in _places(stack).items()
    ]
    return tabulate(sorted(rows), headers=["Output", "Regions"], tablefmt="github", disable_numparse=True)


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
