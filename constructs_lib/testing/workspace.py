"""A scratch copy of a stack in which Terraform runs, step by step."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import HarnessError, LocalAwsError, StepError
from constructs_lib.testing.local_aws import ACCOUNT_ID, KNOWN_DIFFERENCES, MOTO_VERSION
from constructs_lib.testing.local_aws.differences import not_applied
from constructs_lib.testing.overrides import find_left_out, override, unprotect
from constructs_lib.testing.plan import (
    Changes,
    Diagnostic,
    Difference,
    applied,
    diagnostics,
    origins,
    planned,
    read_differences,
    read_messages,
    read_object,
    text_errors,
)
from constructs_lib.testing.processes import Process
from constructs_lib.testing.settings import Providers, Terraform, find_providers
from constructs_lib.testing.synthesized import SynthesizedStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from constructs_lib.testing.local_aws.endpoint import Endpoint

APPLIED: Final[dict[str, frozenset[str]]] = {}
"""What this process applied to a local AWS: names of stacks, and their types of resources and data sources."""

_NOT_COPIED: Final = (".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.backup", "*.tflock", "override.tf*")
_FIRST: Final = "first.tfplan"
_SECOND: Final = "second.tfplan"
_CHANGED: Final = 2
"""The exit code of `plan -detailed-exitcode` when there is something to do."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds that a step may take before it is ended."""

    init: float = 600
    validate: float = 180
    plan: float = 600
    apply: float = 1800
    destroy: float = 1800
    query: float = 120


@dataclass(frozen=True)
class Drift:
    """What the second plan wants to change.

    Attributes:
        unexpected: Differences that no row of the table of known differences covers.
        known: The others.
    """

    unexpected: tuple[Difference, ...]
    known: tuple[Difference, ...]


