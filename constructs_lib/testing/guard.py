"""Runs one command and ends it, with all that it started, as soon as whoever started this script is gone.

Usage: guard.py GRACE COMMAND...

The owner holds the other end of standard input and never writes to it. When it lets go, by closing it or by dying in
any way, `kill -9` included, the command is interrupted, has GRACE seconds to end, and then the whole process group is
killed. Started in a session of its own, so that a Ctrl-C at the terminal reaches the owner alone, which then decides.
A program of its own, which imports nothing of the library: it starts in 20 ms, before each command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def end_with_owner(child: subprocess.Popen[bytes], grace: float) -> None:
    """Wait until the owner lets go, then end everything, this process included."""
    while os.read(0, 1024):
        pass
    child.send_signal(signal.SIGINT)
    try:
        child.wait(grace)
    finally:
        os.killpg(0, signal.SIGKILL)


def main() -> int:
    """Run the command and return its exit code, or 128 plus the signal that ended it."""
    grace, *command = sys.argv[1:]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  the owner's command
    threading.Thread(target=end_with_owner, args=(child, float(grace)), daemon=True).start()
    code = child.wait()
    # Plugins outlive a Terraform that crashed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
