"""Checks of the JSON schema of a request body: API Gateway supports draft-04."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

DRAFT: Final = "http://json-schema.org/draft-04/schema#"
MAX_SCHEMA_BYTES: Final = 400 * 1024
"""See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html."""
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_ONE: Final = frozenset({"not"})
_ONE_OR_BOOLEAN: Final = frozenset({"additionalItems", "additionalProperties"})
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf"})
_MAPS: Final = frozenset({"definitions", "patternProperties", "properties"})
_VALUES: Final = frozenset(
    {"$ref", "$schema", "default", "dependencies", "description", "enum", "exclusiveMaximum", "exclusiveMinimum"}
    | {"format", "id", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength"}
    | {"minProperties", "minimum", "multipleOf", "pattern", "required", "title", "type", "uniqueItems"}
)
KEYWORDS: Final = _ONE | _ONE_OR_BOOLEAN | _LISTS | _MAPS | _VALUES
"""Every keyword of draft-04. See https://json-schema.org/draft-04/draft-fge-json-schema-validation-00."""


def check_schema(problems: Problems, schema: object) -> str | None:
    """Return the schema as canonical JSON, or report what is wrong with it.

    Args:
        problems: The problems to add to.
        schema: A dictionary of plain JSON values whose `type` is `object`.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html.
    """
    if not isinstance(schema, Mapping):
        problems.add("request_schema", schema, "must be a dict, a JSON schema of draft-04")
        return None
    try:
        text = json.dumps({"$schema": DRAFT, **schema}, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        problems.add("request_schema", schema, f"must be plain JSON values: {error}")
        return None
    before = len(problems.found)
    problems.check(not is_token(text), "request_schema", schema, "must not contain references: it is checked at synth")
    size = len(text.encode())
    problems.check(
        size <= MAX_SCHEMA_BYTES,
        "request_schema",
        f"{size} bytes",
        f"must have at most {MAX_SCHEMA_BYTES} bytes",
    )
    problems.check(
        schema.get("$schema", DRAFT) == DRAFT,
        "request_schema['$schema']",
        schema.get("$schema"),
        f"must be {DRAFT}, the only draft that API Gateway supports",
    )
    problems.check(
        schema.get("type") == "object",
        "request_schema['type']",
        schema.get("type"),
        "must be 'object'; wrap an array in a property",
    )
    for where, value, allowed in _faults("request_schema", schema):
        problems.add(where, value, allowed)
    return text if len(problems.found) == before else None


def _faults(where: str, schema: object) -> Iterator[tuple[str, object, str]]:
    """Yield each problem of a schema and of its subschemas: the place, the value and what is allowed."""
    if not isinstance(schema, Mapping):
        yield where, schema, "must be a dict; draft-04 does not allow true and false as schemas"
        return
    for keyword, value in schema.items():
        place = f"{where}[{keyword!r}]"
        if keyword not in KEYWORDS:
            yield place, value, "is not a keyword of JSON schema draft-04; API Gateway would ignore or refuse it"
        yield from _keyword_faults(place, keyword, value)


def _keyword_faults(place: str, keyword: str, value: Any) -> Iterator[tuple[str, object, str]]:  # noqa: ANN401  JSON
    if keyword in _MAPS:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _faults(f"{place}[{name!r}]", inner)
        else:
            yield place, value, "must be a dict of schemas"
    elif keyword in _LISTS or (keyword == "items" and isinstance(value, list)):
        if isinstance(value, list) and value:
            for index, inner in enumerate(value):
                yield from _faults(f"{place}[{index}]", inner)
        else:
            yield place, value, "must be a list of at least one schema"
    elif keyword in _ONE or keyword == "items" or (keyword in _ONE_OR_BOOLEAN and not isinstance(value, bool)):
        yield from _faults(place, value)
    elif keyword == "required":
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            yield place, value, "must be a list of at least one property name, at the level of 'properties'"
    elif keyword == "type":
        types = value if isinstance(value, list) else [value]
        if not types or not all(isinstance(name, str) and name in _TYPES for name in types):
            yield place, value, f"must be one of {', '.join(sorted(_TYPES))}"
    elif keyword in ("exclusiveMaximum", "exclusiveMinimum") and not isinstance(value, bool):
        yield place, value, "must be true or false; numbers are allowed in later drafts only"
