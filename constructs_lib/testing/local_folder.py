"""The folder of a local AWS that runs between commands: the server's files, and a workspace for each stack."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import HarnessError
from constructs_lib.testing.local_aws.background import BackgroundAws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIRECTORY_VARIABLE: Final = "LOCAL_AWS_DIRECTORY"
DEFAULT: Final = ".local-aws"

_MARK: Final = "# A local AWS of constructs_lib: `python -m constructs_lib local down` removes this folder.\n*\n"
_RECORD: Final = "stack.json"


@dataclass(frozen=True)
class Record:
    """What is recorded about a stack in addition to its state.

    Attributes:
        source: The folder that the stack was synthesized into.
        complete: Whether the last apply was complete.
    """

    source: str
    complete: bool


class LocalFolder:
    """The folder that `LOCAL_AWS_DIRECTORY` names.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> LocalFolder:
        """Return the folder in the variable `LOCAL_AWS_DIRECTORY`; `.local-aws` by default."""
        return cls(Path(variables.get(DIRECTORY_VARIABLE) or DEFAULT))

    @property
    def exists(self) -> bool:
        """Whether the folder exists and was created by this class."""
        with contextlib.suppress(OSError):
            return (self.path / ".gitignore").read_text(encoding="utf-8") == _MARK
        return False

    def make(self) -> None:
        """Create the folder if it does not exist.

        Raises:
            HarnessError: The folder cannot be written, or it has other files, which `remove` would delete.
        """
        if self.exists:
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise HarnessError(
                    f"{self.path}: has files that are not of a local AWS; set {DIRECTORY_VARIABLE} to another folder"
                )
            (self.path / ".gitignore").write_text(_MARK, encoding="utf-8")
        except OSError as error:
            raise HarnessError(
                f"{self.path}: folder cannot be created: {error.strerror}; set {DIRECTORY_VARIABLE} to another folder"
            ) from error

    @contextlib.contextmanager
    def to_itself(self) -> Iterator[None]:
        """Lock the folder for this command.

        Raises:
            HarnessError: Another command has the lock.
        """
        with (self.path / "command").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HarnessError(f"{self.path}: another `local` command is running; wait until it ends") from error
            yield

    def find_server(self) -> BackgroundAws | None:
        """Return the server, whether it still runs or not; None if none was started."""
        return BackgroundAws.find(self.path)

    def stacks(self) -> list[str]:
        """Return the names of the stacks that were applied, completely or in part."""
        return sorted(file.parent.name for file in self.path.glob(f"stacks/*/{_RECORD}"))

    def stack(self, name: str) -> Path:
        """Return the folder of a stack's workspace."""
        return self.path / "stacks" / name

    def record(self, name: str) -> Record:
        """Return the record of a stack."""
        return Record(**json.loads((self.stack(name) / _RECORD).read_text(encoding="utf-8")))

    def note(self, name: str, record: Record) -> None:
        """Write the record of a stack."""
        self.stack(name).mkdir(parents=True, exist_ok=True)
        (self.stack(name) / _RECORD).write_text(json.dumps(asdict(record)), encoding="utf-8")

    def state(self, name: str) -> dict[str, Any]:
        """Return the Terraform state of a stack; empty before the first apply."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            state: dict[str, Any] = json.loads((self.stack(name) / "terraform.tfstate").read_text(encoding="utf-8"))
            return state
        return {}

    def resources(self, name: str) -> int:
        """Return the number of deployed resources of a stack."""
        managed = (each for each in self.state(name).get("resources", []) if each["mode"] == "managed")
        return sum(len(each["instances"]) for each in managed)

    def offer_to_cdktf(self, output: Path, name: str) -> Path:
        """Create an output folder of `cdktf synth` with the workspaces, for `cdktf deploy --skip-synth`, and return it.

        Args:
            output: The folder that the stack was synthesized into.
            name: The stack; its workspace exists.

        Raises:
            HarnessError: The output folder has no manifest of `cdktf synth`.
        """
        try:
            given = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise HarnessError(f"{output}: not an output folder of `cdktf synth`: {error}") from error
        offered = self.path / "cdktf.out"
        link = offered / "stacks" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(self.stack(name) / "stack", link.parent))
        manifest = {"version": given["version"], "stacks": {}}
        with contextlib.suppress(FileNotFoundError):
            manifest = json.loads((offered / "manifest.json").read_text(encoding="utf-8"))
        manifest["stacks"][name] = given["stacks"][name]
        (offered / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        return offered

    def clear(self) -> None:
        """Remove the files of an earlier local AWS; keep the folder."""
        for entry in self.path.iterdir():
            if entry.name not in (".gitignore", "command"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def remove(self, *, but_logs: bool = False) -> None:
        """Remove the folder, or everything except Terraform's logs."""
        if not but_logs:
            shutil.rmtree(self.path)
            return
        for entry in [*self.path.glob("*"), *self.path.glob("stacks/*/*")]:
            if entry.name not in (".gitignore", "stacks", "logs"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
