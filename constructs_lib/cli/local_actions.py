"""The actions of the command `local`: apply a stack to a local AWS, show what is running, destroy it.

Unlike the local AWS of a test run, this one keeps running until `down`. Nothing here connects to AWS.
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
from constructs_lib.cli.terminal import SAMPLE_EVENTS, show, width
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

    from constructs_lib.testing.plan import Changes

_BAD: Final = 2
_INTERRUPTED: Final = 130


def run(given: argparse.Namespace) -> int:
    """Run an action and return its exit code."""
    action = {"up": _up, "status": _status, "down": _down}[given.action]
    try:
        action(LocalFolder.of(os.environ), given)
    except HarnessError as error:
        _hint(error)
        return _BAD
    except KeyboardInterrupt:
        _hint("interrupted; `constructs-lib local status` shows the state, `constructs-lib local down` cleans up")
        return _INTERRUPTED
    return 0


def _up(folder: LocalFolder, given: argparse.Namespace) -> None:
    if bool(given.invoke) != bool(given.event):
        raise HarnessError("--invoke requires --event, and --event requires --invoke")
    source = _find_stack(given)
    # Report what is missing before anything starts.
    terraform = Terraform.discover()
    find_providers(terraform, read_document(source))
    check_moto()
    sample = (given.invoke, read_event(given.event)) if given.invoke else None
    folder.make()
    with folder.to_itself(), contextlib.closing(_server(folder, given.port)) as aws:
        (_offer if given.server_only else functools.partial(_apply, sample=sample))(folder, aws, terraform, source)


def _find_stack(given: argparse.Namespace) -> Path:
    """Return the folder of the stack, with its `cdk.tf.json`."""
    found = Path(given.stack or "").absolute()
    if not (found / "cdk.tf.json").is_file():
        stacks = [each.name for each in summarize(given.output)]
        name = given.stack or (stacks[0] if len(stacks) == 1 else "")
        if name not in stacks:
            wanted = f"stack {name!r} not found; choose one of" if name else "several stacks found; choose one of"
            raise HarnessError(f"{given.output}: {wanted} {', '.join(stacks)}")
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
    """Return the server that is running, or start one."""
    aws = folder.find_server()
    if aws and aws.alive:
        if port not in (0, aws.port):
            raise HarnessError(
                f"--port {port}: the local AWS is already running at {aws.endpoint}; stop it with `local down`"
            )
        _hint(f"local AWS: {aws.endpoint}, since {_time(aws)}")
        return aws
    if aws:
        _hint(f"{_ended(aws)}; starting a new one")
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
        _say(f"  not applied, not supported by the local AWS: {address}")
    try:
        workspace.init()
        _say(f"  plan: {workspace.plan()}")
        changes = workspace.apply()
    except StepError as error:
        if unfinished:
            raise HarnessError(
                f"{error}\nThe previous `up` was interrupted; run `local down`, then `local up` again"
            ) from error
        raise
    folder.note(name, Record(str(source), complete=True))
    _say(f"  apply: {_told(changes)} in {workspace.seconds['apply']:.0f} s\n")
    _print_outputs(workspace)
    _invoke_samples(folder, aws, name, sample)
    known = len(differences_for(workspace.types))
    _say(
        f"\n{folder.resources(name)} resources of {name} are running on {aws.endpoint}, a local AWS"
        + (f" with {known} known differences from AWS in their attributes.\n" if known else ".\n")
        + "Next: constructs-lib local status, constructs-lib local down"
    )


def _told(changes: Changes) -> str:
    counters = {"created": changes.add, "changed": changes.change, "destroyed": changes.destroy}
    return ", ".join(f"{counter.total()} {verb}" for verb, counter in counters.items() if counter) or "no changes"


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
        longest = max(len(name) for name, _ in rows)
        _say(
            tabulate(
                rows,
                headers=("output", "value"),
                maxcolwidths=[None, max(20, width() - longest - 2)],
                disable_numparse=True,
            )
        )
    if nested:
        _say(f"nested: {', '.join(nested)}")


def _invoke_samples(folder: LocalFolder, aws: BackgroundAws, name: str, sample: tuple[str, object] | None) -> None:
    """Invoke one function, or those with sample events."""
    files = sorted((SAMPLE_EVENTS / name).glob("*.json"))
    samples = [sample] if sample else [(file.stem, read_event(file)) for file in files]
    functions = list(deployed_functions(folder.state(name)))
    for wanted, event in samples:
        function = find_function(functions, wanted)
        answer = invoke(aws, function, event)
        _say(f"\n{function.name} in {function.region}, its package invoked on this machine:")
        _say(f"  event:    {_short(event)}\n  response: {_short(answer.value)}")
        for line in answer.logs.splitlines():
            _say(f"  log:      {line}")


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _offer(folder: LocalFolder, aws: BackgroundAws, terraform: Terraform, source: Path) -> None:
    """Prepare a stack for cdktf or Terraform, and print the variables to set; nothing else on standard output."""
    name = source.name
    workspace = Workspace(source, aws=aws, terraform=terraform, folder=folder.stack(name))
    # The lock file of this init keeps `cdktf destroy` from asking the registry.
    workspace.init()
    folder.note(name, Record(str(source), complete=True))
    offered = folder.offer_to_cdktf(source.parents[1], name)
    settings = {
        **workspace.settings,
        # Its cache would keep stand-ins and use them for the real providers later.
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
        _say("local AWS: not running; start it with `constructs-lib local up`")
        return
    rows = []
    for name in folder.stacks():
        record = folder.record(name)
        state = "complete" if record.complete else "the last apply was interrupted"
        rows.append((name, folder.resources(name) if aws.alive else 0, state, record.source))
    if not aws.alive:
        kept = f"; state of {', '.join(folder.stacks())} is left" if rows else ""
        raise HarnessError(f"{_ended(aws)}{kept}\n`local up` starts a new one, `local down` cleans up")
    _say(f"local AWS: {aws.endpoint}, running since {_time(aws)}, process {aws.pid}, folder {folder.path}")
    if rows:
        _say(tabulate(rows, headers=("stack", "resources", "state", "from")))


def _down(folder: LocalFolder, given: argparse.Namespace) -> None:  # noqa: ARG001  every command has it
    if not folder.exists:
        _say("local AWS: not running")
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
            _say(f"{_ended(aws)}; deleting its folder")
        else:
            _say("local AWS: not running; deleting its folder")
        folder.remove(but_logs=bool(failures))
    if failures:
        failures.append("The local AWS is stopped and its state deleted nevertheless; the logs are kept.")
        raise HarnessError("\n".join(failures))


def _destroy(folder: LocalFolder, aws: BackgroundAws, name: str) -> None:
    if not folder.resources(name):
        return
    root = folder.stack(name)
    _say(f"{name}: {folder.resources(name)} resources")
    # The copy that was applied: the output folder may have changed since.
    workspace = Workspace(root / "stack", aws=aws, folder=root, watch=Progress(_say))
    workspace.init()
    _say(f"  destroy: {_told(workspace.destroy())} in {workspace.seconds['destroy']:.0f} s")


def _ended(aws: BackgroundAws) -> str:
    return f"the local AWS started at {_time(aws)} is not running any more and its state is lost"


def _say(line: object) -> None:
    show(f"{line}\n")


def _hint(line: object) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  a command line prints


def _time(aws: BackgroundAws) -> str:
    return f"{aws.since.astimezone():%Y-%m-%d %H:%M:%S}"
