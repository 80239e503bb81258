"""Makes the generated provider packages load one submodule at a time.

The AWS provider's package has over 2,000 submodules. Its `__init__` imports them all, and jsii's kernel (a
Node process) requires as many JavaScript files: together 13 s and 1.2 GB before an app's first line. After
`install()` each half loads what is used, in under 1 s, and the synthesized output is the same to the byte:

- Python: a finder on `sys.meta_path` gives the package a `__getattr__` (PEP 562) in place of its `__init__`.
  Generated modules work out the types of arguments once, not for each object that they make.
- Node: while the first `_jsii` module starts the kernel, NODE_OPTIONS requires `lazy_index.cjs`.

Nothing installed is touched, and packages that are small, lazy by themselves or define types of their own are
left alone. It has to run before the engine is imported, so importing `constructs_lib` runs it;
CONSTRUCTS_LIB_EAGER_BINDINGS=1 turns it off. Only the standard library is imported, and no kernel started.
"""

from __future__ import annotations

import atexit
import importlib
import os
import re
import sys
import threading
import time
import typing
import warnings
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from constructs_lib._engine import PROVIDER_PREFIXES, npm_name

if TYPE_CHECKING:
    from collections.abc import Sequence

EAGER_VARIABLE = "CONSTRUCTS_LIB_EAGER_BINDINGS"
"""The environment variable that leaves the provider packages as they are."""

