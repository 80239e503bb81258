"""A local AWS that keeps running after the command that started it; later commands find it by its folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import LocalAwsError
from constructs_lib.testing.local_aws.endpoint import Endpoint
from constructs_lib.testing.local_aws.process import START_SECONDS, check_moto, port_taken, server_environment
from constructs_lib.testing.local_aws.server import PORT_TAKEN

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

_STOP_SECONDS: Final = 10.0
_ALIVE: Final = "alive"
_PORT: Final = "port"
_RECORD: Final = "server.json"


class BackgroundAws(Endpoint):
    """A server whose process id, port and log are in a folder; created by `start` and `find`.

    Its resources exist in memory only and are lost when it ends.

    Attributes:
        since: When the server was started, in UTC.
        pid: The process id. The process has its own session, so that a Ctrl-C at the terminal does not reach it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "local-aws.log")
        self._folder = folder
        record: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        self.since = datetime.fromisoformat(record["since"])
        self.pid: int = record["pid"]

    @classmethod
    def start(cls, folder: Path, *, port: int = 0) -> Self:
        """Start a server with its files in a folder, and return once it responds.

        Args:
            folder: An existing folder.
            port: A port on 127.0.0.1; any free port by default.

        Raises:
            UnavailableError: moto is not installed, or its version is not supported.
            LocalAwsError: The port is in use, or the server does not start; the message has the end of its log.
        """
        check_moto()
        (folder / _PORT).unlink(missing_ok=True)
        # The server inherits the lock and has it until it ends. Unlike a process id, a lock is never reused for another
        # process.
        with (folder / _ALIVE).open("w") as alive, (folder / "local-aws.log").open("wb") as log:
            fcntl.flock(alive, fcntl.LOCK_EX)
            process = subprocess.Popen(  # noqa: S603  our own server
                [sys.executable, "-m", "constructs_lib.testing.local_aws.server", str(port), str(folder / _PORT)],
                cwd=folder,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[alive.fileno()],
                start_new_session=True,
            )
            record = {"pid": process.pid, "since": datetime.now(UTC).isoformat(timespec="seconds")}
            (folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        started = cls(folder)
        try:
            started._wait_until_it_answers(process, port)
        except BaseException:
            process.kill()
            process.wait()
            (folder / _RECORD).unlink()
            raise
        return started

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return the server that was started in a folder, whether it still runs or not; None if none was started."""
        try:
            found = cls(folder)
        except FileNotFoundError:
            return None
        deadline = time.monotonic() + START_SECONDS
        while found.alive and not (folder / _PORT).exists() and time.monotonic() < deadline:
            time.sleep(0.1)  # the command that started it was killed before the server responded
        found.port = int((folder / _PORT).read_text(encoding="ascii")) if found.alive else 0
        return found

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        with (self._folder / _ALIVE).open() as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def check(self) -> None:
        """Check that the server runs.

        Raises:
            LocalAwsError: The server ended, and its resources are lost.
        """
        if not self.alive:
            raise LocalAwsError(
                f"the local AWS started at {self.since:%Y-%m-%d %H:%M} UTC has ended, and its resources are lost:\n"
                f"{self.last_words()}"
            )

    def stop(self) -> None:
        """End the server if it runs; its resources are lost."""
        self.close()
        deadline = time.monotonic() + _STOP_SECONDS
        while self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
            time.sleep(0.1)
        (self._folder / _RECORD).unlink(missing_ok=True)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (self._folder / _PORT).exists():
            code = process.poll()
            if code == PORT_TAKEN:
                raise port_taken(port)
            if code is not None:
                raise LocalAwsError(f"the local AWS did not start, exit code {code}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise LocalAwsError(f"the local AWS did not respond in time:\n{self.last_words()}")
            time.sleep(0.05)
        self.port = int((self._folder / _PORT).read_text(encoding="ascii"))
        # The server keeps running on purpose; Popen would warn about it.
        process.returncode = 0
