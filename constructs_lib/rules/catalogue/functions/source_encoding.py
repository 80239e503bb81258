"""Source files of Lambda functions, in the stack's directory."""

from __future__ import annotations

import codecs
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.catalogue.functions.packages import ARCHIVES, local_path
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_CODE: Final = frozenset({".cjs", ".js", ".json", ".mjs", ".py", ".rb", ".sh", ".ts"})
_SKIPPED: Final = frozenset({".git", "node_modules", "__pycache__"})
_MOST_FILES: Final = 2000
_MOST_BYTES: Final = 2_000_000
_MARKS: Final = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@rule(
    "LAM-006",
    "Lambda source files are UTF-8 without a byte order mark",
    why="The runtime cannot parse the module, so every invocation fails.",
    fix="Save the file as UTF-8 without a byte order mark, and let archive_file create the zip archive.",
    page=f"{AWS}/lambda/latest/dg/python-package.html",
    types=ARCHIVES,
    lessons=["PAY-2"],
    good={
        "data": {
            "archive_file": {
                "validator": {
                    "type": "zip",
                    "output_path": "${path.module}/validator.zip",
                    "source": [{"content": "def handler(event, context): ...", "filename": "handler.py"}],
                }
            }
        }
    },
    breaks=[
        {"data.archive_file.validator.source.0.content": "\ufeffdef handler(event, context): ..."},
        {"data.archive_file.validator.source.0.content": "d\0e\0f\0"},
        {
            "data.archive_file.validator.source_content": "\ufeffdef handler(event, context): ...",
            "data.archive_file.validator.source_content_filename": "handler.py",
        },
    ],
    unknown_passes="Text that is not known before apply is assumed to be valid.",
)
def source_is_utf8(archive: Block) -> Iterator[Outcome]:
    """Check inline content, and source files if the directory can be read."""
    for section, at in [(archive, "source_content"), *((each, "content") for each in archive.sections("source"))]:
        text = section.get(at)
        if isinstance(text, str) and (text.startswith("\ufeff") or "\0" in text):
            found = (
                "begins with a byte order mark"
                if text.startswith("\ufeff")
                else "contains null characters, as UTF-16 does"
            )
            yield section.fail(f"{found}; must be plain text, which Terraform writes as UTF-8", at)
    file, folder = local_path(archive, "source_file"), local_path(archive, "source_dir")
    if file is not None and file.is_file() and (fault := _fault(file)):
        yield archive.fail(f"{file.name} {fault}", "source_file")
    if folder is not None and folder.is_dir():
        for path in islice(_files(folder), _MOST_FILES):
            if fault := _fault(path):
                yield archive.fail(f"{path.relative_to(folder).as_posix()} {fault}", "source_dir")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and path.name not in _SKIPPED:
            yield from _files(path)
        elif path.is_file():
            yield path


def _fault(path: Path) -> str:
    if path.suffix == ".zip":
        return "" if zipfile.is_zipfile(path) else "is not a zip archive; let archive_file create it"
    if path.suffix not in _CODE or path.stat().st_size > _MOST_BYTES:
        return ""
    data = path.read_bytes()
    for mark, name in _MARKS:
        if data.startswith(mark):
            return f"begins with a {name} byte order mark; save the file as UTF-8 without one"
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return f"is not UTF-8 at byte {error.start}; save the file as UTF-8"
    return ""
