"""The `override.tf.json` of a stack's copy, which Terraform merges into the stack.

See https://developer.hashicorp.com/terraform/language/files/override.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_RETRIES: Final = 2
"""With the provider's default of 25, a call that the local AWS does not support takes eleven minutes to fail."""

PROTECTIONS: Final = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")


def override(
    document: Mapping[str, Any], *, state: Path, account_id: str, left_out: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the content of `override.tf.json` for a `cdk.tf.json`.

    Args:
        document: The stack.
        state: The local state file, instead of the stack's own backend.
        account_id: The account of the local AWS; replaces the stack's `allowed_account_ids`.
        left_out: Resources that are not created, by type and name.
    """
    change: dict[str, dict[str, Any]] = {
        "terraform": {"backend": {"local": {"path": str(state)}}},
        "provider": {
            "aws": [_provider(block, account_id) for block in _blocks(document.get("provider", {}).get("aws"))]
        },
        "resource": {
            type_: {name: {"for_each": {}} if "for_each" in block else {"count": 0} for name, block in named.items()}
            for type_, named in left_out.items()
        },
    }
    # Terraform reads an empty section as a block without a name.
    return {section: content for section, content in change.items() if any(content.values())}


def find_left_out(document: Mapping[str, Any], types: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Return the resources of types that the local AWS does not support, by type and name.

    Raises:
        HarnessError: Another block refers to one of them, so that it cannot be left out.
    """
    resources = document.get("resource", {})
    found = {type_: dict(named) for type_, named in resources.items() if type_ in types}
    addresses = {f"{type_}.{name}" for type_, named in found.items() for name in named}
    for user, text in _expressions(document):
        for address in addresses - {user}:
            if f"{address}." in text:
                raise HarnessError(
                    f"{address}: the local AWS does not support {address.partition('.')[0]}, and {user} refers to it, "
                    "so that it cannot be left out"
                )
    return found


def unprotect(document: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return an override that removes deletion protection, and whether it must be applied before the destroy.

    Deletion protection is an attribute of the AWS resource, which an apply turns off; `prevent_destroy` is a lifecycle
    argument of Terraform.
    """
    resources: dict[str, dict[str, Any]] = {}
    to_apply = False
    for type_, named in document.get("resource", {}).items():
        for name, block in named.items():
            change: dict[str, Any] = {key: False for key in PROTECTIONS if block.get(key)}
            to_apply = to_apply or bool(change)
            if any(lifecycle.get("prevent_destroy") for lifecycle in _blocks(block.get("lifecycle"))):
                change["lifecycle"] = {"prevent_destroy": False}
            if change:
                resources.setdefault(type_, {})[name] = change
    return ({"resource": resources} if resources else {}), to_apply


def _provider(block: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    change: dict[str, Any] = {"max_retries": MAX_RETRIES}
    if "alias" in block:
        change["alias"] = block["alias"]
    if block.get("allowed_account_ids"):
        change["allowed_account_ids"] = [account_id]
    return change


def _blocks(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  JSON: none, one or a list
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def _expressions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the address of each block with each of its expressions."""
    for section, prefix in (("resource", ""), ("data", "data.")):
        for type_, named in document.get(section, {}).items():
            for name, block in named.items():
                yield from ((f"{prefix}{type_}.{name}", text) for text in _strings(block))
    for section in ("output", "locals", "provider"):
        yield from ((section, text) for text in _strings(document.get(section, {})))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("depends_on", "//"):
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str) and "${" in value:
        yield value
