"""Finds stacks in cdktf.out folders, other folders, single files and plans."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading.json_files import read_json
from constructs_lib.rules.estate.loading.merging import check_document, merge
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.estate.plan_document import plan_document
from constructs_lib.rules.estate.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENDING: Final = ".tf.json"
_SKIPPED: Final = frozenset(("node_modules", "__pycache__", "site-packages"))
_NOTES: Final = "constructs.json"
_SHOW: Final = "pass the output of `terraform show -json` for a saved plan"


def load(paths: Iterable[str | os.PathLike[str]], *, environment: str | None = None) -> Estate:
    """Read stacks into an estate.

    Args:
        paths: Each a `cdktf.out`, the folder of a stack, a folder with folders of `*.tf.json` below it, one such file,
            or a plan as `terraform show -json` writes it.
        environment: dev, staging or prod for all blocks; by default determined for each block from tags and names.

    Raises:
        ConfigurationError: No stack is found, or a file cannot be read; with the file, line and column.
    """
    sources: dict[Path, Source] = {}
    for path in map(Path, paths):
        try:
            for place in _places(path):
                key = place.resolve()
                if key not in sources:
                    sources[key] = read(place)
        except OSError as error:
            raise ConfigurationError(str(error.filename or path), f"cannot be read: {error.strerror}") from error
    _tell_apart(sources)
    return Estate(sources.values(), environment)


def read(place: Path) -> Source:
    """Read one stack: a folder that holds `*.tf.json`, one such file, or a plan.

    Raises:
        ConfigurationError: It cannot be read.
    """
    if place.is_dir():
        return _read_files(place, _files(place))
    if place.name.endswith(_ENDING):
        return _read_files(place.parent, [place])
    if place.suffix in (".tf", ".tfplan"):
        kind = "HCL is not supported" if place.suffix == ".tf" else "a saved plan is binary"
        raise ConfigurationError(str(place), f"{kind}: {_SHOW}")
    content = read_json(place)
    if isinstance(content, dict) and "format_version" in content:
        return Source(
            place.name.removesuffix(".json"), place.parent, plan_document(place, content), notes=_notes(place.parent)
        )
    if isinstance(content, dict) and {"lineage", "serial", "terraform_version"} <= content.keys():
        raise ConfigurationError(str(place), f"a state file does not contain the configuration: {_SHOW}")
    check_document(place, content)
    return _read_files(place.parent, [place])


def _places(path: Path) -> list[Path]:
    """Return the folders and files below a path that are a stack each."""
    if not path.exists():
        raise ConfigurationError(str(path), "file or folder not found")
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    written_in_hcl = ""
    for folder, folders, files in os.walk(path, onerror=_stop):
        here = Path(folder)
        has_json = any(_counts(name) for name in files)
        if has_json:
            found.append(here)
        elif not written_in_hcl:
            written_in_hcl = next((name for name in sorted(files) if name.endswith(".tf")), "")
        below_stack = has_json and here.parent.name == "stacks"
        folders[:] = [] if below_stack else sorted(name for name in folders if _is_entered(here / name))
    if found:
        return found
    if written_in_hcl:
        raise ConfigurationError(str(path), f"contains HCL ({written_in_hcl}), which is not supported: {_SHOW}")
    raise ConfigurationError(
        str(path), "no *.tf.json files found; pass a cdktf.out folder, a folder of Terraform JSON, or a plan"
    )


def _stop(error: OSError) -> None:
    """Fail on a folder that cannot be listed."""
    raise error


def _is_entered(folder: Path) -> bool:
    if folder.name.startswith(".") or folder.name in _SKIPPED:
        return False
    return not os.access(folder, os.X_OK) or not (folder / "pyvenv.cfg").exists()


def _counts(name: str) -> bool:
    """Return whether Terraform reads a file of this name: it ignores hidden files and backups of editors."""
    return name.endswith(_ENDING) and not name.startswith((".", "#"))


def _files(folder: Path) -> list[Path]:
    found = sorted(folder / entry.name for entry in os.scandir(folder) if _counts(entry.name))
    for file in found:
        if file.exists() and not file.is_file() and not file.is_dir():
            raise ConfigurationError(str(file), "not a regular file")
    return [file for file in found if not file.is_dir()]


def _read_files(folder: Path, files: list[Path]) -> Source:
    overriding = [file for file in files if _is_override(file)] if len(files) > 1 else []
    merged = merge(
        ((file, read_json(file)) for file in files if file not in overriding),
        ((file, read_json(file)) for file in overriding),
    )
    for values in _variable_files(folder):
        merged.set_defaults(values)
    unread = sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.name.endswith((".tf", ".tfvars")) and not entry.name.startswith(".")
    )
    return Source(
        name=folder.resolve().name,
        folder=folder,
        document=merged.document,
        duplicates=merged.duplicates,
        notes=_notes(folder),
        unread=unread,
        given=merged.given,
    )


def _is_override(file: Path) -> bool:
    return file.name == f"override{_ENDING}" or file.name.endswith(f"_override{_ENDING}")


def _variable_files(folder: Path) -> Iterator[dict[str, Any]]:
    for file in (folder / "terraform.tfvars.json", *sorted(folder.glob("*.auto.tfvars.json"))):
        if file.is_file():
            values = read_json(file)
            if not isinstance(values, dict):
                raise ConfigurationError(str(file), "must be an object that maps variable names to values")
            yield values


def _notes(folder: Path) -> dict[str, Any]:
    file = folder / _NOTES
    if not file.is_file():
        return {}
    notes = read_json(file)
    shapes = {"callers": dict, "opt_outs": list, "waivers": list}
    if not isinstance(notes, dict):
        raise ConfigurationError(str(file), "must be an object")
    for key, shape in shapes.items():
        if not isinstance(notes.get(key, shape()), shape):
            raise ConfigurationError(str(file), f"{key}: must be {'an object' if shape is dict else 'a list'}")
    if not all(isinstance(line, str) for line in notes.get("callers", {}).values()):
        raise ConfigurationError(str(file), "callers: must map each path to a string such as stacks/payments.py:62")
    return notes


def _tell_apart(sources: dict[Path, Source]) -> None:
    """Make names of stacks unique: by their parent folders, and for files of one folder by the file's name."""
    level = 1
    while True:
        counts = Counter(source.name for source in sources.values())
        same = [(place, source) for place, source in sources.items() if counts[source.name] > 1]
        if not same or level > max(len(place.parts) for place in sources):
            return
        level += 1
        for place, source in same:
            parts = place.with_name(place.name.removesuffix(_ENDING)).parts
            source.name = "/".join(parts[-level:])