_SILENCED = ("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
"""Node 20 works; jsii's banner about its end of life would bury the output of every run."""
_GENERATED = ("cdktf", "cdktn", *PROVIDER_PREFIXES)
_ASSEMBLY = "_jsii"
_HOOK = Path(__file__).with_name("lazy_index.cjs")
_FEWEST_SUBMODULES = 20  # below it there is nothing to win
_SUBMODULE = re.compile(rb"^from \. import (\w+)\s*$", re.MULTILINE)
_OWN_TYPE = re.compile(rb"^(?:class |def (?!check_type\())", re.MULTILINE)
_INDEX_TIMEOUT = 15.0  # seconds; 2 to 4 are usual


class LateBindingsWarning(RuntimeWarning):
    """The engine was imported before the library could make the provider packages lazy."""


def install() -> None:
    """Make provider packages that are imported from now on lazy; a second call does nothing.

    Warns:
        LateBindingsWarning: The engine is imported already, so most of the time is lost.
    """
    os.environ.setdefault(*_SILENCED)
    if os.environ.get(EAGER_VARIABLE, "").strip() not in ("", "0"):
        return
    if any(type(finder).__module__ == __name__ for finder in sys.meta_path):
        return
    early = _loaded_packages()
    sys.meta_path.insert(0, _Finder())
    if early:
        warnings.warn(
            f"{', '.join(early)} imported before constructs_lib: provider packages load slowly (some 10 s "
            "and 1 GB more for AWS). Put `import constructs_lib` above the other imports, and below it "
            f"`# isort: split` if a tool sorts them. {EAGER_VARIABLE}=1 keeps the slow way and silences this.",
            LateBindingsWarning,
            stacklevel=3,  # the line that imports constructs_lib
        )


class _Finder:
    """Finds what Python's path finder does, with other loaders for provider packages and `_jsii` modules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, name = fullname.rpartition(".")
        if not fullname.startswith(_GENERATED) and name != _ASSEMBLY:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return spec  # zipped or compiled only: there is no source file to read the names from
        if name == _ASSEMBLY:
            spec.loader = _AssemblyLoader(spec.loader)
            return spec
        if parent or not name.startswith(PROVIDER_PREFIXES):
            spec.loader = _CheckedModuleLoader(spec.loader.name, spec.loader.path)
            return spec
        source = spec.loader.get_data(spec.loader.path)
        submodules = frozenset(match.decode() for match in _SUBMODULE.findall(source))
        if len(submodules) >= _FEWEST_SUBMODULES and not _OWN_TYPE.search(source):
            spec.loader = _LazyPackageLoader(spec.loader, submodules)
        return spec


class _LazyPackageLoader(SourceFileLoader):
    """Runs no `__init__`: the package knows its submodules' names and imports each when it is asked for."""

    def __init__(self, real: SourceFileLoader, submodules: frozenset[str]) -> None:
        super().__init__(real.name, real.path)
        self.submodules = submodules

    def exec_module(self, module: ModuleType) -> None:
        package, submodules = self.name, self.submodules

        def load(name: str) -> ModuleType:
            if name in submodules:
                return importlib.import_module(f"{package}.{name}")
            raise AttributeError(f"module {package!r} has no attribute {name!r}")

        vars(module).update(
            __all__=sorted(submodules),
            __getattr__=load,
            __dir__=lambda: sorted({*submodules, *vars(module)}),
        )


class _CheckedModuleLoader(SourceFileLoader):
    """Runs a generated module, which then works out the types that it checks once, and not for each object it makes."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if vars(module).get("typing") is typing:
            vars(module)["typing"] = _typing


_typing = ModuleType("typing", "What `typing` has, for generated modules alone, with a memory.")
vars(_typing).update(vars(typing), get_type_hints=cache(typing.get_type_hints))


class _AssemblyLoader(SourceFileLoader):
    """Runs a `_jsii` module: it makes the kernel load a package, and the first one starts the kernel."""

    def __init__(self, real: SourceFileLoader) -> None:
        super().__init__(real.name, real.path)
        self._real = real

    def exec_module(self, module: ModuleType) -> None:
        with _node_hook:
            self._real.exec_module(module)
        package = self.name.rpartition(".")[0]
        if package.startswith(PROVIDER_PREFIXES):
            _map_types(package)
            _let_index_finish(package)


class _NodeHook:
    """Appends the hook to NODE_OPTIONS while the kernel starts.

    `_jsii` modules import each other, perhaps from several threads: the first one in sets the variable and
    the last one out restores what was there, so that the processes an app starts do not inherit the hook.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: str | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self._before = os.environ.get("NODE_OPTIONS")
            # In a zip the hook is not a file, and Node exits when a required file is missing.
            if _HOOK.is_file() and not _loaded_packages():
                quoted = _HOOK.as_posix().replace("\\", "\\\\").replace('"', '\\"')
                os.environ["NODE_OPTIONS"] = f'{self._before or ""} --require "{quoted}"'.strip()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._before is None:
                os.environ.pop("NODE_OPTIONS", None)
            else:
                os.environ["NODE_OPTIONS"] = self._before


_node_hook = _NodeHook()


def _loaded_packages() -> list[str]:
    """Return the packages that the kernel has loaded; none means that it has not started."""
    return [
        name.removesuffix(f".{_ASSEMBLY}")
        for name, module in sys.modules.copy().items()  # other threads may be importing
        if name.endswith(f".{_ASSEMBLY}") and hasattr(module, "__jsii_assembly__")
    ]


def _map_types(package: str) -> None:
    """Tell jsii what to import when JavaScript returns a type of a submodule that nobody has imported yet."""
    loader = getattr(getattr(sys.modules.get(package), "__spec__", None), "loader", None)
    modules = getattr(sys.modules.get("jsii._reference_map"), "_submodule_fqn_map", None)
    if isinstance(loader, _LazyPackageLoader) and isinstance(modules, dict):
        for name in loader.submodules:
            modules.setdefault(f"{npm_name(package)}.{_camel_case(name)}", f"{package}.{name}")


def _camel_case(snake: str) -> str:
    head, *rest = snake.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _let_index_finish(package: str) -> None:
    """At exit, wait once for jsii's index of a package it loads for the first time.

    Without it each run parses 117 MB of JSON: twice the time, and 560 MB more. A worker of the kernel writes
    it and dies with the kernel, so that an app which ends before the worker never gets its index.
    """
    assembly = getattr(sys.modules.get(f"{package}.{_ASSEMBLY}"), "__jsii_assembly__", None)
    runtime = Path(getattr(sys.modules.get("jsii"), "__file__", None) or "").parent / "_embedded" / "jsii"
    if assembly is None or not (runtime / "lib__runtime-index-worker.js").is_file():
        return
    if os.environ.get("JSII_RUNTIME_PACKAGE_CACHE", "enabled").lower() != "enabled":
        return

    def missing() -> bool:
        try:
            versions = _cache_root() / assembly.name / assembly.version
            writable = any(os.access(found.parent, os.W_OK) for found in versions.glob("*/package.json"))
            return writable and not any(versions.glob("*/.jsii.runtime.v*.json"))
        except (OSError, RuntimeError):  # an unreadable cache, a user without a home
            return False

    def wait() -> None:
        deadline = time.monotonic() + _INDEX_TIMEOUT
        if missing():
            sys.stderr.write(f"{package}: first use, waiting for jsii's index of it (once)\n")
        while missing() and time.monotonic() < deadline:
            time.sleep(0.05)

    if missing():  # handlers run last in, first out: this one before jsii's, which stops the kernel
        atexit.register(wait)


def _cache_root() -> Path:
    """Return where jsii keeps unpacked packages (Windows keeps them elsewhere: there nothing waits)."""
    given = os.environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    if given:
        return Path(given)
    user = "Library/Caches/com.amazonaws.jsii" if sys.platform == "darwin" else ".cache/aws/jsii"
    return Path.home() / user / "package-cache"
