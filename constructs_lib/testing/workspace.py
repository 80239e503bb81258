"""A copy of a stack in which Terraform runs, step by step."""

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
"""Stacks that this process applied to a local AWS, with the types of their resources and data sources."""

_NOT_COPIED: Final = (".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.backup", "*.tflock", "override.tf*")
_FIRST: Final = "first.tfplan"
_SECOND: Final = "second.tfplan"
_CHANGED: Final = 2
"""The exit code of `plan -detailed-exitcode` for a plan with changes."""


@dataclass(frozen=True)
class Timeouts:
    """Timeout of each step, in seconds."""

    init: float = 600
    validate: float = 180
    plan: float = 600
    apply: float = 1800
    destroy: float = 1800
    query: float = 120


@dataclass(frozen=True)
class Drift:
    """The changes in the second plan.

    Attributes:
        unexpected: Changes that are not known differences between the local AWS and AWS.
        known: The other changes.
    """

    unexpected: tuple[Difference, ...]
    known: tuple[Difference, ...]


class Workspace:
    """A copy of a synthesized stack in which Terraform runs; removed at the end of the `with` block.

    Args:
        stack: The folder `cdktf.out/stacks/<id>`, or the stack that `synthesize` returned. It is never changed.
        aws: The local AWS to apply to; without one, only `init` and `validate` can run.
        terraform: The program; `Terraform.discover()` by default.
        scratch: The folder to create the copy in; the system's temporary folder by default.
        folder: A folder for copy, state and logs, which are not removed, so that a later workspace can use them.
        timeouts: Timeout of each step, in seconds.
        watch: Called repeatedly while a step runs, with the step's name and log.

    Attributes:
        directory: The copy.
        logs: The folder with the log of each step. It is not removed if a step failed.
        providers: Where the providers come from, and which are stand-ins.
        left_out: Addresses of resources that the local AWS does not support: planned, not applied.

    Raises:
        UnavailableError: Terraform was not found, or a provider cannot be installed.
        HarnessError: The copy cannot be written, or a resource cannot be left out.
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
                f"{self.source}: copy cannot be written: {error}; set scratch or TMPDIR to another folder"
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
        """Remove the copy and the state, and the logs unless `keep_logs`; never the caller's `folder`."""
        if self._kept:
            return
        if not keep_logs:
            shutil.rmtree(self._root, ignore_errors=True)
            return
        for entry in self._root.iterdir():
            if entry.is_dir() and entry != self.logs:
                shutil.rmtree(entry, ignore_errors=True)

    def init(self, *arguments: str) -> None:
        """Run `terraform init`, with additional arguments.

        Raises:
            StepError: It failed; if no provider version matches, the message lists the versions in the mirror.
        """
        with self._plugin_cache_to_itself():
            code, text, log = self._run("init", ["init", "-no-color", *arguments], self._timeouts.init)
        if code:
            problems = text_errors(text)
            self._fail("init", self._versions_hint(problems) or f"exit code {code}", log, problems)

    def validate(self) -> tuple[Diagnostic, ...]:
        """Run `terraform validate` and return the warnings.

        Raises:
            StepError: The stack is not valid.
        """
        code, text, log = self._run("validate", ["validate", "-json"], self._timeouts.validate)
        found = self._diagnostics(text, [read_object(text)] if "\n{" in text else [])
        if code:
            self._fail("validate", "the stack is not valid", log, found)
        return found

    def plan(self) -> Changes:
        """Run `terraform plan`, save the plan for `apply`, and return the changes."""
        return self._plan("plan", _FIRST)[0]

    def apply(self) -> Changes:
        """Apply the saved plan and return the changes."""
        if not (self.directory / _FIRST).is_file():
            raise HarnessError("apply: no saved plan; call plan() first")
        APPLIED[self.source.name] = self.types
        return self._apply("apply", [_FIRST], self._timeouts.apply)

    def drift(self) -> Drift:
        """Run a second plan and return its changes by attribute; after an apply there should be none."""
        changes, differs = self._plan("second-plan", _SECOND)
        # Reading a plan starts the provider again, which an empty plan does not need.
        document = self._query("show-second-plan", ["show", "-json", _SECOND]) if changes or differs else {}
        known: list[Difference] = []
        unexpected: list[Difference] = []
        for difference in read_differences(document, self._origins):
            covered = any(row.covers(difference.type, difference.attribute) for row in KNOWN_DIFFERENCES)
            (known if covered else unexpected).append(difference)
        return Drift(tuple(unexpected), tuple(known))

    def show(self) -> dict[str, Any]:
        """Return the newest saved plan, of `plan` or `drift`, as `terraform show -json` prints it.

        Written to a file, `constructs-lib check` reads it.
        """
        saved = [file for name in (_FIRST, _SECOND) if (file := self.directory / name).is_file()]
        if not saved:
            raise HarnessError("show: no saved plan; call plan() first")
        newest = max(saved, key=lambda file: file.stat().st_mtime_ns)
        return self._query("show-plan", ["show", "-json", newest.name])

    @property
    def types(self) -> frozenset[str]:
        """The types of the stack's resources and data sources, the latter with the prefix `data.`."""
        data = (f"data.{type_}" for type_ in self.document.get("data", {}))
        return frozenset((*self.document.get("resource", {}), *data))

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that this class sets for Terraform, in addition to the caller's."""
        configuration = self.providers.configuration or self._root / "terraform.rc"
        return {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(configuration.absolute()),
            **(self.aws.environment if self.aws else {}),
        }

    def outputs(self) -> dict[str, Any]:
        """Return the values of all outputs by name, including sensitive ones."""
        return {name: output["value"] for name, output in self._query("outputs", ["output", "-json"]).items()}

    def destroy(self) -> Changes:
        """Destroy all resources, including protected ones, and check that the state is empty."""
        change, to_apply = unprotect(self.document)
        if change:
            self._write("unprotected_override.tf.json", change)
        if to_apply:
            self._apply("unprotect", ["-auto-approve"], self._timeouts.apply)
        destroyed = self._apply("destroy", ["-destroy", "-auto-approve"], self._timeouts.destroy)
        left = self._state_list()
        if left:
            raise HarnessError(f"destroy: {len(left)} resources are left in the state: {', '.join(left)}")
        return destroyed

    def _plan(self, step: str, name: str) -> tuple[Changes, bool]:
        """Save a plan; return its changes, and whether it has any, including changes of outputs."""
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
        """Run Terraform in the copy; return its exit code, its output, and the log."""
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
            message = "the state is locked by another Terraform process"
        raise StepError(step, message, log=log, problems=errors)

    def _keep_for_the_reader(self) -> None:
        """Keep the logs, including that of the local AWS, which alone has the server's own errors."""
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
            raise HarnessError(f"{step}: a local AWS is required; create the workspace with aws=LocalAws()")

    def _environment(self) -> dict[str, str]:
        """Return the environment variables for Terraform, without the caller's credentials and settings."""
        kept = {name: value for name, value in self.terraform.variables.items() if not is_callers_own(name)}
        if cache := self._plugin_cache():
            # The copy has no lock file, and without the second variable Terraform then ignores the cache.
            kept |= {"TF_PLUGIN_CACHE_DIR": str(cache), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
        return {**kept, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", **self.settings}

    def _copy(self, change: dict[str, Any]) -> None:
        if self.source != self.directory:
            # Files of an earlier workspace in this folder, except for the state.
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
        """Return the plugin cache for providers from the registry: the caller's, or one of this library."""
        variables = self.terraform.variables
        if self.providers.stand_ins:
            # A later run would use cached stand-ins as the real providers.
            return None
        if given := variables.get("TF_PLUGIN_CACHE_DIR"):
            return Path(given)
        home = variables.get("HOME")
        return Path(home, ".cache", "constructs-lib", "terraform-plugins") if self.providers.registry and home else None

    @contextlib.contextmanager
    def _plugin_cache_to_itself(self) -> Iterator[None]:
        """Lock the plugin cache, because Terraform itself does not."""
        cache = self._plugin_cache()
        if cache is None:
            yield
            return
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".constructs-lib.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_callers_own(variable: str) -> bool:
    """Return whether a variable has credentials or settings of the caller, which Terraform must not get."""
    return variable.startswith(("AWS_", "TF_")) and not variable.startswith("TF_LOG")


def read_document(source: Path) -> dict[str, Any]:
    """Read the `cdk.tf.json` of a folder.

    Raises:
        HarnessError: The file was not found.
    """
    try:
        document: dict[str, Any] = json.loads((source / "cdk.tf.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{source}: not a synthesized stack: {error}") from error
    return document
