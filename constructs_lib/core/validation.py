"""Reports at synth what must have happened by then and has not."""

from __future__ import annotations

from collections.abc import Callable

import jsii

from constructs_lib._engine import core


@jsii.implements(core.IValidation)
class _Validation:
    def __init__(self, complaints: Callable[[], list[str]]) -> None:
        self._complaints = complaints

    def validate(self) -> list[str]:
        """Return the complaints; the engine puts the construct's path before each. An exception would lose its text."""
        return self._complaints()


def report_at_synth(construct: core.Construct, complaints: Callable[[], list[str]]) -> None:
    """Fail the synthesis with what `complaints` returns then, if anything."""
    construct.node.add_validation(_Validation(complaints))
