"""Which handlers and runtimes of a Lambda function are refused before Terraform sees them."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.foundation.errors import ConfigurationError, ConfigurationWarning
from constructs_lib.foundation.function_source import FunctionSource, InlineSource, read_source
from constructs_lib.foundation.lambda_runtimes import check_runtime

if TYPE_CHECKING:
    from pathlib import Path

PATH = "Stack/Fn"
HANDLER = "def handler(event, context):\n    return event\n"
TODAY = date(2026, 11, 22)
SHAPE = "expected 'module.function', such as 'index.handler', with at most 128 characters"


def read(source: Any, handler: str = "index.handler", runtime: str = "python3.11") -> FunctionSource:
    return read_source(PATH, source, handler, runtime)


def refusal(source: Any, handler: str = "index.handler", runtime: str = "python3.11") -> list[str]:
    """The lines of the error, without the path that each of them must start with."""
    with pytest.raises(ConfigurationError) as caught:
        read(source, handler, runtime)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{PATH}: ") for line in lines)
    return [line.removeprefix(f"{PATH}: ") for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        HANDLER,
        "class handler:\n    def __init__(self, event, context): pass",
        "handler = print",
        "handler: object = print",
        "other, (handler, *rest) = range(9)",
        "import handler",
        "import handler.sub",
        "import app as handler",
        "from app import handler",
        "from app import main as handler",
        "from app import *",
        "try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler",
        "if True:\n    def handler(event, context): pass",
        "for handler in (print,): pass",
        "with open('x') as handler: pass",
        "(handler := print)",
        "def handler(*arguments): pass",
        "def handler(event, context=None, *more, key=1, **rest): pass",
        "def handler(event=None, /, context=None, extra=None): pass",
        "@decorator\ndef handler(event): pass",
        "async def handler(event, context): pass\nhandler = run(handler)",
    ],
)
def test_a_handler_may_be_bound_at_top_level_in_any_way(text: str) -> None:
    assert read(InlineSource(text)).size


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "def main(a, b): pass\nx = 1\ndef other(): pass",
            "handler not found in index.py; its functions: main, other",
        ),
        ("x = 1", "handler not found in index.py; its functions: none"),
        (
            "class A:\n    def handler(self, event, context): pass",
            "handler not found in index.py; its functions: none",
        ),
        ("def f():\n    handler = 1", "handler not found in index.py; its functions: f"),
        ("handler: object", "handler not found in index.py; its functions: none"),
        ("[handler for handler in ()]", "handler not found in index.py; its functions: none"),
        ("print(handler)", "handler not found in index.py; its functions: none"),
        ("import app.handler", "handler not found in index.py; its functions: none"),
        (
            "x = 1\nasync def handler(event, context): pass",
            "is async (index.py:2), which Lambda does not support; call asyncio.run in a plain function",
        ),
        ("def handler(): pass", "wrong parameters (index.py:1); expected event and context"),
        ("def handler(event): pass", "wrong parameters (index.py:1); expected event and context"),
        ("def handler(event, context, more): pass", "wrong parameters (index.py:1); expected event and context"),
        ("def handler(a, b, c, *rest): pass", "wrong parameters (index.py:1); expected event and context"),
        ("def handler(event, context, *, key): pass", "wrong parameters (index.py:1); expected event and context"),
    ],
)
def test_a_handler_that_lambda_could_not_call_is_refused(text: str, problem: str) -> None:
    assert refusal(InlineSource(text)) == [f"handler='index.handler': {problem}"]


@pytest.mark.parametrize(
    ("handler", "file"),
    [
        ("pkg/app.handler", "pkg/app.py"),
        ("pkg.app.handler", "pkg/app.py"),
        ("pkg.handler", "pkg/__init__.py"),
        ("my-app.handler", "my-app.py"),
        ("a/b/c.handler", "a/b/c.py"),
        (f"{'i' * 120}.handler", f"{'i' * 120}.py"),
    ],
)
def test_a_module_is_found_in_folders_and_packages(handler: str, file: str) -> None:
    assert read(InlineSource(HANDLER, file), handler).size


@pytest.mark.parametrize(
    "handler",
    [
        "",
        "handler",
        "index.",
        ".handler",
        "index handler",
        "index.1st",
        "/index.handler",
        "${var.handler}",
        f"{'i' * 121}.handler",
    ],
)
@pytest.mark.parametrize("runtime", ["python3.11", "nodejs22.x"])
def test_a_handler_of_another_shape_is_refused(handler: str, runtime: str) -> None:
    assert refusal(InlineSource(HANDLER), handler, runtime) == [f"handler={handler!r}: {SHAPE}"]


def test_a_handler_in_a_missing_module_is_refused_with_the_nearest_files(tmp_path: Path) -> None:
    for name in ("index.py", "indices.py", "inert.py", "README"):
        (tmp_path / name).touch()
    what = "indx.py or indx/__init__.py not found in the source; similar files: index.py, indices.py, inert.py"
    assert refusal(tmp_path, "indx.handler") == [f"handler='indx.handler': {what}"]


@pytest.mark.parametrize(
    "text",
    [
        "exports.handler = async (event) => event;",
        "module.exports.handler = main;",
        "exports['handler'] = main;",
        "module.exports = { a() { return {}; }, handler };",
        "module.exports = {\n  handler: main,\n};",
        "module.exports = __toCommonJS(index);",
        'Object.defineProperty(exports, "handler", { get: main });',
        "export const handler = async () => {};",
        "export async function handler(event) {}",
        "export function* handler() {}",
        "export { main as handler };",
        "export { a, handler, b };",
        "export * from './app.mjs';",
    ],
)
@pytest.mark.parametrize("suffix", [".js", ".mjs", ".cjs"])
def test_a_node_handler_may_be_exported_in_any_way(text: str, suffix: str) -> None:
    assert read(InlineSource(text, f"src/index{suffix}"), "src/index.handler", "nodejs22.x").size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "function handler(event) {}",
        "exports.handlers = main;",
        "if (exports.handler == null) {}",
        "// exports.handler = main;",
        "/* exports.handler = main;\n * exports.handler = main; */",
        "export { handler as main };",
        "export const handlers = 1;",
        "module.exports = { main };",
        "module.exports == main;",
    ],
)
def test_a_node_handler_that_is_not_exported_is_refused(text: str) -> None:
    what = "index.mjs does not export handler; add exports.handler = ... or export { handler }"
    assert refusal(InlineSource(text, "index.mjs"), runtime="nodejs22.x") == [f"handler='index.handler': {what}"]


def test_a_node_handler_in_a_missing_file_is_refused() -> None:
    what = "index.js or index.mjs or index.cjs not found in the source; similar files: index.ts"
    assert refusal(InlineSource("", "index.ts"), runtime="nodejs22.x") == [f"handler='index.handler': {what}"]


def test_node_sources_are_not_parsed_but_python_beside_them_is(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text("exports.handler = (;")
    (tmp_path / "tool.py").write_text("x =")
    what = f"tool.py:1:4: not valid Python 3.{sys.version_info.minor}: invalid syntax"
    assert refusal(tmp_path, runtime="nodejs22.x") == [f"source={str(tmp_path)!r}: {what}"]


def test_other_languages_are_refused() -> None:
    assert refusal(InlineSource(HANDLER), runtime="java21") == [
        "runtime='java21': expected a Python or Node.js runtime: python3.11, python3.12, python3.13, nodejs22.x"
    ]


def test_a_handler_in_a_file_that_cannot_be_read_is_reported_once() -> None:
    assert refusal(InlineSource("x = (")) == [
        "source=InlineSource(filename='index.py'): index.py:1:5: not valid Python 3.11: '(' was never closed"
    ]
    assert len(refusal(InlineSource("\0", "index.js"), runtime="nodejs22.x")) == 1


@pytest.mark.parametrize("runtime", ["python3.12", "python3.13"])
def test_a_supported_runtime_is_accepted_in_silence(runtime: str) -> None:
    assert check_runtime(PATH, runtime, TODAY) == runtime


@pytest.mark.parametrize(
    ("runtime", "last"),
    [
        ("python3.11", "2027-06-30"),
        ("python3.12", "2028-10-31"),
        ("python3.13", "2029-06-30"),
        ("nodejs22.x", "2027-04-30"),
    ],
)
def test_a_runtime_warns_half_a_year_before_its_end_and_is_refused_from_that_day_on(runtime: str, last: str) -> None:
    end = date.fromisoformat(last)
    assert check_runtime(PATH, runtime, end - timedelta(days=181)) == runtime
    for days in (180, 1):
        with pytest.warns(ConfigurationWarning) as caught:
            assert check_runtime(PATH, runtime, end - timedelta(days=days)) == runtime
        text = f"{PATH}: runtime={runtime!r}: support ends on {end}, in {days} days; move to a later one"
        assert [(str(warning.message), warning.filename) for warning in caught] == [(text, __file__)]
    with pytest.raises(ConfigurationError, match=f"^{PATH}: runtime='{runtime}': is out of support since {end}; "):
        check_runtime(PATH, runtime, end)


@pytest.mark.parametrize(
    ("runtime", "what"),
    [
        ("python2.7", "is out of support since 2021-07-15; "),
        ("python3.8", "is out of support since 2024-10-14; "),
        ("python3.9", "is out of support since 2025-12-15; "),
        ("python3.10", "is out of support since 2026-10-31; "),
        ("nodejs16.x", "is out of support since 2024-06-12; "),
        ("nodejs18.x", "is out of support since 2025-09-01; "),
        ("nodejs20.x", "is out of support since 2026-04-30; "),
        ("python3.14", "AWS provider 5.100.0 does not know it; "),
        ("nodejs24.x", "AWS provider 5.100.0 does not know it; "),
        (["python3.11"], ""),
        ("python3", ""),
        ("${var.runtime}", ""),
        (None, ""),
    ],
)
def test_a_runtime_that_cannot_be_used_is_refused_with_those_that_can(runtime: Any, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_runtime(PATH, runtime, TODAY)
    allowed = "must be one of python3.11, python3.12, python3.13, nodejs22.x"
    assert str(caught.value) == f"{PATH}: runtime={runtime!r}: {what}{allowed}"


def test_runtimes_that_have_ended_by_then_are_not_offered() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_runtime(PATH, "nodejs22.x", date(2028, 10, 31))
    assert caught.value.problems == (
        "runtime='nodejs22.x': is out of support since 2027-04-30; must be one of python3.13",
    )
