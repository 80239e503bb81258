from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from constructs_lib.foundation.event_pattern import (
    EVENT_FIELDS,
    EVENT_OPERATORS,
    FILTER_OPERATORS,
    MAX_EVENT_PATTERN,
    MAX_FILTER_PATTERN,
    as_json,
    check_pattern,
    could_match,
    matches,
    mismatch,
)

check_event_pattern = partial(check_pattern, fields=EVENT_FIELDS, operators=EVENT_OPERATORS, limit=MAX_EVENT_PATTERN)

EVENT: dict[str, Any] = {
    "source": "shop.orders",
    "detail-type": "OrderPaid",
    "region": "eu-west-1",
    "detail": {
        "amount": 300,
        "state": "paid",
        "ip": "10.0.0.7",
        "file": "in/a*b.csv",
        "flag": True,
        "note": None,
        "tags": ["new", "vip"],
        "empty": [],
        "lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 9}],
        "customer": {"country": "IE"},
    },
}


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["shop.orders"]}, True),
        ({"source": ["shop.stock", "shop.orders"]}, True),
        ({"source": ["shop.orders"], "detail-type": ["OrderShipped"]}, False),
        ({"account": ["123456789012"]}, False),
        (detail(customer={"country": ["IE"]}), True),
        (detail(customer={"country": ["FR"]}), False),
        (detail(state={"deeper": ["x"]}), False),
        (detail(amount=[300]), True),
        (detail(amount=[300.0]), False),
        (detail(amount=["300"]), False),
        (detail(flag=[True]), True),
        (detail(flag=[1]), False),
        (detail(note=[None]), True),
        (detail(state=[None]), False),
        (detail(tags=["vip"]), True),
        (detail(tags=["old"]), False),
        (detail(state=[{"prefix": "pa"}]), True),
        (detail(state=[{"prefix": "PA"}]), False),
        (detail(state=[{"prefix": {"equals-ignore-case": "PA"}}]), True),
        (detail(state=[{"suffix": "id"}]), True),
        (detail(state=[{"suffix": "di"}]), False),
        (detail(state=[{"suffix": {"equals-ignore-case": "ID"}}]), True),
        (detail(amount=[{"prefix": "3"}]), False),
        (detail(state=[{"equals-ignore-case": "PAID"}]), True),
        (detail(state=[{"equals-ignore-case": "open"}]), False),
        (detail(state=[{"anything-but": "open"}]), True),
        (detail(state=[{"anything-but": "paid"}]), False),
        (detail(state=[{"anything-but": ["open", "paid"]}]), False),
        (detail(amount=[{"anything-but": [1, 2]}]), True),
        (detail(amount=[{"anything-but": 300}]), False),
        (detail(missing=[{"anything-but": "paid"}]), False),
        (detail(state=[{"anything-but": {"prefix": "pa"}}]), False),
        (detail(state=[{"anything-but": {"suffix": ["xx", "id"]}}]), False),
        (detail(state=[{"anything-but": {"prefix": "op"}}]), True),
        (detail(amount=[{"anything-but": {"prefix": "3"}}]), True),
        (detail(state=[{"anything-but": {"equals-ignore-case": "PAID"}}]), False),
        (detail(state=[{"anything-but": {"wildcard": "p*d"}}]), False),
        (detail(amount=[{"numeric": [">", 299]}]), True),
        (detail(amount=[{"numeric": [">", 300]}]), False),
        (detail(amount=[{"numeric": [">=", 300, "<", 301]}]), True),
        (detail(amount=[{"numeric": [">", 0, "<", 300]}]), False),
        (detail(amount=[{"numeric": ["<=", 300]}]), True),
        (detail(amount=[{"numeric": ["=", 300.0]}]), True),
        (detail(state=[{"numeric": ["=", 300]}]), False),
        (detail(flag=[{"numeric": ["=", 1]}]), False),
        (detail(state=[{"exists": True}]), True),
        (detail(state=[{"exists": False}]), False),
        (detail(missing=[{"exists": False}]), True),
        (detail(missing=[{"exists": True}]), False),
        (detail(empty=[{"exists": False}]), True),
        (detail(customer=[{"exists": True}]), False),
        (detail(note=[{"exists": True}]), True),
        (detail(missing=["x", {"exists": False}]), True),
        (detail(file=[{"wildcard": "in/*.csv"}]), True),
        (detail(file=[{"wildcard": "out/*"}]), False),
        (detail(file=[{"wildcard": "in/a\\*b.csv"}]), True),
        (detail(state=[{"wildcard": "p\\*d"}]), False),
        (detail(ip=[{"cidr": "10.0.0.0/24"}]), True),
        (detail(ip=[{"cidr": "10.0.1.0/24"}]), False),
        (detail(state=[{"cidr": "10.0.0.0/24"}]), False),
        (detail(lines={"sku": ["b"], "count": [9]}), True),
        (detail(lines={"sku": ["a"], "count": [9]}), False),
        ({"$or": [{"source": ["x"]}, {"region": ["eu-west-1"]}]}, True),
        ({"$or": [{"source": ["x"]}, {"region": ["us-east-1"]}]}, False),
        ({"source": ["x"], "$or": [{"source": ["shop.orders"]}, {"region": ["eu-west-1"]}]}, False),
        ({"detail": {"$or": [{"state": ["open"]}, {"amount": [{"numeric": [">", 5]}]}]}}, True),
    ],
)
def test_an_event_matches_as_eventbridge_says(pattern: dict[str, Any], *, expected: bool) -> None:
    assert check_event_pattern(pattern) == []
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"source": ["x"]}, 'source is "shop.orders", expected ["x"]'),
        (detail(missing=["x"]), 'detail.missing is not in the event, expected ["x"]'),
        (detail(customer={"country": ["FR"]}), 'detail.customer.country is "IE", expected ["FR"]'),
        (detail(absent={"country": ["FR"]}), 'detail.absent.country is not in the event, expected ["FR"]'),
        ({"$or": [{"source": ["x"]}, {"source": ["y"]}]}, "$or: no alternative matches"),
        ({"source": ["shop.orders"]}, None),
    ],
)
def test_the_first_field_that_speaks_against_an_event_is_named(pattern: dict[str, Any], reason: str | None) -> None:
    assert mismatch(pattern, EVENT) == reason


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["shop.orders"]}, True),
        ({"source": ["shop.stock"]}, False),
        ({"detail": {"state": ["open"]}}, True),
        ({"source": [{"prefix": "shop."}], "detail-type": ["OrderPaid"]}, True),
        ({"$or": [{"source": ["x"]}, {"detail": {"state": ["open"]}}]}, True),
        ({"$or": [{"source": ["x"]}, {"source": ["y"]}]}, False),
    ],
)
def test_what_is_unknown_of_an_event_could_match(pattern: dict[str, Any], *, expected: bool) -> None:
    assert could_match(pattern, {"source": "shop.orders"}) is expected


