"""The model that rules read: an estate of stacks, their blocks and nested blocks.

Values are resolved as Terraform resolves them; a value that is known after an apply only is `Unknown`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate import environments
from constructs_lib.rules.estate.attributes import ID_ARGUMENTS, partition_attribute
from constructs_lib.rules.estate.body import Body
from constructs_lib.rules.estate.declarations import instances, resources, settings
from constructs_lib.rules.estate.expressions import Reference, evaluate
from constructs_lib.rules.estate.json_values import merged, place_of_state, step, walk, weigh
from constructs_lib.rules.estate.references import edges
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import Fail, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.source import Source

_MAX_WEIGHT: Final = 1_000_000
"""The largest value, in parts: local values that contain others several times can grow exponentially."""

Names = Mapping[str, Mapping[str, object]]
"""The `key` and `value` of iterators of `dynamic` blocks, by the iterator's name."""

_NO_NAMES: Final[Names] = {}

_CROSS_STACK: Final = "cross-stack-reference-input-"


@dataclass(frozen=True)
class Computed(Unknown):
    """An attribute that AWS sets: its value is unknown, its block is known.

    Attributes:
        block: The resource or data source.
        attribute: The attribute, such as `arn`.
    """

    block: Block | None = field(default=None, compare=False)
    attribute: str = ""


class Section(Body):
    """A nested block, or a whole block: values by dotted path below `at`.

    Attributes:
        block: The block that contains it.
        at: Its dotted path in the block; empty for the block itself.
        names: The values of the iterators of the `dynamic` blocks around it.
    """

    def __init__(self, block: Block, at: str, body: Any, names: Names | None = None) -> None:  # noqa: ANN401  JSON
        super().__init__(body)
        self.block = block
        self.at = at
        self.names: Names = names or {}

    def sections(self, path: str) -> list[Section]:
        """Return the nested blocks at a path, written as an object, a list or a `dynamic` block.

        If an unknown expression generates them, return one with unknown values.
        """
        raw = self.raw(path)
        if isinstance(raw, str):
            raw = self._resolve(raw)
        bodies = raw if isinstance(raw, list) else [raw]
        single = not isinstance(raw, list)
        found = [
            Section(self.block, self._below(path if single else f"{path}.{number}"), body, self.names)
            for number, body in enumerate(bodies)
            if isinstance(body, dict | Unknown)
        ]
        *above, last = path.split(".")
        at = ".".join((*above, "dynamic", last))
        dynamic = self.raw(at)
        for body in dynamic if isinstance(dynamic, list) else [dynamic]:
            if isinstance(body, dict):
                found.extend(self._expanded(last, f"{at}.content", body))
        return found

    def _expanded(self, label: str, at: str, dynamic: dict[str, Any]) -> Iterator[Section]:
        """Yield the nested blocks of a `dynamic` block; one with unknown values if `for_each` is unknown."""
        contents = dynamic.get("content")
        content = contents[0] if isinstance(contents, list) and contents else contents
        each = self._resolve(dynamic.get("for_each"))
        pairs: list[tuple[object, object]] = [(each, each)]
        if isinstance(each, dict | list):
            pairs = list(each.items() if isinstance(each, dict) else enumerate(each))
        for key, value in pairs if isinstance(content, dict) else ():
            bound = {str(dynamic.get("iterator") or label): {"key": key, "value": value}}
            yield Section(self.block, self._below(at), content, {**self.names, **bound})

    def _resolve(self, raw: object) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        return self.block.stack.resolve(raw, self.block, self.names)

    def section(self, path: str) -> Section | None:
        """Return the first nested block at a path, or None."""
        return next(iter(self.sections(path)), None)

    def targets(self, path: str, *types: str) -> list[Block]:
        """Return the blocks that the value at a path refers to, through locals, outputs and remote state."""
        raw = self.raw(path)
        if raw is None:
            return []
        found = dict.fromkeys(target for target, _ in self.block.stack.follow(raw, self.block))
        return [target for target in found if not types or target.type in types]

    def target(self, path: str, *types: str) -> Block | None:
        """Return the first block that the value at a path refers to, or None."""
        return next(iter(self.targets(path, *types)), None)

    def fail(self, text: str, at: str = "") -> Fail:
        """Return a finding about this block; `at` is the dotted path of the attribute it is about."""
        return Fail(self.block, self._below(at) if at else self.at, text, self.raw(at) if at else self.body)

    def undecided(self, value: Unknown, at: str = "") -> Undecided:
        """Return that the rule cannot be decided, because a value is unknown."""
        return Undecided(self.block, self._below(at) if at else self.at, value.reason)

    def _below(self, path: str) -> str:
        return f"{self.at}.{path}" if self.at else path


