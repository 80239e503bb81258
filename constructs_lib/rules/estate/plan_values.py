"""Restores the references in the values of a plan from its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from constructs_lib.rules.estate.values import Unknown

Absolute = Callable[[str], Iterable[str]]

NOT_A_TYPE: Final = frozenset(("count", "each", "local", "path", "self", "terraform", "var"))
"""First words of references that are not to a block."""


class Restore:
    """Puts references back into the values of one block.

    Args:
        absolute: Yields what a reference made where the block stands means in the document.
        constant: Returns what a module's variable is set to, where it is a constant; else None.
        known_text: Returns the text that an attribute in the document holds, empty when none is known.
        configured: The block in the configuration.
        exists: Whether the block's resource exists: what AWS decided is then known, as is what the code says.
        root: Whether the block stands in the root module, where references need no translation.
    """

    def __init__(
        self,
        absolute: Absolute,
        constant: Callable[[str], object],
        known_text: Callable[[str], str],
        configured: dict[str, Any],
        *,
        exists: bool = False,
        root: bool = False,
    ) -> None:
        self._absolute = absolute
        self._constant = constant
        self._known_text = known_text
        self._exists = exists
        self._root = root
        each = configured.get("for_each_expression", {})
        self._each: list[str] = each.get("references", []) if isinstance(each, dict) else []

    def block(self, value: Any, unknown: Any, sensitive: Any, arguments: dict[str, Any] | None) -> Any:  # noqa: ANN401  JSON
        """Return a block's values with references where they are unknown, or where they came from another block.

        Args:
            value: What is planned.
            unknown: Of the same shape, True where it is known after apply.
            sensitive: Of the same shape, True where it is secret.
            arguments: What is configured: expressions by argument; None when the configuration does not show it.
        """
        if unknown is True or not isinstance(value, dict | None):
            return Unknown("known after apply") if unknown is True else _escaped(value)
        found: dict[str, Any] = {}
        below = unknown if isinstance(unknown, dict) else {}
        for key in dict.fromkeys((*(value or {}), *below)):
            given, expression = (value or {}).get(key), (arguments or {}).get(key)
            if arguments is not None and expression is None and key != "tags_all":
                if _at(below, key) is True or not _may_be_blocks(given):
                    continue  # nothing is configured: the provider or AWS decides
                if self._exists:
                    found[key] = Unknown("set by AWS, or by a dynamic block: a plan does not say")
                    continue
            restored = self._argument(given, _at(below, key), _at(sensitive, key), expression)
            if restored is not None:
                found[key] = restored
        return found

    def _argument(self, value: Any, unknown: Any, sensitive: Any, expression: Any) -> Any:  # noqa: ANN401  JSON
        if _is_leaf(expression):
            return self.leaf(value, unknown, sensitive is True, expression)
        if isinstance(value, list) and unknown is not True:
            return [
                self.block(item, _at(unknown, number), _at(sensitive, number), _nested(expression, number, item))
                for number, item in enumerate(value)
            ]
        return self.block(value, unknown, sensitive, expression if isinstance(expression, dict) else None)

    def leaf(self, value: Any, unknown: Any, sensitive: bool, expression: dict[str, Any]) -> Any:  # noqa: ANN401, FBT001  JSON
        """Return the value of an argument: a reference where it is unknown or secret, and may be one."""
        references = furthest(expression.get("references", ()))
        if self._root and references and "constant_value" in expression:
            return expression["constant_value"]  # of Terraform JSON, a plan shows the code itself
        if unknown is True or (sensitive and references):
            return self._reference(references)
        meant = dict.fromkeys(one for reference in references for one in self._absolute(reference))
        texts = {text: one for one in meant if (text := self._known_text(one))}
        return self._leaves(value, unknown, texts, references)

    def _leaves(self, value: Any, unknown: Any, texts: dict[str, str], references: list[str]) -> Any:  # noqa: ANN401  JSON
        if unknown is True:
            return self._reference(references)
        if isinstance(value, list):
            return [self._leaves(item, _at(unknown, number), texts, references) for number, item in enumerate(value)]
        if isinstance(value, dict) or (value is None and isinstance(unknown, dict)):
            below = unknown if isinstance(unknown, dict) else {}
            return {
                key: self._leaves((value or {}).get(key), _at(below, key), texts, references)
                for key in dict.fromkeys((*(value or {}), *below))
            }
        if isinstance(value, str) and value in texts:
            return f"${{{texts[value]}}}"
        return _escaped(value)

    def _reference(self, references: Iterable[str]) -> str | Unknown:
        found: dict[str, None] = {}
        for reference in references:
            meant = self._each if reference.startswith("each.") else [reference]
            for one in furthest(meant):
                found.update(dict.fromkeys(self._absolute(one)))
        blocks = [one for one in found if one.split(".")[0] not in NOT_A_TYPE or one.startswith("var.")]
        if blocks:
            return "".join(f"${{{one}}}" for one in blocks)
        return Unknown(f"{next(iter(found))} is known after apply" if found else "known after apply")

    def _plain(self, expression: Any) -> Any:  # noqa: ANN401  JSON
        if _is_leaf(expression):
            if "constant_value" in expression:
                return _escaped(expression["constant_value"])
            references = furthest(expression.get("references", ()))
            constant = self._constant(references[0]) if len(references) == 1 else None
            return self._reference(references) if constant is None else _escaped(constant)
        if isinstance(expression, list):
            return [self.constants(item) for item in expression]
        return self.constants(expression)

    def constants(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what a configuration says by itself: constants and references, without values beside it."""
        return {key: self._plain(expression) for key, expression in arguments.items()}


def _escaped(value: Any) -> Any:  # noqa: ANN401  JSON
    """Return a value that holds no expressions, as it is written where expressions are read."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return {key: _escaped(item) for key, item in value.items()} if isinstance(value, dict) else value


def furthest(references: Iterable[str]) -> list[str]:
    """Return references without those that another one goes on from: Terraform lists every step of the way."""
    found = list(references)
    return [one for one in found if not any(other.startswith((f"{one}.", f"{one}[")) for other in found)]


def _may_be_blocks(value: object) -> bool:
    """Return whether a value can come from `dynamic` blocks, of which a plan shows no expressions."""
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _is_leaf(expression: object) -> bool:
    """Return whether an expression is an argument's, not a nested block's."""
    if not isinstance(expression, dict):
        return False
    references = expression.get("references")
    return not expression or "constant_value" in expression or (isinstance(references, list) and _texts(references))


def _texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _at(marks: Any, key: Any) -> Any:  # noqa: ANN401  JSON
    """Return what stands at a key or number among marks, which hold True for everything below."""
    if isinstance(marks, dict):
        return marks.get(key)
    if isinstance(marks, list):
        return marks[key] if isinstance(key, int) and key < len(marks) else None
    return marks


def _nested(blocks: Any, number: int, value: Any) -> Any:  # noqa: ANN401  JSON
    """Return the configuration of a nested block: at its place, or where a set was sorted anew, with its constants."""
    if not isinstance(blocks, list):
        return blocks if isinstance(blocks, dict) else None
    here = blocks[number] if number < len(blocks) else None
    for block in (here, *blocks):
        if isinstance(block, dict) and isinstance(value, dict) and _agrees(block, value):
            return block
    return here


def _agrees(block: dict[str, Any], value: dict[str, Any]) -> bool:
    return all(
        value.get(key) == expression["constant_value"]
        for key, expression in block.items()
        if isinstance(expression, dict) and "constant_value" in expression
    )
