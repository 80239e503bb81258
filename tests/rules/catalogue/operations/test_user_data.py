"""User data of EC2 instances and launch templates: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

import pytest

from tests.rules.asking import doubted, found, resources
from tests.rules.catalogue.operations.documents import instance

if TYPE_CHECKING:
    from pathlib import Path


def test_files_in_the_folder_of_the_stack_are_found(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    script = '${base64encode(templatefile("${path.module}/start.sh", { port = 80 }))}'
    document = resources(aws_launch_template={"web": {"user_data": script}})
    assert found("OPS-017", document, folder=tmp_path) == []
    assert len(found("OPS-017", document)) == 1


def test_files_in_local_values_and_cloudinit_parts_are_checked() -> None:
    document = instance("${local.outer}") | {"locals": {"outer": "${local.inner}", "inner": '${file("gone.sh")}'}}
    assert len(found("OPS-017", document)) == 1
    parts = {"part": [{"content": "#!/bin/sh\n"}, {"content": '${file("gone.sh")}'}]}
    (message,) = found("OPS-017", {"data": {"cloudinit_config": {"web": parts}}})
    assert message.startswith("data.cloudinit_config.web: part.1.content")


def test_absolute_and_unknown_paths_are_not_reported_as_missing() -> None:
    assert found("OPS-017", instance('${file("/opt/start.sh")}')) == []
    document = instance('${file("${path.module}/${var.script}")}')
    assert doubted("OPS-017", document) == ["the path ${path.module}/${var.script} contains other values"]


@pytest.mark.parametrize(
    "script",
    [
        "${base64encode(local.script)}",
        "${base64gzip(local.script)}",
        "${data.cloudinit_config.web.rendered}",
        base64.b64encode(b"#!/bin/sh\n").decode(),
        '${filebase64("start.sh")}',
        "",
    ],
)
def test_base64_may_be_written_in_many_ways(script: str) -> None:
    document = resources(aws_launch_template={"web": {"user_data": script}})
    document |= {"locals": {"script": "#!/bin/sh\n"}, "data": {"cloudinit_config": {"web": {}}}}
    assert found("OPS-018", document) == []


def test_user_data_of_an_instance_is_plain_text() -> None:
    assert found("OPS-018", instance("#!/bin/sh\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id shop)",
        'export TOKEN="$1"',
        "password_file=/etc/shop/password",
        "SECRET_ARN=arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop",
        "http_tokens: required",
        "curl https://shop.example.com/token",
        "DB_PASSWORD=${aws_secretsmanager_secret.db.name}",
    ],
)
def test_scripts_that_read_secrets_contain_none(line: str) -> None:
    document = instance(f"#!/bin/sh\n{line}\n")
    document["resource"]["aws_secretsmanager_secret"] = {"db": {"name": "shop-db"}}
    assert found("OPS-019", document) == []


@pytest.mark.parametrize(
    "line",
    [
        "db_password: correct-horse-battery",
        "psql postgres://shop:hunter22@db/shop",
        "-----BEGIN RSA PRIVATE KEY-----",
        'echo \'{"api_key": "0123456789abcdef"}\'',
    ],
)
def test_other_secrets_in_scripts_are_found_and_not_shown(line: str) -> None:
    plain = instance(f"#!/bin/sh\n{line}\n")
    encoded = resources(aws_launch_template={"web": {"user_data": base64.b64encode(line.encode()).decode()}})
    for document in (plain, encoded):
        (message,) = found("OPS-019", document)
        assert 'user_data = "(not shown)": must not contain a secret in plain text' in message


def test_secrets_in_local_values_are_found() -> None:
    literal = instance("#!/bin/sh\nDB_PASSWORD=${local.password}\n") | {"locals": {"password": "correct-horse"}}
    assert len(found("OPS-019", literal)) == 1
    document = instance('${templatefile("a.sh", local.given)}') | {"locals": {"given": "${random_password.db.result}"}}
    document["resource"]["random_password"] = {"db": {"length": 20}}
    (message,) = found("OPS-019", document)
    assert "the secret random_password.db.result" in message


def test_the_known_part_of_a_script_is_checked() -> None:
    script = "#!/bin/sh\nDB_PASSWORD=correct-horse\nREGION=${var.region}\n"
    document = resources(aws_launch_template={"web": {"user_data": "${base64encode(local.script)}"}})
    document |= {"locals": {"script": script}, "variable": {"region": {}}}
    assert len(found("OPS-019", document)) == 1


def test_compressed_user_data_is_not_checked() -> None:
    packed = base64.b64encode(gzip.compress(b"  #!/bin/sh\n" * 9000)).decode()
    document = resources(aws_launch_template={"web": {"user_data": packed}})
    for id_ in ("OPS-019", "OPS-020", "OPS-021"):
        assert found(id_, document) == []


@pytest.mark.parametrize("script", ["#!/bin/sh\n", "[settings.host]\n", "<powershell>\n", "\n# a comment\n"])
def test_only_scripts_need_an_interpreter(script: str) -> None:
    assert found("OPS-021", instance(script)) == []