EXCLUSIONS: tuple[Any, ...] = (
    *([], ["a", 1], {"prefix": []}),
    *({"numeric": [">", 1]}, {"prefix": "a", "suffix": "b"}, None),
)
LIST = "must be a non-empty list of values, or a non-empty dictionary of nested fields"
ONE = "must be a plain value or one operator, such as {'prefix': 'eu-'}"
FIELDS = "account, detail, detail-type, id, region, replay-name, resources, source, time, trace-header, version"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ({}, ("", {}, "must be a dictionary with at least one field")),
        (None, ("", None, "must be a dictionary with at least one field")),
        ({"source": "shop.orders"}, ("['source']", "shop.orders", LIST)),
        ({"source": []}, ("['source']", [], LIST)),
        ({"detail": {}}, ("['detail']", {}, LIST)),
        ({"detail": {"a": {"b": "c"}}}, ("['detail']['a']['b']", "c", LIST)),
        ({"detailType": ["x"]}, ("['detailType']", "detailType", f"is not a field of an event; use {FIELDS}")),
        (
            {"$or": [{"source": ["x"]}, {"detailType": ["x"]}]},
            ("['detailType']", "detailType", f"is not a field of an event; use {FIELDS}"),
        ),
        ({"$or": [{"source": ["x"]}]}, ("['$or']", [{"source": ["x"]}], "must be a list of at least two dictionaries")),
        ({"$or": [{"source": ["x"]}, {"source": "y"}]}, ("['source']", "y", LIST)),
        (
            {"source": ["${aws_s3_bucket.b.id}"]},
            ("['source']", "${aws_s3_bucket.b.id}", "must be a plain value, because the pattern is tested at synth"),
        ),
        ({"source": [{"prefix": "a", "suffix": "b"}]}, ("['source']", {"prefix": "a", "suffix": "b"}, ONE)),
        ({"source": [["a"]]}, ("['source']", ["a"], ONE)),
        (
            {"source": [{"begins-with": "a"}]},
            (
                "['source']",
                {"begins-with": "a"},
                (
                    "must be one of the operators anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, "
                    "wildcard"
                ),
            ),
        ),
    ],
)
def test_a_pattern_that_eventbridge_refuses_is_found(pattern: object, problem: tuple[str, object, str]) -> None:
    assert check_event_pattern(pattern) == [problem]


