"""A stack's metadata beside its Terraform JSON: call sites of constructs, opt-outs and waivers.

The engine does not record where a construct was created. The one function that creates every object of the engine is
wrapped here, and records the nearest line outside of the libraries: a microsecond, beside the quarter of a millisecond
that the engine takes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsii

from constructs_lib._engine import core
from constructs_lib.foundation.frames import is_library

if TYPE_CHECKING:
    from types import FrameType

    from constructs_lib.foundation.opt_out import OptOut
    from constructs_lib.rules.waivers import Waiver

FILE: Final = "constructs.json"
"""The file beside the stack's `cdk.tf.json`."""

_PLACE: Final = "_constructs_lib_place"
"""Attribute of constructs: the stack's metadata or None, the path, the App."""
_STACKS: Final = "_constructs_lib_stacks"
"""Attribute of the App: the metadata of its stacks by their paths."""


class StackMetadata:
    """The metadata of one stack.

    Attributes:
        path: The stack's construct path.
        lines: The file and line where a construct was created, by construct path.
        opt_outs: Opt-outs: construct path and reason.
        waivers: Findings accepted in code.
        paused: True while the stack's finishers run, which no line of the caller started.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: dict[str, tuple[str, int]] = {}
        self.opt_outs: list[tuple[str, OptOut]] = []
        self.waivers: list[Waiver] = []
        self.paused = False

    def caller(self, path: str) -> str:
        """Return the line that created a construct, or the nearest scope with a line; empty when there is none."""
        line = self._line(path)
        return _shown(*line) if line else ""

    def document(self) -> dict[str, Any]:
        """Return the content of the file; a construct created on the same line as its scope is left out."""
        callers = {
            path: _shown(*line)
            for path, line in sorted(self.lines.items())
            if line != self._line(path.rpartition("/")[0])
        }
        opt_outs = [
            {"path": path, "name": type(opt_out).__name__, "reason": opt_out.reason}
            for path, opt_out in sorted(self.opt_outs, key=lambda one: (one[0], type(one[1]).__name__))
        ]
        waivers = sorted((waiver.as_document() for waiver in self.waivers), key=json.dumps)
        return {"callers": callers, "opt_outs": opt_outs, "waivers": waivers}

    def write(self, folder: Path) -> None:
        """Write the file into a stack's output folder."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.document(), indent=2, sort_keys=True, ensure_ascii=False)
        (folder / FILE).write_text(f"{text}\n", encoding="utf-8")

    def _line(self, path: str) -> tuple[str, int] | None:
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition("/")[0]
        return None


def metadata_of(construct: core.Construct) -> StackMetadata | None:
    """Return the metadata of the stack that a construct belongs to; None outside of stacks."""
    metadata, *_ = vars(construct).get(_PLACE, (None,))
    return metadata  # type: ignore[no-any-return]


def metadata_below(app: core.Construct) -> dict[str, StackMetadata]:
    """Return the metadata of an app's stacks, of this library or not, by their paths."""
    found: dict[str, StackMetadata] = vars(app).get(_STACKS, {})
    return found


def caller_here() -> str:
    """Return the nearest line outside of the library, such as `stacks/payments.py:62`."""
    line = _line_outside(2)
    return _shown(*line) if line else ""


def path_of(construct: core.Construct) -> str:
    """Return a construct's path without asking the engine where that can be avoided."""
    place = vars(construct).get(_PLACE)
    return str(place[1] if place else construct.node.path)


def _recording(create: Any) -> Any:  # noqa: ANN401  the engine's function has no types
    """Return the engine's function that also records the call site."""

    def create_and_record(class_: type, made: object, arguments: list[Any] | None = None) -> object:
        reference = create(class_, made, arguments)
        if arguments and len(arguments) > 1 and isinstance(made, core.Construct):
            scope, id_ = arguments[:2]
            if isinstance(scope, core.Construct):
                _record(made, scope, id_)
        return reference

    create_and_record.__wrapped__ = create  # type: ignore[attr-defined]
    return create_and_record


def _record(made: core.Construct, scope: core.Construct, id_: str) -> None:
    metadata, around, root = vars(scope).get(_PLACE, (None, "", scope))
    path = f"{around}/{id_}" if around else id_
    if isinstance(made, core.TerraformStack):
        metadata = StackMetadata(path)
        vars(root).setdefault(_STACKS, {})[path] = metadata
    vars(made)[_PLACE] = (metadata, path, root)
    if metadata is not None and not metadata.paused:
        line = _line_outside(2)
        if line:
            metadata.lines[path] = line


def _line_outside(depth: int) -> tuple[str, int] | None:
    """Return file and line of the nearest frame that is not the libraries'."""
    frame: FrameType | None = sys._getframe(depth)  # noqa: SLF001  walking it costs a hundredth of a traceback
    while frame is not None and is_library(frame.f_globals.get("__name__") or ""):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def _shown(file: str, line: int) -> str:
    """Return `stacks/payments.py:62`: relative where the file is below the current folder."""
    here, whole = os.path.realpath("."), os.path.realpath(file)
    inside = whole.startswith(here.rstrip(os.sep) + os.sep)
    return f"{Path(os.path.relpath(whole, here) if inside else whole).as_posix()}:{line}"


if not hasattr(jsii.create, "__wrapped__"):
    jsii.create = _recording(jsii.create)