class Workspace:
    """A copy of a synthesized stack, in which Terraform runs; removed at the end of the `with` block.

    Args:
        stack: The folder `cdktf.out/stacks/<id>`, or what `synthesize` returned for it. It is never changed.
        aws: The local AWS to apply to; without one a stack can be initialised and validated.
        terraform: The program; the one that `Terraform.discover` finds by default.
        scratch: The folder to make the copy in; by default the system's for temporary files.
        folder: The folder to make the copy in, when copy, state and logs are to stay there for a later workspace.
        timeouts: Seconds for each step.
        watch: Called again and again while a step runs, with the step's name and its log.

    Attributes:
        directory: The copy.
        logs: The log of each step. The folder is kept when a step failed.
        providers: Where the providers come from, and which are stand-ins.
        left_out: Addresses that the local AWS has no resource for: planned, not applied.

    Raises:
        UnavailableError: No Terraform, or no place to install a provider from.
        HarnessError: The scratch folder cannot be written, or a resource cannot be left out.
    """

    def __init__(
        self,
        stack: str | Path | SynthesizedStack,
        *,
        aws: Endpoint | None = None,
        terraform: Terraform | None = None,
        scratch: Path | None = None,
        folder: Path | None = None,
        timeouts: Timeouts | None = None,
        watch: Callable[[str, Path], object] = lambda *_: None,
    ) -> None:
        self.source = stack.directory if isinstance(stack, SynthesizedStack) else Path(stack)
        self.document = read_document(self.source)
        self.terraform = terraform or Terraform.discover()
        self.aws = aws
        self._timeouts = timeouts or Timeouts()
        self._watch = watch
        self._kept = folder is not None
        self._origins = origins(self.document, self.source)
        self.providers: Providers = find_providers(self.terraform, self.document)
        missing = find_left_out(self.document, not_applied())
        self.left_out = tuple(sorted(f"{type_}.{name}" for type_, named in missing.items() for name in named))
        self.seconds: dict[str, float] = {}
        self._failed = False
        self._steps = 0
        try:
            self._root = folder or Path(tempfile.mkdtemp(prefix="constructs-lib-terraform-", dir=scratch))
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarnessError(
                f"cannot write a scratch copy of {self.source}: {error}; give scratch or TMPDIR"
            ) from error
        self.directory = self._root / "stack"
        self.logs = self._root / "logs"
        self.state = self._root / "terraform.tfstate"
        try:
            self._copy(override(self.document, state=self.state, account_id=ACCOUNT_ID, left_out=missing))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(keep_logs=self._failed or (kind is not None and issubclass(kind, Exception)))

    def close(self, *, keep_logs: bool = False) -> None:
        """Remove the copy and the state, and the logs unless they are to be kept; never a folder of the caller's."""
        if self._kept:
            return
        if not keep_logs:
            shutil.rmtree(self._root, ignore_errors=True)
            return
        for entry in self._root.iterdir():
            if entry.is_dir() and entry != self.logs:
                shutil.rmtree(entry, ignore_errors=True)

    def init(self, *arguments: str) -> None:
        """Run `terraform init`: installs the providers. Arguments of your own go with it.

        Raises:
            StepError: It failed; if no version will do, with those that the mirror has.
        """
        with self._plugin_cache_to_itself():
            code, text, log = self._run("init", ["init", "-no-color", *arguments], self._timeouts.init)
        if code:
            problems = text_errors(text)
            self._fail("init", self._versions_hint(problems) or f"exit code {code}", log, problems)

    def validate(self) -> tuple[Diagnostic, ...]:
        """Run `terraform validate`: schemas, references, ranges. Returns the warnings.

        Raises:
            StepError: The stack is not valid.
        """
        code, text, log = self._run("validate", ["validate", "-json"], self._timeouts.validate)
        found = self._diagnostics(text, [read_object(text)] if "\n{" in text else [])
        if code:
            self._fail("validate", "the stack is not valid", log, found)
        return found

    def plan(self) -> Changes:
        """Run `terraform plan`, for `apply` to carry out; return what it would do."""
        return self._plan("plan", _FIRST)[0]

    def apply(self) -> Changes:
        """Carry out the plan and return what was made."""
        if not (self.directory / _FIRST).is_file():
            raise HarnessError("apply: there is no plan to carry out; call plan() before")
        APPLIED[self.source.name] = self.types
        return self._apply("apply", [_FIRST], self._timeouts.apply)

    def drift(self) -> Drift:
        """Plan again and return what the plan wants to change, by attribute; after an apply that is nothing."""
        changes, differs = self._plan("second-plan", _SECOND)
        # Reading a plan starts the provider once more, only to learn that there is nothing in it.
        document = self._query("show-second-plan", ["show", "-json", _SECOND]) if changes or differs else {}
        known: list[Difference] = []
        unexpected: list[Difference] = []
        for difference in read_differences(document, self._origins):
            covered = any(row.covers(difference.type, difference.attribute) for row in KNOWN_DIFFERENCES)
            (known if covered else unexpected).append(difference)
        return Drift(tuple(unexpected), tuple(known))

    @property
    def types(self) -> frozenset[str]:
        """The stack's types, `data.` before those of data sources."""
        data = (f"data.{type_}" for type_ in self.document.get("data", {}))
        return frozenset((*self.document.get("resource", {}), *data))

    @property
    def settings(self) -> dict[str, str]:
        """The variables that Terraform runs with, without those of the caller's that it is given too."""
        configuration = self.providers.configuration or self._root / "terraform.rc"
        return {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(configuration.absolute()),
            **(self.aws.environment if self.aws else {}),
        }

    def outputs(self) -> dict[str, Any]:
        """Return the values of the outputs by name, sensitive ones too."""
        return {name: output["value"] for name, output in self._query("outputs", ["output", "-json"]).items()}

    def destroy(self) -> Changes:
        """Destroy everything, protected resources too, and make sure that nothing is left in the state."""
        change, to_apply = unprotect(self.document)
        if change:
            self._write("unprotected_override.tf.json", change)
        if to_apply:
            self._apply("unprotect", ["-auto-approve"], self._timeouts.apply)
        destroyed = self._apply("destroy", ["-destroy", "-auto-approve"], self._timeouts.destroy)
        left = self._state_list()
        if left:
            raise HarnessError(f"destroy left {len(left)} in the state: {', '.join(left)}")
        return destroyed

    def _plan(self, step: str, name: str) -> tuple[Changes, bool]:
        """Plan into a file; return the numbers, and whether there is anything to do, be it an output."""
        self._need_aws(step)
        command = ["plan", "-json", "-detailed-exitcode", f"-out={name}"]
        code, text, log = self._run(step, command, self._timeouts.plan)
        messages = read_messages(text)
        if code not in (0, _CHANGED):
            self._fail(step, f"exit code {code}", log, self._diagnostics(text, messages))
        return planned(messages), code == _CHANGED

    def _apply(self, step: str, arguments: list[str], timeout: float) -> Changes:
        self._need_aws(step)
        code, text, log = self._run(step, ["apply", "-json", *arguments], timeout)
        messages = read_messages(text)
        if code:
            self._fail(step, f"exit code {code}", log, self._diagnostics(text, messages))
        return applied(messages)

    def _query(self, step: str, command: list[str]) -> dict[str, Any]:
        code, text, log = self._run(step, command, self._timeouts.query)
        if code:
            self._fail(step, f"exit code {code}", log, text_errors(text))
        return read_object(text)

    def _run(self, step: str, command: list[str], timeout: float) -> tuple[int, str, Path]:
        """Run Terraform in the copy; return its exit code, what it said, and the log that has it."""
        self._steps += 1
        log = self.logs / f"{self._steps:02}-{step}.log"
        place = f"local AWS {self.aws.endpoint} (moto {MOTO_VERSION} with fixes), not AWS" if self.aws else "no AWS"
        header = (f"{self.terraform} {' '.join(command)}", str(self.providers), place)
        log.write_text("".join(f"# {line}\n" for line in header), encoding="utf-8")
        started = time.monotonic()
        process = Process(
            [self.terraform.binary, *command], cwd=self.directory, env=self._environment(), stdout=log, stderr=log
        )
        try:
            code = process.wait(timeout, lambda: self._look(step, log))
            if code and self.aws:
                self.aws.check()
        except (TimeoutError, LocalAwsError) as error:
            self._keep_for_the_reader()
            raise StepError(step, str(error), log=log) from error
        self.seconds[step] = time.monotonic() - started
        return code, log.read_text(encoding="utf-8", errors="replace"), log

    def _look(self, step: str, log: Path) -> None:
        if self.aws:
            self.aws.check()
        self._watch(step, log)

    def _fail(self, step: str, message: str, log: Path, problems: tuple[Diagnostic, ...]) -> None:
        self._keep_for_the_reader()
        errors = tuple(problem for problem in problems if problem.severity == "error")
        if any("state lock" in error.summary for error in errors):
            message = "another Terraform works in this workspace: the state is locked"
        raise StepError(step, message, log=log, problems=errors)

    def _keep_for_the_reader(self) -> None:
        """Keep the logs, the local AWS's too: an error of its own is told there alone."""
        self._failed = True
        if self.aws:
            shutil.copy(self.aws.log, self.logs)

    def _diagnostics(self, text: str, messages: list[dict[str, Any]]) -> tuple[Diagnostic, ...]:
        return diagnostics(messages, self._origins) or text_errors(text)

    def _versions_hint(self, problems: tuple[Diagnostic, ...]) -> str:
        said = " ".join(" ".join(problem.detail for problem in problems).split())
        return "; ".join(
            f"{source}: {mirror} has {', '.join(self.providers.versions(source))}"
            for source, mirror in self.providers.mirrors.items()
            if f"provider {source}: no available releases match" in said
        )

    def _state_list(self) -> list[str]:
        code, text, log = self._run("state-list", ["state", "list", "-no-color"], self._timeouts.query)
        if code:
            self._fail("state-list", f"exit code {code}", log, text_errors(text))
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def _need_aws(self, step: str) -> None:
        if self.aws is None:
            raise HarnessError(f"{step}: needs a local AWS; give aws=LocalAws() to the workspace")

    def _environment(self) -> dict[str, str]:
        """Return the caller's variables without credentials and settings of the caller's own."""
        kept = {name: value for name, value in self.terraform.variables.items() if not is_callers_own(name)}
        if cache := self._plugin_cache():
            # The lock file of a scratch copy is thrown away, and without the second one the cache is passed by.
            kept |= {"TF_PLUGIN_CACHE_DIR": str(cache), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
        return {**kept, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", **self.settings}

    def _copy(self, change: dict[str, Any]) -> None:
        if self.source != self.directory:
            # What an earlier workspace left in this folder, but for the state.
            shutil.rmtree(self.directory, ignore_errors=True)
            shutil.copytree(self.source, self.directory, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir()
        self._write("override.tf.json", change)
        if self.providers.configuration is None:
            stand_ins = self._root / "stand-ins"
            if self.providers.stand_ins:
                from constructs_lib.testing.standins import write_mirror  # noqa: PLC0415  only offline

                write_mirror(stand_ins)
            text = self.providers.cli_configuration(stand_ins)
            (self._root / "terraform.rc").write_text(text, encoding="utf-8")

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self.directory / name).write_text(json.dumps(content, indent=2), encoding="utf-8")

    def _plugin_cache(self) -> Path | None:
        """Return where providers from the registry are kept between runs, or wherever the caller keeps them."""
        variables = self.terraform.variables
        if self.providers.stand_ins:
            # A later run would take them out of the cache for the real ones.
            return None
        if given := variables.get("TF_PLUGIN_CACHE_DIR"):
            return Path(given)
        home = variables.get("HOME")
        return Path(home, ".cache", "constructs-lib", "terraform-plugins") if self.providers.registry and home else None

    @contextlib.contextmanager
    def _plugin_cache_to_itself(self) -> Iterator[None]:
        """Let one process at a time use the plugin cache, which Terraform itself does not lock."""
        cache = self._plugin_cache()
        if cache is None:
            yield
            return
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".constructs-lib.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_callers_own(variable: str) -> bool:
    """Return whether a variable holds credentials or settings of the caller's, which no run may see."""
    return variable.startswith(("AWS_", "TF_")) and not variable.startswith("TF_LOG")


def read_document(source: Path) -> dict[str, Any]:
    """Read the `cdk.tf.json` of a folder.

    Raises:
        HarnessError: There is none.
    """
    try:
        document: dict[str, Any] = json.loads((source / "cdk.tf.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{source} is no synthesized stack: {error}") from error
    return document
