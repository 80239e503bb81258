"""The estate: every stack that is looked at together, its blocks by address, and who refers to whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.regions import REGIONS, dns_suffix, partition
from constructs_lib.rules.estate.blocks import Block, edges
from constructs_lib.rules.estate.environments import stack_environment
from constructs_lib.rules.estate.expressions import Reference, evaluate
from constructs_lib.rules.estate.json_values import labelled, merged, place_of_state, step, walk, weigh
from constructs_lib.rules.estate.values import Computed, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.loading import Source

MAX_INSTANCES: Final = 200
"""Instances of one block that are looked at one by one; above, the block is looked at once with its keys unknown."""

_MAX_WEIGHT: Final = 1_000_000
"""Parts of one value: local values that hold others several times, which do so too, grow without limit."""

_ID_IS: Final = {
    "aws_cloudwatch_event_bus": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_s3_bucket": "bucket",
}
"""Types whose `id` is an argument."""

Names = Mapping[str, Mapping[str, object]]
"""What iterators of `dynamic` blocks stand for: by name, `key` and `value`."""

_NO_NAMES: Final[Names] = {}

_CROSS_STACK: Final = "cross-stack-reference-input-"


class Stack:
    """One root module: the blocks of a folder of Terraform JSON, or of a plan.

    Attributes:
        source: Where it was read from, and what stands beside it.
        name: The folder's name.
    """

    def __init__(self, estate: Estate, source: Source) -> None:
        self.estate = estate
        self.source = source
        self.name = source.name
        self._read_blocks: dict[str, list[Block]] | None = None
        self._resolving: set[tuple[object, ...]] = set()
        self._known: dict[tuple[int, str], object] = {}

    @property
    def id(self) -> str:
        """The name that cdktf knows the stack by; other stacks name its state by it."""
        notes = merged(merged(self.source.document.get("//")).get("metadata"))
        return str(notes.get("stackName") or self.source.folder.name or self.name)

    @property
    def _by_base(self) -> dict[str, list[Block]]:
        """Blocks by address without instance key; read when first asked for, as counts may depend on other stacks."""
        if self._read_blocks is None:
            found = self._read_blocks = {}
            for block in self._read(self.source.document):
                found.setdefault(block.base, []).append(block)
            self._known.clear()
        return self._read_blocks

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block in the order of the document."""
        for found in self._by_base.values():
            yield from found

    @property
    def terraform(self) -> Block:
        """The `terraform` block, empty where the document has none."""
        return self._by_base["terraform"][0]

    @cached_property
    def environment(self) -> str | None:
        """dev, staging or prod, where its providers, variables or name say so."""
        return stack_environment(self)

    def all(self, base: str) -> list[Block]:
        """Return the instances of a block by its address without instance key."""
        return self._by_base.get(base, [])

    def one(self, base: str) -> Block | None:
        """Return the first instance of a block by its address without instance key, or None."""
        return next(iter(self._by_base.get(base, ())), None)

    def resolve(self, raw: object, block: Block | None = None, names: Names = _NO_NAMES) -> Any:  # noqa: ANN401  JSON
        """Return a value with its references resolved.

        Args:
            raw: The value, unresolved.
            block: The block that sees it, for `each` and `count`.
            names: What the iterators of the `dynamic` blocks around it stand for.
        """
        if isinstance(raw, str):
            if "${" not in raw and "%{" not in raw:
                return raw
            return evaluate(raw, lambda reference: self._value(reference, block, names))
        if isinstance(raw, list):
            return [self.resolve(item, block, names) for item in raw]
        if isinstance(raw, dict):
            return {key: self.resolve(item, block, names) for key, item in raw.items() if key != "//"}
        return raw

    def follow(
        self, raw: object, block: Block | None = None, seen: set[str] | None = None
    ) -> Iterator[tuple[Block, Reference]]:
        """Yield the resources and data sources that a value refers to, through locals, outputs and remote state.

        Args:
            raw: The value, unresolved.
            block: The block that it stands in, whose `for_each` is what `each.value` refers to.
            seen: What was gone through already: each local value once, however many others hold it.
        """
        seen = set() if seen is None else seen
        for _, reference in edges(raw, ""):
            mark = f"{self.name}:{reference.text}"
            if mark in seen:
                continue
            if reference.kind == "each" and block is not None:
                seen.add(mark)
                each = block.body.get("for_each")
                here = each.get(block.key, each) if isinstance(each, dict) else each
                yield from self.follow(here, None, seen)
                continue
            through = self.one(reference.block) if reference.kind == "local" else self._far_output(reference)
            if through:
                seen.add(mark)
                path = reference.path if reference.kind == "local" else reference.path[2:]
                raw_value = through.body.get("value")
                part, _ = walk(raw_value, [str(one) for one in path])
                yield from through.stack.follow(raw_value if part is None else part, None, seen)
                continue
            found = self.all(reference.block)
            key: object = next(iter(reference.path), None)
            if block is not None and reference.text.startswith(
                (f"{reference.block}[each.key]", f"{reference.block}[count.index]")
            ):
                key = block.key
            exact = [target for target in found if target.key is not None and target.key == key]
            for target in exact or found:
                yield target, reference

    def _value(self, reference: Reference, block: Block | None, names: Names) -> object:
        if reference.type in names:
            return step(names[reference.type].get(reference.name), reference.path, reference.text)
        mark = (id(block) if reference.kind in ("each", "count", "self") else 0, reference.text, reference.path)
        if mark in self._resolving:
            return Unknown(f"{reference.text} refers to itself")
        self._resolving.add(mark)
        try:
            return self._lookup(reference, block)
        except RecursionError:
            return Unknown(f"{reference.text} is nested too deeply")
        finally:
            self._resolving.discard(mark)

    def _lookup(self, reference: Reference, block: Block | None) -> object:  # noqa: PLR0911  one for each kind
        text = f"${{{reference.text}}}"
        if block is not None and block.key is not None:
            if reference.kind == "each":
                return block.key if reference.name == "key" else step(block.each, reference.path, reference.text)
            if reference.kind == "count":
                return block.key
        if reference.kind not in ("var", "local", "resource", "data"):
            return Unknown(f"{reference.text} is not known before a plan", text)
        far = self._far_output(reference)
        if far:
            return step(far.stack.value_of(far, "value"), reference.path[2:], reference.text)
        found = self.all(reference.block)
        if not found:
            return Unknown(f"{reference.block} is not declared", text)
        if reference.kind == "var":
            if "default" not in found[0].body:
                return Unknown(f"{reference.block} has no default", text)
            return step(found[0].body["default"], reference.path, reference.text)
        if reference.kind == "local":
            return step(self.value_of(found[0], "value"), reference.path, reference.text)
        return self._attribute(found, reference)

    def value_of(self, block: Block, attribute: str) -> object:
        """Return the resolved value of an attribute, which is worked out once."""
        key = (id(block), attribute)
        if key not in self._known:
            value = block.get(attribute)
            too_large = weigh(value, self.estate.weights) > _MAX_WEIGHT
            self._known[key] = Unknown(f"{block.address} is too large") if too_large else value
        return self._known[key]

    def _attribute(self, found: list[Block], reference: Reference) -> object:
        path = reference.path
        if path[:1] == ("*",):
            return [self._of(block, path[1:], reference) for block in found]
        if not path and found[0].key is not None:
            blocks = [self._of(block, (), reference) for block in found]
            is_list = isinstance(found[0].key, int)
            return blocks if is_list else dict(zip((str(block.key) for block in found), blocks, strict=True))
        if path and (found[0].key is not None or isinstance(path[0], int | Unknown) or "for_each" in found[0].body):
            keyed = [block for block in found if block.key in (path[0], None)]
            value = self._of((keyed or found)[0], path[1:], reference)
            if keyed:
                return value
            if isinstance(value, Computed):  # any of the instances, unless there is one only
                return value if len(found) == 1 else Computed(value.reason, value.text, None, value.attribute)
            return Unknown(f"{reference.text} has an index that is not known", f"${{{reference.text}}}")
        return self._of(found[0], path, reference)

    def _of(self, block: Block, path: tuple[Any, ...], reference: Reference) -> object:
        text = f"${{{reference.text}}}"
        if not path:
            return Computed(f"{reference.text} is a whole block", text, block, "")
        attribute = str(path[0])
        known = _ID_IS.get(block.type) if attribute == "id" else attribute
        value = self.value_of(block, known) if known else None
        if block.type == "data.aws_region" and attribute in ("name", "region", "id"):
            value = block.region
        if block.type == "data.aws_partition" and attribute in ("partition", "dns_suffix", "id"):
            value = _partition(block.region, attribute)
        if value is None:
            return Computed(f"{reference.text} is known after apply", text, block, attribute)
        return step(value, path[1:], reference.text)

    def _far_output(self, reference: Reference) -> Block | None:
        """Return the output of another stack of the estate that a remote state reference means."""
        if reference.type != "terraform_remote_state" or reference.kind != "data" or len(reference.path) < 2:  # noqa: PLR2004  outputs and one name
            return None
        state = self.one(reference.block)
        stack = self.estate.stack_of_state(state) if state else None
        return stack.one(f"output.{reference.path[1]}") if stack else None

    def _read(self, document: dict[str, Any]) -> Iterator[Block]:
        # Variables and local values first: counts and keys of what follows are made of them.
        yield Block(self, "terraform", "", merged(document.get("terraform")))
        for word, type_ in (("variable", "var"), ("output", "output"), ("module", "module")):
            for (name,), body in labelled(document.get(word), 1):
                yield Block(self, type_, name, merged(body))
        for name, value in merged(document.get("locals")).items():
            if name != "//":
                yield Block(self, "local", name, {"value": value})
        for (kind,), value in labelled(document.get("provider"), 1):
            for body in value if isinstance(value, list) else [value]:
                if isinstance(body, dict):
                    yield Block(self, f"provider.{kind}", str(body.get("alias") or ""), body)
        for word, prefix in (("data", "data."), ("resource", "")):
            for (type_, name), value in labelled(document.get(word), 2):
                for body in value if isinstance(value, list) else [value]:
                    if isinstance(body, dict):
                        yield from self._instances(prefix + type_, name, body)

    def _instances(self, type_: str, name: str, body: dict[str, Any]) -> Iterator[Block]:
        notes = body.get("//")
        if isinstance(notes, dict) and "instance" in notes:
            yield Block(self, type_, name, body, notes["instance"])  # of a plan, which names each instance
            return
        each, count = self.resolve(body.get("for_each")), self.resolve(body.get("count"))
        keyed: Iterable[tuple[object, object]] | None = None
        if isinstance(each, dict):
            keyed = each.items()
        elif isinstance(each, list) and all(isinstance(item, str) for item in each):
            keyed = ((item, item) for item in dict.fromkeys(each))
        elif isinstance(count, int | float | str) and re.fullmatch(r"[0-9]+", str(count)):
            keyed = ((number, None) for number in range(min(int(count), MAX_INSTANCES + 1)))
        instances = [Block(self, type_, name, body, key, value) for key, value in keyed] if keyed is not None else None
        if instances is None or len(instances) > MAX_INSTANCES:
            yield Block(self, type_, name, body)
        else:
            yield from instances


