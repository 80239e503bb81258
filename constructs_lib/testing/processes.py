"""Child processes that end with this process, however it ends."""

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
"""Seconds that an interrupted command has to end: Terraform writes its state."""

_POLL_SECONDS: Final = 0.2


class Process:
    """A command that runs under `guard.py`, with its output in files.

    Args:
        command: The program, as an absolute path, and its arguments.
        cwd: The working directory.
        env: All environment variables.
        stdout: The file to append standard output to.
        stderr: The file to append standard error to; may be the same file.
        grace: Seconds that an interrupted command has to end before it is killed.
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
        """The process id of the guard, which is the id of the process group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the command; None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float, watch: Callable[[], None] = lambda: None) -> int:
        """Wait until the command ends and return its exit code.

        Args:
            timeout: Seconds.
            watch: Called repeatedly while the command runs; an exception that it raises ends the command.

        Raises:
            TimeoutError: The command timed out and was ended.
        """
        deadline = time.monotonic() + timeout
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return self._popen.wait(_POLL_SECONDS)
                watch()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"timed out after {timeout:g} s")
        finally:
            self.stop()

    def stop(self) -> None:
        """End the command and all processes that it started; does nothing after it has ended."""
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        try:
            self._popen.wait(self._grace + 5)
        except subprocess.TimeoutExpired:
            self._kill_group()
            self._popen.wait()
        if (self._popen.returncode or 0) < 0:
            # The guard was killed, by itself at the end, or by another process before it could end the group.
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
