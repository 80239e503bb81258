"""Merges the files of a folder into one document, as Terraform does."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading.json_files import Repeating, holds_repeating, repeated
from constructs_lib.rules.estate.source import Duplicate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LABELS: Final = {
    "check": 1,
    "data": 2,
    "ephemeral": 2,
    "module": 1,
    "output": 1,
    "provider": 1,
    "resource": 2,
    "variable": 1,
}
"""Block types with labels, and the number of labels."""

_ARGUMENTS: Final = ("locals", "terraform")
_LISTS: Final = ("import", "moved", "removed")
TOP_LEVEL: Final = frozenset((*LABELS, *_ARGUMENTS, *_LISTS, "//"))
"""The top-level keys of a file."""

_LONGEST_SHOWN: Final = 40


class Merge:
    """The document of a folder, file by file.

    Attributes:
        document: The files merged so far.
        given: Variables whose defaults were set.
    """

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self.given: set[str] = set()
        self._given: dict[str, list[str]] = defaultdict(list)

    @property
    def duplicates(self) -> list[Duplicate]:
        """Duplicates found so far."""
        return [Duplicate(path, tuple(dict.fromkeys(files))) for path, files in self._given.items() if len(files) > 1]

    def add(self, file: Path, content: dict[str, Any]) -> None:
        """Add a file; the first of duplicate blocks is kept."""
        marked = holds_repeating(content)
        for word, value in _blocks(file, content):
            if word in LABELS:
                for labels, body in _labelled(file, word, value, LABELS[word]):
                    self._add_block(file, (word, *labels), body)
                    if marked:
                        self._note_repeated(file, ".".join((word, *labels)), body)
            elif word == "locals":
                for name, local in value.items():
                    if name != "//" and self._is_new(file, f"locals.{name}"):
                        self.document.setdefault(word, {})[name] = local
                self._note_repeated(file, word, value)
            elif word == "terraform":
                _join_settings(self.document.setdefault(word, {}), value)
            elif word == "//":
                self.document.setdefault(word, value)
            else:
                self.document.setdefault(word, []).append(value)

    def override(self, file: Path, content: dict[str, Any]) -> None:
        """Apply an override file: its arguments and nested block types replace those of the same name.

        See https://developer.hashicorp.com/terraform/language/files/override.
        """
        for word, value in _blocks(file, content):
            if word in LABELS:
                for labels, body in _labelled(file, word, value, LABELS[word]):
                    self._override_block(file, (word, *labels), body)
            elif word == "locals":
                self.document.setdefault(word, {}).update(value)
            elif word == "terraform":
                if "backend" in value or "cloud" in value:
                    for key in ("backend", "cloud"):
                        self.document.setdefault(word, {}).pop(key, None)
                _join_settings(self.document.setdefault(word, {}), value)

    def set_defaults(self, values: dict[str, Any]) -> None:
        """Set the values of `*.tfvars.json` files as defaults of declared variables."""
        for name, body in self.document.get("variable", {}).items():
            if name in values:
                body["default"] = values[name]
                self.given.add(name)

    def _add_block(self, file: Path, labels: tuple[str, ...], body: dict[str, Any]) -> None:
        path = ".".join(labels)
        if labels[0] == "provider":
            alias = body.get("alias")
            if self._is_new(file, f"{path}.{alias}" if alias else path):
                self.document.setdefault("provider", {}).setdefault(labels[1], []).append(body)
            return
        place = self.document
        for label in labels[:-1]:
            place = place.setdefault(label, {})
        if self._is_new(file, path):
            place[labels[-1]] = body

    def _note_repeated(self, file: Path, path: str, value: object) -> None:
        for inner in repeated(value, path):
            self._given[inner].extend((file.name, file.name))

    def _override_block(self, file: Path, labels: tuple[str, ...], body: dict[str, Any]) -> None:
        place: Any = self.document
        for label in labels[:-1]:
            place = place.get(label, {})
        base = place.get(labels[-1])
        if labels[0] == "provider":
            base = next((one for one in base or () if one.get("alias") == body.get("alias")), None)
        if base is None:
            raise ConfigurationError(str(file), f"overrides {'.'.join(labels)}, which is not declared in another file")
        lifecycle = {**_single(base.get("lifecycle")), **_single(body.get("lifecycle"))}
        base.update(body)
        if lifecycle:
            base["lifecycle"] = lifecycle

    def _is_new(self, file: Path, path: str) -> bool:
        self._given[path].append(file.name)
        return len(self._given[path]) == 1


def check_document(file: Path, content: object) -> dict[str, Any]:
    """Check that a document is Terraform JSON, and return it.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(content, dict):
        raise ConfigurationError(str(file), f"must be an object with blocks such as resource, not {_shown(content)}")
    strange = [key for key in content if key not in TOP_LEVEL]
    if strange and len(strange) == len(content):
        keys = ", ".join(repr(key) for key in strange[:5])
        raise ConfigurationError(str(file), f"not Terraform JSON: no top-level key is a Terraform block: {keys}")
    if strange:
        close = difflib.get_close_matches(strange[0], TOP_LEVEL, 1) or sorted(TOP_LEVEL)
        raise ConfigurationError(str(file), f"{strange[0]!r} is not a Terraform block; expected {', '.join(close)}")
    return content


def _blocks(file: Path, content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what stands at the top; a word that is repeated, or whose value is a list, once for each."""
    for word, value in check_document(file, content).items():
        if word == "//":
            yield word, value
            continue
        for part in _parts(file, word, _given(content, word, value)):
            yield word, part


def _labelled(file: Path, at: str, value: dict[str, Any], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    for label, inner in value.items():
        if label == "//":
            continue
        where = f"{at}.{label}"
        for part in _parts(file, where, _given(value, label, inner)):
            if depth == 1:
                yield (label,), part
            else:
                for labels, body in _labelled(file, where, part, depth - 1):
                    yield (label, *labels), body


def _given(outer: dict[str, Any], key: str, value: object) -> list[Any]:
    """Return what an object gives for a key: one value, or each of them where it repeats the key."""
    return outer.repeated.get(key, [value]) if isinstance(outer, Repeating) else [value]


def _parts(file: Path, at: str, given: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects among values that are objects, lists of them, or null."""
    for one in given:
        for part in one if isinstance(one, list) else [one]:
            if part is None:
                continue
            if not isinstance(part, dict):
                raise ConfigurationError(str(file), f"{at}: must be an object, not {_shown(part)}")
            yield part


def _join_settings(into: dict[str, Any], value: dict[str, Any]) -> None:
    for key, part in value.items():
        known = into.get(key)
        if key in ("required_providers", "backend") and known is not None:
            into[key] = {**_single(known), **_single(part)}
        else:
            into[key] = part


def _single(value: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            found.update(part)
    return found


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def merge(files: Iterable[tuple[Path, Any]], overrides: Iterable[tuple[Path, Any]]) -> Merge:
    """Merge files, then apply the override files, in the order given."""
    merged = Merge()
    for file, content in files:
        merged.add(file, check_document(file, content))
    for file, content in overrides:
        merged.override(file, check_document(file, content))
    return merged
