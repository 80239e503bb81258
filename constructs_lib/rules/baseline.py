"""A baseline: known findings that are accepted, so that only new ones are reported."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading.json_files import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from constructs_lib.rules.engine import Finding

VERSION: Final = 1

_FIELDS: Final = ("rule", "stack", "address", "at", "fingerprint")

Entry = tuple[str, str, str, str, str]
"""Rule, stack, address, attribute, fingerprint."""


@dataclass
class Sorted:
    """Findings compared with a baseline.

    Attributes:
        new: Not in the baseline.
        known: In the baseline, at the same address or at a new one.
        resolved: How many of its entries no longer match a finding.
    """

    new: list[Finding] = field(default_factory=list)
    known: list[Finding] = field(default_factory=list)
    resolved: int = 0


def compare(findings: Iterable[Finding], baseline: Iterable[Entry], present: Collection[tuple[str, str]]) -> Sorted:
    """Separate new findings from known ones.

    A finding at a new address is known if it has the same value and the address in the baseline no longer exists:
    the block was renamed. Findings about waivers are always new.

    Args:
        findings: Findings that are not waived.
        baseline: The entries of the baseline.
        present: Stack and address of every block of the estate.
    """
    left = Counter(baseline)
    sorted_ = Sorted()
    open_: list[Finding] = []
    for finding in findings:
        entry = entry_of(finding)
        if left[entry] > 0:
            left[entry] -= 1
            sorted_.known.append(finding)
        else:
            open_.append(finding)
    renamed: dict[tuple[str, str, str], int] = defaultdict(int)
    for (rule, stack, address, _, fingerprint), count in left.items():
        if (stack, address) not in present:
            renamed[rule, stack, fingerprint] += count
    for finding in open_:
        key = (finding.id, finding.stack, finding.fingerprint)
        if renamed[key] > 0:
            renamed[key] -= 1
            sorted_.known.append(finding)
        else:
            sorted_.new.append(finding)
    sorted_.resolved = max(0, left.total() - (len(open_) - len(sorted_.new)))
    return sorted_


def entry_of(finding: Finding) -> Entry:
    """Return the entry of a finding."""
    return (finding.id, finding.stack, finding.address, finding.at, finding.fingerprint)


def read(file: Path) -> list[Entry]:
    """Read a baseline.

    Raises:
        ConfigurationError: The file is not found or not a baseline.
    """
    if not file.exists():
        raise ConfigurationError(str(file), "file not found; --update-baseline writes it")
    document = read_json(file)
    entries = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(entries, list) or document.get("version") != VERSION:
        raise ConfigurationError(str(file), f"not a baseline of version {VERSION}; --update-baseline writes one")
    found: list[Entry] = []
    for entry in entries:
        texts = [entry.get(name) for name in _FIELDS] if isinstance(entry, dict) else []
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ConfigurationError(str(file), f"findings: {entry!r}: expected {', '.join(_FIELDS)}, each a string")
        rule, stack, address, at, fingerprint = map(str, texts)
        found.append((rule, stack, address, at, fingerprint))
    return found


def write(file: Path, findings: Iterable[Finding]) -> int:
    """Write a baseline of findings, without those about waivers, and return the number of its entries.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    entries = sorted(entry_of(finding) for finding in findings if finding.rule.family != "WAIVER")
    lines = [f"    {json.dumps(dict(zip(_FIELDS, entry, strict=True)), ensure_ascii=False)}" for entry in entries]
    body = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    text = f'{{\n  "version": {VERSION},\n  "findings": {body}\n}}\n'
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(str(file), f"cannot be written: {error.strerror or error}") from error
    return len(entries)
