"""What Terraform makes of the user data of a web tier."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from constructs_lib.web_tier.user_data import encoded, render
from tests.constructs.web_tiers import make_machine

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.testing.settings import Terraform

pytestmark = pytest.mark.terraform


def test_references_are_filled_in_and_everything_else_stays(terraform: Terraform, tmp_path: Path) -> None:
    commands = ['echo "${HOME}" %{x} $${y} \\n ä "quoted" \t', "cat <<'E'", "<&>", "E"]
    machine = make_machine(commands=commands, settings={"HOST": "${local.endpoint}", "PORT": "5432"})
    document = {"locals": {"endpoint": "db.example.com", "user_data": encoded(machine)}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document))
    done = subprocess.run(
        [terraform.binary, "console"],
        input="local.user_data\n",
        cwd=tmp_path,
        env={"PATH": terraform.variables.get("PATH", ""), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    script = base64.b64decode(json.loads(done.stdout)).decode()
    assert script == render(make_machine(commands=commands, settings={"HOST": "db.example.com", "PORT": "5432"}))
