"""Rules about functions: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.foundation.lambda_runtimes import ENDS, successor
from constructs_lib.rules.catalogue.functions import runtime as lam_runtime
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good
from tests.rules.catalogue.functions.documents import FN, function

if TYPE_CHECKING:
    from pathlib import Path


def archive(**arguments: object) -> dict[str, Any]:
    return {"data": {"archive_file": {"code": {"type": "zip", "output_path": "out.zip", **arguments}}}}


class TestPackages:
    def test_a_zip_that_lies_beside_the_stack_is_right(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "fn.zip", "w") as packed:
            packed.writestr("index.py", "x = 1")
        assert found("LAM-001", function(filename="${path.module}/fn.zip"), folder=tmp_path) == []

    def test_a_text_file_renamed_to_zip_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "fn.zip").write_text("def handler(): ...", encoding="utf-8")
        (message,) = found("LAM-001", function(filename="fn.zip"), folder=tmp_path)
        assert "is no zip archive, whatever its name" in message

    def test_the_path_that_an_archive_of_the_stack_writes_is_right(self) -> None:
        document = {**function(filename="out.zip"), **archive()}
        assert found("LAM-001", document) == []

    def test_the_archive_of_another_stack_does_not_help(self) -> None:
        assert len(found("LAM-001", function(filename="out.zip"), archive())) == 1

    def test_a_package_through_a_local_value_is_followed(self) -> None:
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
    def test_a_package_that_is_no_file_needs_no_archive(self, elsewhere: dict[str, str]) -> None:
        assert found("LAM-001", function(**elsewhere)) == []
        assert found("LAM-002", function(**elsewhere)) == []

    def test_a_package_that_a_provisioner_builds_is_taken_as_made_by_the_plan(self) -> None:
        document = function(filename="${data.external.build.result.path}")
        assert found("LAM-001", {**document, "data": {"external": {"build": {"program": ["make"]}}}}) == []

    def test_a_package_whose_path_is_a_variable_is_undecided(self) -> None:
        document = {**function(filename="${var.package}"), "variable": {"package": {}}}
        assert doubted("LAM-001", document) == ["var.package has no default"]

    def test_a_hash_that_terraform_computes_of_the_file_is_right(self) -> None:
        hash_ = "${filebase64sha256(data.archive_file.worker.output_path)}"
        assert found("LAM-002", good("LAM-002", {f"{FN}.source_code_hash": hash_})) == []
        plain = function(filename="fn.zip", source_code_hash='${filebase64sha256("fn.zip")}')
        assert found("LAM-002", plain) == []

    def test_a_hash_in_a_plan_is_literal(self) -> None:
        document = {**function(filename="out.zip", source_code_hash="0lNc5fTyAWw="), **archive()}
        assert found("LAM-002", document) == []

    def test_a_layer_without_modules_may_have_any_layout(self) -> None:
        at = "data.archive_file.common.source"
        assert found("LAM-004", good("LAM-004", {at: [{"content": "x", "filename": "ca.pem"}]})) == []

    def test_a_layer_in_a_folder_is_looked_into(self, tmp_path: Path) -> None:
        (tmp_path / "layer").mkdir()
        (tmp_path / "layer" / "common.py").write_text("x = 1", encoding="utf-8")
        document = good("LAM-004", {"data.archive_file.common": {"source_dir": "layer", "output_path": "layer.zip"}})
        (message,) = found("LAM-004", document, folder=tmp_path)
        assert "packs common.py outside the folder python/" in message
        (tmp_path / "layer" / "python").mkdir()
        (tmp_path / "layer" / "python" / "common.py").write_text("x = 1", encoding="utf-8")
        assert found("LAM-004", document, folder=tmp_path) == []

    def test_a_layer_of_another_language_is_left_alone(self) -> None:
        at = "resource.aws_lambda_layer_version.common.compatible_runtimes"
        document = good("LAM-004", {at: ["nodejs22.x"], "data.archive_file.common.source.0.filename": "common.py"})
        assert found("LAM-004", document) == []

    def test_a_file_that_exists_may_be_read(self) -> None:
        document = archive(source={"content": '${file("handler.py")}', "filename": "handler.py"})
        assert found("LAM-005", document) == []

    def test_a_local_file_of_something_else_is_no_mistake(self) -> None:
        assert found("LAM-005", good("LAM-005")) == []

    def test_a_function_made_of_a_file_that_the_plan_writes_is_found(self) -> None:
        document = function(filename="${local_file.code.filename}")
        document["resource"]["local_file"] = {"code": {"filename": "fn.zip", "content": "x"}}
        (message,) = found("LAM-005", document)
        assert "comes from a file that local_file.code writes" in message


class TestSources:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"\xef\xbb\xbfx = 1", "begins with a UTF-8 byte-order mark"),
            ("x = 1".encode("utf-16"), "begins with a UTF-16 byte-order mark"),
            (b"\xfe\xff\0x", "begins with a UTF-16 byte-order mark"),
            (b"name = 'J\xfcrgen'", "is not UTF-8 at byte 9"),
        ],
    )
    def test_a_source_file_in_another_encoding_is_found(self, tmp_path: Path, data: bytes, text: str) -> None:
        (tmp_path / "src" / "inner").mkdir(parents=True)
        (tmp_path / "src" / "inner" / "handler.py").write_bytes(data)
        (message,) = found("LAM-006", archive(source_dir="${path.module}/src"), folder=tmp_path)
        assert f"inner/handler.py {text}" in message
        (message,) = found("LAM-006", archive(source_file="src/inner/handler.py"), folder=tmp_path)
        assert f"handler.py {text}" in message

    def test_pictures_and_what_npm_installed_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "src" / "node_modules").mkdir(parents=True)
        (tmp_path / "src" / "node_modules" / "old.js").write_bytes(b"\xff")
        (tmp_path / "src" / "logo.png").write_bytes(b"\x89PNG\xff")
        (tmp_path / "src" / "handler.py").write_text("name = 'Jürgen'", encoding="utf-8")
        assert found("LAM-006", archive(source_dir="src"), folder=tmp_path) == []

    def test_a_text_named_zip_inside_the_folder_is_found_and_a_zip_is_not(self, tmp_path: Path) -> None:
        (tmp_path / "src").mkdir()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive_:
            archive_.writestr("x", "x")
        (tmp_path / "src" / "data.zip").write_bytes(packed.getvalue())
        (tmp_path / "src" / "fn.zip").write_text("import os", encoding="utf-8")
        (message,) = found("LAM-006", archive(source_dir="src"), folder=tmp_path)
        assert "fn.zip is named .zip and is no zip archive" in message

    def test_a_folder_that_is_not_there_is_terraforms_to_refuse(self) -> None:
        assert found("LAM-006", archive(source_dir="nowhere")) == []


class TestRuntime:
    def test_a_runtime_counts_as_deprecated_from_its_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lam_runtime, "today", lambda: date(2029, 6, 29))
        assert found("LAM-007", function(runtime="python3.13")) == []
        monkeypatch.setattr(lam_runtime, "today", lambda: date(2029, 6, 30))
        (message,) = found("LAM-007", function(runtime="python3.13"))
        assert "gets no patches since 2029-06-30" in message

    def test_a_runtime_that_the_table_does_not_know_is_new(self) -> None:
        assert found("LAM-007", function(runtime="python3.99")) == []

    def test_every_successor_is_in_the_table_and_outlives_what_it_follows(self) -> None:
        for runtime, day in ENDS.items():
            assert ENDS[successor(runtime)] >= day or runtime in ("java25", "nodejs24.x", "python3.14")

    @pytest.mark.parametrize("timeout", [30, 300, "60", "${local.timeout}"])
    def test_timeouts_in_range_pass_however_they_are_written(self, timeout: object) -> None:
        assert found("LAM-008", {**function(timeout=timeout), "locals": {"timeout": 120}}) == []

    def test_an_api_with_a_raised_timeout_lets_the_function_run_as_long(self) -> None:
        change = {
            f"{FN}.timeout": 60,
            "resource.aws_api_gateway_integration.worker.timeout_milliseconds": 60000,
            "resource.aws_apigatewayv2_integration": REMOVED,
        }
        assert found("LAM-009", good("LAM-009", change)) == []

    def test_an_asynchronous_integration_does_not_wait(self) -> None:
        change: dict[str, Any] = {
            f"{FN}.timeout": 120,
            "resource.aws_api_gateway_integration.worker.request_parameters": {
                "integration.request.header.X-Amz-Invocation-Type": "'Event'"
            },
            "resource.aws_apigatewayv2_integration": REMOVED,
        }
        assert found("LAM-009", good("LAM-009", change)) == []

    def test_a_function_that_no_api_calls_may_run_longer(self) -> None:
        assert found("LAM-009", function(timeout=300)) == []

    def test_one_finding_is_made_however_many_integrations_there_are(self) -> None:
        (message,) = found("LAM-009", good("LAM-009", {f"{FN}.timeout": 60}))
        assert "must be at most 30" in message

    def test_an_integration_with_a_literal_uri_is_followed(self) -> None:
        uri = (
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:eu-west-1:111122223333:function:shop-worker/invocations"
        )
        document = function(timeout=60)
        document["resource"]["aws_api_gateway_integration"] = {"api": {"uri": uri}}
        assert len(found("LAM-009", document)) == 1
