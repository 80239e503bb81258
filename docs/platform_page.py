"""The page that compares the platform stack in dev, staging and prod."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib import Environment
from constructs_lib.analysis.cost import NOT_INCLUDED, cost_of
from constructs_lib.analysis.prices import READ_ON
from constructs_lib.rules.estate.loading import load
from constructs_lib.testing import SynthesizedStack, synthesize
from stacks.platform import REGION, PlatformStack

if TYPE_CHECKING:
    from constructs_lib import App

PAGE = """\
# Platform by environment

The reference stack `stacks/platform.py` in dev, staging and prod. The code is the same; the differences come from the
[environment](environments.md).

{table}

## Cost

List prices of {region} on {date}, from `constructs_lib/analysis/prices.py`, which links AWS's pricing pages. Check
current prices before a decision. {not_included}

`constructs-lib cost` estimates the cost of your own stacks; see [command line](command-line.md).

## See also

- [Reference stacks](stacks.md)
- [Environments](environments.md)

Generated from the synthesized stack by `make docs`.
"""


def platform_page() -> str:
    """Return the page, made from the stack as it is synthesized now."""
    with tempfile.TemporaryDirectory() as folder:
        columns = [_column(environment, Path(folder, environment.value)) for environment in Environment]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    table = tabulate(rows, headers=["", *Environment], tablefmt="github", disable_numparse=True)
    return PAGE.format(table=table, region=REGION, date=READ_ON, not_included=NOT_INCLUDED)


def _column(environment: Environment, folder: Path) -> dict[str, object]:
    folder.mkdir()

    def build(app: App) -> None:
        PlatformStack(app, "platform", environment=environment)

    stack = synthesize(build, folder)["platform"]
    cluster = stack.resource("aws_rds_cluster")
    instances = stack.resources("aws_rds_cluster_instance")
    key = stack.resource("aws_kms_key")
    return {
        "resources": sum(not block.address.startswith("data.") for block in stack.blocks),
        "Availability Zones": len(stack.outputs["vpc_availability_zones_us_east_1"]),
        "NAT gateways": len(stack.find("aws_nat_gateway")),
        "database instances": len(instances),
        "instance class": ", ".join(sorted({instance["instance_class"] for instance in instances})),
        "backup retention": f"{cluster['backup_retention_period']} days",
        "log retention": _days(stack),
        "deletion protection": _word(cluster["deletion_protection"]),
        "final snapshot": _word(not cluster["skip_final_snapshot"]),
        "`prevent_destroy`": _word(cluster.config.get("lifecycle", {}).get("prevent_destroy")),
        "key deletion window": f"{key['deletion_window_in_days']} days",
        "alarms": len(stack.find("aws_cloudwatch_metric_alarm")),
        "fixed cost, USD a month": f"{cost_of(load([stack.directory])).total:,.2f}",
    }


def _days(stack: SynthesizedStack) -> str:
    return ", ".join(
        sorted({f"{group['retention_in_days']} days" for group in stack.resources("aws_cloudwatch_log_group")})
    )


def _word(fact: object) -> str:
    return "yes" if fact else "no"
