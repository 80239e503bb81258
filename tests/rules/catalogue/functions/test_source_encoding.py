"""Rules about source files: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.rules.asking import found
from tests.rules.catalogue.functions.documents import archive

if TYPE_CHECKING:
    from pathlib import Path


class TestSources:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"\xef\xbb\xbfx = 1", "begins with a UTF-8 byte order mark"),
            ("x = 1".encode("utf-16"), "begins with a UTF-16 byte order mark"),
            (b"\xfe\xff\0x", "begins with a UTF-16 byte order mark"),
            (b"name = 'J\xfcrgen'", "is not UTF-8 at byte 9"),
        ],
    )
    def test_a_source_file_in_another_encoding_is_reported(self, tmp_path: Path, data: bytes, text: str) -> None:
        (tmp_path / "src" / "inner").mkdir(parents=True)
        (tmp_path / "src" / "inner" / "handler.py").write_bytes(data)
        (message,) = found("LAM-006", archive(source_dir="${path.module}/src"), folder=tmp_path)
        assert f"inner/handler.py {text}" in message
        (message,) = found("LAM-006", archive(source_file="src/inner/handler.py"), folder=tmp_path)
        assert f"handler.py {text}" in message

    def test_images_and_node_modules_are_skipped(self, tmp_path: Path) -> None:
        (tmp_path / "src" / "node_modules").mkdir(parents=True)
        (tmp_path / "src" / "node_modules" / "old.js").write_bytes(b"\xff")
        (tmp_path / "src" / "logo.png").write_bytes(b"\x89PNG\xff")
        (tmp_path / "src" / "handler.py").write_text("name = 'Jürgen'", encoding="utf-8")
        assert found("LAM-006", archive(source_dir="src"), folder=tmp_path) == []

    def test_a_text_file_named_zip_in_the_directory_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "src").mkdir()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive_:
            archive_.writestr("x", "x")
        (tmp_path / "src" / "data.zip").write_bytes(packed.getvalue())
        (tmp_path / "src" / "fn.zip").write_text("import os", encoding="utf-8")
        (message,) = found("LAM-006", archive(source_dir="src"), folder=tmp_path)
        assert "fn.zip is not a zip archive" in message

    def test_a_missing_directory_is_skipped(self) -> None:
        assert found("LAM-006", archive(source_dir="nowhere")) == []
