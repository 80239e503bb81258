"""A synthesized stack for tests: blocks by type and construct path, references, comparison of whole blocks."""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from constructs_lib import App

_REFERENCE = re.compile(r"\$\{[^}]*\}")
_ADDRESS = re.compile(r"\b(data\.)?([a-z][a-z0-9]*_[a-z0-9_]+)\.([A-Za-z_][\w-]*)")


@dataclass(frozen=True)
class Block:
    """One resource or data source of a synthesized stack.

    Attributes:
        address: Terraform's address, such as `aws_vpc.vpc_eu_west_1` or `data.aws_caller_identity.current_eu_west_1`.
        path: The construct path, such as `payments/vpc-eu-west-1/Resource`.
        config: The attributes, without the engine's metadata.
    """

    address: str
    path: str
    config: dict[str, Any] = field(repr=False)

    def __getitem__(self, attribute: str) -> Any:  # noqa: ANN401  JSON
        if attribute not in self.config:
            raise AssertionError(f"{self.address} has no {attribute!r}; it has {', '.join(sorted(self.config))}")
        return self.config[attribute]

    def __contains__(self, attribute: str) -> bool:
        return attribute in self.config

    @property
    def references(self) -> frozenset[str]:
        """Addresses of the blocks that this one refers to, in expressions or `depends_on`."""
        return frozenset(_addresses(self.config))

    def assert_config(self, expected: Mapping[str, Any]) -> None:
        """Compare the whole block, except for provider and tags, and show the lines that differ.

        Args:
            expected: All attributes of the block.
        """
        actual = {key: value for key, value in self.config.items() if key not in ("provider", "tags")}
        assert_equal(self.address, actual, expected)


class SynthesizedStack:
    """One stack's `cdk.tf.json`.

    Attributes:
        directory: The folder of the stack, in which Terraform runs.
        document: The parsed JSON.
        text: The JSON as text.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.text = (directory / "cdk.tf.json").read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(self.text)
        self.blocks = tuple(self._read())

    def resources(self, type_: str, path: str = "*") -> list[Block]:
        """Return the resources of a type whose construct path matches a glob, sorted by address; at least one.

        Args:
            type_: Resource type, such as `aws_subnet`; with the prefix `data.` for data sources.
            path: A glob over construct paths, such as `*/vpc-eu-west-1/private-*`.

        Raises:
            AssertionError: No resource matches; the message lists the resources of the type.
        """
        found = self.find(type_, path)
        if not found:
            paths = "\n".join(f"  {block.path}" for block in self.find(type_)) or "  none of this type"
            raise AssertionError(f"no {type_} matches {path!r}; resources of this type:\n{paths}")
        return found

    def resource(self, type_: str, path: str = "*") -> Block:
        """Return the one resource of a type whose construct path matches a glob.

        Raises:
            AssertionError: No resource matches, or several match.
        """
        found = self.resources(type_, path)
        if len(found) > 1:
            paths = "\n".join(f"  {block.path}" for block in found)
            raise AssertionError(f"{len(found)} {type_} match {path!r}; expected one:\n{paths}")
        return found[0]

    def find(self, type_: str, path: str = "*") -> list[Block]:
        """Return the resources of a type whose construct path matches a glob; the list may be empty."""
        return [
            block
            for block in self.blocks
            if block.address.rsplit(".", 1)[0] == type_ and fnmatch.fnmatchcase(block.path, path)
        ]

    def at(self, address: str) -> Block:
        """Return the block at a Terraform address.

        Raises:
            AssertionError: No block has the address; the message names similar addresses.
        """
        for block in self.blocks:
            if block.address == address:
                return block
        close = difflib.get_close_matches(address, [block.address for block in self.blocks], n=3)
        raise AssertionError(f"no block has the address {address}; similar addresses: {', '.join(close) or 'none'}")

    @property
    def addresses(self) -> list[str]:
        """All addresses of the stack, sorted."""
        return [block.address for block in self.blocks]

    @property
    def outputs(self) -> dict[str, Any]:
        """Values of the outputs by name."""
        return {name: output["value"] for name, output in self.document.get("output", {}).items()}

    def provider(self, alias: str) -> dict[str, Any]:
        """Return the configuration of an aliased AWS provider.

        Raises:
            AssertionError: No provider has the alias.
        """
        providers = self.document["provider"]["aws"]
        found: list[dict[str, Any]] = [provider for provider in providers if provider.get("alias") == alias]
        if len(found) != 1:
            raise AssertionError(
                f"{len(found)} providers have the alias {alias!r}: {[p.get('alias') for p in providers]}"
            )
        return found[0]

    def _read(self) -> Iterator[Block]:
        for section, prefix in (("data", "data."), ("resource", "")):
            for type_, named in sorted(self.document.get(section, {}).items()):
                for name, body in sorted(named.items()):
                    config = {key: value for key, value in body.items() if key != "//"}
                    path = body.get("//", {}).get("metadata", {}).get("path", "")
                    yield Block(f"{prefix}{type_}.{name}", path, config)


def synthesize(build: Callable[[App], object], outdir: Path) -> dict[str, SynthesizedStack]:
    """Synthesize the stacks that `build` adds to an App, with all validations, as `cdktf synth` does.

    Args:
        build: Called with a new App.
        outdir: An empty folder; the app writes to `cdktf.out` in it.

    Returns:
        The stacks by id.
    """
    from constructs_lib import App  # noqa: PLC0415  starts the engine

    app = App(outdir=str(outdir / "cdktf.out"))
    build(app)
    app.synth()
    return {folder.name: SynthesizedStack(folder) for folder in sorted((outdir / "cdktf.out" / "stacks").iterdir())}


def read_stack(directory: str | Path) -> SynthesizedStack:
    """Read a synthesized stack from its folder `cdktf.out/stacks/<id>`."""
    return SynthesizedStack(Path(directory))


def assert_equal(what: str, actual: object, expected: object) -> None:
    """Assert that two JSON values are equal; the message shows the lines that differ."""
    if actual == expected:
        return
    old, new = (json.dumps(value, indent=2, sort_keys=True, default=str).splitlines() for value in (expected, actual))
    lines = difflib.unified_diff(old, new, "expected", "actual", lineterm="", n=1)
    raise AssertionError(f"{what} differs:\n" + "\n".join(lines))


def _addresses(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "depends_on":
                yield from item
            elif key != "provider":
                yield from _addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item)
    elif isinstance(value, str):
        for expression in _REFERENCE.findall(value):
            for data, type_, name in _ADDRESS.findall(expression):
                yield f"{data}{type_}.{name}"
