"""LocalAws: starts the server, waits until it responds, checks that it runs, and ends it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.errors import LocalAwsError, UnavailableError
from constructs_lib.testing.local_aws.endpoint import Endpoint
from constructs_lib.testing.local_aws.infidelities import FOUND, Infidelity, unknown
from constructs_lib.testing.local_aws.options import Options
from constructs_lib.testing.local_aws.quotas import check_quotas
from constructs_lib.testing.local_aws.server import CALLS, INFIDELITIES, PORT_TAKEN
from constructs_lib.testing.processes import Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from constructs_lib.testing.local_aws.faults import Fault

MOTO_VERSION: Final = "5.2.5"
"""The only supported version: the fixes patch internals of moto."""

ACCOUNT_ID: Final = "123456789012"

START_SECONDS: Final = 180.0
"""Deadline for a server that hangs; a server that ends is reported at once."""

_ROOT: Final = Path(__file__).parents[3]


class LocalAws(Endpoint):
    """A new, empty local AWS. Start one for each stack, because resources of a stack that is not destroyed remain.

    Args:
        port: A port on 127.0.0.1; any free port by default.
        start_timeout: Seconds within which the server must respond; 180 by default.
        faults: Calls that fail once.
        quotas: Quotas of the account that differ from AWS's defaults, by their name in `quotas.DEFAULTS`. For a new
            account, give `quotas.NEW_ACCOUNT`.

    Attributes:
        log: The server's log; removed by `stop`, unless the server ended unexpectedly.

    Raises:
        UnavailableError: moto is not installed, or its version is not supported.
        LocalAwsError: The port is in use, or the server does not start; the message has the end of its log.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        start_timeout: float = START_SECONDS,
        faults: Sequence[Fault] = (),
        quotas: Mapping[str, int] | None = None,
    ) -> None:
        check_moto()
        check_quotas(quotas or {})
        self._folder = Path(tempfile.mkdtemp(prefix="constructs-lib-aws-"))
        super().__init__(self._folder / "local-aws.log")
        self._stopped: tuple[Infidelity, ...] | None = None
        ready = self._folder / "port"
        options = Options(faults=tuple(faults), quotas=quotas or {})
        self._process = Process(
            [sys.executable, "-m", "constructs_lib.testing.local_aws.server", str(port), ready, options.text()],
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
        """The process group id of the server."""
        return self._process.pid

    def check(self) -> None:
        """Check that the server runs.

        Raises:
            LocalAwsError: The server ended; the message has the end of its log, which is not removed.
        """
        code = self._process.exit_code
        if code is not None:
            raise LocalAwsError(f"the local AWS ended unexpectedly with exit code {code}:\n{self.last_words()}")

    @property
    def calls(self) -> tuple[str, ...]:
        """The operations that were called with success, in order, such as `lambda:CreateFunction`."""
        lines = (self._folder / CALLS).read_text(encoding="utf-8").splitlines()
        return tuple(name for name, _, status in map(str.split, lines) if status.startswith("2"))

    @property
    def infidelities(self) -> tuple[Infidelity, ...]:
        """Where requests or answers were not as AWS's own models say, without those in `KNOWN_INFIDELITIES`."""
        if self._stopped is not None:
            return self._stopped
        lines = (self._folder / INFIDELITIES).read_text(encoding="utf-8").splitlines()
        return unknown(Infidelity(*json.loads(line)) for line in lines)

    def stop(self) -> None:
        """End the server; its resources are lost."""
        if self._stopped is None:
            self._stopped = self.infidelities
            FOUND.extend(self._stopped)
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
                raise LocalAwsError(f"the local AWS did not respond in time:\n{self.last_words()}")
            time.sleep(0.05)


def port_taken(port: int) -> LocalAwsError:
    """Return the error for a port that is in use."""
    return LocalAwsError(f"port={port}: 127.0.0.1:{port} is in use; choose another port, or omit it for any free port")


def check_moto() -> None:
    """Check that the supported version of moto is installed.

    Raises:
        UnavailableError: moto is not installed, or its version is not supported.
    """
    try:
        version = importlib.metadata.version("moto")
    except importlib.metadata.PackageNotFoundError:
        version = "no version"
    if version != MOTO_VERSION:
        raise UnavailableError(
            f"the local AWS requires moto {MOTO_VERSION}, and {version} is installed; "
            "install it with pip install 'constructs-lib[terraform]'"
        )


def server_environment() -> dict[str, str]:
    """Return the caller's environment variables without those that configure moto."""
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
