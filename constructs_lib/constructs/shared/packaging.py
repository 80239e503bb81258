"""Copies the checked files of functions and layers beside the stack's JSON, where `archive_file` packages them."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any, Final

from constructs_lib.core.stack import HardenedStack
from constructs_lib.foundation.function_source import FunctionSource, InlineSource

ASSETS: Final = "assets"
FILE_MODE: Final = "0644"
"""For `archive_file` too, so that the archive does not depend on the umask."""
_HASH_LENGTH: Final = 8
_TEMPLATE: Final = re.compile(r"([$%])\{")


def archive_arguments(
    stack: HardenedStack, name: str, source: str | os.PathLike[str] | InlineSource, code: FunctionSource
) -> dict[str, Any]:
    """Return the arguments of `archive_file` for a function's checked source."""
    packed: dict[str, Any] = {"type": "zip", "output_path": archive_path(name), "output_file_mode": FILE_MODE}
    if isinstance(source, InlineSource):
        return packed | {
            "source_content": literal(source.text),
            "source_content_filename": literal(source.filename),
        }
    return packed | {"source_dir": stage(stack, name, code)}


def archive_path(name: str) -> str:
    """Return the path of an archive, relative to the stack's folder."""
    return f"${{path.module}}/{ASSETS}/{name}.zip"


def stage(stack: HardenedStack, name: str, code: FunctionSource) -> str:
    """Write the files at synth, and return their folder relative to the stack's.

    Args:
        stack: The stack.
        name: A name that is unique in the stack.
        code: The checked files.
    """
    folder = f"{name}-{code.sha256[:_HASH_LENGTH]}"
    stack.at_synth(partial(_write, stack, name, folder, code))
    return f"${{path.module}}/{ASSETS}/{folder}"


def literal(text: str) -> str:
    """Return text with `${` and `%{` escaped, which start templates in Terraform."""
    return _TEMPLATE.sub(r"\1\1{", text)


def _write(stack: HardenedStack, name: str, folder: str, code: FunctionSource) -> None:
    assets = stack.output_directory / ASSETS
    _remove_former(assets, name)
    for relative, text in code.files.items():
        file = assets / folder / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        file.chmod(int(FILE_MODE, 8))


def _remove_former(assets: Path, name: str) -> None:
    """Remove the folders of earlier versions of this function or layer only."""
    former = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{_HASH_LENGTH}}}")
    for entry in assets.glob(f"{name}-*"):
        if former.fullmatch(entry.name):
            shutil.rmtree(entry)
