"""Terraform's output as objects: errors with their construct, changes by type, differences by attribute."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REDACTED: Final = "(sensitive)"
UNKNOWN: Final = "(known after apply)"
WHOLE: Final = "*"

_TEXT_ERROR: Final = re.compile(
    r"^Error: (?P<summary>.+?)\n\n(?P<detail>.*?)(?=^(?:Error|Warning): |\Z)", re.MULTILINE | re.DOTALL
)
_INSTANCE: Final = re.compile(r"\[[^\]]*\]")
_COUNTERS: Final = {
    "create": ("add",),
    "update": ("change",),
    "delete": ("destroy",),
    "replace": ("add", "destroy"),
}


@dataclass(frozen=True)
class Origin:
    """The construct of a block of `cdk.tf.json`.

    Attributes:
        path: The construct path, such as `payments/vpc-eu-west-1/Resource`.
        caller: The line of Python that created it, from `constructs.json`; empty if the file does not name it.
    """

    path: str = ""
    caller: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """An error or warning of Terraform.

    Attributes:
        severity: `error` or `warning`.
        summary: The first line.
        detail: The other lines; may be empty.
        address: The address of the block, such as `aws_kms_key.key_eu_west_1`; empty if Terraform does not name it.
        origin: The construct of that block.
    """

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    origin: Origin = Origin()

    def __str__(self) -> str:
        where = [part for part in (self.address, self.origin.path, self.origin.caller) if part]
        place = f" [{', '.join(where)}]" if where else ""
        return "\n  ".join((f"{self.severity}: {self.summary}{place}", *self.detail.splitlines()))


@dataclass(frozen=True)
class Changes:
    """Numbers of resources to add, change and destroy, by type; a replacement counts in `add` and `destroy`."""

    add: Counter[str] = field(default_factory=Counter)
    change: Counter[str] = field(default_factory=Counter)
    destroy: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.destroy)

    def __str__(self) -> str:
        return f"{self.add.total()} to add, {self.change.total()} to change, {self.destroy.total()} to destroy"


@dataclass(frozen=True)
class Difference:
    """An attribute that a plan changes.

    Attributes:
        address: The resource, or `output.NAME`.
        attribute: The path of the attribute, such as `rule[0].status`; `*` for a whole resource.
        before: The current value.
        after: The planned value; `(known after apply)` if it is unknown. Sensitive values are `(sensitive)` on both
            sides.
        origin: The construct of the resource.
    """

    address: str
    attribute: str
    before: object
    after: object
    origin: Origin = Origin()

    @property
    def type(self) -> str:
        """The resource type, with the prefix `data.` for a data source."""
        parts = _INSTANCE.sub("", self.address).split(".")
        return ".".join(parts[:2]) if parts[0] == "data" else parts[0]

    def __str__(self) -> str:
        path = f" [{self.origin.path}]" if self.origin.path else ""
        return f"{self.address}{path} {self.attribute}: {json.dumps(self.before)} -> {json.dumps(self.after)}"


def origins(document: Mapping[str, Any], folder: Path | None = None) -> dict[str, Origin]:
    """Return the construct of each resource and data source of a `cdk.tf.json`, by address.

    Args:
        document: The JSON.
        folder: The folder of the stack, which has `constructs.json`; without it, callers are empty.
    """
    notes: dict[str, Any] = {}
    if folder is not None:
        with contextlib.suppress(OSError, ValueError):
            notes = json.loads((folder / "constructs.json").read_text(encoding="utf-8"))
    source = Source("", Path(), {}, notes=notes)
    found = {}
    for section, prefix in (("resource", ""), ("data", "data.")):
        for type_, named in document.get(section, {}).items():
            for name, block in named.items():
                path = block.get("//", {}).get("metadata", {}).get("path", "")
                found[f"{prefix}{type_}.{name}"] = Origin(path, source.caller(path))
    return found


def read_differences(document: Mapping[str, Any], known: Mapping[str, Origin]) -> tuple[Difference, ...]:
    """Return the changes in the output of `terraform show -json PLAN`: resources, then outputs."""
    differences: list[Difference] = []
    for resource in document.get("resource_changes", []):
        if resource["mode"] == "managed":
            differences += _differences(resource["address"], resource["change"], _origin(resource["address"], known))
    for name, change in sorted(document.get("output_changes", {}).items()):
        differences += _differences(f"output.{name}", change, Origin())
    return tuple(differences)


def read_messages(text: str) -> list[dict[str, Any]]:
    """Read the output of `plan -json` and `apply -json`: one JSON object per line, mixed with plain text."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def read_object(text: str) -> dict[str, Any]:
    """Read the output of `validate -json`, `show -json` and `output -json`: one JSON object after plain text."""
    start = re.search(r"^{", text, flags=re.MULTILINE)
    if start is None:
        raise ValueError("Terraform's output has no JSON object")
    document: dict[str, Any]
    document, _ = json.JSONDecoder().raw_decode(text, start.start())
    return document