@pytest.mark.parametrize(
    ("operand", "allowed"),
    [
        ({"exists": "true"}, "takes True or False"),
        ({"cidr": "10.0.0.0"}, "takes a CIDR range, such as '10.0.0.0/24'"),
        ({"cidr": "10.0.0/x"}, "takes a CIDR range, such as '10.0.0.0/24'"),
        ({"equals-ignore-case": 1}, "takes a string"),
        ({"prefix": 1}, "takes a string, or {'equals-ignore-case': a string}"),
        ({"prefix": {"wildcard": "a"}}, "takes a string, or {'equals-ignore-case': a string}"),
        ({"suffix": {"equals-ignore-case": 1}}, "takes a string, or {'equals-ignore-case': a string}"),
        ({"wildcard": "a**"}, "takes a string with *, without consecutive * characters"),
        *(
            ({"numeric": operand}, "takes a comparison and a number, or a range such as ['>', 0, '<=', 5]")
            for operand in (
                5,
                [">"],
                [">", "5"],
                [">", True],
                ["==", 5],
                ["<", 5, ">", 1],
                [">", 5, "<", 1],
                [">", 1, "=", 2],
            )
        ),
        *(
            ({"anything-but": excluded}, "takes a value, a list of strings or of numbers, or one operator on strings")
            for excluded in EXCLUSIONS
        ),
    ],
)
def test_an_operator_that_eventbridge_refuses_is_found(operand: dict[str, Any], allowed: str) -> None:
    assert check_event_pattern({"source": [operand]}) == [("['source']", operand, allowed)]


def test_a_pattern_is_written_the_same_every_time_and_not_too_long() -> None:
    assert as_json({"source": ["é"], "account": ["1"]}) == '{"account":["1"],"source":["é"]}'
    long = {"source": ["x" * 2036]}
    assert check_event_pattern(long) == [("", as_json(long), "has 2051 characters; 2048 are allowed")]
    assert check_event_pattern({"source": ["x" * 2033]}) == []


def test_filters_of_lambda_know_fewer_operators_and_any_field() -> None:
    filter_criteria: dict[str, Any] = {"fields": None, "operators": FILTER_OPERATORS, "limit": MAX_FILTER_PATTERN}
    assert check_pattern({"body": {"a": [{"prefix": "x"}]}}, **filter_criteria) == []
    (problem,) = check_pattern({"body": [{"wildcard": "x"}]}, **filter_criteria)
    assert problem == (
        "['body']",
        {"wildcard": "x"},
        "must be one of the operators anything-but, equals-ignore-case, exists, numeric, prefix, suffix",
    )
