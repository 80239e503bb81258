"""The command `local`: a synthesized stack on a local AWS that stays up, for a person to look at.

    python -m constructs_lib local up payments
    python -m constructs_lib local status
    python -m constructs_lib local down

A run of the tests is over in minutes and leaves nothing; this stays until `down`. Nothing here ever talks to AWS.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabulate import tabulate

from constructs_lib.analysis.summary import summarize
from constructs_lib.testing.errors import HarnessError, StepError
from constructs_lib.testing.invoke import deployed_functions, find_function, invoke, read_event
from constructs_lib.testing.local_aws.background import BackgroundAws
from constructs_lib.testing.local_aws.differences import differences_for
from constructs_lib.testing.local_aws.process import check_moto
from constructs_lib.testing.local_folder import LocalFolder, Record
from constructs_lib.testing.progress import Progress
from constructs_lib.testing.settings import Terraform, find_providers
from constructs_lib.testing.workspace import Workspace, is_callers_own, read_document

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from constructs_lib.testing.plan import Changes

SAMPLE_EVENTS: Final = Path("sample_events")
"""Where an app keeps one event for each function, `STACK/FUNCTION.json`; the function by its name or a part of it."""

_BAD: Final = 2
_INTERRUPTED: Final = 130
_WIDTH: Final = 90


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    local = commands.add_parser("local", help="apply a stack to a local AWS that stays up: up, status, down")
    actions = local.add_subparsers(required=True, metavar="action")
    up = actions.add_parser("up", help="start the local AWS if it does not run, and apply a stack to it")
    up.add_argument("stack", nargs="?", help="its name or folder; may be left out where there is only one")
    up.add_argument("--output", type=Path, default=Path("cdktf.out"), help="default: cdktf.out")
    up.add_argument("--environment", help="refuse a stack that was synthesized for another one")
    up.add_argument("--port", type=int, default=0, help="of 127.0.0.1; default: any free one")
    up.add_argument("--invoke", metavar="FUNCTION", help=f"run this one; default: those in {SAMPLE_EVENTS}/STACK")
    up.add_argument("--event", type=Path, metavar="FILE", help="what to give it, JSON")
    up.add_argument(
        "--server-only",
        action="store_true",
        help="apply nothing: print the variables to export for cdktf or terraform",
    )
    up.set_defaults(run=functools.partial(_guarded, _up))
    status = actions.add_parser("status", help="say whether it runs, where, since when, and what is in it")
    status.set_defaults(run=functools.partial(_guarded, _status))
    down = actions.add_parser("down", help="destroy the stacks, stop the local AWS and remove its folder")
    down.set_defaults(run=functools.partial(_guarded, _down))


def _guarded(command: Callable[[LocalFolder, argparse.Namespace], None], given: argparse.Namespace) -> int:
    """Run a command and return its exit code."""
    folder = LocalFolder.of(os.environ)
    try:
        command(folder, given)
    except HarnessError as error:
        _hint(error)
        return _BAD
    except KeyboardInterrupt:
        _hint("interrupted; `local status` tells what is there, `local down` cleans up")
        return _INTERRUPTED
    return 0


def _up(folder: LocalFolder, given: argparse.Namespace) -> None:
    if bool(given.invoke) != bool(given.event):
        raise HarnessError("--invoke and --event go together")
    source = _find_stack(given)
    # Whatever is missing is said before anything starts.
    terraform = Terraform.discover()
    find_providers(terraform, read_document(source))
    check_moto()
    sample = (given.invoke, read_event(given.event)) if given.invoke else None
    folder.make()
    with folder.to_itself(), contextlib.closing(_server(folder, given.port)) as aws:
        (_offer if given.server_only else functools.partial(_apply, sample=sample))(folder, aws, terraform, source)


def _find_stack(given: argparse.Namespace) -> Path:
    """Return the folder of the stack that was asked for, with its `cdk.tf.json`."""
    found = Path(given.stack or "").absolute()
    if not (found / "cdk.tf.json").is_file():
        stacks = [each.name for each in summarize(given.output)]
        name = given.stack or (stacks[0] if len(stacks) == 1 else "")
        if name not in stacks:
            wanted = f"no stack {name!r} here" if name else "name one stack"
            raise HarnessError(f"{given.output}: {wanted}; there are: {', '.join(stacks)}")
        found = given.output.absolute() / "stacks" / name
    summary = read_document(found).get("output", {}).get("deployment_summary", {}).get("value", {})
    environment = summary.get("environment") or "no environment"
    if given.environment not in (None, environment):
        raise HarnessError(
            f"{found} was synthesized for {environment}, not {given.environment}; synthesize it again with "
            f"ENVIRONMENT={given.environment}"
        )
    return found


def _server(folder: LocalFolder, port: int) -> BackgroundAws:
    """Return the server that runs, or a new one."""
    aws = folder.find_server()
    if aws and aws.alive:
        if port not in (0, aws.port):
            raise HarnessError(f"--port {port}: the local AWS already runs at {aws.endpoint}; `local down` ends it")
        _hint(f"local AWS: {aws.endpoint}, since {_time(aws)}")
        return aws
    if aws:
        _hint(f"The local AWS of {_time(aws)} has ended, and what was in it is gone; starting afresh.")
    folder.clear()
    started = time.monotonic()
    aws = BackgroundAws.start(folder.path, port=port)
    _hint(f"local AWS: {aws.endpoint}, started in {time.monotonic() - started:.0f} s")
    return aws


def _apply(
    folder: LocalFolder,
    aws: BackgroundAws,
    terraform: Terraform,
    source: Path,
    *,
    sample: tuple[str, object] | None,
) -> None:
    name = source.name
    unfinished = name in folder.stacks() and not folder.record(name).complete
    workspace = Workspace(source, aws=aws, terraform=terraform, folder=folder.stack(name), watch=Progress(_say))
    folder.note(name, Record(str(source), complete=False))
    _say(f"{name}: {workspace.terraform}; {workspace.providers}")
    for address in workspace.left_out:
        _say(f"  not applied, as the local AWS has none: {address}")
    try:
        workspace.init()
        _say(f"  plan: {workspace.plan()}")
        changes = workspace.apply()
    except StepError as error:
        if unfinished:
            raise HarnessError(f"{error}\nThe `up` before was interrupted; `local down`, then start afresh") from error
        raise
    folder.note(name, Record(str(source), complete=True))
    _say(f"  apply: {_told(changes)} in {workspace.seconds['apply']:.0f} s\n")
    _print_outputs(workspace)
    _invoke_samples(folder, aws, name, sample)
    known = len(differences_for(workspace.types))
    _say(
        f"\n{folder.resources(name)} resources of {name} are up on {aws.endpoint}, a local AWS and not AWS"
        + (f": it is known to differ in {known} attributes of them.\n" if known else ".\n")
        + "Next: python -m constructs_lib local status | down"
    )


def _told(changes: Changes) -> str:
    counters = {"made": changes.add, "changed": changes.change, "destroyed": changes.destroy}
    return ", ".join(f"{counter.total()} {verb}" for verb, counter in counters.items() if counter) or "no change"


def _print_outputs(workspace: Workspace) -> None:
    declared = workspace.document.get("output", {})
    rows: list[tuple[str, str]] = []
    nested: list[str] = []
    for name, value in sorted(workspace.outputs().items()):
        if declared.get(name, {}).get("sensitive"):
            rows.append((name, "(sensitive)"))
        elif isinstance(value, dict):
            nested.append(name)
        else:
            rows.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    if rows:
        _say(tabulate(rows, headers=("output", "value"), maxcolwidths=[None, _WIDTH], disable_numparse=True))
    if nested:
        _say(f"nested: {', '.join(nested)}")


def _invoke_samples(folder: LocalFolder, aws: BackgroundAws, name: str, sample: tuple[str, object] | None) -> None:
    """Run one function, or those that the app has sample events for."""
    files = sorted((SAMPLE_EVENTS / name).glob("*.json"))
    samples = [sample] if sample else [(file.stem, read_event(file)) for file in files]
    functions = list(deployed_functions(folder.state(name)))
    for wanted, event in samples:
        function = find_function(functions, wanted)
        answer = invoke(aws, function, event)
        _say(f"\n{function.name} in {function.region}, its deployed package run here:")
        _say(f"  event:  {_short(event)}\n  answer: {_short(answer.value)}")
        for line in answer.logs.splitlines():
            _say(f"  log:    {line}")


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _offer(folder: LocalFolder, aws: BackgroundAws, terraform: Terraform, source: Path) -> None:
    """Prepare a stack for cdktf or Terraform, and print what a shell has to set; nothing else on standard output."""
    name = source.name
    workspace = Workspace(source, aws=aws, terraform=terraform, folder=folder.stack(name))
    # With the lock file that this leaves, `cdktf destroy` does not ask the registry for one.
    workspace.init()
    folder.note(name, Record(str(source), complete=True))
    offered = folder.offer_to_cdktf(source.parents[1], name)
    settings = {
        **workspace.settings,
        # Its cache would keep stand-ins and hand them out for the real providers later.
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
    }
    for variable in sorted(name for name in os.environ if is_callers_own(name) and name not in settings):
        _say(f"unset {variable}")
    for variable, value in settings.items():
        _say(f"export {variable}={shlex.quote(value)}")
    _hint(
        f"{name}: {workspace.terraform}; {workspace.providers}\n"
        "With these variables set:\n"
        f"  cdktf deploy {name} --output {offered} --skip-synth --auto-approve --skip-provider-lock"
    )


def _status(folder: LocalFolder, given: argparse.Namespace) -> None:  # noqa: ARG001  every command has it
    aws = folder.find_server() if folder.exists else None
    if aws is None:
        _say("nothing is up; `local up` starts a local AWS")
        return
    rows = []
    for name in folder.stacks():
        record = folder.record(name)
        state = "complete" if record.complete else "the last apply did not come to its end"
        rows.append((name, folder.resources(name) if aws.alive else 0, state, record.source))
    if not aws.alive:
        kept = f"; state is left of {', '.join(folder.stacks())}" if rows else ""
        raise HarnessError(f"{_ended(aws)}{kept}\n`local up` starts afresh, `local down` cleans up")
    _say(f"local AWS: {aws.endpoint}, runs since {_time(aws)}, process {aws.pid}, in {folder.path}")
    if rows:
        _say(tabulate(rows, headers=("stack", "resources", "state", "from")))


def _down(folder: LocalFolder, given: argparse.Namespace) -> None:  # noqa: ARG001  every command has it
    if not folder.exists:
        _say("nothing is up")
        return
    failures = []
    with folder.to_itself():
        aws = folder.find_server()
        if aws and aws.alive:
            for name in folder.stacks():
                try:
                    _destroy(folder, aws, name)
                except HarnessError as error:
                    failures.append(f"{name}: {error}")
            aws.stop()
            _say(f"stopped the local AWS at {aws.endpoint}")
        elif aws:
            _say(f"{_ended(aws)}; removing what is left of it")
        else:
            _say("nothing is up; removing what is left")
        folder.remove(but_logs=bool(failures))
    if failures:
        failures.append("The local AWS is stopped all the same, and what was left is gone with it; the logs are kept.")
        raise HarnessError("\n".join(failures))


def _destroy(folder: LocalFolder, aws: BackgroundAws, name: str) -> None:
    if not folder.resources(name):
        return
    root = folder.stack(name)
    _say(f"{name}: {folder.resources(name)} resources")
    # The copy that was deployed, not what lies in the output folder by now.
    workspace = Workspace(root / "stack", aws=aws, folder=root, watch=Progress(_say))
    workspace.init()
    _say(f"  destroy: {_told(workspace.destroy())} in {workspace.seconds['destroy']:.0f} s")


def _ended(aws: BackgroundAws) -> str:
    return f"the local AWS of {_time(aws)} has ended, and what was in it is gone"


def _say(line: object) -> None:
    print(line, flush=True)  # noqa: T201  a command line prints


def _hint(line: object) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  a command line prints


def _time(aws: BackgroundAws) -> str:
    return f"{aws.since.astimezone():%Y-%m-%d %H:%M:%S}"
