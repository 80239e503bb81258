"""What this machine has: a Terraform, and places to install its providers from."""

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
"""CDK for Terraform's own variable: the program's name or path."""

CONFIG_VARIABLE: Final = "TF_CLI_CONFIG_FILE"
PLUGIN_VARIABLE: Final = "TF_PLUGIN_DIR"
MINIMUM_VERSION: Final = (1, 5)
"""What stacks may rely on: import and check blocks. OpenTofu was forked from 1.5, so that all of its releases do."""

REGISTRIES: Final = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
STAND_INS: Final = ("hashicorp/archive", "hashicorp/random")
"""Providers of which `constructs_lib.testing.standins` has a stand-in."""

# Terraform looks by itself into the first four, its implied mirrors on Linux, but only while no configuration
# names another. The others are found by their content, a folder named as the registry: build machines
# without a network keep a mirror in a folder of their own choosing, and a CI that cannot set TF_PLUGIN_DIR has no other
# way to say where. Globs, so that no machine's own name stands here.
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
        variables: The environment that it was found in; its runs get it too, without what is of AWS or Terraform.
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
            UnavailableError: There is none, it does not run, or it is too old.
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
            raise UnavailableError(f"{binary} does not tell its version: {error}") from error
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < MINIMUM_VERSION:
            wanted = ".".join(map(str, MINIMUM_VERSION))
            raise UnavailableError(f"{binary} is version {version}; {wanted} or later is needed")
        product = "tofu" if "tofu" in binary.name else "terraform"
        return cls(binary, product, version, dict(variables))

    @property
    def registry(self) -> str:
        """The host whose providers the program means by `hashicorp/aws`."""
        return REGISTRIES[self.product]

    def __str__(self) -> str:
        return f"{self.product} {self.version}"


@dataclass(frozen=True)
class Providers:
    """Where the providers of one stack are installed from.

    Attributes:
        configuration: A CLI configuration file of the caller's, which then decides alone; else None.
        mirrors: The folder that each provider is taken from, by source such as `hashicorp/aws`.
        stand_ins: Sources that a stand-in of this library takes the place of.
        registry: Sources that the registry is asked for.
        host: The registry.
    """

    configuration: Path | None
    mirrors: Mapping[str, Path]
    stand_ins: tuple[str, ...]
    registry: tuple[str, ...]
    host: str

    def __str__(self) -> str:
        if self.configuration:
            return f"providers as {self.configuration} says"
        return "; ".join(
            (
                *(f"{source} from {mirror}" for source, mirror in self.mirrors.items()),
                *(f"{source}: STAND-IN of constructs_lib, not the real provider" for source in self.stand_ins),
                *(f"{source} from {self.host}" for source in self.registry),
            )
        )

    def cli_configuration(self, stand_ins: Path) -> str:
        """Return the text of a CLI configuration file; the stand-ins lie in the folder given."""
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
        """Return the versions of a provider that its mirror has, for the error when none of them will do."""
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
    """Return where the providers that a `cdk.tf.json` requires are installed from.

    A CLI configuration file that `TF_CLI_CONFIG_FILE` names decides alone, if there is such a file; so does the one in
    the home folder if it says where providers come from. Else each provider comes from the first mirror that has it:
    the folder in `TF_PLUGIN_DIR` if that is set, or those of `MIRROR_GLOBS`; else from the registry; else, for two of
    them, from our stand-ins.

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
        looked = ", ".join(map(str, folders)) or "no folder that looks like a mirror"
        raise UnavailableError(
            f"{terraform.registry} cannot be reached and {', '.join(missing)} is in no mirror (looked in {looked}); "
            f"set {PLUGIN_VARIABLE} to a folder that `{terraform.product} providers mirror` filled"
        )
    return Providers(None, mirrors, rest, (), terraform.registry)


def find_mirrors(variables: Mapping[str, str], host: str) -> list[Path]:
    """Return the folders that hold a mirror of a registry, the one to prefer first.

    Raises:
        UnavailableError: `TF_PLUGIN_DIR` is set and names no mirror, nor something in one.
    """
    if given := variables.get(PLUGIN_VARIABLE):
        named = Path(given).expanduser().absolute()
        for folder in (named, *named.parents):
            if (folder / host).is_dir():
                return [folder]
        raise UnavailableError(f"{PLUGIN_VARIABLE}={given!r}: neither it nor a folder above it holds {host}")
    home = variables.get("HOME", "/nonexistent")
    found: dict[Path, None] = {}
    for pattern in MIRROR_GLOBS:
        absolute = pattern.replace("~", home, 1).lstrip("/")
        found |= dict.fromkeys(path.parent for path in sorted(Path("/").glob(f"{absolute}/{host}")))
    return list(found)


def required_sources(document: Mapping[str, Any], host: str) -> list[str]:
    """Return the sources of the providers that a `cdk.tf.json` requires, such as `hashicorp/aws`, without the host."""
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
        raise UnavailableError(f"{BINARY_VARIABLE}={named!r}: no such program")
    raise UnavailableError("no terraform or tofu on PATH")


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
