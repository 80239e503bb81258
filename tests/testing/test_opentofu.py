"""OpenTofu by its name: a program `tofu` that tells a version of its own and hands everything else to Terraform.

No OpenTofu runs here. It shows that the harness finds one, asks its registry, and runs a whole cycle with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing.settings import find_providers
from constructs_lib.testing.terraform import LocalAws, Terraform, run_cycle

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """#!/bin/sh
if [ "$1 $2" = "version -json" ]; then
  echo '{{"terraform_version": "1.10.3"}}'
else
  exec "{terraform}" "$@"
fi
"""


@pytest.fixture
def tofu(terraform: Terraform, tmp_path: Path) -> Terraform:
    """A machine with no terraform on PATH, and this tofu."""
    program = tmp_path / "bin" / "tofu"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(terraform=terraform.binary), encoding="utf-8")
    program.chmod(0o755)
    kept = {name: value for name, value in terraform.variables.items() if name != "TERRAFORM_BINARY_NAME"}
    return Terraform.discover({**kept, "PATH": f"{program.parent}:/bin:/usr/bin"})


@pytest.mark.terraform
def test_a_whole_cycle_runs_with_the_program_that_is_there(
    tofu: Terraform, write_stack: Any, local_aws: LocalAws
) -> None:
    said: list[str] = []
    stack = write_stack(resource={"terraform_data": {"one": {"input": "x"}}})
    report = run_cycle(stack, aws=local_aws, terraform=tofu, say=said.append)
    assert (tofu.product, report.terraform) == ("tofu", "tofu 1.10.3")
    assert (report.made.add.total(), report.destroyed.destroy.total()) == (1, 1)
    assert said[0].startswith(f"{stack}: tofu 1.10.3, ")


def test_its_providers_come_from_its_own_registry(machine: Any, tmp_path: Path) -> None:
    tofu = Terraform.discover(machine(tofu="1.10.3"))
    mirror = tmp_path / "plugins" / "t"
    (mirror / "registry.opentofu.org" / "hashicorp" / "aws" / "5.100.0").mkdir(parents=True)
    document: dict[str, Any] = {"terraform": {"required_providers": {"aws": {}, "random": {}}}}
    text = find_providers(tofu, document).cli_configuration(tmp_path / "stand-ins")
    assert f'path    = "{mirror}"\n    include = ["registry.opentofu.org/hashicorp/aws"]' in text
    assert 'include = ["registry.opentofu.org/hashicorp/random"]' in text
    assert "registry.terraform.io" not in text
