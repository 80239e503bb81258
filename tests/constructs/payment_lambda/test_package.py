from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    Unreserved,
)
from constructs_lib.constructs.shared.packaging import literal
from constructs_lib.testing import read_stack

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

CODE = "def handler(event, context):\n    return event\n"


def synth(outdir: Path, source: str | Path | InlineSource, id_: str = "pay-fn") -> SynthesizedStack:
    app = App(outdir=str(outdir))
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    region = stack.region("eu-west-1")
    PaymentLambda(
        stack,
        id_,
        region=region,
        source=source,
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=Unreserved("runs once a night and waits for nobody"),
    )
    app.synth()
    return read_stack(outdir / "stacks" / "shop")


def assets(synthesized: SynthesizedStack) -> list[str]:
    return sorted(path.name for path in (synthesized.directory / "assets").iterdir())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    (folder / "index.py").write_text(CODE, encoding="utf-8")
    (folder / "tables.py").write_text("LIMIT = 5\n", encoding="utf-8")
    (folder / "rules").mkdir()
    (folder / "rules" / "limits.json").write_bytes(b'{"limit":\r\n "5 \xe2\x82\xac"}')
    (folder / "rules" / "limits.json").chmod(0o777)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "index.cpython-313.pyc").write_bytes(b"\0")
    return folder


@pytest.fixture(scope="module")
def synthesized(source: Path, tmp_path_factory: pytest.TempPathFactory) -> SynthesizedStack:
    out = tmp_path_factory.mktemp("out")
    before = os.umask(0o077)
    try:
        return synth(out, source)
    finally:
        os.umask(before)


def test_terraform_packs_a_folder_beside_the_json(synthesized: SynthesizedStack) -> None:
    (folder,) = assets(synthesized)
    assert folder.startswith("pay_fn_eu_west_1-")
    package = synthesized.resource("data.archive_file")
    assert package["provider"] == "archive"
    package.assert_config(
        {
            "output_file_mode": "0644",
            "output_path": "${path.module}/assets/pay_fn_eu_west_1.zip",
            "source_dir": f"${{path.module}}/assets/{folder}",
            "type": "zip",
        }
    )


def test_the_folder_holds_the_checked_files_byte_for_byte(synthesized: SynthesizedStack, source: Path) -> None:
    folder = next((synthesized.directory / "assets").iterdir())
    written = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert set(written) == {"index.py", "rules/limits.json", "tables.py"}
    for name, file in written.items():
        assert file.read_bytes() == (source / name).read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_the_json_holds_no_absolute_path(synthesized: SynthesizedStack, source: Path) -> None:
    assert str(source) not in synthesized.text
    assert str(synthesized.directory) not in synthesized.text


def test_the_same_source_elsewhere_gives_the_same_json(
    synthesized: SynthesizedStack, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    assert synth(tmp_path / "out", source.name).text == synthesized.text


def test_a_changed_source_replaces_its_former_folder_and_no_other(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "index.py").write_text(CODE, encoding="utf-8")
    (first,) = assets(synth(out, source))
    others = ["other_fn_eu_west_1-01234567", "pay_fn_eu_west_1-01234567-01234567", "pay_fn_eu_west_1-notes"]
    for other in others:
        (out / "stacks" / "shop" / "assets" / other).mkdir()
    stray = out / "stacks" / "shop" / "assets" / first / "stray.py"
    stray.write_text("left over", encoding="utf-8")
    assert assets(synth(out, source)) == sorted([*others, first])
    assert not stray.exists()
    (source / "index.py").write_text(f"# changed\n{CODE}", encoding="utf-8")
    second = set(assets(synth(out, source))) - set(others)
    assert len(second) == 1
    assert second != {first}


def test_inline_text_is_packed_as_it_stands(tmp_path: Path) -> None:
    text = 'def handler(event, context):\n    return f"${event} %{context} $${event}"\n'
    synthesized = synth(tmp_path, InlineSource(text))
    package = synthesized.resource("data.archive_file")
    package.assert_config(
        {
            "output_file_mode": "0644",
            "output_path": "${path.module}/assets/pay_fn_eu_west_1.zip",
            "source_content": 'def handler(event, context):\n    return f"$${event} %%{context} $$${event}"\n',
            "source_content_filename": "index.py",
            "type": "zip",
        }
    )
    assert not (synthesized.directory / "assets").exists()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("$ % {}", "$ % {}"), ("${", "$${"), ("%{", "%%{"), ("$%{", "$%%{"), ("$${~a~}", "$$${~a~}")],
)
def test_what_would_start_a_template_is_escaped(text: str, escaped: str) -> None:
    assert literal(text) == escaped


def refused(stack: HardenedStack, source: str | Path | InlineSource, handler: str = "index.handler") -> str:
    region = stack.region("eu-west-1")
    with pytest.raises(ConfigurationError) as error:
        PaymentLambda(
            stack,
            "pay-fn",
            region=region,
            source=source,
            handler=handler,
            key=MultiRegionKey(stack, "key", region=region),
            reserved_concurrency=1,
        )
    assert stack.node.try_find_child("pay-fn") is not None
    assert len(stack.node.find_child("pay-fn").node.children) == 0
    return str(error.value)


def test_a_missing_source_folder_is_refused(stack: HardenedStack, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert refused(stack, missing) == (f"shop/pay-fn: source={str(missing)!r}: directory not found: {missing}")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (
            "index.py",
            b"\xef\xbb\xbfdef handler(event, context): ...",
            "index.py: byte 0 is the start of a UTF-8 byte-order mark (ef bb bf); save the file as UTF-8 without a byte-order mark",
        ),
        (
            "index.py",
            "def handler(event, context): ...".encode("utf-16"),
            (
                "index.py: byte 0 is the start of a UTF-16 LE byte-order mark (ff fe); save the file as UTF-8 without a byte-order "
                "mark"
            ),
        ),
        ("index.py", b"def handler(event, context) ...", "index.py:1:29: not valid Python 3.11: expected ':'"),
        (
            "lib.zip",
            b"PK\x03\x04",
            "lib.zip: is a zip archive; give the files instead, which archive_file packages",
        ),
    ],
    ids=["byte-order mark", "UTF-16", "syntax error", "zip"],
)
def test_a_source_that_lambda_could_not_run_is_refused(
    stack: HardenedStack, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / "index.py").write_text(CODE, encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    message = refused(stack, tmp_path)
    assert message.startswith(f"shop/pay-fn: source={str(tmp_path)!r}: {problem}")
    assert len(message.splitlines()) == 1


def test_a_missing_handler_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, InlineSource(CODE), handler="index.main") == (
        "shop/pay-fn: handler='index.main': main not found in index.py; its functions: handler"
    )


def test_text_with_a_value_known_only_at_apply_is_refused(stack: HardenedStack) -> None:
    source = InlineSource(f"{CODE}KEY = '${{TfToken[TOKEN.7]}}'\n")
    assert refused(stack, source) == (
        "shop/pay-fn: source=InlineSource(filename='index.py'): contains a reference; expected plain text. Give "
        "references as environment variables"
    )
