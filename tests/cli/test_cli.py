from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, MultiRegionKey
from constructs_lib.cli import main
from constructs_lib.testing import synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib import App


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="prod", owner="me")
        us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
        MultiRegionKey(stack, "key", region=us, replicas=[eu])

    folder = tmp_path_factory.mktemp("cli")
    synthesize(build, folder)
    return folder / "cdktf.out"


def test_the_summary_lists_stacks_regions_resources_and_what_to_run_next(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", str(output)]) == 0
    printed = capsys.readouterr().out
    header, _, first, second = printed.splitlines()[:4]
    assert header.split() == ["stack", "environment", "regions", "resources", "by", "kind", "data", "outputs"]
    assert first.split() == [
        "shop",
        "prod",
        "us-east-1",
        "4",
        "kms_alias",
        "2,",
        "kms_key",
        "1,",
        "kms_replica_key",
        "1",
        "2",
        "3",
    ]
    assert second.split() == ["eu-west-1"]
    assert f"  {output}/stacks/shop/cdk.tf.json\n" in printed
    assert f"  terraform -chdir={output}/stacks/shop init" in printed


def test_an_empty_output_folder_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}: holds no stacks/*/cdk.tf.json; run `python main.py` or `cdktf synth` first\n"
    )


def test_an_unknown_command_prints_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["nonsense"])
    assert stop.value.code == 2
    assert "usage: python -m constructs_lib" in capsys.readouterr().err
