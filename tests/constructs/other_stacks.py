"""What references to a construct's attributes are in another stack of the App."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib import HardenedStack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

_REMOTE: Final = re.compile(r"\$\{data\.terraform_remote_state\.cross_stack_reference_input_one\.outputs\.([\w-]+)\}")


def read_from_another_stack(
    synthesize: Synthesize, build: Callable[[HardenedStack], Mapping[str, Any]], environment: str = "dev"
) -> dict[str, Any]:
    """Return what the references resolve to that `build` returns, when another stack uses them.

    Args:
        synthesize: The fixture.
        build: Adds constructs to a stack, and returns references by name.
        environment: dev, staging or prod.
    """

    def fill(app: App) -> None:
        one, two = (
            HardenedStack(app, id_, environment=environment, owner="me", project="shop") for id_ in ("one", "two")
        )
        for name, value in build(one).items():
            two.output(name, value, "A reference to the other stack")

    stacks = synthesize(fill)
    exported = stacks["one"].document["output"]
    outputs = stacks["two"].document["output"]
    return {
        name: _REMOTE.sub(lambda found: exported[found[1]]["value"], block["value"])
        for name, block in outputs.items()
        if name not in ("deployment_summary", "workspace")
    }
