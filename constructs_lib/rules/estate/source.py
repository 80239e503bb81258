"""The files of a stack as they were read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Duplicate:
    """A block, a local value or an argument that is defined twice.

    Attributes:
        path: Its dotted path, such as `resource.aws_sqs_queue.jobs`.
        files: Names of the files that give it; one name when one file gives it twice.
    """

    path: str
    files: tuple[str, ...]


@dataclass
class Source:
    """One stack as it was read.

    Attributes:
        name: The folder's name, for `cdktf.out/stacks/<id>` the id; for a plan the file's name without its ending.
        folder: Where it was read.
        document: All its files as one: `resource` and `data` by type and name, `provider` by kind as a list.
        duplicates: What is defined twice.
        notes: The content of `constructs.json` in the same folder: `callers`, `opt_outs`, `waivers`.
        unread: Its files in HCL, which are not read.
        given: Variables whose default in the document is what a `*.tfvars.json` file beside it gives.
    """

    name: str
    folder: Path
    document: dict[str, Any]
    duplicates: list[Duplicate] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    given: set[str] = field(default_factory=set)

    def caller(self, path: str) -> str:
        """Return the line of Python that created a construct or its nearest parent; empty if not recorded."""
        callers: dict[str, str] = self.notes.get("callers", {})
        while path:
            if path in callers:
                return callers[path]
            path = path.rpartition("/")[0]
        return ""
