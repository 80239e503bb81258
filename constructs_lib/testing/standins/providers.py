"""The providers that have stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.standins.archive import ARCHIVE_FILE
from constructs_lib.testing.standins.random_values import (
    RANDOM_ID,
    RANDOM_INTEGER,
    RANDOM_PASSWORD,
    RANDOM_STRING,
    RANDOM_UUID,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.testing.standins.schema import ResourceType


@dataclass(frozen=True)
class Provider:
    """A stand-in: the provider that it replaces, and the types that it supports."""

    name: str
    version: str
    resources: Mapping[str, ResourceType]
    data_sources: Mapping[str, ResourceType] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The prefix of each log line."""
        return f"[stand-in for hashicorp/{self.name} {self.version}]"


PROVIDERS: Final = {
    provider.name: provider
    for provider in (
        Provider("archive", "2.7.1", {"archive_file": ARCHIVE_FILE}, {"archive_file": ARCHIVE_FILE}),
        Provider(
            "random",
            "3.7.2",
            {
                "random_id": RANDOM_ID,
                "random_integer": RANDOM_INTEGER,
                "random_password": RANDOM_PASSWORD,
                "random_string": RANDOM_STRING,
                "random_uuid": RANDOM_UUID,
            },
        ),
    )
}
