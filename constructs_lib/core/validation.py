"""Errors that are reported at synth."""

from __future__ import annotations

from collections.abc import Callable

import jsii

from constructs_lib._engine import core


@jsii.implements(core.IValidation)
class _Validation:
    def __init__(self, errors: Callable[[], list[str]]) -> None:
        self._errors = errors

    def validate(self) -> list[str]:
        """Return the errors; the engine prefixes the construct's path. The text of an exception would be lost."""
        return self._errors()


def report_at_synth(construct: core.Construct, errors: Callable[[], list[str]]) -> None:
    """Fail the synthesis if `errors` returns errors at that time."""
    construct.node.add_validation(_Validation(errors))
