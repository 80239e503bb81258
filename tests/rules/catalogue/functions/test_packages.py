"""Rules about deployment packages: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.rules.asking import doubted, found, good
from tests.rules.catalogue.functions.documents import FN, archive, function

if TYPE_CHECKING:
    from pathlib import Path


class TestPackages:
    def test_an_existing_zip_archive_passes(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "fn.zip", "w") as packed:
            packed.writestr("index.py", "x = 1")
        assert found("LAM-001", function(filename="${path.module}/fn.zip"), folder=tmp_path) == []

    def test_a_text_file_named_zip_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "fn.zip").write_text("def handler(): ...", encoding="utf-8")
        (message,) = found("LAM-001", function(filename="fn.zip"), folder=tmp_path)
        assert "is not a zip archive" in message

    def test_the_literal_output_path_of_an_archive_passes(self) -> None:
        document = {**function(filename="out.zip"), **archive()}
        assert found("LAM-001", document) == []

    def test_the_archive_of_another_stack_does_not_count(self) -> None:
        assert len(found("LAM-001", function(filename="out.zip"), archive())) == 1

    def test_a_package_path_in_a_local_value_is_resolved(self) -> None:
        document = {
            **function(filename="${local.package}"),
            **archive(),
            "locals": {"package": "${data.archive_file.code.output_path}"},
        }
        assert found("LAM-001", document) == []

    @pytest.mark.parametrize(
        "elsewhere",
        [{"s3_bucket": "code", "s3_key": "fn.zip"}, {"image_uri": "shop:1", "package_type": "Image"}],
    )
    def test_code_in_s3_or_an_image_needs_no_archive(self, elsewhere: dict[str, str]) -> None:
        assert found("LAM-001", function(**elsewhere)) == []
        assert found("LAM-002", function(**elsewhere)) == []

    def test_a_package_path_from_a_data_source_passes(self) -> None:
        document = function(filename="${data.external.build.result.path}")
        assert found("LAM-001", {**document, "data": {"external": {"build": {"program": ["make"]}}}}) == []

    def test_a_package_whose_path_is_a_variable_is_undecided(self) -> None:
        document = {**function(filename="${var.package}"), "variable": {"package": {}}}
        assert doubted("LAM-001", document) == ["var.package has no default"]

    def test_a_computed_hash_of_the_file_passes(self) -> None:
        hash_ = "${filebase64sha256(data.archive_file.worker.output_path)}"
        assert found("LAM-002", good("LAM-002", {f"{FN}.source_code_hash": hash_})) == []
        plain = function(filename="fn.zip", source_code_hash='${filebase64sha256("fn.zip")}')
        assert found("LAM-002", plain) == []

    def test_a_literal_hash_with_a_literal_path_passes(self) -> None:
        document = {**function(filename="out.zip", source_code_hash="0lNc5fTyAWw="), **archive()}
        assert found("LAM-002", document) == []

    def test_a_layer_without_modules_may_have_any_layout(self) -> None:
        at = "data.archive_file.common.source"
        assert found("LAM-004", good("LAM-004", {at: [{"content": "x", "filename": "ca.pem"}]})) == []

    def test_the_source_directory_of_a_layer_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "layer").mkdir()
        (tmp_path / "layer" / "common.py").write_text("x = 1", encoding="utf-8")
        document = good("LAM-004", {"data.archive_file.common": {"source_dir": "layer", "output_path": "layer.zip"}})
        (message,) = found("LAM-004", document, folder=tmp_path)
        assert (
            "must have its Python modules under python/; data.archive_file.common packages common.py outside of it"
            in message
        )
        (tmp_path / "layer" / "python").mkdir()
        (tmp_path / "layer" / "python" / "common.py").write_text("x = 1", encoding="utf-8")
        assert found("LAM-004", document, folder=tmp_path) == []

    def test_a_layer_for_another_language_is_skipped(self) -> None:
        at = "resource.aws_lambda_layer_version.common.compatible_runtimes"
        document = good("LAM-004", {at: ["nodejs22.x"], "data.archive_file.common.source.0.filename": "common.py"})
        assert found("LAM-004", document) == []

    def test_a_source_file_may_be_read_with_file(self) -> None:
        document = archive(source={"content": '${file("handler.py")}', "filename": "handler.py"})
        assert found("LAM-005", document) == []

    def test_an_unrelated_local_file_passes(self) -> None:
        assert found("LAM-005", good("LAM-005")) == []

    def test_a_package_that_the_plan_writes_is_reported(self) -> None:
        document = function(filename="${local_file.code.filename}")
        document["resource"]["local_file"] = {"code": {"filename": "fn.zip", "content": "x"}}
        (message,) = found("LAM-005", document)
        assert "must not be a file that local_file.code writes" in message
