"""The command `init`: write an app to start from."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from constructs_lib.cli.terminal import show
from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_DOT: Final = re.compile(r"^dot_")
"""Stands for the dot of a hidden file: `.gitignore` would apply to the templates themselves."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "init",
        help="create an app: a stack, a function, tests, CI",
        description="Create an app in an empty or new folder: a stack, a Lambda function, tests, a CI workflow.",
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="folder to create")
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    create_app(given.folder)
    show(
        f"Created an app in {given.folder}. Next:\n"
        f"  cd {given.folder}\n"
        "  pip install -r requirements.txt\n"
        "  make synth\n"
        "  make test\n"
    )


def create_app(folder: Path) -> None:
    """Write the files of the app.

    Args:
        folder: A folder that is empty or does not exist.

    Raises:
        ConfigurationError: The folder is not empty, not a folder, or cannot be written.
    """
    from importlib import resources  # noqa: PLC0415  only when the command runs

    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigurationError(str(folder), "not an empty folder; choose another one")
        for path, source in _files(resources.files(__package__) / "templates" / "app", PurePosixPath()):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_filled(path, source.read_text(encoding="utf-8")).encode())
    except OSError as error:
        raise ConfigurationError(str(folder), f"cannot be written: {error.strerror or error}") from error


def _files(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Yield the files of the template, each with its path in the app."""
    for entry in folder.iterdir():
        path = at / _DOT.sub(".", entry.name)
        if entry.is_file():
            yield path, entry
        elif entry.name != "__pycache__":
            yield from _files(entry, path)


def _filled(path: PurePosixPath, text: str) -> str:
    """Return the text of a file with what differs from app to app."""
    if path.name == "cdktf.json":
        import uuid  # noqa: PLC0415

        return text.replace(str(uuid.UUID(int=0)), str(uuid.uuid4()))
    if path.name == "requirements.txt":
        from constructs_lib.rules.reports.common import tool_version  # noqa: PLC0415

        version = tool_version()
        return text.replace("constructs-lib\n", f"constructs-lib=={version}\n") if version != "0" else text
    return text
