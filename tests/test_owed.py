"""What a construct owes: a public name, a page, tests, a line in the changelog."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import constructs_lib
from constructs_lib.core.construct import HardenedConstruct

ROOT = Path(__file__).parent.parent
ROOMS = ROOT / "constructs_lib" / "constructs"

CONSTRUCTS: dict[str, Any] = {
    name: made
    for name in constructs_lib.__all__
    if inspect.isclass(made := getattr(constructs_lib, name)) and issubclass(made, HardenedConstruct)
    if name == made.__name__  # no alias
    if name != "Vpc"  # the type of a RegionalVpc and of an existing VPC
}


@pytest.mark.parametrize("room", sorted(each.name for each in ROOMS.iterdir() if (each / "__init__.py").exists()))
def test_a_room_has_a_public_construct_of_its_name_and_tests(room: str) -> None:
    if room == "shared":
        return
    name = room.title().replace("_", "")
    assert name in CONSTRUCTS, f"{name} is not in constructs_lib/__init__.pyi"
    assert list((ROOT / "tests" / "constructs" / room).glob("test_*.py")), f"tests/constructs/{room} has no tests"


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
def test_a_construct_has_a_page_with_its_arguments(name: str) -> None:
    pages = [
        page for page in (ROOT / "docs" / "constructs").glob("*.md") if f"<!-- api: {name} -->" in page.read_text()
    ]
    assert [page.name for page in pages], f"no page in docs/constructs has <!-- api: {name} -->"


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
def test_a_construct_is_in_the_changelog(name: str) -> None:
    assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
def test_each_argument_and_public_method_is_documented(name: str) -> None:
    made = CONSTRUCTS[name]
    documented = inspect.getdoc(made) or ""
    arguments = [argument for argument in inspect.signature(made.__init__).parameters if argument != "self"]
    assert [argument for argument in arguments if f"\n    {argument}: " not in documented] == []
    methods = inspect.getmembers(made, inspect.isfunction)
    public = [
        (label, method)
        for label, method in methods
        if not label.startswith("_") and made.__module__.startswith("constructs_lib")
    ]
    ours = [
        (label, method) for label, method in public if inspect.unwrap(method).__module__.startswith("constructs_lib")
    ]
    assert [label for label, method in ours if not inspect.getdoc(method)] == []
