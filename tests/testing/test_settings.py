"""Which Terraform runs, and where its providers are installed from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from constructs_lib.testing import settings
from constructs_lib.testing.errors import UnavailableError


@pytest.mark.parametrize(
    ("programs", "named", "reason"),
    [
        ({}, "", r"^neither terraform nor tofu was found on PATH$"),
        ({"terraform": "1.11.4"}, "tf9", r"^TERRAFORM_BINARY_NAME='tf9': program not found$"),
        ({"terraform": "1.4.7"}, "", r"/terraform: version 1\.4\.7 is not supported; 1\.5 or later is required$"),
        ({"terraform": '"'}, "", r"/terraform: `version -json` failed: "),
    ],
)
def test_a_machine_without_a_usable_terraform_says_why(
    machine: Any, programs: dict[str, str], named: str, reason: str
) -> None:
    with pytest.raises(UnavailableError, match=reason):
        settings.Terraform.discover({**machine(**programs), "TERRAFORM_BINARY_NAME": named})


def test_terraform_comes_before_opentofu_unless_one_is_named(machine: Any) -> None:
    variables = machine(terraform="1.11.4", tofu="1.10.0")
    assert str(settings.Terraform.discover(variables)) == "terraform 1.11.4"
    found = settings.Terraform.discover({**variables, "TERRAFORM_BINARY_NAME": "tofu"})
    assert (str(found), found.registry) == ("tofu 1.10.0", "registry.opentofu.org")


def test_a_mirror_is_found_by_what_it_holds_or_by_anything_in_it(machine: Any) -> None:
    variables = machine("a", "b")
    first, second = (Path(variables["HOME"], "plugins", name) for name in "ab")
    assert settings.find_mirrors(variables, "registry.terraform.io") == [first, second]
    inside = str(second / "registry.terraform.io/hashicorp/aws/5.100.0")
    assert settings.find_mirrors({**variables, "TF_PLUGIN_DIR": inside}, "registry.terraform.io") == [second]
    with pytest.raises(UnavailableError, match=r"^TF_PLUGIN_DIR='/nowhere': not a mirror; expected a folder with"):
        settings.find_mirrors({**variables, "TF_PLUGIN_DIR": "/nowhere"}, "registry.terraform.io")


def test_each_provider_comes_from_a_mirror_or_a_stand_in_or_is_missed(machine: Any) -> None:
    terraform = settings.Terraform.discover(machine("a", terraform="1.11.4"))
    required: dict[str, Any] = {"aws": {"source": "hashicorp/aws"}, "random": {}}
    found = settings.find_providers(terraform, {"terraform": {"required_providers": required}})
    mirror = Path(terraform.variables["HOME"], "plugins", "a")
    assert str(found) == (
        f"hashicorp/aws from {mirror}; hashicorp/random: STAND-IN of constructs_lib, not the real provider"
    )
    assert found.versions("hashicorp/aws") == ["5.100.0"]
    text = found.cli_configuration(Path("/stand-ins"))
    assert f'path    = "{mirror}"\n    include = ["registry.terraform.io/hashicorp/aws"]' in text
    assert 'path    = "/stand-ins"\n    include = ["registry.terraform.io/hashicorp/random"]' in text
    assert "direct" not in text
    with pytest.raises(UnavailableError, match=rf"^registry\..* cannot be reached, and hashicorp/tls .*{mirror}"):
        settings.find_providers(terraform, {"terraform": {"required_providers": {"tls": {}, "random": {}}}})


def test_a_configuration_of_the_callers_decides_alone_if_it_is_there(machine: Any, tmp_path: Path) -> None:
    file = tmp_path / "terraform.rc"
    terraform = settings.Terraform.discover({**machine("a", terraform="1.11.4"), "TF_CLI_CONFIG_FILE": str(file)})
    document: dict[str, Any] = {"terraform": {"required_providers": {"aws": {}}}}
    assert settings.find_providers(terraform, document).configuration is None
    Path(terraform.variables["HOME"], ".terraformrc").write_text("provider_installation {}")
    assert settings.find_providers(terraform, document).configuration == tmp_path / ".terraformrc"
    file.touch()
    assert str(settings.find_providers(terraform, document)) == f"providers as configured in {file}"
