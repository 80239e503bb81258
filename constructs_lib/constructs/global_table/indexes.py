"""Key attributes and secondary indexes of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

AttributeType = Literal["S", "N", "B"]
"""String, number, binary."""
Projection = Literal["ALL", "KEYS_ONLY"]

MAX_GLOBAL_INDEXES: Final = 20
MAX_LOCAL_INDEXES: Final = 5
MAX_INCLUDED: Final = 20
"""Non-key attributes of one index."""
MAX_INCLUDED_TOGETHER: Final = 100
"""Non-key attributes of all indexes of a table."""
MAX_NAME: Final = 255
_INDEX_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True)
class GlobalIndex:
    """A global secondary index. It can be added and removed later.

    Attributes:
        partition_key: The partition key, one of `attributes`.
        sort_key: The sort key, another one of `attributes`; none by default.
        projection: The projection type, `ALL` or `KEYS_ONLY`.
        include: Non-key attributes for the projection type `INCLUDE`, up to 20; instead of `projection`.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html.
    """

    partition_key: str
    sort_key: str | None = None
    projection: Projection = "ALL"
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class LocalIndex:
    """A local secondary index. Adding or removing one replaces the table.

    Attributes:
        sort_key: The sort key, one of `attributes` that is not a key of the table.
        projection: The projection type, `ALL` or `KEYS_ONLY`.
        include: Non-key attributes for the projection type `INCLUDE`, up to 20; instead of `projection`.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html.
    """

    sort_key: str
    projection: Projection = "ALL"
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Keys:
    """The keys of a table and its secondary indexes.

    Attributes:
        attributes: The type of each key attribute by name.
        partition_key: The table's partition key.
        sort_key: The table's sort key; None without one.
        global_indexes: The global secondary indexes by name.
        local_indexes: The local secondary indexes by name.
    """

    attributes: Mapping[str, AttributeType]
    partition_key: str
    sort_key: str | None
    global_indexes: Mapping[str, GlobalIndex]
    local_indexes: Mapping[str, LocalIndex]

    def check(self, problems: Problems) -> None:
        """Report keys and indexes that DynamoDB refuses.

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
                f"must be a plain string of 1 to {MAX_NAME} characters",
            )
            problems.check(
                type_ in get_args(AttributeType),
                f"attributes[{name!r}]",
                type_,
                "must be 'S' (string), 'N' (number) or 'B' (binary)",
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
                "is not a key of the table or of an index; remove it, because DynamoDB accepts key attributes only",
            )
        problems.check(
            self.sort_key != self.partition_key,
            "sort_key",
            self.sort_key,
            "must be another attribute than partition_key",
        )
        self._check_indexes(problems)

    def _uses(self) -> Iterator[tuple[str, str]]:
        """Yield each argument with the key attribute that it names."""
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
            problems.check(
                len(given) <= limit, argument, len(given), f"exceeds the {limit} indexes that DynamoDB allows"
            )
            for name, index in given.items():
                problems.check(
                    isinstance(name, str) and _INDEX_NAME.fullmatch(name),
                    argument,
                    name,
                    "must be 3 to 255 letters, digits, underscores, dots and hyphens",
                )
                _check_projection(problems, f"{argument}[{name!r}]", index)
        for name in self.global_indexes.keys() & self.local_indexes.keys():
            problems.add("local_indexes", name, "is also the name of a global index; choose another")
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
            "require a table with a sort_key",
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
            f"exceeds the {MAX_INCLUDED_TOGETHER} non-key attributes that DynamoDB allows for all indexes of a table",
        )

    def structs(self, reads: int, writes: int) -> dict[str, Any]:
        """Return the arguments of the table for keys, attributes and indexes.

        Args:
            reads: The maximum of read request units of each global index.
            writes: The maximum of write request units of each global index. A lower one than the table's would throttle
                writes to the table.
        """
        table = aws.dynamodb_table
        attributes = [table.DynamodbTableAttribute(name=name, type=type_) for name, type_ in self.attributes.items()]
        maximum = table.DynamodbTableGlobalSecondaryIndexOnDemandThroughput(
            max_read_request_units=reads, max_write_request_units=writes
        )
        global_ = [
            table.DynamodbTableGlobalSecondaryIndex(
                name=name,
                hash_key=index.partition_key,
                range_key=index.sort_key,
                projection_type=projection_type(index),
                non_key_attributes=list(index.include) or None,
                on_demand_throughput=maximum,
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
            "global_secondary_index": global_ or None,
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
    """Return the keys of a table, by default of the type string, and report what DynamoDB refuses."""
    for argument, name in (("partition_key", partition_key), ("sort_key", sort_key)):
        if not isinstance(name, str) and (argument == "partition_key" or name is not None):
            problems.stop(argument, name, "must be the name of an attribute")
    if attributes is None:
        attributes = dict.fromkeys((name for name in (partition_key, sort_key) if name is not None), "S")
    global_ = {} if global_indexes is None else global_indexes
    local = {} if local_indexes is None else local_indexes
    for argument, given in (("attributes", attributes), ("global_indexes", global_), ("local_indexes", local)):
        if not isinstance(given, Mapping):
            problems.stop(argument, given, "must be a dictionary by name")
    keys = Keys(attributes, partition_key, sort_key, global_, local)
    keys.check(problems)
    return keys


def projection_type(index: GlobalIndex | LocalIndex) -> str:
    """Return the projection type of an index."""
    return "INCLUDE" if index.include else index.projection


def _check_projection(problems: Problems, argument: str, index: GlobalIndex | LocalIndex) -> None:
    problems.check(
        index.projection in get_args(Projection),
        f"{argument}.projection",
        index.projection,
        "must be 'ALL' or 'KEYS_ONLY'; for INCLUDE give include=(...)",
    )
    names = index.include
    problems.check(
        isinstance(names, tuple)
        and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME and not is_token(name) for name in names)
        and len(names) == len(set(names)) <= MAX_INCLUDED,
        f"{argument}.include",
        names,
        f"must be a tuple of up to {MAX_INCLUDED} different attribute names",
    )
    problems.check(
        not index.include or index.projection == "ALL",
        f"{argument}.projection",
        index.projection,
        "cannot be combined with include",
    )
