"""`cdktf deploy` and `cdktf destroy`, as docs/testing.md shows them, against the local AWS of `local up --server-only`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib.testing.local_folder import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.terraform, pytest.mark.npm, pytest.mark.apply]

ROOT = Path(__file__).parents[2]
CDKTF = "cdktf-cli@0.21.0"
APP = """
from constructs_lib import App, HardenedStack, aws

app = App()
stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
provider = stack.region("eu-west-1").provider
aws.cloudwatch_log_group.CloudwatchLogGroup(stack, "logs", provider=provider, name="shop-logs", retention_in_days=365)
topic = aws.sns_topic.SnsTopic(stack, "topic", provider=provider, name="shop-topic")
stack.output("topic_arn", topic.arn, "ARN of the topic")
app.synth()
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Path]:
    """An app of two quick resources, whose local AWS is ended with the test."""
    (tmp_path / "main.py").write_text(APP, encoding="utf-8")
    settings = {"language": "python", "app": f"{sys.executable} main.py", "sendCrashReports": "false"}
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), encoding="utf-8")
    yield tmp_path
    if aws := LocalFolder(tmp_path / ".local-aws").find_server():
        aws.stop()


@pytest.fixture(scope="session")
def npx() -> str:
    """The program that runs cdktf-cli."""
    found = shutil.which("npx")
    if found is None:
        pytest.skip("cdktf-cli: npx is not on PATH")
    try:
        done = subprocess.run(
            [found, "--yes", CDKTF, "--version"], capture_output=True, text=True, check=False, timeout=600
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"cdktf-cli: {CDKTF} cannot be installed in ten minutes")
    if done.returncode:
        pytest.skip(f"cdktf-cli: {CDKTF} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("aws_provider")
def test_cdktf_deploys_to_the_local_aws_and_destroys_there(app: Path, npx: str) -> None:
    library = f'"{sys.executable}" -m constructs_lib'
    cdktf = f'"{npx}" --yes {CDKTF}'

    def shell(*lines: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "LOCAL_AWS_DIRECTORY"}
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", "\n".join(lines)],
            cwd=app,
            env={**environment, "PYTHONPATH": str(ROOT), "CI": "1", "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    enter = f'variables=$({library} local up shop --server-only); eval "$variables"'
    options = "--output .local-aws/cdktf.out --skip-synth --auto-approve --skip-provider-lock"
    shell(f"{cdktf} synth")
    before = contents(app)
    shell(enter, f"{cdktf} deploy shop {options}")
    aws = LocalFolder(app / ".local-aws").find_server()
    assert aws
    with contextlib.closing(aws):
        groups = aws.client("logs", "eu-west-1").describe_log_groups()["logGroups"]
        topics = aws.client("sns", "eu-west-1").list_topics()["Topics"]
        assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [("shop-logs", 365)]
        assert topics == [{"TopicArn": "arn:aws:sns:eu-west-1:123456789012:shop-topic"}]
        assert "\nshop               2  complete" in shell(f"{library} local status").stdout
        shell(enter, f"{cdktf} destroy shop {options}")
        assert aws.client("logs", "eu-west-1").describe_log_groups()["logGroups"] == []
        assert aws.client("sns", "eu-west-1").list_topics()["Topics"] == []
    shell(f"{library} local down")
    # What was synthesized for AWS is as it was, and everything else was kept with the local AWS.
    assert contents(app) == before
