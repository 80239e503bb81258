"""Child processes that never outlive this process, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GUARD: Final = Path(__file__).with_name("guard.py")
GRACE_SECONDS: Final = 5.0
"""What an interrupted command has to end by itself: Terraform writes its state."""

_POLL_SECONDS: Final = 0.2


class Process:
    """A command that runs under `guard.py`, with its output in files.

    Args:
        command: The program, as an absolute path, and its arguments.
        cwd: Its working directory.
        env: All of its environment.
        stdout: The file that its output is appended to.
        stderr: The same for its errors; may be the same file.
        grace: Seconds that it has to end by itself once it was interrupted.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: Path,
        stderr: Path,
        grace: float = GRACE_SECONDS,
    ) -> None:
        guard = [sys.executable, "-I", "-S", str(GUARD), str(grace)]
        self._grace = grace
        with stdout.open("ab") as out, stderr.open("ab") as err:
            self._popen = subprocess.Popen(  # noqa: S603  the harness's own commands
                [*guard, *map(str, command)],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The guard's process id, which is the id of the process group of all that it runs."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """How the command ended; None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float, watch: Callable[[], None] = lambda: None) -> int:
        """Wait for the end of the command and return its exit code.

        Args:
            timeout: Seconds.
            watch: Called again and again meanwhile; what it raises ends the command.

        Raises:
            TimeoutError: It ran longer and was ended.
        """
        deadline = time.monotonic() + timeout
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return self._popen.wait(_POLL_SECONDS)
                watch()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"longer than {timeout:g} s")
        finally:
            self.stop()

    def stop(self) -> None:
        """End the command and everything that it started; harmless when it has ended."""
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        try:
            self._popen.wait(self._grace + 5)
        except subprocess.TimeoutExpired:
            self._kill_group()
            self._popen.wait()
        if (self._popen.returncode or 0) < 0:
            # The guard was killed, by itself at the very end or by somebody else before it could end the rest.
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
