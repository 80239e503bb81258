"""One block of an estate: its values resolved, its references followed, its region and environment known.

Values come back as Terraform would see them; what only an apply decides comes back as `Unknown`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.estate.environments import environment_of
from constructs_lib.rules.estate.expressions import Reference, references
from constructs_lib.rules.estate.json_values import walk
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import Fail, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Estate, Names, Stack


class Section:
    """A nested block, or the whole of one: values by dotted path, below `at`.

    Attributes:
        block: The block that it stands in.
        at: Its dotted path in the block, empty for the block itself.
        body: What it holds, unresolved; `Unknown` where an expression that is not known makes the nested block.
        names: What the iterators of the `dynamic` blocks around it stand for.
    """

    def __init__(self, block: Block, at: str, body: Any, names: Names | None = None) -> None:  # noqa: ANN401  JSON
        self.block = block
        self.at = at
        self.body = body
        self.names: Names = names or {}

    def raw(self, path: str) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return what stands at a dotted path such as `rule.0.expiration.days`, unresolved; None when nothing does.

        A block given as a list of one is stepped into without its index.
        """
        value, rest = walk(self.body, path.split("."))
        return None if rest else value

    def get(self, path: str) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return the resolved value at a dotted path; None when it is missing or null, `Unknown` where it is not known.

        Parts of a list or object may be `Unknown` inside it.
        """
        value, rest = walk(self.body, path.split("."))
        if value is None or isinstance(value, bool | int | float):
            return None if rest else value
        if not rest:
            return self._resolve(value)
        if not isinstance(value, str):
            return None
        # The way leads through an expression, such as `tags.Name` where tags is `${local.tags}`.
        value, rest = walk(self._resolve(value), rest)
        return None if rest else value

    def text(self, path: str) -> str | Unknown | None:
        """Return the value as text: numbers and booleans as Terraform writes them."""
        value = self.get(path)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if value is None or isinstance(value, str | Unknown) else str(value)

    def number(self, path: str) -> float | Unknown | None:
        """Return the value as a number, also when it is written as text."""
        value = self.get(path)
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                return Unknown(f"{value!r} is not a number")
        return None if isinstance(value, bool | list | dict) else value

    def flag(self, path: str, *, default: bool = False) -> bool | Unknown:
        """Return the value as a boolean, also when it is written as text; `default` when it is missing."""
        value = self.get(path)
        if isinstance(value, str):
            return value == "true"
        if value is None:
            return default
        return value if isinstance(value, Unknown) else bool(value)

    def items(self, path: str) -> list[Any] | Unknown:
        """Return the value as a list: a single one as a list of it, a missing one as an empty list."""
        value = self.get(path)
        if value is None:
            return []
        return value if isinstance(value, list | Unknown) else [value]

    def sections(self, path: str) -> list[Section]:
        """Return the nested blocks at a path, whether written as an object, as a list, or as a `dynamic` block.

        Where an expression that is not known makes them, one that holds nothing but unknown values.
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
        """Yield the nested blocks that a `dynamic` block makes; one with unknown values where it is not known which."""
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
        """Return that a value decides and is not known."""
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
    def estate(self) -> Estate:
        """Everything that is looked at."""
        return self.stack.estate

    @cached_property
    def path(self) -> str:
        """The construct path, empty where the document names none."""
        notes = self.body.get("//")
        metadata = notes.get("metadata") if isinstance(notes, dict) else None
        path = metadata.get("path") if isinstance(metadata, dict) else None
        return path if isinstance(path, str) else ""

    @cached_property
    def caller(self) -> str:
        """The line of Python that made the construct, such as `stacks/payments.py:62`; empty where nothing says so."""
        return self.stack.source.caller(self.path)

    @cached_property
    def provider(self) -> Block | None:
        """The provider configuration that it uses; None when nothing declares it."""
        if self.type in ("output", "var", "local", "module", "terraform") or self.type.startswith("provider."):
            return None
        named = str(self.body.get("provider") or self.type.removeprefix("data.").partition("_")[0])
        kind, _, alias = named.strip("${} ").partition(".")
        return self.stack.one(f"provider.{kind}.{alias}" if alias else f"provider.{kind}")

    @cached_property
    def region(self) -> str | Unknown:
        """The AWS region that it is in: its own argument, else its provider's."""
        if self.type.startswith(("aws_", "data.aws_")):
            own = self.get("region")
            if own is not None and self.type not in ("data.aws_region", "aws_datasync_location_object_storage"):
                return own if isinstance(own, str | Unknown) else Unknown("region is not a text")
        provider = self if self.type == "provider.aws" else self.provider
        if provider is None:
            return Unknown("no provider block says so")
        region = provider.get("region")
        if region is None:
            return Unknown("the provider names no region")
        return region if isinstance(region, str | Unknown) else Unknown("region is not a text")

    @cached_property
    def environment(self) -> str:
        """dev, staging or prod: as given, else from its tags, its provider's, its stack's."""
        return self.estate.given_environment or environment_of(self)

    @cached_property
    def tags(self) -> dict[str, Any] | Unknown:
        """Its tags over its provider's default tags."""
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
        """Of a provider: the tags that it sets on everything, None when it sets none."""
        return self.get("default_tags.tags")

    @cached_property
    def edges(self) -> tuple[tuple[str, Reference], ...]:
        """Every reference in it with the dotted path that it stands at."""
        return tuple(edges(self.body, ""))

    def referrers(self, *types: str) -> list[Block]:
        """Return the blocks of these types that refer to it, in any attribute, through locals and stacks as well."""
        found = self.estate.incoming.get((self.stack.name, self.base), ())
        chosen = [block for block in found if not types or block.type in types]
        if self.key is None:
            return chosen
        return [block for block in chosen if any(target is self for target, _ in block.stack.follow(block.body, block))]

    def referrers_at(self, path: str, *types: str) -> list[Block]:
        """Return the blocks of these types whose value at a path refers to it."""
        return [block for block in self.referrers(*types) if self in block.targets(path)]

    def resolve(self, raw: object) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return a value with its references resolved, as this block sees them."""
        return self.stack.resolve(raw, self)


def edges(raw: object, at: str) -> list[tuple[str, Reference]]:
    """Return every reference in a raw value with the dotted path that it stands at."""
    found: list[tuple[str, Reference]] = []
    _collect(raw, at, found)
    return found


def _collect(raw: object, at: str, found: list[tuple[str, Reference]]) -> None:
    if isinstance(raw, str):
        if "${" in raw or "%{" in raw:
            found.extend([(at, reference) for reference in references(raw)])
        return
    if isinstance(raw, dict):
        items: Iterable[tuple[object, object]] = raw.items()
    elif isinstance(raw, list):
        items = enumerate(raw)
    else:
        return
    for key, value in items:
        if isinstance(value, str):
            if "${" in value or "%{" in value:
                below = f"{at}.{key}" if at else str(key)
                found.extend([(below, reference) for reference in references(value)])
        elif isinstance(value, dict | list) and key != "//":
            _collect(value, f"{at}.{key}" if at else str(key), found)
