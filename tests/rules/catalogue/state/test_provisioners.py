"""Build commands and code files: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.state.documents import source


@pytest.mark.parametrize(
    "command",
    ["echo zipped", "aws s3 sync dist s3://x", "python remake.py", "curl https://x/zip-codes", "kubectl apply -f x"],
)
def test_other_commands_are_clean(command: str) -> None:
    body = {"provisioner": [{"local-exec": {"command": command}}]}
    assert found("STATE-023", {"resource": {"null_resource": {"x": body}}}) == []


@pytest.mark.parametrize(
    "command",
    [
        "bash ./build_lambda.sh",
        "pip3 install -r r.txt -t out",
        "cd a && npm ci",
        "python3 -m zipfile -c a.zip b.py",
        "make",
    ],
)
def test_build_commands_are_found(command: str) -> None:
    body = {"provisioner": [{"local-exec": {"command": command}}]}
    assert len(found("STATE-023", {"resource": {"null_resource": {"x": body}}})) == 1


def test_an_unknown_file_name_is_undecided() -> None:
    document = {"variable": {"file": {}}, "resource": {"local_file": {"x": {"filename": "${var.file}"}}}}
    assert look("STATE-023", source(document)) == ([], ["var.file has no default"])
