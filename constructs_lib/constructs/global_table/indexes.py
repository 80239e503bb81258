"""Keys and indexes of a table: every attribute that is declared is a key, and every key is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

AttributeType = Literal["S", "N", "B"]
"""A text, a number, bytes."""
Projection = Literal["ALL", "KEYS_ONLY"]

MAX_GLOBAL_INDEXES: Final = 20
MAX_LOCAL_INDEXES: Final = 5
MAX_INCLUDED: Final = 20
"""Attributes that one index may name in `include`."""
MAX_INCLUDED_TOGETHER: Final = 100
"""Attributes that all indexes of a table may name there."""
MAX_NAME: Final = 255
_INDEX_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True)
class GlobalIndex:
    """An index with keys of its own, over all items that have them; it may come and go.

    Attributes:
        partition_key: An attribute of the table.
        sort_key: Another one; none by default.
        projection: What it copies of an item: ALL, or KEYS_ONLY.
        include: Up to 20 attributes that it copies beside the keys, in place of `projection`.
    """

    partition_key: str
    sort_key: str | None = None
    projection: Projection = "ALL"
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class LocalIndex:
    """Another order of the items with one partition key; it is there from the beginning, or never.

    Attributes:
        sort_key: An attribute of the table, other than its sort key.
        projection: What it copies of an item: ALL, or KEYS_ONLY.
        include: Up to 20 attributes that it copies beside the keys, in place of `projection`.
    """

    sort_key: str
    projection: Projection = "ALL"
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Keys:
    """The keys of a table and of its indexes, as the caller gave them.

    Attributes:
        attributes: Type of each key attribute by name.
        partition_key: The table's.
        sort_key: The table's, if it has one.
        global_indexes: By name.
        local_indexes: By name.
    """

    attributes: Mapping[str, AttributeType]
    partition_key: str
    sort_key: str | None
    global_indexes: Mapping[str, GlobalIndex]
    local_indexes: Mapping[str, LocalIndex]

    def check(self, problems: Problems) -> None:
        """Note keys and indexes that DynamoDB refuses, most of them only at apply.

        See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html.
        """
        for argument, given, kind in (
            ("global_indexes", self.global_indexes, GlobalIndex),
            ("local_indexes", self.local_indexes, LocalIndex),
        ):
            for name, index in given.items():
                if not isinstance(index, kind):
                    problems.stop(f"{argument}[{name!r}]", index, f"must be a {kind.__name__}")
        for name, type_ in self.attributes.items():
            problems.check(
                isinstance(name, str) and 0 < len(name) <= MAX_NAME and not is_token(name),
                "attributes",
                name,
                f"must be a plain name of 1 to {MAX_NAME} characters",
            )
            problems.check(
                type_ in get_args(AttributeType),
                f"attributes[{name!r}]",
                type_,
                "must be 'S', 'N' or 'B': a key is a text, a number or bytes",
            )
        used = dict(self._uses())
        for argument, name in used.items():
            problems.check(
                isinstance(name, str) and name in self.attributes,
                argument,
                name,
                "is not declared; add it to attributes with its type",
            )
        for name in self.attributes:
            problems.check(
                name in used.values(),
                f"attributes[{name!r}]",
                self.attributes[name],
                "is no key of the table or of an index; DynamoDB takes key attributes only, so leave it out",
            )
        problems.check(
            self.sort_key != self.partition_key,
            "sort_key",
            self.sort_key,
            "must be another attribute than partition_key",
        )
        self._check_indexes(problems)

    def _uses(self) -> Iterator[tuple[str, str]]:
        """Yield each attribute that is used as a key, after the argument that says so."""
        yield "partition_key", self.partition_key
        if self.sort_key is not None:
            yield "sort_key", self.sort_key
        for name, index in self.global_indexes.items():
            yield f"global_indexes[{name!r}].partition_key", index.partition_key
            if index.sort_key is not None:
                yield f"global_indexes[{name!r}].sort_key", index.sort_key
        for name, local in self.local_indexes.items():
            yield f"local_indexes[{name!r}].sort_key", local.sort_key

    def _check_indexes(self, problems: Problems) -> None:
        for argument, given, limit in (
            ("global_indexes", self.global_indexes, MAX_GLOBAL_INDEXES),
            ("local_indexes", self.local_indexes, MAX_LOCAL_INDEXES),
        ):
            problems.check(len(given) <= limit, argument, len(given), f"DynamoDB allows {limit}")
            for name, index in given.items():
                problems.check(
                    isinstance(name, str) and _INDEX_NAME.fullmatch(name),
                    argument,
                    name,
                    "must be 3 to 255 letters, digits, underscores, dots and hyphens",
                )
                _check_projection(problems, f"{argument}[{name!r}]", index)
        for name in self.global_indexes.keys() & self.local_indexes.keys():
            problems.add("local_indexes", name, "is the name of a global index too; choose another")
        for name, index in self.global_indexes.items():
            problems.check(
                index.sort_key != index.partition_key,
                f"global_indexes[{name!r}].sort_key",
                index.sort_key,
                "must be another attribute than its partition_key",
            )
        problems.check(
            not self.local_indexes or self.sort_key is not None,
            "local_indexes",
            list(self.local_indexes),
            "need a table with a sort_key, of which they are another order",
        )
        for name, local in self.local_indexes.items():
            problems.check(
                local.sort_key not in (self.sort_key, self.partition_key),
                f"local_indexes[{name!r}].sort_key",
                local.sort_key,
                "must be another attribute than the table's keys",
            )
        included = sum(len(index.include) for index in self.global_indexes.values())
        included += sum(len(index.include) for index in self.local_indexes.values())
        problems.check(
            included <= MAX_INCLUDED_TOGETHER,
            "include",
            included,
            f"all indexes together may name {MAX_INCLUDED_TOGETHER} attributes",
        )

    def structs(self, reads: int, writes: int) -> dict[str, Any]:
        """Return the keys, the declared attributes and the indexes for the table, each global index with a brake.

        Args:
            reads: Read units a second at most of each global index.
            writes: Write units likewise: an index below the table would hold back the table's writes.
        """
        table = aws.dynamodb_table
        attributes = [table.DynamodbTableAttribute(name=name, type=type_) for name, type_ in self.attributes.items()]
        ceiling = table.DynamodbTableGlobalSecondaryIndexOnDemandThroughput(
            max_read_request_units=reads, max_write_request_units=writes
        )
        everywhere = [
            table.DynamodbTableGlobalSecondaryIndex(
                name=name,
                hash_key=index.partition_key,
                range_key=index.sort_key,
                projection_type=projection_type(index),
                non_key_attributes=list(index.include) or None,
                on_demand_throughput=ceiling,
            )
            for name, index in self.global_indexes.items()
        ]
        local = [
            table.DynamodbTableLocalSecondaryIndex(
                name=name,
                range_key=index.sort_key,
                projection_type=projection_type(index),
                non_key_attributes=list(index.include) or None,
            )
            for name, index in self.local_indexes.items()
        ]
        return {
            "hash_key": self.partition_key,
            "range_key": self.sort_key,
            "attribute": attributes,
            "global_secondary_index": everywhere or None,
            "local_secondary_index": local or None,
        }


def read_keys(
    problems: Problems,
    *,
    attributes: Mapping[str, AttributeType] | None,
    partition_key: str,
    sort_key: str | None,
    global_indexes: Mapping[str, GlobalIndex] | None,
    local_indexes: Mapping[str, LocalIndex] | None,
) -> Keys:
    """Return the keys of a table, whose attributes are texts unless told otherwise, and note what DynamoDB refuses."""
    for argument, name in (("partition_key", partition_key), ("sort_key", sort_key)):
        if not isinstance(name, str) and (argument == "partition_key" or name is not None):
            problems.stop(argument, name, "must be the name of an attribute")
    if attributes is None:
        attributes = dict.fromkeys((name for name in (partition_key, sort_key) if name is not None), "S")
    everywhere = {} if global_indexes is None else global_indexes
    local = {} if local_indexes is None else local_indexes
    for argument, given in (("attributes", attributes), ("global_indexes", everywhere), ("local_indexes", local)):
        if not isinstance(given, Mapping):
            problems.stop(argument, given, "must be a dictionary by name")
    keys = Keys(attributes, partition_key, sort_key, everywhere, local)
    keys.check(problems)
    return keys


def projection_type(index: GlobalIndex | LocalIndex) -> str:
    """Return what DynamoDB calls the projection of an index."""
    return "INCLUDE" if index.include else index.projection


def _check_projection(problems: Problems, argument: str, index: GlobalIndex | LocalIndex) -> None:
    problems.check(
        index.projection in get_args(Projection),
        f"{argument}.projection",
        index.projection,
        "must be 'ALL' or 'KEYS_ONLY'; give include=(...) for chosen attributes",
    )
    names = index.include
    problems.check(
        isinstance(names, tuple)
        and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME and not is_token(name) for name in names)
        and len(names) == len(set(names)) <= MAX_INCLUDED,
        f"{argument}.include",
        names,
        f"must be a tuple of up to {MAX_INCLUDED} attribute names, each once",
    )
    problems.check(
        not index.include or index.projection == "ALL",
        f"{argument}.projection",
        index.projection,
        "cannot be given with include",
    )
