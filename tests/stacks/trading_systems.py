"""The trading system for tests, and the scripts that its machines start with."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from stacks.trading import REGIONS, TradingStack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "123456789012"
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def arn(region: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:acm:{region}:{account}:certificate/{UUID}"


def certificates(regions: Sequence[str] = REGIONS) -> dict[str, str]:
    return {region: arn(region) for region in regions}


def alias(region: str) -> str:
    return region.replace("-", "_")


def trading(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str, **arguments: Any
) -> SynthesizedStack:
    """Return the stack, with a certificate for each region unless told otherwise."""
    given = {"certificates": certificates(arguments.get("regions", REGIONS)), **arguments}
    return synthesize(lambda app: TradingStack(app, "trading", environment=environment, **given))["trading"]


def script_of(stack: SynthesizedStack, region: str) -> str:
    """Return the script of a region's machines as Terraform renders it, with references left as they are."""
    data = stack.at(f"aws_launch_template.web_fleet_template_{alias(region)}")["user_data"]
    text = data.removeprefix('${base64encode("')
    if text == data:
        return base64.b64decode(data).decode()
    script: str = json.loads(f'"{text.removesuffix(chr(34) + ")}")}"')
    return script.replace("$${", "${").replace("%%{", "%{")
