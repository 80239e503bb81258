"""The messages of Terraform's plugin protocol 5, and the values inside them.

The table has the fields of `tfplugin5.proto` that the stand-ins use, with their numbers; protobuf skips the others.
https://github.com/hashicorp/terraform/tree/v1.11.4/docs/plugin-protocol
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

from constructs_lib.testing.standins.dependencies import require
from constructs_lib.testing.standins.schema import UNKNOWN, Values

descriptor_pb2 = require("google.protobuf.descriptor_pb2")
descriptor_pool = require("google.protobuf.descriptor_pool")
message_factory = require("google.protobuf.message_factory")
msgpack = require("msgpack")

Message: TypeAlias = Any  # protobuf creates the classes from the table on import

ERROR: Final = 1  # Diagnostic.Severity
SET: Final = 3  # NestedBlock.NestingMode

_UNKNOWN_CODES: Final = (0, 12)  # an unknown value, and an unknown value with refinements such as "not null"
_FIELDS: Final = {
    "DynamicValue": {"msgpack": (1, "bytes"), "json": (2, "bytes")},
    "Step": {"attribute_name": (1, "string")},
    "AttributePath": {"steps": (1, "repeated Step")},
    "Diagnostic": {
        "severity": (1, "int32"),
        "summary": (2, "string"),
        "detail": (3, "string"),
        "attribute": (4, "AttributePath"),
    },
    "Attribute": {
        "name": (1, "string"),
        "type": (2, "bytes"),
        "required": (4, "bool"),
        "optional": (5, "bool"),
        "computed": (6, "bool"),
        "sensitive": (7, "bool"),
        "deprecated": (9, "bool"),
    },
    "NestedBlock": {"type_name": (1, "string"), "block": (2, "Block"), "nesting": (3, "int32")},
    "Block": {"attributes": (2, "repeated Attribute"), "block_types": (3, "repeated NestedBlock")},
    "Schema": {"version": (1, "int64"), "block": (2, "Block")},
    "SchemaEntry": {"key": (1, "string"), "value": (2, "Schema")},  # the encoding of map<string, Schema>
    "RawState": {"json": (1, "bytes")},
    "Empty": {},
    "SchemaResponse": {
        "provider": (1, "Schema"),
        "resource_schemas": (2, "repeated SchemaEntry"),
        "data_source_schemas": (3, "repeated SchemaEntry"),
        "diagnostics": (4, "repeated Diagnostic"),
    },
    "PrepareRequest": {"config": (1, "DynamicValue")},
    "PrepareResponse": {"prepared_config": (1, "DynamicValue"), "diagnostics": (2, "repeated Diagnostic")},
    "CheckResponse": {"diagnostics": (1, "repeated Diagnostic")},
    "ConfigRequest": {"type_name": (1, "string"), "config": (2, "DynamicValue")},
    "UpgradeRequest": {"type_name": (1, "string"), "version": (2, "int64"), "raw_state": (3, "RawState")},
    "UpgradeResponse": {"upgraded_state": (1, "DynamicValue"), "diagnostics": (2, "repeated Diagnostic")},
    "ReadRequest": {"type_name": (1, "string"), "current_state": (2, "DynamicValue"), "private": (3, "bytes")},
    "ReadResponse": {
        "new_state": (1, "DynamicValue"),
        "diagnostics": (2, "repeated Diagnostic"),
        "private": (3, "bytes"),
    },
    "PlanRequest": {
        "type_name": (1, "string"),
        "prior_state": (2, "DynamicValue"),
        "proposed_new_state": (3, "DynamicValue"),
        "config": (4, "DynamicValue"),
    },
    "PlanResponse": {
        "planned_state": (1, "DynamicValue"),
        "requires_replace": (2, "repeated AttributePath"),
        "diagnostics": (4, "repeated Diagnostic"),
    },
    "ApplyRequest": {
        "type_name": (1, "string"),
        "prior_state": (2, "DynamicValue"),
        "planned_state": (3, "DynamicValue"),
    },
    "ApplyResponse": {"new_state": (1, "DynamicValue"), "diagnostics": (3, "repeated Diagnostic")},
    "ImportRequest": {"type_name": (1, "string"), "id": (2, "string")},
    "ImportResponse": {"diagnostics": (2, "repeated Diagnostic")},
    "DataResponse": {"state": (1, "DynamicValue"), "diagnostics": (2, "repeated Diagnostic")},
    "HealthResponse": {"status": (1, "int32")},
}


def _message_classes() -> dict[str, Message]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="standins.proto", package="standins", syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, (number, of) in fields.items():
            kind = of.removeprefix("repeated ")
            label = kinds.LABEL_OPTIONAL if kind == of else kinds.LABEL_REPEATED
            if kind in _FIELDS:
                described.field.add(
                    name=name, number=number, label=label, type=kinds.TYPE_MESSAGE, type_name=f".standins.{kind}"
                )
            else:
                described.field.add(
                    name=name, number=number, label=label, type=kinds.Type.Value(f"TYPE_{kind.upper()}")
                )
    pool = descriptor_pool.DescriptorPool()  # separate, so that names cannot conflict
    pool.Add(file)
    by_name = pool.FindFileByName(file.name).message_types_by_name
    return {name: message_factory.GetMessageClass(by_name[name]) for name in _FIELDS}


MESSAGES: Final = _message_classes()


def load(value: Message) -> Values | None:
    """Return the object in a DynamicValue, with `UNKNOWN` for values that are known after apply."""
    if value.msgpack:
        loaded: Values | None = msgpack.unpackb(value.msgpack, ext_hook=_load_extension, strict_map_key=False)
        return loaded
    return json.loads(value.json) if value.json else None


def dump(values: Values | None) -> Message:
    """Return the DynamicValue of an object."""
    return MESSAGES["DynamicValue"](msgpack=msgpack.packb(values, default=_dump_extension))


def path_to(attribute: str) -> Message:
    """Return the AttributePath of a top-level attribute."""
    return MESSAGES["AttributePath"](steps=[MESSAGES["Step"](attribute_name=attribute)])


def _load_extension(code: int, data: bytes) -> object:
    if code in _UNKNOWN_CODES:
        return UNKNOWN
    raise ValueError(f"unexpected MessagePack extension {code} with {len(data)} bytes")


def _dump_extension(value: object) -> Any:  # noqa: ANN401  msgpack has no types
    if value is UNKNOWN:
        return msgpack.ExtType(0, b"\0")
    raise TypeError(f"cannot send {value!r} to Terraform")