def planned(messages: Iterable[Mapping[str, Any]]) -> Changes:
    """Count the changes in the output of `plan -json`."""
    return _count(message["change"] for message in messages if message.get("type") == "planned_change")


def applied(messages: Iterable[Mapping[str, Any]]) -> Changes:
    """Count the changes in the output of `apply -json`."""
    return _count(message["hook"] for message in messages if message.get("type") == "apply_complete")


def _count(actions: Iterable[Mapping[str, Any]]) -> Changes:
    changes = Changes()
    for action in actions:
        for counter in _COUNTERS.get(action["action"], ()):
            getattr(changes, counter)[action["resource"]["resource_type"]] += 1
    return changes


def diagnostics(messages: Iterable[Mapping[str, Any]], known: Mapping[str, Origin]) -> tuple[Diagnostic, ...]:
    """Return the distinct errors and warnings of `-json` output, each with its construct."""
    found: dict[Diagnostic, None] = {}
    for message in messages:
        for given in (message.get("diagnostic"), *message.get("diagnostics", ())):
            if given:
                diagnostic = _diagnostic(given, known)
                found[diagnostic] = None
    return tuple(found)


def text_errors(text: str) -> tuple[Diagnostic, ...]:
    """Return the errors in the plain text output of `terraform init -no-color`."""
    bare = re.sub(r"^[│╷╵] ?", "", text, flags=re.MULTILINE)
    return tuple(Diagnostic("error", match["summary"], match["detail"].strip()) for match in _TEXT_ERROR.finditer(bare))


def _diagnostic(given: Mapping[str, Any], known: Mapping[str, Origin]) -> Diagnostic:
    address = given.get("address") or ""
    if not address:
        # Validation errors name the block as `resource.aws_kms_key.key`, `data.aws_region.here` or `output.arn`.
        context = (given.get("snippet") or {}).get("context") or ""
        address = context.removeprefix("resource.")
    return Diagnostic(given["severity"], given["summary"], given.get("detail") or "", address, _origin(address, known))


def _origin(address: str, known: Mapping[str, Origin]) -> Origin:
    return known.get(_INSTANCE.sub("", address), Origin())


def _differences(address: str, change: Mapping[str, Any], origin: Origin) -> Iterator[Difference]:
    actions = change["actions"]
    if actions in (["no-op"], ["read"]):
        return
    before = _Side(change.get("before"), change.get("before_sensitive"))
    unknown = _unknown(change.get("after"), change.get("after_unknown"))
    after = _Side(unknown, change.get("after_sensitive"))
    found = [] if None in (before.value, after.value) else list(_compare("", before, after))
    # A resource that is created, deleted, or updated without a visible difference.
    for attribute, old, new in found or [(WHOLE, before, after)]:
        yield Difference(address, attribute or WHOLE, old.shown(), new.shown(), origin)


@dataclass(frozen=True)
class _Side:
    """A value, or a part of it, and Terraform's sensitivity marks, which have the same structure."""

    value: Any
    sensitive: Any

    def __getitem__(self, key: str | int) -> _Side:
        return _Side(_at(self.value, key), self.sensitive is True or _at(self.sensitive, key))

    def shown(self) -> object:
        if self.sensitive is True:
            return REDACTED
        if isinstance(self.value, dict):
            return {key: self[key].shown() for key in self.value}
        if isinstance(self.value, list):
            return [self[index].shown() for index in range(len(self.value))]
        return self.value


def _compare(path: str, before: _Side, after: _Side) -> Iterator[tuple[str, _Side, _Side]]:
    old, new = before.value, after.value
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _compare(f"{path}.{key}" if path else key, before[key], after[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index in range(len(old)):
            yield from _compare(f"{path}[{index}]", before[index], after[index])
    else:
        yield path, before, after


def _unknown(value: Any, marks: Any) -> Any:  # noqa: ANN401  JSON
    """Return the value with a placeholder for each attribute that is known after apply."""
    if marks is True:
        return UNKNOWN
    if isinstance(value, dict) and isinstance(marks, dict):
        return {**value, **{key: _unknown(value.get(key), mark) for key, mark in marks.items() if mark}}
    if isinstance(value, list) and isinstance(marks, list):
        return [_unknown(item, _at(marks, index)) for index, item in enumerate(value)]
    return value


def _at(value: Any, key: str | int) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else None
    return None
