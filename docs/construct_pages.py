"""What the pages of constructs take from signatures and docstrings, and the table of constructs.

A page has `<!-- api: Queue -->` and `<!-- end -->` on lines of their own, or `<!-- options: Fifo -->` for an option
object; what is between them is made. `<!-- api: HardenedStack without claim, place -->` leaves members out. Headings
are one level below the heading above the marker. The README and docs/constructs/README.md have `<!-- constructs -->`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import griffe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "docs" / "constructs"
MAX_ROW: Final = 120
BASE: Final = "HardenedConstruct"

_MADE: Final = re.compile(r"(<!-- (api|options): (\w+)(?: without ([\w, ]+))? -->\n).*?(<!-- end -->)", re.DOTALL)
_TABLE: Final = re.compile(r"(<!-- constructs -->\n).*?(<!-- end -->)", re.DOTALL)
_CODE: Final = re.compile(r"(`[^`]*`)")
_FENCED: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_HEADING: Final = re.compile(r"^#+(?= )", re.MULTILINE)


@cache
def library() -> griffe.Module:
    """Return the library as its source describes it; nothing is imported."""
    found = griffe.load("constructs_lib", search_paths=[ROOT], docstring_parser="google", allow_inspection=False)
    assert isinstance(found, griffe.Module)  # noqa: S101
    return found


@cache
def public_classes() -> dict[str, griffe.Class]:
    """Return the public classes by name."""
    found = {}
    stub = (ROOT / "constructs_lib" / "__init__.pyi").read_text(encoding="utf-8")
    for module, name in re.findall(r"from \.([\w.]+) import (\w+)", stub):
        made = library()[f"{module}.{name}"] if not module.startswith("_engine") else None
        if isinstance(made, griffe.Alias):
            made = made.final_target
        if isinstance(made, griffe.Class):
            found[name] = made
    return found


def constructs() -> dict[str, griffe.Class]:
    """Return the public constructs that have a page, by name."""
    return {
        name: made
        for name, made in public_classes().items()
        if BASE in {base.name for base in _bases(made)} and _page(name)
    }


def with_api(page: str, prefix: str = "") -> str:
    """Return a page with its generated parts as the code is now.

    Args:
        page: Its text.
        prefix: What leads from the page to those of the constructs.

    Raises:
        ValueError: A marker that names no public class, or leaves out a member that the class does not have.
    """
    return _TABLE.sub(lambda m: f"{m[1]}{construct_table(prefix)}\n{m[2]}", _MADE.sub(_part, page))


def construct_table(prefix: str) -> str:
    """Return the table of constructs: what each is, with a link to its page."""
    made = sorted(constructs().items())
    rows = [[f"[{name}]", _cell(summary(construct).removesuffix("."))] for name, construct in made]
    long = [row for row in rows if len(f"| {' | '.join(row)} |") > MAX_ROW]
    if long:
        raise ValueError(
            f"the first sentence of {long[0][0]} makes its row longer than {MAX_ROW} characters: {long[0][1]}"
        )
    links = "\n".join(f"[{name}]: {prefix}{_page(name)}" for name, _ in made)
    return f"\n{table(['Construct', 'What it creates'], rows)}\n\n{links}\n"


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown; columns are not aligned, so that a change is one line."""
    lines = [list(headers), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@cache
def _page(name: str) -> str:
    """Return the file name of the page that documents a class, by marker, file name or heading; empty without one."""
    own = f"{re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()}.md"
    pages = {page.name: page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md"))}
    found = [page for page, text in pages.items() if f"<!-- api: {name} " in text]
    found += [page for page in pages if page == own]
    found += [page for page, text in pages.items() if f"\n## {name}\n" in text]
    return next(iter(found), "")


def summary(made: griffe.Class | griffe.Function) -> str:
    """Return the first sentence of a docstring."""
    text = next((part.value for part in _parts(made) if isinstance(part, griffe.DocstringSectionText)), "")
    return _line(text.split("\n\n", 1)[0])


def _part(match: re.Match[str]) -> str:
    opening, kind, name, without, end = match.groups()
    if name not in public_classes():
        raise ValueError(f"{opening.strip()} names no public class")
    made = public_classes()[name]
    left_out = {member.strip() for member in (without or "").split(",") if without}
    if unknown := left_out - made.all_members.keys():
        raise ValueError(f"{opening.strip()}: {name} has no {', '.join(sorted(unknown))}")
    above = _HEADING.findall(_FENCED.sub("", match.string[: match.start()]))
    level = above[-1] if above else "#"
    lines = list(_api(made, level, left_out)) if kind == "api" else [_fields(made)]
    return opening + "\n".join(lines).lstrip("\n") + "\n" + end


def _api(made: griffe.Class, level: str, left_out: Collection[str]) -> Iterator[str]:
    arguments = _arguments(_constructor(made), made)
    if arguments:
        yield f"{level}# Arguments\n\n{arguments}"
    yield from _raised(made)
    methods = [method for method in _methods(made) if method.name not in left_out]
    if methods:
        yield f"\n{level}# Methods"
    for method in methods:
        named = ", ".join(_name(parameter) for parameter in method.parameters if parameter.name != "self")
        yield f"\n{level}## `{method.name}({named})`\n"
        yield _cell("\n\n".join(p.value for p in _parts(method) if isinstance(p, griffe.DocstringSectionText)))
        arguments = _arguments(method, method)
        if arguments:
            yield f"\n{arguments}"
        yield from _raised(method)
    attributes = [row for name, row in _attributes(made).items() if name not in left_out]
    if attributes:
        yield f"\n{level}# Attributes\n"
        yield table(["Attribute", "Type", "Description"], attributes)


def _constructor(made: griffe.Class) -> griffe.Function:
    constructor = made.all_members["__init__"]
    if isinstance(constructor, griffe.Alias):
        constructor = constructor.final_target
    assert isinstance(constructor, griffe.Function)  # noqa: S101
    return constructor


def _arguments(function: griffe.Function, documented: griffe.Class | griffe.Function) -> str:
    described = {
        parameter.name: parameter.description
        for part in _parts(documented)
        if isinstance(part, griffe.DocstringSectionParameters)
        for parameter in part.value
    }
    rows = [
        [f"`{_name(parameter)}`", _type(parameter.annotation), _default(parameter), _cell(described[_name(parameter)])]
        for parameter in function.parameters
        if _name(parameter) in described
    ]
    if not rows:
        return ""
    headers = ["Argument", "Type", "Default", "Description"]
    return table(headers, rows)


def _fields(made: griffe.Class) -> str:
    described = _described_attributes(made)
    rows = []
    for class_ in [*reversed(_bases(made)), made]:
        for name, field in class_.members.items():
            if isinstance(field, griffe.Attribute) and field.annotation is not None and name in described:
                rows.append([f"`{name}`", _type(field.annotation), _value(field.value), _cell(described[name])])
    headers = ["Field", "Type", "Default", "Description"]
    return table(headers, rows)


def _raised(made: griffe.Class | griffe.Function) -> Iterator[str]:
    for part in _parts(made):
        if isinstance(part, griffe.DocstringSectionRaises):
            for error in part.value:
                yield f"\nRaises `{error.annotation}`: {_cell(error.description)}"


def _methods(made: griffe.Class) -> Iterator[griffe.Function]:
    for class_ in [made, *_bases(made)]:
        if class_.name == BASE:
            return
        for name, member in class_.members.items():
            if isinstance(member, griffe.Function) and not name.startswith("_"):
                yield member


def _attributes(made: griffe.Class) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for class_ in [made, *_bases(made)]:
        if class_.name == BASE:
            break
        for name, text in _described_attributes(class_).items():
            rows.setdefault(name, [f"`{name}`", _type(_annotation(class_, name)), _cell(text)])
        for name, member in class_.members.items():
            if isinstance(member, griffe.Attribute) and not name.startswith("_") and member.docstring:
                rows.setdefault(name, [f"`{name}`", _type(member.annotation), _cell(member.docstring.value)])
    return rows


def _annotation(made: griffe.Class, name: str) -> object:
    """Return the type of an attribute; that of the argument that the constructor assigns, unless that may be None."""
    member = made.members.get(name)
    if not isinstance(member, griffe.Attribute):
        return None
    given = {parameter.name: parameter.annotation for parameter in _constructor(made).parameters}
    argument = given.get(str(member.value))
    return member.annotation or (None if "None" in str(argument) else argument)


def _described_attributes(made: griffe.Class) -> dict[str, str]:
    return {
        attribute.name: attribute.description
        for part in _parts(made)
        if isinstance(part, griffe.DocstringSectionAttributes)
        for attribute in part.value
    }


def _bases(made: griffe.Class) -> list[griffe.Class]:
    return [base for base in made.mro() if isinstance(base, griffe.Class)]


def _parts(made: griffe.Object) -> Iterable[griffe.DocstringSection]:
    return made.docstring.parsed if made.docstring else ()


def _type(annotation: object) -> str:
    text = str(annotation or "").replace("|", "\\|")
    return f"`{text}`" if text else ""


def _name(parameter: griffe.Parameter) -> str:
    stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
    return f"{stars.get(parameter.kind, '') if parameter.kind else ''}{parameter.name}"


def _default(parameter: griffe.Parameter) -> str:
    if parameter.kind in {griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword}:
        return ""
    return "required" if parameter.default is None else _value(parameter.default)


def _value(value: object) -> str:
    return f"`{value}`" if value is not None else "required"


def _cell(text: str) -> str:
    """Return text for a cell of a table: one line, in which Markdown finds no HTML and no emphasis outside of code."""
    parts = _CODE.split(_line(text))
    return "".join(
        part.replace("|", "\\|") if part.startswith("`") else re.sub(r"([*<>|])", r"\\\1", part) for part in parts
    )


def _line(text: str) -> str:
    return " ".join(text.split())
