"""The addresses of the reference stacks, pinned: one file a stack and environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack

ADDRESSES = Path(__file__).parent / "addresses"


def check_addresses(stack: SynthesizedStack, name: str) -> None:
    """Compare the addresses of a stack with the file of a name, or write it when UPDATE_ADDRESSES is 1."""
    golden = ADDRESSES / f"{name}.txt"
    if os.environ.get("UPDATE_ADDRESSES") == "1":
        golden.write_text("\n".join(stack.addresses) + "\n", encoding="utf-8")
    assert stack.addresses == golden.read_text(encoding="utf-8").splitlines(), (
        "addresses moved, which makes Terraform replace resources; UPDATE_ADDRESSES=1 accepts it"
    )
