"""What a person sees of `make synth`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_output_about_the_reference_stacks_fits_a_screen(environment: str, tmp_path: Path) -> None:
    (recipe,) = re.findall(r"^synth:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JSII_SILENCE")}
    variables |= {"COLUMNS": "80", "ENVIRONMENT": environment, "PYTHONPATH": str(ROOT)}
    printed: list[str] = []
    for line in recipe.replace("$(BIN)/python", sys.executable).replace("$(OUT)", "cdktf.out").splitlines():
        command = line.strip().removeprefix("@").replace("main.py", str(ROOT / "main.py"))
        done = subprocess.run(
            command.split(),
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        printed += done.stdout.splitlines()
    assert len(printed) <= 40
    assert "Details: constructs-lib check --verbose" in printed
    stacks = [line.split()[:2] for line in printed if re.search(rf" {environment}  ", line)]
    assert stacks == [
        [name, environment] for name in ("events", "payments", "platform", "state-backend", "ticketing", "trading")
    ]
