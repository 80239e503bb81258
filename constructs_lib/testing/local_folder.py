"""The folder that keeps a person's local AWS between commands: the server's files, and a workspace for each stack."""

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
    """What is known of a stack beside its state.

    Attributes:
        source: The folder that it came from.
        complete: Whether the last apply came to its end.
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
        """Return the folder that a variable names, `.local-aws` by default."""
        return cls(Path(variables.get(DIRECTORY_VARIABLE) or DEFAULT))

    @property
    def exists(self) -> bool:
        """Whether there is such a folder, made by this class."""
        with contextlib.suppress(OSError):
            return (self.path / ".gitignore").read_text(encoding="utf-8") == _MARK
        return False

    def make(self) -> None:
        """Make the folder if it is not there.

        Raises:
            HarnessError: It cannot be written, or holds what is not of a local AWS and must not be removed with one.
        """
        if self.exists:
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise HarnessError(
                    f"{self.path}: holds something else than a local AWS; set {DIRECTORY_VARIABLE} to another folder"
                )
            (self.path / ".gitignore").write_text(_MARK, encoding="utf-8")
        except OSError as error:
            raise HarnessError(
                f"{self.path}: cannot be written: {error.strerror}; set {DIRECTORY_VARIABLE} to another folder"
            ) from error

    @contextlib.contextmanager
    def to_itself(self) -> Iterator[None]:
        """Keep other commands out.

        Raises:
            HarnessError: Another one works in the folder.
        """
        with (self.path / "command").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HarnessError(f"another `local` command works in {self.path}; wait for its end") from error
            yield

    def find_server(self) -> BackgroundAws | None:
        """Return the server, alive or not; None if none was started."""
        return BackgroundAws.find(self.path)

    def stacks(self) -> list[str]:
        """Return the names of the stacks that were brought up, at least in part."""
        return sorted(file.parent.name for file in self.path.glob(f"stacks/*/{_RECORD}"))

    def stack(self, name: str) -> Path:
        """Return the folder of a stack's workspace."""
        return self.path / "stacks" / name

    def record(self, name: str) -> Record:
        """Return what was noted of a stack."""
        return Record(**json.loads((self.stack(name) / _RECORD).read_text(encoding="utf-8")))

    def note(self, name: str, record: Record) -> None:
        """Note something of a stack."""
        self.stack(name).mkdir(parents=True, exist_ok=True)
        (self.stack(name) / _RECORD).write_text(json.dumps(asdict(record)), encoding="utf-8")

    def state(self, name: str) -> dict[str, Any]:
        """Return the state of a stack as Terraform wrote it; empty before anything was made."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            state: dict[str, Any] = json.loads((self.stack(name) / "terraform.tfstate").read_text(encoding="utf-8"))
            return state
        return {}

    def resources(self, name: str) -> int:
        """Return how many resources of a stack are deployed."""
        managed = (each for each in self.state(name).get("resources", []) if each["mode"] == "managed")
        return sum(len(each["instances"]) for each in managed)

    def offer_to_cdktf(self, output: Path, name: str) -> Path:
        """Lay the workspaces out as an output folder of `cdktf synth`, for `cdktf deploy --skip-synth`; return it.

        Args:
            output: The folder that the stack was synthesized into.
            name: The stack, whose workspace is there.

        Raises:
            HarnessError: The output folder is not one of `cdktf synth`.
        """
        try:
            given = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise HarnessError(f"{output}: no output of `cdktf synth`: {error}") from error
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
        """Remove all that an earlier local AWS left; not the folder."""
        for entry in self.path.iterdir():
            if entry.name not in (".gitignore", "command"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def remove(self, *, but_logs: bool = False) -> None:
        """Remove the folder, or all but the logs of Terraform's."""
        if not but_logs:
            shutil.rmtree(self.path)
            return
        for entry in [*self.path.glob("*"), *self.path.glob("stacks/*/*")]:
            if entry.name not in (".gitignore", "stacks", "logs"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
