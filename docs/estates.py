"""The reference stacks, synthesized by main.py once for all pages."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from constructs_lib import Environment

ROOT = Path(__file__).parent.parent
PRINTS = "printed.txt"
"""The file in an output folder with what the program printed."""


@cache
def estates() -> dict[Environment, Path]:
    """Return the output folder of each environment; they are deleted when the program ends."""
    home = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    places = {environment: home / environment.value for environment in Environment}
    for environment, place in places.items():
        variables = {
            **os.environ,
            "CDKTF_OUTDIR": str(place),
            "COLUMNS": "100",
            "ENVIRONMENT": environment.value,
            "PYTHONPATH": ".",
        }
        command = [sys.executable, "main.py"]
        ended = subprocess.run(  # noqa: S603  our own
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True
        )
        (place / PRINTS).write_text(ended.stdout, encoding="utf-8")
    return places
