"""Options of a local AWS, as its process gets them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from constructs_lib.testing.local_aws.faults import Failure, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


@dataclass(frozen=True)
class Options:
    """What differs from a new account in which every call succeeds.

    Attributes:
        faults: Calls that fail once.
        quotas: Quotas of the account that differ from AWS's defaults, by name.
    """

    faults: tuple[Fault, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """Return the options as JSON."""
        faults = [[fault.operation, fault.failure.value, fault.call] for fault in self.faults]
        return json.dumps({"faults": faults, "quotas": dict(self.quotas)})

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the options from JSON."""
        given = json.loads(text)
        faults = tuple(Fault(name, Failure(failure), call) for name, failure, call in given["faults"])
        return cls(faults=faults, quotas=given["quotas"])
