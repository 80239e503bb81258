from __future__ import annotations

import inspect
import json
import os
import timeit
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib import App, Construct, HardenedStack, MultiRegionKey, TerraformStack, aws
from constructs_lib.core.metadata import StackMetadata, metadata_of, path_of
from constructs_lib.foundation.opt_out import OptOut

if TYPE_CHECKING:
    import pytest

HERE = "tests/core/test_metadata.py"
ROOT = Path(__file__).parents[2]


def line() -> int:
    """Return the line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def new_app(folder: Path) -> App:
    return App(outdir=str(folder / "cdktf.out"))


def read(folder: Path, stack: str = "shop") -> dict[str, Any]:
    text = (folder / "cdktf.out/stacks" / stack / "constructs.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def test_every_construct_and_raw_resource_is_noted_with_the_line_of_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    first = line()
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    group = Construct(stack, "group")
    queue = aws.sqs_queue.SqsQueue(group, "queue", provider=region.provider, name="shop-dev-queue")
    aws.sqs_queue.SqsQueue(stack, "later", provider=region.provider, name=queue.name)
    App.of(stack).synth()
    assert key.caller == f"{HERE}:{first + 2}"
    assert read(tmp_path)["callers"] == {
        "shop": f"{HERE}:{first - 1}",
        "shop/aws-eu-west-1": f"{HERE}:{first + 1}",
        "shop/group": f"{HERE}:{first + 3}",
        "shop/group/queue": f"{HERE}:{first + 4}",
        "shop/key": f"{HERE}:{first + 2}",
        "shop/key_arn_eu_west_1": f"{HERE}:{first + 2}",
        "shop/later": f"{HERE}:{first + 5}",
    }


def test_what_a_method_makes_later_has_the_line_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    made = region.create(key, ("key", "extra"), aws.sqs_queue.SqsQueue, name="shop-dev-extra")
    assert stack.metadata.caller(path_of(made)) == f"{HERE}:{line() - 1}"
    assert stack.metadata.caller("shop/key/Resource") == key.caller
    assert stack.metadata.caller("elsewhere") == ""


def test_a_file_outside_of_the_current_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    assert stack.metadata.caller("shop") == f"{os.path.realpath(__file__)}:{line() - 1}"


def test_what_the_stack_makes_while_it_finishes_has_no_line_of_its_own(tmp_path: Path) -> None:
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    App.of(stack).synth()
    assert list(read(tmp_path)["callers"]) == ["shop"]
    assert not stack.metadata.paused


def test_a_plain_stack_takes_notes_and_an_app_does_not(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    stack = TerraformStack(app, "plain")
    inner = Construct(stack, "inner")
    notes = metadata_of(inner)
    assert notes is not None
    assert notes.path == "plain"
    assert list(notes.lines) == ["plain", "plain/inner"]
    assert metadata_of(app) is None
    assert path_of(inner) == "plain/inner"


def test_opt_outs_are_written_with_name_and_reason(tmp_path: Path) -> None:
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    stack.opt_outs.append(("shop/b", OptOut("a second reason of real length")))
    stack.opt_outs.append(("shop/a", OptOut("a first reason of real length")))
    App.of(stack).synth()
    assert read(tmp_path)["opt_outs"] == [
        {"name": "OptOut", "path": "shop/a", "reason": "a first reason of real length"},
        {"name": "OptOut", "path": "shop/b", "reason": "a second reason of real length"},
    ]


def test_the_same_app_synthesized_twice_writes_the_same_notes(tmp_path: Path) -> None:
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")
    MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
    App.of(stack).synth()
    first = read(tmp_path)
    App.of(stack).synth()
    assert read(tmp_path) == first


def test_a_construct_made_on_its_parents_line_is_left_out() -> None:
    notes = StackMetadata("shop")
    notes.lines = {"shop": ("a.py", 1), "shop/x": ("a.py", 2), "shop/x/y": ("a.py", 2), "shop/x/y/z": ("a.py", 3)}
    assert list(notes.document()["callers"]) == ["shop", "shop/x", "shop/x/y/z"]


def test_noting_costs_a_hundredth_of_making(tmp_path: Path) -> None:
    stack = HardenedStack(new_app(tmp_path), "shop", environment="dev", owner="me")

    def make(number: int = 500) -> None:
        for _ in range(number):
            Construct(stack, f"c{len(stack.metadata.lines)}")

    making = timeit.timeit(make, number=1) / 500
    from constructs_lib.core.metadata import _record  # noqa: PLC0415  only here

    child = Construct(stack, "child")
    noting = min(timeit.repeat(lambda: _record(child, stack, "child"), number=2000, repeat=5)) / 2000
    assert noting < making / 20, f"{noting * 1e6:.1f} of {making * 1e6:.1f} microseconds"
