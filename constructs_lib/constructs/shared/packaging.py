"""Puts a function's checked files where `archive_file` packs them: beside the stack's JSON, at no absolute path."""

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
"""Given to `archive_file` too, so that the archive is the same whatever the machine's umask is."""
_HASH_LENGTH: Final = 8
_TEMPLATE: Final = re.compile(r"([$%])\{")


def archive_arguments(
    stack: HardenedStack, name: str, source: str | os.PathLike[str] | InlineSource, code: FunctionSource
) -> dict[str, Any]:
    """Return what `archive_file` is told to pack a function's checked source."""
    packed: dict[str, Any] = {"type": "zip", "output_path": archive_path(name), "output_file_mode": FILE_MODE}
    if isinstance(source, InlineSource):
        return packed | {
            "source_content": literal(source.text),
            "source_content_filename": literal(source.filename),
        }
    return packed | {"source_dir": stage(stack, name, code)}


def archive_path(name: str) -> str:
    """Return where Terraform puts the archive of a function, relative to the stack's folder."""
    return f"${{path.module}}/{ASSETS}/{name}.zip"


def stage(stack: HardenedStack, name: str, code: FunctionSource) -> str:
    """Have the files written at synth, and return their folder as Terraform finds it.

    Args:
        stack: The stack whose output folder they go to.
        name: What distinguishes the function from others in the stack.
        code: The files, as they were read and checked.
    """
    folder = f"{name}-{code.sha256[:_HASH_LENGTH]}"
    stack.at_synth(partial(_write, stack, name, folder, code))
    return f"${{path.module}}/{ASSETS}/{folder}"


def literal(text: str) -> str:
    """Return the text as Terraform must be given it to come out unchanged: `${` and `%{` would start a template."""
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
    """Remove what earlier runs wrote for this function, and nothing of any other."""
    former = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{_HASH_LENGTH}}}")
    for entry in assets.glob(f"{name}-*"):
        if former.fullmatch(entry.name):
            shutil.rmtree(entry)
