"""Finds Terraform, and the places to install its providers from."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

BINARY_VARIABLE: Final = "TERRAFORM_BINARY_NAME"
"""The variable of CDK for Terraform: name or path of the program."""

CONFIG_VARIABLE: Final = "TF_CLI_CONFIG_FILE"
PLUGIN_VARIABLE: Final = "TF_PLUGIN_DIR"
MINIMUM_VERSION: Final = (1, 5)
"""Stacks may use import and check blocks, which Terraform 1.5 and every OpenTofu release support."""

REGISTRIES: Final = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
STAND_INS: Final = ("hashicorp/archive", "hashicorp/random")
"""Providers for which `constructs_lib.testing.standins` has a stand-in."""

# Terraform itself uses the first four, its implied local mirrors on Linux, but only without a CLI configuration. The
# others are found by a folder named as the registry: CI machines without a network may have a mirror in any folder and
# may not be able to set TF_PLUGIN_DIR.
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
MIRROR_GLOBS: Final = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "~/.terraform.d/*",
    "/opt/*",
    "/usr/local/share/*",
    "/usr/share/*",
    "/var/lib/*",
)

_REACH_SECONDS: Final = 5


@dataclass(frozen=True)
class Terraform:
    """A Terraform or an OpenTofu.

    Attributes:
        binary: The program.
        product: `terraform` or `tofu`.
        version: Its version, such as `1.11.4`.
        variables: The environment variables; runs get them without those of AWS and Terraform.
    """

    binary: Path
    product: str
    version: str
    variables: Mapping[str, str]

    @classmethod
    def discover(cls, variables: Mapping[str, str] | None = None) -> Self:
        """Return the program that `TERRAFORM_BINARY_NAME` names, else terraform, else tofu.

        Args:
            variables: Environment variables; those of this process by default.

        Raises:
            UnavailableError: No program was found, it does not run, or its version is not supported.
        """
        variables = os.environ if variables is None else variables
        binary = _find_binary(variables)
        try:
            answer = subprocess.run(  # noqa: S603  the program that was asked for
                [binary, "version", "-json"],
                env={"PATH": variables.get("PATH", ""), "CHECKPOINT_DISABLE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=True,
            )
            version = json.loads(answer.stdout)["terraform_version"]
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            raise UnavailableError(f"{binary}: `version -json` failed: {error}") from error
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < MINIMUM_VERSION:
            wanted = ".".join(map(str, MINIMUM_VERSION))
            raise UnavailableError(f"{binary}: version {version} is not supported; {wanted} or later is required")
        product = "tofu" if "tofu" in binary.name else "terraform"
        return cls(binary, product, version, dict(variables))

    @property
    def registry(self) -> str:
        """The default registry of the program, for sources such as `hashicorp/aws`."""
        return REGISTRIES[self.product]

    def __str__(self) -> str:
        return f"{self.product} {self.version}"


@dataclass(frozen=True)
class Providers:
    """Where the providers of a stack are installed from.

    Attributes:
        configuration: A CLI configuration file of the caller, which is used alone; None without one.
        mirrors: The mirror folder of each provider, by source such as `hashicorp/aws`.
        stand_ins: Sources that a stand-in of this library replaces.
        registry: Sources that are installed from the registry.
        host: The registry's host name.
    """

    configuration: Path | None
    mirrors: Mapping[str, Path]
    stand_ins: tuple[str, ...]
    registry: tuple[str, ...]
    host: str

    def __str__(self) -> str:
        if self.configuration:
            return f"providers as configured in {self.configuration}"
        return "; ".join(
            (
                *(f"{source} from {mirror}" for source, mirror in self.mirrors.items()),
                *(f"{source}: STAND-IN of constructs_lib, not the real provider" for source in self.stand_ins),
                *(f"{source} from {self.host}" for source in self.registry),
            )
        )

    def cli_configuration(self, stand_ins: Path) -> str:
        """Return the text of a CLI configuration file; `stand_ins` is the mirror folder of the stand-ins."""
        places: dict[Path, list[str]] = {}
        for source, mirror in self.mirrors.items():
            places.setdefault(mirror, []).append(source)
        if self.stand_ins:
            places[stand_ins] = list(self.stand_ins)
        blocks = [
            f"  filesystem_mirror {{\n"
            f"    path    = {json.dumps(str(folder))}\n"
            f"    include = {self._hosted(found)}\n"
            f"  }}\n"
            for folder, found in places.items()
        ]
        if self.registry:
            blocks.append(f"  direct {{\n    include = {self._hosted(self.registry)}\n  }}\n")
        return "provider_installation {\n" + "".join(blocks) + "}\n"

    def versions(self, source: str) -> list[str]:
        """Return the versions of a provider in its mirror, for the error if none matches the constraints."""
        mirror = self.mirrors.get(source)
        if mirror is None:
            return []
        folder = mirror / self.host / source
        unpacked = {entry.name for entry in folder.iterdir() if entry.is_dir()}
        packed = {entry.name.split("_")[1] for entry in folder.glob("terraform-provider-*_*.zip")}
        return sorted(unpacked | packed)

    def _hosted(self, sources: Iterable[str]) -> str:
        return json.dumps([f"{self.host}/{source}" for source in sources])


def find_providers(terraform: Terraform, document: Mapping[str, Any]) -> Providers:
    """Return where the required providers of a `cdk.tf.json` are installed from.

    The CLI configuration file in `TF_CLI_CONFIG_FILE` is used alone if it exists; so is `~/.terraformrc` if it has a
    `provider_installation` block. Otherwise each provider comes from the first mirror that has it (`TF_PLUGIN_DIR` if
    set, else the folders of `MIRROR_GLOBS`), then from the registry, then from a stand-in if there is one.

    Raises:
        UnavailableError: A provider is in no mirror, and the registry cannot be reached.
    """
    variables = terraform.variables
    sources = required_sources(document, terraform.registry)
    configuration = _callers_configuration(variables)
    if configuration:
        return Providers(configuration, {}, (), (), terraform.registry)
    folders = find_mirrors(variables, terraform.registry)
    mirrors: dict[str, Path] = {}
    for source in sources:
        for folder in folders:
            if (folder / terraform.registry / source).is_dir():
                mirrors.setdefault(source, folder)
    rest = tuple(source for source in sources if source not in mirrors)
    if not rest or _reachable(terraform.registry):
        return Providers(None, mirrors, (), rest, terraform.registry)
    missing = [source for source in rest if source not in STAND_INS]
    if missing:
        looked = ", ".join(map(str, folders)) or "no mirror found"
        raise UnavailableError(
            f"{terraform.registry} cannot be reached, and {', '.join(missing)} is in no mirror (searched: {looked}); "
            f"create one with `{terraform.product} providers mirror` and set {PLUGIN_VARIABLE} to its folder"
        )
    return Providers(None, mirrors, rest, (), terraform.registry)


def find_mirrors(variables: Mapping[str, str], host: str) -> list[Path]:
    """Return the folders with a mirror of a registry, in order of preference.

    Raises:
        UnavailableError: `TF_PLUGIN_DIR` is neither a mirror nor a folder in one.
    """
    if given := variables.get(PLUGIN_VARIABLE):
        named = Path(given).expanduser().absolute()
        for folder in (named, *named.parents):
            if (folder / host).is_dir():
                return [folder]
        raise UnavailableError(f"{PLUGIN_VARIABLE}={given!r}: not a mirror; expected a folder with {host} in it")
    home = variables.get("HOME", "/nonexistent")
    found: dict[Path, None] = {}
    for pattern in MIRROR_GLOBS:
        absolute = pattern.replace("~", home, 1).lstrip("/")
        found |= dict.fromkeys(path.parent for path in sorted(Path("/").glob(f"{absolute}/{host}")))
    return list(found)


def required_sources(document: Mapping[str, Any], host: str) -> list[str]:
    """Return the sources of the required providers of a `cdk.tf.json`, such as `hashicorp/aws`, without the host."""
    required = document.get("terraform", {}).get("required_providers", {})
    blocks = required if isinstance(required, list) else [required]
    sources = (
        given.get("source", f"hashicorp/{name}") if isinstance(given, dict) else f"hashicorp/{name}"
        for block in blocks
        for name, given in block.items()
    )
    return sorted({source.removeprefix(f"{host}/") for source in sources})


def _find_binary(variables: Mapping[str, str]) -> Path:
    named = variables.get(BINARY_VARIABLE)
    for name in [named] if named else REGISTRIES:
        found = shutil.which(name, path=variables.get("PATH", ""))
        if found:
            return Path(found).absolute()
    if named:
        raise UnavailableError(f"{BINARY_VARIABLE}={named!r}: program not found")
    raise UnavailableError("neither terraform nor tofu was found on PATH")


def _callers_configuration(variables: Mapping[str, str]) -> Path | None:
    named = Path(variables.get(CONFIG_VARIABLE) or "/nonexistent")
    if named.is_file():
        return named.absolute()
    usual = Path(variables.get("HOME", "/nonexistent"), ".terraformrc")
    return usual if usual.is_file() and "provider_installation" in usual.read_text(encoding="utf-8") else None


@functools.cache
def _reachable(host: str) -> bool:
    try:
        with urllib.request.urlopen(f"https://{host}/.well-known/terraform.json", timeout=_REACH_SECONDS):
            return True
    except (OSError, urllib.error.URLError, ValueError):
        return False
