"""Writes the stand-ins as a filesystem mirror, from which Terraform and OpenTofu install providers."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from constructs_lib.testing.standins.dependencies import check_installed
from constructs_lib.testing.standins.providers import PROVIDERS, Provider

_REGISTRIES: Final = ("registry.terraform.io", "registry.opentofu.org")
_PLATFORMS: Final = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")
_ROOT: Final = Path(__file__).absolute().parents[3]  # what must be importable for constructs_lib to be
_LAUNCHER: Final = """\
#!/bin/sh
# Stand-in of constructs_lib for the Terraform provider hashicorp/{name} {version}, not made by HashiCorp.
exec {python} -P -c {program} {name}
"""
# The folder is added only if it is not in sys.path: site-packages must not come first.
_PROGRAM: Final = """\
import sys
if {root!r} not in sys.path:
    sys.path.insert(0, {root!r})
from constructs_lib.testing.standins.server import main
sys.exit(main(sys.argv[1:]))
"""


def write_mirror(directory: Path, *, python: str = sys.executable) -> None:
    """Write the stand-ins to a folder for a `filesystem_mirror` block of Terraform's CLI configuration.

    The programs are short scripts, the same for each platform; they run this copy of the library.

    Args:
        directory: The mirror; created if it does not exist. Other files in it are not changed.
        python: The interpreter that runs them: a path, or a name on PATH; this interpreter by default.

    Raises:
        UnavailableError: This interpreter runs them, and packages of the extra `terraform-offline` are not installed.
        FileNotFoundError: The interpreter was not found.
        NotImplementedError: On Windows, where the scripts do not run.
    """
    if os.name == "nt":
        raise NotImplementedError("the stand-ins for Terraform providers require a POSIX shell and Unix sockets")
    if python == sys.executable:
        check_installed()
    found = shutil.which(python)
    if not found:
        raise FileNotFoundError(f"Python interpreter {python!r} not found")
    for provider in PROVIDERS.values():
        text = _launcher(provider, str(Path(found).absolute()))
        for registry in _REGISTRIES:
            for platform in _PLATFORMS:
                folder = directory / registry / "hashicorp" / provider.name / provider.version / platform
                folder.mkdir(parents=True, exist_ok=True)
                program = folder / f"terraform-provider-{provider.name}_v{provider.version}_x5"
                program.write_text(text, encoding="utf-8")
                program.chmod(0o755)


def _launcher(provider: Provider, python: str) -> str:
    return _LAUNCHER.format(
        name=provider.name,
        version=provider.version,
        python=shlex.quote(python),
        program=shlex.quote(_PROGRAM.format(root=str(_ROOT))),
    )
