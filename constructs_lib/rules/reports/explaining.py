"""The page of a rule, for the terminal and for the documentation."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.checking import all_rules, no_such_rule
from constructs_lib.rules.reports.as_text import paint
from constructs_lib.rules.rule import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.rules.reports import Options
    from constructs_lib.rules.rule import Rule, Severity


def explain(id_: str, options: Options) -> str:
    """Return the page of one rule.

    Raises:
        ConfigurationError: The rule is not found.
    """
    rule = next((rule for rule in all_rules() if rule.id == id_.upper()), None)
    if rule is None:
        raise no_such_rule(id_)

    def head(text: str) -> str:
        return paint(text, "bold", on=options.colour)

    def wrapped(text: str) -> str:
        width = max(options.width, 40)
        return textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False)

    facts = [
        ("family", FAMILIES[rule.family]),
        ("checks", ", ".join(rule.types)),
        *((name, text) for name, text in facts_of(rule).items() if text),
        ("page", rule.page),
    ]
    lines = [
        head(f"{rule.id}  {rule.title}"),
        "",
        head("Why"),
        wrapped(rule.why),
        "",
        head("Fix"),
        wrapped(rule.fix),
        "",
    ]
    lines += [f"{head(f'{name:<12}')} {text}" for name, text in facts]
    for name, document in (("Bad", rule.bad), ("Good", rule.good)):
        lines += ["", head(name), textwrap.indent(example(document), "  ")]
    return "\n".join(lines) + "\n"


def facts_of(rule: Rule) -> dict[str, str]:
    """Return severity, frameworks and lessons as short texts."""
    frameworks = rule.frameworks
    titles = {"fsbp": "FSBP", "cis": "CIS", "pci": "PCI DSS", "checkov": "checkov"}
    return {
        "severity": _by_environment(rule.severity),
        **{title: ", ".join(getattr(frameworks, name)) for name, title in titles.items()},
        "lessons": ", ".join(rule.lessons),
        "unknown": f"a value that is not known passes: {rule.unknown_passes}" if rule.unknown_passes else "",
    }


def example(document: Mapping[str, Any]) -> str:
    """Return an example of a rule as text: Terraform JSON, or a waiver as TOML."""
    if "waiver" not in document:
        return json.dumps(document, indent=2, ensure_ascii=False)
    return "\n".join(
        f"[[waiver]]\n{''.join(_toml(name, value) for name, value in waiver.items())}".rstrip()
        for waiver in document["waiver"]
    )


def _by_environment(severity: Severity) -> str:
    """Return `error`, or `info in dev, warning in staging and prod`."""
    names: dict[str, list[str]] = {}
    for name in ("dev", "staging", "prod"):
        names.setdefault(severity.in_(name), []).append(name)
    if len(names) == 1:
        return severity.prod
    return ", ".join(f"{level} in {' and '.join(where)}" for level, where in names.items())


def _toml(name: str, value: Any) -> str:  # noqa: ANN401  a list or a text
    text = value if name == "until" else json.dumps(value, ensure_ascii=False)
    return f"{name} = {text}\n"
