"""Options of a local AWS, as its process gets them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.testing.local_aws.faults import Failure, Fault

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True)
class Options:
    """What differs from a new account in which every call succeeds.

    Attributes:
        faults: Calls that fail once.
    """

    faults: tuple[Fault, ...] = ()

    def text(self) -> str:
        """Return the options as JSON."""
        return json.dumps({"faults": [[fault.operation, fault.failure.value, fault.call] for fault in self.faults]})

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the options from JSON."""
        given = json.loads(text)
        return cls(faults=tuple(Fault(name, Failure(failure), call) for name, failure, call in given["faults"]))
