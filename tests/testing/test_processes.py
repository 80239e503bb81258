"""Child processes end with the process that started them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]

OWNER = """
import os, pathlib, sys, time
from constructs_lib.testing.processes import Process
stubborn = "import signal, subprocess as s; signal.signal(2, signal.SIG_IGN); s.run('touch up; sleep 300; :', shell=True)"
places = {"cwd": pathlib.Path.cwd(), "stdout": pathlib.Path("out"), "stderr": pathlib.Path("out")}
process = Process([sys.executable, "-c", stubborn], env=os.environ, grace=0.2, **places)
while not pathlib.Path("up").exists():
    time.sleep(0.02)
process.wait(float(sys.argv[1]))
"""


@pytest.mark.parametrize("limit", ["0.2", "300"])
def test_processes_end_when_they_take_too_long_and_when_their_owner_is_killed(
    limit: str, tmp_path: Path, descendants: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with subprocess.Popen([sys.executable, "-c", OWNER, limit], cwd=tmp_path, stderr=subprocess.PIPE) as owner:
        wait_for((tmp_path / "up").exists, "the process")
        if limit == "300":
            owner.kill()
        assert owner.wait() == (-signal.SIGKILL if limit == "300" else 1)
        wait_for(lambda: not descendants(), "the end of everything")
