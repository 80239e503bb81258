"""`archive_file` of hashicorp/archive, as a data source and a resource; it creates zip files only."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import io
import re
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from constructs_lib.testing.standins.schema import (
    UNKNOWN,
    Attribute,
    Problem,
    RefusedError,
    ResourceType,
    Values,
    computed,
    optional,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DATE: Final = (2049, 1, 1, 0, 0, 0)  # the modification date in the real provider's zip files
_CONTENT_MODE: Final = 0o644
_SOURCES: Final = ("source", "source_content", "source_file", "source_dir")
_MODE: Final = re.compile(r"0o?[0-7]{1,4}")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")


class Entry(NamedTuple):
    """One file of an archive."""

    content: bytes
    mode: int


def zip_bytes(entries: dict[str, Entry], mode: int | None = None) -> bytes:
    """Return a reproducible zip file: entries are sorted and have one date.

    Args:
        entries: Entries by name in the archive, with forward slashes.
        mode: The mode of all entries; their own modes by default.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in sorted(entries.items()):
            header = zipfile.ZipInfo(name, _DATE)
            header.compress_type = zipfile.ZIP_DEFLATED
            header.create_system = 3  # Unix, so that the mode counts
            header.external_attr = (stat.S_IFREG | (entry.mode if mode is None else mode)) << 16
            archive.writestr(header, entry.content)
    return buffer.getvalue()


def excluded(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of the glob patterns: `*`, `?`, `[a-z]`, `{a,b}`, `**/`."""
    return any(
        _matches(tuple(name.split("/")), tuple(alternative.split("/")))
        for pattern in patterns
        for alternative in _alternatives(pattern)
    )


def _alternatives(pattern: str) -> Iterator[str]:
    braces = _BRACES.search(pattern)
    if not braces:
        yield pattern
        return
    for option in braces[1].split(","):
        yield from _alternatives(pattern[: braces.start()] + option + pattern[braces.end() :])


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _check(config: Values) -> Iterator[Problem]:
    given = [name for name in _SOURCES if _is_given(config, name)]
    known = [name for name in given if config[name] is not UNKNOWN]
    if not given:
        yield Problem(
            "Missing Attribute Configuration",
            "exactly one of source, source_content, source_file and source_dir must be set; none is.",
        )
    for name in known[1:]:
        yield Problem("Invalid Attribute Combination", f"{name} cannot be combined with {known[0]}.", name)
    if known == ["source_content"] and config["source_content_filename"] is None:
        yield Problem(
            "Missing Attribute Configuration",
            "source_content requires source_content_filename.",
            "source_content",
        )
    others = [name for name in known if name in ("source_content", "source_file")]
    if config["excludes"] not in (None, UNKNOWN) and others:
        yield Problem("Invalid Attribute Combination", f"excludes cannot be combined with {others[0]}.", "excludes")
    if config["type"] not in ("zip", UNKNOWN):
        yield Problem(
            "Archive type not supported",
            f'type must be "zip", got "{config["type"]}"; this stand-in does not support tar.gz.',
            "type",
        )
    mode = config["output_file_mode"]
    if mode not in (None, UNKNOWN, "") and not _MODE.fullmatch(mode):
        yield Problem(
            "Invalid output_file_mode",
            f'output_file_mode must be octal and begin with 0, such as "0644", got "{mode}".',
            "output_file_mode",
        )


def _is_given(config: Values, name: str) -> bool:
    if name == "source":
        return bool(config["source"])
    if name == "source_content":
        return config["source_content"] is not None or config["source_content_filename"] is not None
    return config[name] is not None


def _create(values: Values) -> Values:
    source = "source_file" if values["source_dir"] is None else "source_dir"
    try:
        entries = _entries(values)
    except OSError as error:
        raise _refused(f"cannot read {error.filename}: {error.strerror}", source) from error
    if not entries:
        raise _refused(f"archive has not been created as it would be empty: {values['source_dir']}", source)
    mode = values["output_file_mode"]
    data = zip_bytes(entries, int(mode, 8) if mode else None)
    output = Path(values["output_path"])
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    except OSError as error:
        raise _refused(f"cannot write {output}: {error.strerror}", "output_path") from error
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(data)
    sha512 = hashlib.sha512(data)
    return values | {
        "id": sha1,
        "output_size": len(data),
        "output_md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "output_sha": sha1,
        "output_sha256": sha256.hexdigest(),
        "output_base64sha256": base64.b64encode(sha256.digest()).decode(),
        "output_sha512": sha512.hexdigest(),
        "output_base64sha512": base64.b64encode(sha512.digest()).decode(),
    }


def _entries(values: Values) -> dict[str, Entry]:
    if values["source_dir"] is not None:
        directory = Path(values["source_dir"])
        if not directory.exists():
            raise _refused(f"could not archive missing directory: {directory}", "source_dir")
        if not directory.is_dir():
            raise _refused(f"could not archive directory that is a file: {directory}", "source_dir")
        patterns = values["excludes"] or ()
        found = _files(directory, "", patterns, follow=not values["exclude_symlink_directories"], parents=())
        return {name: _entry(path) for name, path in found}
    if values["source_file"] is not None:
        file = Path(values["source_file"])
        if not file.exists():
            raise _refused(f"could not archive missing file: {file}", "source_file")
        return {file.name: _entry(file)}
    contents = {block["filename"]: block["content"] for block in values["source"] or ()} or {
        values["source_content_filename"]: values["source_content"] or ""
    }
    return {name: Entry(content.encode(), _CONTENT_MODE) for name, content in contents.items()}


def _files(
    directory: Path, prefix: str, patterns: Iterable[str], *, follow: bool, parents: tuple[Path, ...]
) -> Iterator[tuple[str, Path]]:
    """Yield each file below a folder with its name in the archive; `follow` includes symbolic links to folders."""
    real = directory.resolve()
    if real in parents:
        raise _refused(f"symbolic links form a loop: {directory}", "source_dir")
    for child in directory.iterdir():
        name = prefix + child.name
        if excluded(name, patterns):
            continue
        if not child.is_dir():
            yield name, child
        elif follow or not child.is_symlink():
            yield from _files(child, f"{name}/", patterns, follow=follow, parents=(*parents, real))


def _entry(path: Path) -> Entry:
    return Entry(path.read_bytes(), stat.S_IMODE(path.stat().st_mode))


def _refused(detail: str, attribute: str) -> RefusedError:
    return RefusedError(Problem("Archive creation error", detail, attribute))


ARCHIVE_FILE: Final = ResourceType(
    attributes={
        "id": computed("string"),
        "type": required("string"),
        "output_path": required("string"),
        "source_file": optional("string"),
        "source_dir": optional("string"),
        "source_content": optional("string"),
        "source_content_filename": optional("string"),
        "excludes": optional(("set", "string")),
        "exclude_symlink_directories": optional("bool", replaces=lambda _old, _new: False),
        "output_file_mode": optional("string"),
        "output_size": computed("number"),
        "output_md5": computed("string"),
        "output_sha": computed("string"),
        "output_sha256": computed("string"),
        "output_base64sha256": computed("string"),
        "output_sha512": computed("string"),
        "output_base64sha512": computed("string"),
    },
    blocks={"source": {"content": Attribute("string", "required"), "filename": Attribute("string", "required")}},
    check=_check,
    create=_create,
    refresh=_create,
    keeps_results=False,
)
