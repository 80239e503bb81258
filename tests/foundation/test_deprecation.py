from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from constructs_lib import ConfigurationError
from constructs_lib.foundation.deprecation import RenamedAttribute, renamed_arguments, renamed_fields


@renamed_arguments(colour="color")
def paint(color: str, *, coats: int = 1) -> tuple[str, int]:
    return color, coats


@renamed_fields(colour="color")
@dataclass(frozen=True)
class Paint:
    color: str
    colour = RenamedAttribute("color")


OLD: Any = {"colour": "red"}


def test_an_old_name_works_and_warns_on_the_callers_line() -> None:
    text = "argument colour is deprecated and will be removed in the next release; use color"
    with pytest.warns(DeprecationWarning, match="colour") as caught:
        assert (paint(**OLD, coats=2), Paint(**OLD)) == (("red", 2), Paint("red"))
    assert [(str(warning.message), warning.filename) for warning in caught] == [(text, __file__)] * 2


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^paint: colour: is the old name of color; give one$"):
        paint(color="blue", **OLD)


def test_the_new_name_warns_of_nothing() -> None:
    assert paint("red") == paint(color="red") == ("red", 1)


def test_an_attribute_can_be_read_under_its_old_name() -> None:
    with pytest.warns(DeprecationWarning, match=r"^Paint\.colour is deprecated .*; use color$"):
        assert Paint("red").colour == "red"
