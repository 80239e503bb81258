"""Deliberate departures from a hardened default: named objects with a reason, which show up in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib.foundation.errors import ConfigurationError

MIN_REASON_LENGTH: Final = 20


@dataclass(frozen=True)
class OptOut:
    """A hardened default that a caller leaves on purpose.

    Attributes:
        reason: Why, in a sentence of at least 20 characters, for whoever reads the report.
    """

    reason: str

    def __post_init__(self) -> None:
        """Refuse a reason that says nothing."""
        if not isinstance(self.reason, str) or len(self.reason.strip()) < MIN_REASON_LENGTH:
            raise ConfigurationError(
                type(self).__name__,
                f"reason={self.reason!r}: must be a sentence of at least {MIN_REASON_LENGTH} characters that says why",
            )