class Estate:
    """Every stack that is looked at together.

    Args:
        sources: What was read, one for each stack.
        environment: dev, staging or prod for all of it; by default each block's own, read from tags and names.
    """

    def __init__(self, sources: Iterable[Source], environment: str | None = None) -> None:
        self.given_environment = environment
        self.stacks = [Stack(self, source) for source in sources]
        self._states: dict[int, Stack | None] = {}
        self.weights: dict[int, tuple[object, int]] = {}

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block of every stack."""
        for stack in self.stacks:
            yield from stack.blocks

    @cached_property
    def by_type(self) -> dict[str, list[Block]]:
        """Blocks by type, such as `aws_vpc`, `data.aws_vpc`, `provider.aws`, `output`."""
        found: dict[str, list[Block]] = defaultdict(list)
        for block in self.blocks:
            found[block.type].append(block)
        return found

    def of(self, *types: str) -> list[Block]:
        """Return the blocks of these types, in the order of the types."""
        return [block for type_ in types for block in self.by_type.get(type_, ())]

    @cached_property
    def incoming(self) -> dict[tuple[str, str], list[Block]]:
        """Who refers to a block, by stack and address without instance key: through locals and stacks as well."""
        found: dict[tuple[str, str], dict[Block, None]] = defaultdict(dict)
        for block in self.blocks:
            if block.type in ("local", "output", "var"):
                continue
            for _, reference in block.edges:
                if reference.kind in ("resource", "data") and reference.type != "terraform_remote_state":
                    found[block.stack.name, reference.block][block] = None
                elif reference.kind in ("local", "data"):
                    for target, _ in block.stack.follow(f"${{{reference.text}}}"):
                        found[target.stack.name, target.base][block] = None
        return {key: list(blocks) for key, blocks in found.items()}

    def stack_of_state(self, state: Block) -> Stack | None:
        """Return the stack of the estate whose state a `terraform_remote_state` reads."""
        if id(state) not in self._states:
            self._states[id(state)] = self._find_stack(state)
        return self._states[id(state)]

    def _find_stack(self, state: Block) -> Stack | None:
        named = [stack for stack in self.stacks if state.name == f"{_CROSS_STACK}{stack.id}"]
        beside = [stack for stack in named if stack.source.folder.parent == state.stack.source.folder.parent]
        if named:
            return (beside or named)[0]
        kind, config = state.get("backend"), state.get("config")
        if not isinstance(kind, str) or not isinstance(config, dict):
            return None
        place = place_of_state(kind, config, state.stack.source.folder)
        if not place:
            return None
        return next(
            (
                stack
                for stack in self.stacks
                if place_of_state(kind, stack.terraform.get(f"backend.{kind}"), stack.source.folder) == place
            ),
            None,
        )


def _partition(region: str | Unknown, attribute: str) -> str | Unknown | None:
    if isinstance(region, Unknown):
        return region
    if region not in REGIONS:
        return Unknown(f"the partition of {region} is not known")
    return dns_suffix(region) if attribute == "dns_suffix" else partition(region)
