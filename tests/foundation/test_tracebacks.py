"""What a program prints when it ends with an error of input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STACK = """\
import constructs_lib as lib

app = lib.App()
stack = lib.HardenedStack(app, "shop", environment="prod", owner="me")
region = stack.region("eu-west-1")
"""


def errors(folder: Path, program: str, code: int = 1) -> str:
    """Return what a program writes to standard error."""
    (folder / "main.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "")
    return done.stderr


def lines(text: str) -> list[str]:
    """Return the lines of a traceback without the folder of its files."""
    return [re.sub(r'File ".*?main\.py"', 'File "main.py"', line).strip() for line in text.splitlines()]


def test_an_error_of_input_shows_the_callers_lines_and_the_message_alone(tmp_path: Path) -> None:
    program = (
        f"{STACK}\n\ndef network():\n    lib.RegionalVpc(stack, 'vpc', region=region, cidr='10.0.0.0/8', key=key)\n\n"
    )
    program += "key = lib.MultiRegionKey(stack, 'key', region=region)\nnetwork()\n"
    *shown, message = lines(errors(tmp_path, program))
    assert shown == [
        "Traceback (most recent call last):",
        'File "main.py", line 12, in <module>',
        "network()",
        'File "main.py", line 9, in network',
        "lib.RegionalVpc(stack, 'vpc', region=region, cidr='10.0.0.0/8', key=key)",
    ]
    assert message.startswith("ConfigurationError: shop/vpc: cidr='10.0.0.0/8': ")


def test_an_argument_that_does_not_exist_shows_the_callers_line_alone(tmp_path: Path) -> None:
    assert lines(errors(tmp_path, f"{STACK}lib.Queue(stack, 'jobs', region=region, colour='red')")) == [
        "Traceback (most recent call last):",
        'File "main.py", line 6, in <module>',
        "lib.Queue(stack, 'jobs', region=region, colour='red')",
        "TypeError: Queue.__init__() got an unexpected keyword argument 'colour'",
    ]


def test_findings_that_fail_the_synthesis_end_in_one_sentence(tmp_path: Path) -> None:
    program = f"{STACK}lib.attach(app)\n"
    program += "lib.aws.sqs_queue.SqsQueue(stack, 'jobs', provider=region.provider, name='shop')\napp.synth()\n"
    text = errors(tmp_path, program)
    assert "Traceback" not in text
    assert "skipValidation" not in text
    assert re.fullmatch(r"Error: .* fail the synthesis: MSG-001\. .*", text.splitlines()[-1])


def test_what_is_incomplete_at_synth_is_listed_without_advice_to_skip_the_validation(tmp_path: Path) -> None:
    program = f"{STACK}key = lib.MultiRegionKey(stack, 'key', region=region)\n"
    program += "for id_ in ('one', 'two'):\n    lib.RestApi(stack, id_, region=region, key=key)\napp.synth()\n"
    head, *problems = errors(tmp_path, program).splitlines()
    assert head == "Errors:"
    assert [problem.split()[0] for problem in problems] == ["[shop/one]", "[shop/two]"]


def test_other_errors_keep_their_traceback(tmp_path: Path) -> None:
    assert lines(errors(tmp_path, "import json, constructs_lib\njson.loads('x')"))[-1].startswith(
        "json.decoder.JSONDecode"
    )
    assert "json/decoder.py" in errors(tmp_path, "import json, constructs_lib\njson.loads('x')")


def test_a_warning_is_one_line_with_the_callers_line(tmp_path: Path) -> None:
    program = "import warnings\nimport constructs_lib as lib\n"
    program += "warnings.warn('too small', lib.ConfigurationWarning)\nwarnings.warn('other')\n"
    assert lines(errors(tmp_path, program, code=0)) == [
        "main.py:3: warning: too small",
        f"{tmp_path}/main.py:4: UserWarning: other",
        "warnings.warn('other')",
    ]


def test_a_hook_of_the_program_is_kept(tmp_path: Path) -> None:
    program = "import sys\nsys.excepthook = lambda *_: sys.stderr.write('mine')\nimport constructs_lib\n1 / 0"
    assert errors(tmp_path, program) == "mine"


def test_a_node_version_that_works_is_not_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", raising=False)
    assert "end-of-life" not in errors(tmp_path, f"{STACK}app.synth()", code=0)
