from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.rules.estate.expressions import Reference, evaluate
from constructs_lib.rules.estate.expressions.functions import APPLY, FILES, OTHERS
from constructs_lib.rules.estate.expressions.functions.registry import FUNCTIONS
from constructs_lib.rules.estate.values import Encoded, Invalid, Unknown


def resolve(reference: Reference) -> object:
    if reference.block == "local.bad":
        return Invalid("nothing there")
    return Unknown(f"{reference.block} is not known")


def value_of(expression: str) -> object:
    return evaluate(f"${{{expression}}}", resolve)


X = Unknown("var.x is not known", "${var.x}")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("length([var.x, 1])", 2),
        ("length({a = var.x})", 1),
        ("concat([1], [var.x])", [1, X]),
        ("merge({a = 1}, {b = var.x})", {"a": 1, "b": X}),
        ("merge({a = 1, b = var.x}, {b = 2})", {"a": 1, "b": 2}),
        ("keys({a = var.x})", ["a"]),
        ("values({b = 1, a = var.x})", [X, 1]),
        ("flatten([[1], [2, 3]])", [1, 2, 3]),
        ("element([1, var.x], 0)", 1),
        ('lookup({a = 1, b = var.x}, "a", 2)', 1),
        ("reverse([1, var.x])", [X, 1]),
        ("slice([1, var.x, 3], 0, 2)", [1, X]),
        ('zipmap(["a"], [var.x])', {"a": X}),
        ("tolist([var.x])", [X]),
        ('contains(["a", var.x], "a")', True),
        ("alltrue([var.x, false])", False),
        ("anytrue([var.x, true])", True),
        ('coalesce("", "a", var.x)', "a"),
        ("one([var.x])", X),
        ('try(local.bad, "a")', "a"),
        ("can(local.bad)", False),
        ("try({a = var.x}, {})", {"a": X}),
        ("sensitive(1)", 1),
        ("nonsensitive(sensitive(1))", 1),
        ("jsondecode(jsonencode({a = var.x, b = 2})).b", 2),
    ],
)
def test_what_is_unknown_stays_a_leaf_of_a_known_structure(expression: str, expected: object) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "upper(var.x)",
        "length(var.x)",
        "merge({a = 1}, var.x)",
        "concat([1], var.x)",
        "flatten([[1], var.x])",
        'contains(["a", var.x], "b")',
        "alltrue([var.x, true])",
        'coalesce(var.x, "a")',
        'coalesce("", var.x, "a")',
        "coalescelist(var.x, [1])",
        'try(var.x, "a")',
        "can(var.x)",
        "toset([var.x])",
        "jsonencode(var.x)",
        "jsondecode(var.x)",
        "base64encode(jsonencode({a = var.x}))",
        "sum([1, var.x])",
        "max(1, var.x)",
        "cidrsubnet(var.x, 8, 1)",
    ],
)
def test_what_an_unknown_argument_decides_is_unknown(expression: str) -> None:
    value = value_of(expression)
    assert isinstance(value, Unknown)
    assert value.reason.endswith("var.x is not known")
    assert value.text == f"${{{expression}}}"


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ('join(",", ["a", var.x, "b"])', "a,${var.x},b"),
        ('join(",", ["$${a}", upper(var.x)])', "$${a},${upper(var.x)}"),
        ('format("%s-%03d", var.x, 7)', "${var.x}-007"),
        ('format("arn:%s:%s", "aws", "x-${var.x}")', "arn:aws:x-${var.x}"),
    ],
)
def test_a_text_with_an_unknown_piece_says_what_is_known_of_it(expression: str, known: str) -> None:
    assert value_of(expression) == Unknown("var.x is not known", known)


def test_json_with_unknown_leaves_keeps_its_structure() -> None:
    value = value_of('jsonencode({Resource = "${aws_x.y.arn}/*", Action = ["s3:*"], Key = var.m["a"]})')
    assert isinstance(value, Encoded)
    assert value.reason == "aws_x.y is not known"
    assert value.value == {
        "Resource": Unknown("aws_x.y is not known", "${aws_x.y.arn}/*"),
        "Action": ["s3:*"],
        "Key": Unknown("var.m is not known", '${var.m["a"]}'),
    }
    assert json.loads(value.text) == {"Action": ["s3:*"], "Key": '${var.m["a"]}', "Resource": "${aws_x.y.arn}/*"}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("upper()", "upper() does not take 0 arguments"),
        ("upper([1])", "upper(): expected a string, not list"),
        ('tonumber("x")', "tonumber(): 'x' is not a number"),
        ('cidrsubnet("10.0.0.0/30", 4, 1)', "cidrsubnet(): 10.0.0.0/30 has no room for 4 more bits of prefix"),
        ('cidrhost("10.0.0.0", 4)', "cidrhost(): '10.0.0.0' is not a CIDR block"),
        ('regex("z", "a")', "regex(): the pattern does not match"),
        ('format("%d", "x")', "format(): 'x' is not a number"),
        ('lookup({a = 1}, "b")', "lookup(): no key 'b'"),
        ('index(["a"], "b")', "index(): no such element"),
        ("try(local.bad)", "try() has no argument that can be evaluated"),
    ],
)
def test_a_call_that_terraform_refuses_says_why(expression: str, reason: str) -> None:
    assert value_of(expression) == Invalid(reason, f"${{{expression}}}")


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(a?){30}a{30}", "a*a*a*a*a*b", "((a|b|ab)c?)*d", "a?" * 40 + "a" * 40, "(.|a)*(.|a)*b"],
)
def test_a_pattern_that_could_take_long_is_not_tried(pattern: str) -> None:
    value = value_of(f'regex("{pattern}", "{"a" * 100}")')
    assert type(value) is Unknown
    assert value.reason.startswith("regex(): the pattern ")


@pytest.mark.parametrize("name", sorted(APPLY | FILES | OTHERS))
def test_functions_that_are_not_evaluated_here_are_unknown_and_not_wrong(name: str) -> None:
    value = value_of(f'{name}("x")')
    assert type(value) is Unknown
    assert value.reason.startswith(f"function {name}() ")


def test_no_function_is_both_evaluated_and_not() -> None:
    assert set(FUNCTIONS).isdisjoint(APPLY | FILES | OTHERS)


ARGUMENTS = ("null", "true", "-1", "0", "2.5", '""', '"a"', '"/a/"', '"%s"', '"10.0.0.0/8"', "[]", '["a", 1]')
MORE = ("{}", '{a = "b"}', "var.x", "[var.x]", "[[1], null]", "toset([1])", '["a"]...')


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(st.sampled_from(ARGUMENTS + MORE), max_size=4))
def test_no_arguments_make_a_function_raise(name: str, arguments: list[str]) -> None:
    expression = f"{name}({', '.join(arguments)})"
    assert repr(value_of(expression)) == repr(value_of(expression))
