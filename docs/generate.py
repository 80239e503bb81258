"""Write what the pages of docs/ and the README say twice: tables made from code, tested programs, used bindings.

`python docs/generate.py` writes; `--check` fails when a page is stale.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from bindings_stub import bindings_stub
from construct_pages import with_api
from constructs_lib.foundation.environment import PROFILES, Profile
from constructs_lib.rules.checking import all_rules
from constructs_lib.rules.lessons import LESSONS
from platform_page import platform_page
from rule_pages import lesson_tests, lessons_page, rule_pages
from stacks_page import stacks_page, with_stacks

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parent.parent
LISTED = re.compile(r"( +)# pages of docs/(\w+)\n.*?\1# end\n", re.DOTALL)
INCLUDED = re.compile(r"(<!-- include (\S+) -->\n```python\n).*?(```\n)", re.DOTALL)


def environments() -> str:
    """Return the page that compares the environments."""
    documented = field_docs()
    rows = [
        [f"`{field.name}`", documented[field.name], *(getattr(PROFILES[name], field.name) for name in PROFILES)]
        for field in dataclasses.fields(Profile)
    ]
    table = tabulate(rows, headers=["setting", "meaning", *PROFILES], tablefmt="github", disable_numparse=True)
    return (
        "# Environments\n\nThe settings of each environment. An argument of a construct may tighten a value; "
        "loosening it below the environment's is refused or needs a named reason.\n\n"
        f"{table}\n\nGenerated from `constructs_lib/foundation/environment.py` by `make docs`.\n"
    )


def field_docs() -> dict[str, str]:
    """Return the sentence under each field of `Profile`."""
    body = ast.parse(inspect.getsource(Profile)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101
    return {
        field.target.id: str(ast.literal_eval(text.value))
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }


def performance() -> str:
    """Return the page of the measurements that `make bench` wrote."""
    report = json.loads((ROOT / "docs/performance.json").read_text(encoding="utf-8"))
    lazy, plain = report["payments"]["lazy"], report["payments"]["plain"]
    figures = ("wall", "cpu", "memory")
    rows = [
        ["payments on the plain import", *(f"{plain[name]:.2f}" for name in figures)],
        ["payments on constructs_lib", *(f"{lazy[name]:.2f}" for name in figures)],
        ["times less", *(f"**{plain[name] / lazy[name]:.1f}**" for name in figures)],
    ]
    if report["cli"]:
        rows.append(["`cdktf synth` as a whole", *(f"{report['cli'][name]:.2f}" for name in figures)])
    compared = tabulate(rows, headers=["", "wall s", "CPU s", "peak MB"], tablefmt="github", disable_numparse=True)
    sizes = [
        [
            size["resources"],
            *(f"{size[name]:.2f}" for name in figures),
            *(
                f"{1000 * (size[name] - first[name]) / (size['resources'] - first['resources']):.2f}" if first else ""
                for name in ("cpu", "memory")
            ),
        ]
        for first, size in zip([None, *report["growth"]], report["growth"], strict=False)
    ]
    heads = ["resources", "wall s", "CPU s", "peak MB", "CPU ms for each more", "kB for each more"]
    growth = tabulate(sizes, headers=heads, tablefmt="github", disable_numparse=True)
    checked = tabulate(
        [
            [
                size["resources"],
                size["rules"],
                f"{size['seconds']:.2f}",
                f"{1e6 * size['seconds'] / size['resources']:.0f}",
            ]
            for size in report.get("rules", [])
        ],
        headers=["resources", "rules", "CPU s", "microseconds for each resource"],
        tablefmt="github",
        disable_numparse=True,
    )
    about = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    return (
        "# Performance\n\nThe same program synthesizes the payments stack (three regions) with the lazy bindings of "
        "this library, and with `CONSTRUCTS_LIB_EAGER_BINDINGS=1`, the plain import of cdktf and its provider "
        f"packages. Both write the same bytes. The figures are medians of {report['payments']['runs']} alternating "
        "runs of the whole process tree with warm caches. Compare CPU time: wall time depends on the load of the "
        f"computer.\n\n{compared}\n\n## Growth\n\nA stack of log groups, roles with policies, and queues. The last two "
        f"columns compare with the row above.\n\n{growth}\n\n## Rules\n\nAll rules run over four stacks: functions "
        "with roles, queues and logs, buckets, networks. The figures are for one core and exclude reading the files "
        f"and writing the report.\n\n{checked}\n\n## Measured on\n\n{about}.\n\nGenerated by `make bench` and "
        "`make docs`. The first run after an installation fills jsii's cache and takes about 8 s longer. Node 22 is "
        "about a sixth faster than Node 20. Do not set `PYTHONDONTWRITEBYTECODE`: without bytecode files, every run "
        "compiles the bindings again.\n"
    )


def with_programs(page: str) -> str:
    """Return a page with its included programs updated."""
    return INCLUDED.sub(lambda m: m[1] + (ROOT / m[2]).read_text(encoding="utf-8") + m[3], page)


def navigation(pages: Iterable[Path]) -> str:
    """Return mkdocs.yml with the pages of each folder listed, an index first."""

    def listed(match: re.Match[str]) -> str:
        indent, folder = match.groups()
        names = sorted(page.name for page in pages if page.parent == ROOT / "docs" / folder)
        names.sort(key=lambda name: name != "README.md")
        lines = [f"{indent}- {folder}/{name}\n" for name in names]
        return f"{indent}# pages of docs/{folder}\n{''.join(lines)}{indent}# end\n"

    return LISTED.sub(listed, (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def _to_constructs(page: Path) -> str:
    """Return the prefix of links from a page to the pages of constructs."""
    return {"constructs": "", "docs": "constructs/"}.get(page.parent.relative_to(ROOT).name, "docs/constructs/")


def main() -> int:
    """Write or check every page; returns the number of stale ones."""
    pages = {
        ROOT / "constructs_lib/_engine/aws.pyi": bindings_stub(ROOT / "constructs_lib"),
        ROOT / "docs/environments.md": environments(),
        ROOT / "docs/lessons.md": lessons_page(LESSONS, all_rules(), lesson_tests(ROOT / "tests")),
        ROOT / "docs/performance.md": performance(),
        ROOT / "docs/platform.md": platform_page(),
        ROOT / "docs/stacks.md": stacks_page(),
        **{ROOT / "docs/rules" / name: page for name, page in rule_pages(all_rules()).items()},
    }
    if unused := sorted(set((ROOT / "docs/rules").glob("*.md")) - pages.keys()):
        raise SystemExit(f"{unused[0].relative_to(ROOT)} belongs to no family of rules; delete it")
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        if page not in pages:
            pages[page] = with_api(with_stacks(with_programs(page.read_text(encoding="utf-8"))), _to_constructs(page))
    pages[ROOT / "mkdocs.yml"] = navigation(list(pages))
    stale = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    for page in stale:
        if "--check" in sys.argv:
            print(f"{page.relative_to(ROOT)} is stale: run `make docs`")
        else:
            page.parent.mkdir(exist_ok=True)
            page.write_text(pages[page], encoding="utf-8")
    return len(stale) if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
