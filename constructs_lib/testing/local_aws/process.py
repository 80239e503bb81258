"""LocalAws: starts the server, waits for it, notices its death and ends it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.errors import LocalAwsError, UnavailableError
from constructs_lib.testing.local_aws.endpoint import Endpoint
from constructs_lib.testing.local_aws.server import PORT_TAKEN
from constructs_lib.testing.processes import Process

if TYPE_CHECKING:
    from typing import Self

MOTO_VERSION: Final = "5.2.5"
"""The one version that the fixes are written for: they reach into moto."""

ACCOUNT_ID: Final = "123456789012"

START_SECONDS: Final = 180.0
"""A server that ends is noticed at once; the deadline is for one that hangs, so that it leaves a busy machine time."""

_ROOT: Final = Path(__file__).parents[3]


class LocalAws(Endpoint):
    """One server with nothing in it, for one stack: start a fresh one for each, as what a stack leaves behind stays.

    Args:
        port: A port of 127.0.0.1; any free one by default.
        start_timeout: Seconds within which the server must answer; 180 by default.

    Attributes:
        log: The server's log; removed with the server, unless the server ended by itself.

    Raises:
        UnavailableError: moto is not installed, or in another version.
        LocalAwsError: It does not start: the port is taken, or whatever its log says.
    """

    def __init__(self, *, port: int = 0, start_timeout: float = START_SECONDS) -> None:
        check_moto()
        self._folder = Path(tempfile.mkdtemp(prefix="constructs-lib-aws-"))
        super().__init__(self._folder / "local-aws.log")
        ready = self._folder / "port"
        self._process = Process(
            [sys.executable, "-m", "constructs_lib.testing.local_aws.server", str(port), ready],
            cwd=self._folder,
            env=server_environment(),
            stdout=self.log,
            stderr=self.log,
            grace=0,
        )
        try:
            self.port = self._wait_until(ready, port, time.monotonic() + start_timeout)
        except BaseException:
            self._process.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The id of the server's process group."""
        return self._process.pid

    def check(self) -> None:
        """Make sure that the server runs.

        Raises:
            LocalAwsError: It ended; its last words are in the error, and its log is kept.
        """
        code = self._process.exit_code
        if code is not None:
            raise LocalAwsError(f"the local AWS ended by itself, exit code {code}:\n{self.last_words()}")

    def stop(self) -> None:
        """End the server; everything in it is gone."""
        ended_by_itself = self._process.exit_code is not None
        self.close()
        self._process.stop()
        if not ended_by_itself:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until(self, ready: Path, port: int, deadline: float) -> int:
        while True:
            with contextlib.suppress(FileNotFoundError):
                return int(ready.read_text(encoding="ascii"))
            if self._process.exit_code == PORT_TAKEN:
                shutil.rmtree(self._folder, ignore_errors=True)
                raise port_taken(port)
            self.check()
            if time.monotonic() > deadline:
                raise LocalAwsError(f"the local AWS did not answer in time:\n{self.last_words()}")
            time.sleep(0.05)


def port_taken(port: int) -> LocalAwsError:
    """Return the error for a port that somebody else has."""
    return LocalAwsError(f"port={port}: 127.0.0.1:{port} is taken; leave the port out for any free one")


def check_moto() -> None:
    """Make sure that the moto which the fixes are written for is installed.

    Raises:
        UnavailableError: It is not.
    """
    try:
        version = importlib.metadata.version("moto")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if version != MOTO_VERSION:
        raise UnavailableError(
            f"the local AWS needs moto {MOTO_VERSION} and {version} is installed: pip install "
            f"'moto[server]=={MOTO_VERSION}'"
        )


def server_environment() -> dict[str, str]:
    """Return the caller's variables without those that change what moto does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    path = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
        # For attachments and data sources of arn:aws:iam::aws:policy/...
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }
