from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from constructs_lib.testing.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


def message(type_: str, name: str = "", action: str = "create") -> str:
    resource = {"addr": f"aws_a.{name}"}
    about: dict[str, Any] = {"action": action, "resource": resource}
    section = "change" if type_ == "planned_change" else "hook"
    return json.dumps({"@level": "info", "type": type_, section: about}) + "\n"


def test_a_line_comes_now_and_then_and_seldom_when_nothing_changes(tmp_path: Path) -> None:
    said: list[str] = []
    now = 100.0
    progress = Progress(said.append, seconds=5, clock=lambda: now)
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as file:

        def write(*lines: str) -> None:
            file.writelines(lines)
            file.flush()

        write("# terraform apply\n", *(message("planned_change", name) for name in "abc"))
        write(message("planned_change", "d", "read"), message("apply_start", "d", "read"))
        progress("apply", log)
        assert said == []
        write(message("apply_start", "a"), message("apply_start", "b"), message("apply_start", "c"))
        # Half a line is read when the other half is there.
        half = message("apply_complete", "a")
        write(half[:20])
        for now in (104.0, 105.0, 109.0, 112.0):  # noqa: B007  the clock's
            progress("apply", log)
        assert said == ["  apply: 0 of 3 resources, working on aws_a.a and 2 more, 5 s"]
        write(half[20:], message("apply_errored", "b"))
        progress("apply", log)
        assert said[1:] == ["  apply: 1 of 3 resources, working on aws_a.c, 12 s"]
        now = 126.0
        progress("apply", log)
        assert len(said) == 2
        now = 127.0
        progress("apply", log)
        assert said[2:] == ["  apply: 1 of 3 resources, working on aws_a.c, 27 s"]


def test_each_step_begins_anew_and_json_over_many_lines_is_no_message(tmp_path: Path) -> None:
    said: list[str] = []
    now = 0.0
    progress = Progress(said.append, seconds=5, clock=lambda: now)
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text(message("planned_change", "a"), encoding="utf-8")
    second.write_text('{\n  "a": 1\n}\n', encoding="utf-8")
    progress("plan", first)
    now = 20.0
    progress("outputs", second)
    now = 25.0
    progress("outputs", second)
    assert said == ["  outputs: 5 s"]
