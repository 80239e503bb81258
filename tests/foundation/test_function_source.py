"""What is refused in a Lambda function's source before Terraform sees it."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.foundation import function_source
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.function_source import FunctionSource, InlineSource, read_source

PATH = "Stack/Fn"
HANDLER = "def handler(event, context):\n    return event\n"
UNPACK = "give the files instead, which archive_file packages"
UTF8 = "save the file as UTF-8 without a byte-order mark"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(files: dict[str, str | bytes], folder: str = "fn") -> str:
    for name, content in files.items():
        file = Path(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(source: Any, handler: str = "index.handler", runtime: str = "python3.11") -> FunctionSource:
    return read_source(PATH, source, handler, runtime)


def refusal(source: Any, handler: str = "index.handler", runtime: str = "python3.11") -> list[str]:
    """The lines of the error, without the path that each of them must start with."""
    with pytest.raises(ConfigurationError) as caught:
        read(source, handler, runtime)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{PATH}: ") for line in lines)
    return [line.removeprefix(f"{PATH}: ") for line in lines]


def file_refusal(name: str, content: str | bytes) -> list[str]:
    """The lines about one file beside a good handler."""
    return [line.removeprefix(f"source='fn': {name}") for line in refusal(write({"index.py": HANDLER, name: content}))]


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", HANDLER)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("index.py"))
    return buffer.getvalue()


def test_a_directory_is_read_in_the_order_of_its_paths() -> None:
    source = read(write({"z.txt": "é", "index.py": HANDLER, "a/b.json": "{}", "a/test_b.py": "", "a.py": "\r\n"}))
    assert list(source.files.items()) == [
        ("a.py", "\r\n"),
        ("a/b.json", "{}"),
        ("a/test_b.py", ""),
        ("index.py", HANDLER),
        ("z.txt", "é"),
    ]
    assert source.size == 2 + 2 + 0 + len(HANDLER) + 2


def test_a_layer_has_no_handler_and_is_checked_like_the_rest() -> None:
    folder = write({"python/common.py": "RETRIES = 3\n"})
    assert list(read_source(PATH, folder, None, "python3.11").files) == ["python/common.py"]
    write({"python/broken.py": "def"})
    with pytest.raises(ConfigurationError, match=r"python/broken\.py:1:4: not valid Python 3\.11: invalid syntax"):
        read_source(PATH, folder, None, "python3.11")


def test_a_directory_may_be_a_path_object() -> None:
    assert read(Path(write({"index.py": HANDLER})).absolute()).files == {"index.py": HANDLER}


def test_bytecode_and_finder_files_are_no_part_of_the_source() -> None:
    ignored: dict[str, str | bytes] = {
        "__pycache__/index.cpython-311.pyc": b"\xff",
        "a/__pycache__/x": b"\0",
        "a/old.pyc": b"\0",
        ".DS_Store": b"\0",
    }
    assert list(read(write({"index.py": HANDLER, ".env": "A=1", **ignored})).files) == [".env", "index.py"]


def test_inline_text_is_a_source_of_one_file() -> None:
    assert read(InlineSource(HANDLER)).files == {"index.py": HANDLER}
    assert read(InlineSource(HANDLER, "pkg/app.py"), "pkg.app.handler").files == {"pkg/app.py": HANDLER}


def test_inline_text_is_checked_as_a_file_would_be() -> None:
    assert refusal(InlineSource("\ufeffx = 1")) == [
        f"source=InlineSource(filename='index.py'): index.py: byte 0 is the start of a UTF-8 byte-order mark (ef bb bf); {UTF8}"
    ]
    assert refusal(InlineSource("x = '\ud800'")) == [
        f"source=InlineSource(filename='index.py'): index.py: byte 5 (0xed) is not UTF-8; {UTF8}"
    ]


@pytest.mark.parametrize("name", ["", "/index.py", "../index.py", "a/../index.py", "./index.py", "a\\b.py", "a//b.py"])
def test_an_inline_filename_outside_the_package_is_refused(name: str) -> None:
    what = "invalid filename; expected a relative path such as 'index.py', without '..'"
    assert refusal(InlineSource(HANDLER, name))[0] == f"source=InlineSource(filename={name!r}): {what}"


def test_inline_text_of_another_type_is_refused() -> None:
    text: Any = b"x"
    assert refusal(InlineSource(text)) == [
        "source=InlineSource(filename='index.py'): the text is of the type bytes; expected a string"
    ]


files = st.dictionaries(st.text("ab/", min_size=1), st.text())


@given(files, st.randoms())
def test_the_hash_depends_on_paths_and_contents_only(given_files: dict[str, str], random: Any) -> None:
    shuffled = list(given_files.items())
    random.shuffle(shuffled)
    assert FunctionSource(dict(shuffled)).sha256 == FunctionSource(given_files).sha256


@given(files, files)
def test_different_sources_have_different_hashes(one: dict[str, str], other: dict[str, str]) -> None:
    assert (FunctionSource(one).sha256 == FunctionSource(other).sha256) is (one == other)


def test_the_hash_is_the_same_on_every_machine_and_for_every_time_of_change() -> None:
    folder = write({"index.py": HANDLER})
    before = read(folder).sha256
    os.utime(Path(folder, "index.py"), (0, 0))
    assert read(folder).sha256 == before
    assert before == "305b115dfe42682c644fb76115d1a3bc3be5826bcb6c28836d3c5c8507b513df"


def test_moving_text_between_name_and_content_changes_the_hash() -> None:
    assert FunctionSource({"a": "bc"}).sha256 != FunctionSource({"ab": "c"}).sha256


def test_a_source_that_was_read_cannot_be_changed() -> None:
    given_files = {"index.py": HANDLER}
    source = FunctionSource(given_files)
    given_files["index.py"] = ""
    assert source.files == {"index.py": HANDLER}


def test_a_missing_directory_is_refused_with_its_absolute_path(tmp_path: Path) -> None:
    assert refusal("lambda_src/gone") == [
        f"source='lambda_src/gone': directory not found: {tmp_path / 'lambda_src/gone'}"
    ]


def test_a_single_file_is_refused_with_its_directory(tmp_path: Path) -> None:
    what = f"{tmp_path / 'fn/index.py'} is a file; expected a directory"
    remedy = "give the directory 'fn', or the text as an InlineSource"
    assert refusal(f"{write({'index.py': HANDLER})}/index.py") == [f"source='fn/index.py': {what}: {remedy}"]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("fn.zip", zipped(), "is a zip archive"),
        ("fn.zip", b"text", "has the extension of an archive (.zip) and is not one"),
        ("fn.bin", zipped(), "is a zip archive, regardless of its name"),
    ],
)
def test_a_package_in_place_of_a_directory_is_refused(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    write({name: content}, ".")
    assert refusal(name) == [f"source={name!r}: {tmp_path / name} {what}; expected a directory: {UNPACK}"]


def test_an_empty_directory_is_refused_also_when_only_ignored_files_are_in_it(tmp_path: Path) -> None:
    assert refusal(write({"__pycache__/a.pyc": b""})) == [f"source='fn': directory without files: {tmp_path / 'fn'}"]


def test_a_directory_that_only_terraform_knows_is_refused() -> None:
    assert refusal("${path.module}/fn") == [
        "source='${path.module}/fn': contains a reference; expected a plain path, because the files are read at synth"
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (codecs.BOM_UTF8 + b"a", "byte 0 is the start of a UTF-8 byte-order mark (ef bb bf)"),
        ("a".encode("utf-16-le"), "byte 1 is NUL: UTF-16, or not text"),
        (codecs.BOM_UTF16_LE + "a".encode("utf-16-le"), "byte 0 is the start of a UTF-16 LE byte-order mark (ff fe)"),
        (codecs.BOM_UTF16_BE + "a".encode("utf-16-be"), "byte 0 is the start of a UTF-16 BE byte-order mark (fe ff)"),
        (
            codecs.BOM_UTF32_LE + "a".encode("utf-32-le"),
            "byte 0 is the start of a UTF-32 LE byte-order mark (ff fe 00 00)",
        ),
        (
            codecs.BOM_UTF32_BE + "a".encode("utf-32-be"),
            "byte 0 is the start of a UTF-32 BE byte-order mark (00 00 fe ff)",
        ),
        ("naïve".encode("latin-1"), "byte 2 (0xef) is not UTF-8"),
        ("né\0".encode(), "byte 3 is NUL: UTF-16, or not text"),
    ],
)
def test_what_is_no_utf8_text_is_refused_with_the_byte(content: bytes, what: str) -> None:
    assert file_refusal("data.txt", content) == [f": {what}; {UTF8}"]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("lib.zip", zipped(), "is a zip archive"),
        ("lib.ZIP", b"text", "has the extension of an archive (.zip) and is not one"),
        ("lib.whl", zipped(), "is a zip archive"),
        ("notes.txt", zipped(), "is a zip archive, regardless of its name"),
        ("empty", b"PK\x05\x06" + bytes(18), "is a zip archive, regardless of its name"),
        ("spanned", b"PK\x07\x08PK", "is a zip archive, regardless of its name"),
        ("lib.tar.gz", gzip.compress(b"", mtime=0), "is a gzip archive"),
        ("lib.tar", tarred(), "is a tar archive"),
        ("lib.txt", tarred(), "is a tar archive, regardless of its name"),
        ("a", b"BZh91AY&SY", "is a bzip2 archive, regardless of its name"),
        ("a", b"\xfd7zXZ\x00", "is a xz archive, regardless of its name"),
        ("a", b"7z\xbc\xaf\x27\x1c", "is a 7z archive, regardless of its name"),
        ("a", b"Rar!\x1a\x07\x00", "is a rar archive, regardless of its name"),
        ("a", b"\x28\xb5\x2f\xfd", "is a zstd archive, regardless of its name"),
        ("vendor/lib.jar", "", "has the extension of an archive (.jar) and is not one"),
    ],
)
def test_an_archive_is_refused_by_name_and_by_content(name: str, content: str | bytes, what: str) -> None:
    assert file_refusal(name, content) == [f": {what}; {UNPACK}"]


def test_the_name_of_an_archive_is_enough() -> None:
    suffixes = [".zip", ".jar", ".war", ".ear", ".whl", ".egg", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz"]
    suffixes += [".txz", ".zst", ".7z", ".rar"]
    for suffix in suffixes:
        assert file_refusal("a" + suffix, "text") == [
            f": has the extension of an archive ({suffix}) and is not one; {UNPACK}"
        ]
        Path(f"fn/a{suffix}").unlink()


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("bad.py", "x = (\n", ":1:5: not valid Python 3.11: '(' was never closed"),
        ("pkg/bad.py", "x = 1\ny = = 2\n", ":2:5: not valid Python 3.11: invalid syntax"),
        ("bad.py", "return 1\n", ":1:1: not valid Python 3.11: 'return' outside function"),
        ("bad.py", "# coding: nonsense\n", ":1:1: not valid Python 3.11: unknown encoding: nonsense"),
        ("bad.py", "-" * 200_000 + "1", ": nested too deeply for Python's parser"),
    ],
)
def test_python_that_does_not_parse_is_refused_with_file_line_and_column(name: str, text: str, what: str) -> None:
    assert file_refusal(name, text) == [what]


def test_python_newer_than_the_runtime_is_refused() -> None:
    folder = write({"index.py": f"match 1:\n    case 1: pass\n{HANDLER}"})
    assert refusal(folder, runtime="python3.9") == [
        "source='fn': index.py:3:1: not valid Python 3.9: Pattern matching is only supported in Python 3.10 and greater"
    ]
    assert read(folder, runtime="python3.10").size


def test_for_a_newer_runtime_than_that_of_synth_the_error_says_so() -> None:
    own = sys.version_info.minor
    what = f"not valid Python 3.{own}: invalid syntax (checked with Python 3.{own}, which runs the synth)"
    assert refusal(write({"index.py": "x ="}), runtime=f"python3.{own + 1}") == [f"source='fn': index.py:1:4: {what}"]


def test_warnings_of_the_parser_are_left_to_the_functions_own_tests() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(InlineSource(f"x = '\\d' is 3\n{HANDLER}")).size


def test_the_source_is_never_run_and_its_annotations_stay_its_own() -> None:
    assert read(InlineSource(f"raise SystemExit\n{HANDLER}")).size


def test_links_inside_the_directory_are_followed() -> None:
    folder = write({"index.py": HANDLER, "shared/util.py": "x = 1\n"})
    Path(folder, "copy.py").symlink_to("shared/util.py")
    Path(folder, "alias").symlink_to("shared")
    assert list(read(folder).files) == ["alias/util.py", "copy.py", "index.py", "shared/util.py"]


def test_a_directory_that_is_itself_a_link_is_followed() -> None:
    write({"index.py": HANDLER}, "real")
    Path("fn").symlink_to("real")
    assert list(read("fn").files) == ["index.py"]


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("../outside.py", "symbolic link to a target outside of the directory; copy the target"),
        ("../fn2", "symbolic link to a target outside of the directory; copy the target"),
        (".", "symbolic link to a folder above it; remove it"),
        ("gone", "not a file or folder, or a broken symbolic link; remove it"),
        ("link", "not a file or folder, or a broken symbolic link; remove it"),
    ],
)
def test_links_that_leave_or_loop_or_lead_nowhere_are_refused(target: str, what: str) -> None:
    folder = write({"index.py": HANDLER, "../outside.py": "", "../fn2/a.py": ""})
    Path(folder, "link").symlink_to(target)
    assert refusal(folder) == [f"source='fn': link: {what}"]


def test_what_is_no_file_is_refused_without_being_opened() -> None:
    os.mkfifo(Path(write({"index.py": HANDLER}), "pipe"))
    assert refusal("fn") == ["source='fn': pipe: not a file or folder, or a broken symbolic link; remove it"]


def test_a_name_that_is_no_text_is_refused() -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(write({"index.py": HANDLER})), b"caf\xe9.txt"))).touch()  # noqa: PTH118
    assert refusal("fn") == ["source='fn': caf\udce9.txt: name with characters that are not printable; rename it"]


def test_more_than_lambda_takes_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_source, "MAX_SIZE_BYTES", 100)
    assert refusal(write({"index.py": HANDLER, "big.txt": b"\0" * 90})) == [
        "source='fn': has 136 bytes, 90 of them in big.txt; Lambda allows 262144000 unzipped, layers included"
    ]
    assert read(write({"index.py": HANDLER, "big.txt": "x" * (100 - len(HANDLER))})).size == 100


def test_every_problem_is_reported_at_once() -> None:
    folder = write({"bad.py": "x = (", "b.txt": b"\xff\xfea\0", "lib.zip": "text", "index.py": "def handler(): pass"})
    assert refusal(folder) == [
        f"source='fn': b.txt: byte 0 is the start of a UTF-16 LE byte-order mark (ff fe); {UTF8}",
        f"source='fn': lib.zip: has the extension of an archive (.zip) and is not one; {UNPACK}",
        "source='fn': bad.py:1:5: not valid Python 3.11: '(' was never closed",
        "handler='index.handler': wrong parameters (index.py:1); expected event and context",
    ]