class Block(Section):
    """One block: a resource, data source, provider, output, variable, local value, or the `terraform` block.

    Attributes:
        stack: Its stack.
        type: `aws_vpc`; `data.aws_vpc` for a data source; `provider.aws`, `output`, `var`, `local`, `module`,
            `terraform`.
        name: Its last label; a provider's alias, or empty.
        key: Of one of several instances: the number, or the key of `for_each`.
        each: The value of `for_each` at that key.
        base: The address without the instance key.
    """

    def __init__(  # noqa: PLR0917  made in one place
        self, stack: Stack, type_: str, name: str, body: dict[str, Any], key: object = None, each: object = None
    ) -> None:
        super().__init__(self, "", body)
        self.stack = stack
        self.type = type_
        self.name = name
        self.key = key
        self.each = each
        self.base = ".".join(part for part in (type_, name) if part)

    def __repr__(self) -> str:
        return f"<{self.stack.name}: {self.address}>"

    @property
    def address(self) -> str:
        """The address within the stack, such as `aws_sqs_queue.jobs["eu"]`."""
        if isinstance(self.body.get("//"), dict) and "address" in self.body["//"]:
            return str(self.body["//"]["address"])  # of a plan, in which modules have addresses of their own
        if self.key is None:
            return self.base
        return f"{self.base}[{self.key}]" if isinstance(self.key, int) else f'{self.base}["{self.key}"]'

    @property
    def stack_name(self) -> str:
        """The name of its stack."""
        return self.stack.name

    @property
    def estate(self) -> Estate:
        """The estate that contains the block."""
        return self.stack.estate

    @cached_property
    def path(self) -> str:
        """The construct path; empty where the document has none."""
        notes = self.body.get("//")
        metadata = notes.get("metadata") if isinstance(notes, dict) else None
        path = metadata.get("path") if isinstance(metadata, dict) else None
        return path if isinstance(path, str) else ""

    @cached_property
    def caller(self) -> str:
        """The line of Python that created the construct, such as `stacks/payments.py:62`; empty if not recorded."""
        return self.stack.source.caller(self.path)

    @cached_property
    def provider(self) -> Block | None:
        """The provider configuration that it uses; None if it is not declared."""
        if self.type in ("output", "var", "local", "module", "terraform") or self.type.startswith("provider."):
            return None
        named = str(self.body.get("provider") or self.type.removeprefix("data.").partition("_")[0])
        kind, _, alias = named.strip("${} ").partition(".")
        return self.stack.one(f"provider.{kind}.{alias}" if alias else f"provider.{kind}")

    @cached_property
    def region(self) -> str | Unknown:
        """The AWS region: of its `region` argument, else of its provider."""
        if self.type.startswith(("aws_", "data.aws_")):
            own = self.get("region")
            if own is not None and self.type not in ("data.aws_region", "aws_datasync_location_object_storage"):
                return own if isinstance(own, str | Unknown) else Unknown("region is not a string")
        provider = self if self.type == "provider.aws" else self.provider
        if provider is None:
            return Unknown("no provider configuration sets the region")
        region = provider.get("region")
        if region is None:
            return Unknown("the provider configuration has no region")
        return region if isinstance(region, str | Unknown) else Unknown("region is not a string")

    @cached_property
    def environment(self) -> str:
        """dev, staging or prod: as given for the estate, else from its tags, else its stack's."""
        return (
            self.estate.given_environment
            or environments.of_tags(self.tags)
            or self.stack.environment
            or environments.STRICTEST
        )

    @cached_property
    def tags(self) -> dict[str, Any] | Unknown:
        """Its tags, merged over the default tags of its provider."""
        planned = self.get("tags_all")  # a plan has both together, and of local values says nothing else
        if isinstance(planned, dict):
            return planned
        parts = (self.provider.default_tags if self.provider else None, self.get("tags"))
        for part in parts:
            if isinstance(part, Unknown):
                return part
        return {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}

    @cached_property
    def default_tags(self) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """The default tags of a provider, or None."""
        return self.get("default_tags.tags")

    @cached_property
    def edges(self) -> tuple[tuple[str, Reference], ...]:
        """Every reference in it, with the dotted path of its attribute."""
        return tuple(edges(self.body, ""))

    def referrers(self, *types: str) -> list[Block]:
        """Return the blocks of these types that refer to it, directly or through locals and stacks."""
        found = self.estate.incoming.get((self.stack.name, self.base), ())
        chosen = [block for block in found if not types or block.type in types]
        if self.key is None:
            return chosen
        return [block for block in chosen if any(target is self for target, _ in block.stack.follow(block.body, block))]

    def referrers_at(self, path: str, *types: str) -> list[Block]:
        """Return the blocks of these types whose value at a path refers to it."""
        return [block for block in self.referrers(*types) if self in block.targets(path)]

    def resolve(self, raw: object) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return a value with its references resolved in the context of this block."""
        return self.stack.resolve(raw, self)


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
        """The id of the stack in cdktf, which cross-stack references contain."""
        notes = merged(merged(self.source.document.get("//")).get("metadata"))
        return str(notes.get("stackName") or self.source.folder.name or self.name)

    @property
    def _by_base(self) -> dict[str, list[Block]]:
        """Blocks by address without instance key; read on first use, as counts may depend on other stacks."""
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
        """dev, staging or prod, if its providers, variables or name indicate one."""
        for block in self.blocks:
            # In a plan the tags of resources: it does not show tags of a provider that come from a local value.
            tags = block.get("default_tags.tags" if block.type == "provider.aws" else "tags_all")
            if found := environments.of_tags(tags):
                return found
        for base in ("local.environment", "local.env", "var.environment", "var.env"):
            named = self.one(base)
            value = named.get("value" if base.startswith("local") else "default") if named else None
            if found := environments.of_word(value):
                return found
        return environments.of_name(self.name)

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
        """Return the resolved value of an attribute; cached."""
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
            return Unknown(f"{reference.text} has an unknown index", f"${{{reference.text}}}")
        return self._of(found[0], path, reference)

    def _of(self, block: Block, path: tuple[Any, ...], reference: Reference) -> object:
        text = f"${{{reference.text}}}"
        if not path:
            return Computed(f"{reference.text} is a whole block", text, block, "")
        attribute = str(path[0])
        known = ID_ARGUMENTS.get(block.type) if attribute == "id" else attribute
        value = self.value_of(block, known) if known else None
        if block.type == "data.aws_region" and attribute in ("name", "region", "id"):
            value = block.region
        if block.type == "data.aws_partition" and attribute in ("partition", "dns_suffix", "id"):
            value = partition_attribute(block.region, attribute)
        if value is None:
            return Computed(f"{reference.text} is known after apply", text, block, attribute)
        return step(value, path[1:], reference.text)

    def _far_output(self, reference: Reference) -> Block | None:
        """Return the output of another stack that a remote state refers to."""
        if reference.type != "terraform_remote_state" or reference.kind != "data" or len(reference.path) < 2:  # noqa: PLR2004  outputs and one name
            return None
        state = self.one(reference.block)
        stack = self.estate.stack_of_state(state) if state else None
        return stack.one(f"output.{reference.path[1]}") if stack else None

    def _read(self, document: dict[str, Any]) -> Iterator[Block]:
        # Variables and local values first: counts and keys of resources depend on them.
        for type_, name, body in settings(document):
            yield Block(self, type_, name, body)
        for type_, name, body in resources(document):
            notes = body.get("//")
            if isinstance(notes, dict) and "instance" in notes:
                yield Block(self, type_, name, body, notes["instance"])  # of a plan, which names each instance
                continue
            for key, value in instances(self.resolve(body.get("for_each")), self.resolve(body.get("count"))):
                yield Block(self, type_, name, body, key, value)


class Estate:
    """All stacks that are checked together.

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
        """The blocks that refer to a block, by its stack and its address without instance key."""
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
