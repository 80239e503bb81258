from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError
from tests.constructs.rest_api.apis import SAFE, SCHEMA, make_api

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import HardenedStack
    from constructs_lib.testing import SynthesizedStack

KEYWORD = "is not a keyword of JSON schema draft-04; API Gateway would ignore or refuse it"


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ([], "request_schema=[]: must be a dict, a JSON schema of draft-04"),
        (
            {"type": "object", "enum": {1}},
            (
                "request_schema={'type': 'object', 'enum': {1}}: must be plain JSON values: Object of type set is "
                "not JSON serializable"
            ),
        ),
        (
            {"type": "object", "default": math.nan},
            (
                "request_schema={'type': 'object', 'default': nan}: must be plain JSON values: Out of range float "
                "values are not JSON compliant"
            ),
        ),
        (
            {"type": "object", "title": "${var.title}"},
            (
                "request_schema={'type': 'object', 'title': '${var.title}'}: must not contain references: it is "
                "checked at synth"
            ),
        ),
        (
            {"type": "object", "title": "x" * 409_516},
            "request_schema='409601 bytes': must have at most 409600 bytes",
        ),
        (
            {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"},
            (
                "request_schema['$schema']='http://json-schema.org/draft-07/schema#': must be "
                "http://json-schema.org/draft-04/schema#, the only draft that API Gateway supports"
            ),
        ),
        ({}, "request_schema['type']=None: must be 'object'; wrap an array in a property"),
        ({"type": "array"}, "request_schema['type']='array': must be 'object'; wrap an array in a property"),
        ({"type": "object", "requried": ["a"]}, f"request_schema['requried']=['a']: {KEYWORD}"),
        (
            {"type": "object", "properties": {"a": {"const": 1}}},
            f"request_schema['properties']['a']['const']=1: {KEYWORD}",
        ),
        (
            {"type": "object", "additionalProperties": {"nullable": True}},
            f"request_schema['additionalProperties']['nullable']=True: {KEYWORD}",
        ),
        (
            {"type": "object", "allOf": [{"if": {}}]},
            f"request_schema['allOf'][0]['if']={{}}: {KEYWORD}",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {"examples": []}}}},
            f"request_schema['properties']['a']['items']['examples']=[]: {KEYWORD}",
        ),
        (
            {"type": "object", "properties": {"a": {"items": [{"$id": "x"}]}}},
            f"request_schema['properties']['a']['items'][0]['$id']='x': {KEYWORD}",
        ),
        ({"type": "object", "not": {"contains": {}}}, f"request_schema['not']['contains']={{}}: {KEYWORD}"),
        (
            {"type": "object", "properties": {"a": True}},
            (
                "request_schema['properties']['a']=True: must be a dict; draft-04 does not allow true and false as "
                "schemas"
            ),
        ),
        ({"type": "object", "properties": []}, "request_schema['properties']=[]: must be a dict of schemas"),
        ({"type": "object", "anyOf": []}, "request_schema['anyOf']=[]: must be a list of at least one schema"),
        ({"type": "object", "oneOf": {}}, "request_schema['oneOf']={}: must be a list of at least one schema"),
        (
            {"type": "object", "required": []},
            "request_schema['required']=[]: must be a list of at least one property name, at the level of 'properties'",
        ),
        (
            {"type": "object", "properties": {"a": {"required": True}}},
            (
                "request_schema['properties']['a']['required']=True: must be a list of at least one property name, "
                "at the level of 'properties'"
            ),
        ),
        (
            {"type": "object", "properties": {"a": {"type": "str"}}},
            (
                "request_schema['properties']['a']['type']='str': must be one of array, boolean, integer, null, number, "
                "object, string"
            ),
        ),
        (
            {"type": "object", "properties": {"a": {"minimum": 1, "exclusiveMinimum": 1}}},
            (
                "request_schema['properties']['a']['exclusiveMinimum']=1: must be true or false; numbers are "
                "allowed in later drafts only"
            ),
        ),
        (
            {"type": "object", "properties": {"a": {"maximum": 1, "exclusiveMaximum": 1}}},
            (
                "request_schema['properties']['a']['exclusiveMaximum']=1: must be true or false; numbers are "
                "allowed in later drafts only"
            ),
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_schema_that_api_gateway_does_not_support_is_refused(
    stack: HardenedStack, schema: dict[str, Any], problem: str
) -> None:
    api, function = make_api(stack)
    with pytest.raises(ConfigurationError) as error:
        api.add_method("POST", "/", function, request_schema=schema, shorter_timeout=SAFE)
    assert str(error.value) == f"shop/api: {problem}"


def model(synth_stack: Callable[..., SynthesizedStack], schema: dict[str, Any]) -> str:
    """Return the schema as API Gateway is given it."""

    def build(stack: HardenedStack) -> None:
        api, function = make_api(stack)
        api.add_method("POST", "/", function, request_schema=schema, shorter_timeout=SAFE)

    text: str = synth_stack(build).resource("aws_api_gateway_model")["schema"]
    return text


def test_a_schema_may_use_all_of_draft_04(synth_stack: Callable[..., SynthesizedStack]) -> None:
    schema = {
        **SCHEMA,
        "$schema": "http://json-schema.org/draft-04/schema#",
        "additionalProperties": False,
        "definitions": {"money": {"type": ["integer", "null"], "minimum": 0, "exclusiveMinimum": True}},
        "patternProperties": {"^x-": {"type": "string", "pattern": "^[a-z]{3}$"}},
        "properties": {
            # Property names are the caller's and no keywords.
            "const": {"$ref": "#/definitions/money"},
            "lines": {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "number"}},
            "kind": {"enum": ["a", {"if": 1}], "default": {"then": 2}},
            "text": {
                "id": "#text",
                "title": "t",
                "description": "d",
                "format": "date-time",
                "maxLength": 9,
                "minLength": 1,
            },
            "number": {"maximum": 9, "exclusiveMaximum": False, "multipleOf": 3},
            "list": {"maxItems": 9, "minItems": 1, "uniqueItems": True},
            "map": {"maxProperties": 9, "minProperties": 1, "dependencies": {"a": ["b"]}},
            "either": {"oneOf": [{"type": "string"}], "anyOf": [{}], "allOf": [{}], "not": {"type": "null"}},
        },
    }
    assert json.loads(model(synth_stack, schema)) == schema


def test_the_largest_schema_is_allowed(synth_stack: Callable[..., SynthesizedStack]) -> None:
    assert len(model(synth_stack, {"type": "object", "title": "x" * 409_515})) == 409_600
