"""Reads the source of a Lambda function or layer at synth, and refuses code that would fail when Lambda runs it."""

from __future__ import annotations

import ast
import codecs
import difflib
import fnmatch
import hashlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.lambda_runtimes import RUNTIMES
from constructs_lib.foundation.regions import is_token

IGNORED_NAMES: Final = ("__pycache__", "*.pyc", ".DS_Store")
"""Patterns of names of files and folders that are left out of the package."""
MAX_SIZE_BYTES: Final = 262_144_000
"""250 MB, the quota of a function and its layers, unzipped.

See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
"""
MAX_HANDLER_LENGTH: Final = 128
"""In characters. See https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""

_UTF8: Final = "save the file as UTF-8 without a byte-order mark"
_LIMIT: Final = f"Lambda allows {MAX_SIZE_BYTES} unzipped, layers included"
_UNPACK: Final = "give the files instead, which archive_file packages"
_BYTE_ORDER_MARKS: Final = (  # The marks of UTF-32 come first: one of them starts with one of UTF-16.
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32 LE"),
    (codecs.BOM_UTF32_BE, "UTF-32 BE"),
    (codecs.BOM_UTF16_LE, "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "UTF-16 BE"),
)
_ARCHIVE_SUFFIXES: Final = frozenset(
    {".zip", ".jar", ".war", ".ear", ".whl", ".egg", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"}
    | {".7z", ".rar", ".zst"}
)
_ARCHIVE_MARKS: Final = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (4, b"1AY&SY", "bzip2"),
    (257, b"ustar", "tar"),
)
"""Offset and magic bytes of each kind of archive."""

_RUNTIME: Final = re.compile(r"python3\.(?P<minor>\d+)|nodejs\d+\.x")
_PYTHON_HANDLER: Final = re.compile(r"(?P<module>[\w-]+([./][\w-]+)*)\.(?P<name>[^\W\d]\w*)")
_NODE_HANDLER: Final = re.compile(r"(?P<module>([\w-]+/)*[\w-]+)\.(?P<name>[A-Za-z_$][\w$]*)")
_NODE_SUFFIXES: Final = (".js", ".mjs", ".cjs")
_NODE_COMMENT: Final = re.compile(r"^\s*(//|/?\*).*", re.MULTILINE)
_OWN_SCOPE: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_HANDLER_ARGUMENTS: Final = 2

_Note = Callable[[str], None]


@dataclass(frozen=True)
class InlineSource:
    """The source of a function as text: a single file.

    Attributes:
        text: The file's content.
        filename: The file's name in the package, a relative path; `index.py` by default.
    """

    text: str = field(repr=False)
    filename: str = "index.py"


@dataclass(frozen=True)
class FunctionSource:
    """Source code that was read and checked.

    Attributes:
        files: Text of each file by its path below the source directory, with `/`, in the order of the paths.
    """

    files: Mapping[str, str]

    def __post_init__(self) -> None:
        """Sort the files, in a read-only copy."""
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def size(self) -> int:
        """The unzipped size in bytes."""
        return sum(len(text.encode()) for text in self.files.values())

    @property
    def sha256(self) -> str:
        """The SHA-256 digest of paths and contents only, in hexadecimal."""
        digest = hashlib.sha256()
        for name, text in self.files.items():
            content = text.encode()
            digest.update(b"%b\0%d\0%b" % (name.encode(), len(content), content))
        return digest.hexdigest()


def read_source(
    path: str, source: str | os.PathLike[str] | InlineSource, handler: str | None, runtime: str
) -> FunctionSource:
    """Return the files of a function's or layer's source, once they are checked.

    Each file must be UTF-8 text without a byte-order mark or NUL, and not an archive; each `.py` must parse with the
    grammar of the runtime; symbolic links must not leave the folder; the handler must exist. `IGNORED_NAMES` are left
    out.

    Args:
        path: The construct path, for the error.
        source: A folder, relative to the working directory or absolute; or an `InlineSource`.
        handler: `module.function`, at most 128 characters; folders as `folder/module.function`, or with dots in
            Python. A Python function must take an event and a context and must not be `async`; a Node.js module must
            export the name. None for a layer.
        runtime: A Python or Node.js runtime, see `check_runtime`.

    Raises:
        ConfigurationError: All problems of the source and the handler, with file and line.

    See https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html and
    https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.
    """
    problems = Problems(path)
    named = _RUNTIME.fullmatch(str(runtime))
    problems.check(named, "runtime", runtime, f"expected a Python or Node.js runtime: {', '.join(RUNTIMES)}")
    given = source if isinstance(source, InlineSource) else os.fspath(source)
    note: _Note = partial(problems.add, "source", given)
    raw = _inline(source, note) if isinstance(source, InlineSource) else _directory(Path(source), note)
    files = {name: _text(name, content, note) for name, content in raw.items()}
    minor = int(named["minor"]) if named and named["minor"] else sys.version_info.minor
    trees = {n: _parse(n, text, minor, note) for n, text in files.items() if text is not None and n.endswith(".py")}
    if raw and named and handler is not None:
        refuse = partial(problems.add, "handler", handler)
        if named["minor"]:
            _check_python_handler(str(handler), files, trees, refuse)
        else:
            _check_node_handler(str(handler), files, refuse)
    problems.raise_if_any()
    return FunctionSource({name: text for name, text in files.items() if text is not None})


def _inline(source: InlineSource, note: _Note) -> dict[str, bytes]:
    name = PurePosixPath(source.filename)
    plain = name.as_posix() == source.filename and "\\" not in source.filename
    if not plain or name.is_absolute() or ".." in name.parts:
        note("invalid filename; expected a relative path such as 'index.py', without '..'")
    if not isinstance(source.text, str):
        note(f"the text is of the type {type(source.text).__name__}; expected a string")
        return {}
    return {source.filename: source.text.encode(errors="surrogatepass")}


def _directory(directory: Path, note: _Note) -> dict[str, bytes]:
    """Return the bytes of every file below a directory, by relative path."""
    absolute = directory.absolute()
    if is_token(str(directory)):
        note("contains a reference; expected a plain path, because the files are read at synth")
    elif directory.is_file():
        with directory.open("rb") as opened:
            archive = _archive(directory.name, opened.read(512))
        remedy = _UNPACK if archive else f"give the directory {str(directory.parent)!r}, or the text as an InlineSource"
        note(f"{absolute} {archive or 'is a file'}; expected a directory: {remedy}")
    elif not directory.is_dir():
        note(f"directory not found: {absolute}")
    else:
        paths = dict(_walk(directory, directory, (directory.resolve(),), note))
        sizes = {name: path.stat().st_size for name, path in paths.items()}
        total = sum(sizes.values())
        if total <= MAX_SIZE_BYTES:
            if not paths:
                note(f"directory without files: {absolute}")
            return {name: path.read_bytes() for name, path in paths.items()}
        largest = max(sizes, key=sizes.__getitem__)
        note(f"has {total} bytes, {sizes[largest]} of them in {largest}; {_LIMIT}")
    return {}


def _walk(root: Path, directory: Path, above: tuple[Path, ...], note: _Note) -> Iterator[tuple[str, Path]]:
    """Yield relative path and path of each file; `above` are the real paths of the folders above."""
    for entry in sorted(directory.iterdir()):
        name = entry.relative_to(root).as_posix()
        if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in IGNORED_NAMES):
            continue
        real = Path(os.path.realpath(entry))
        if not name.isprintable():
            note(f"{name}: name with characters that are not printable; rename it")
        elif not real.is_relative_to(above[0]):
            note(f"{name}: symbolic link to a target outside of the directory; copy the target")
        elif real in above:
            note(f"{name}: symbolic link to a folder above it; remove it")
        elif entry.is_dir():
            yield from _walk(root, entry, (*above, real), note)
        elif entry.is_file():
            yield name, entry
        else:
            note(f"{name}: not a file or folder, or a broken symbolic link; remove it")


def _archive(name: str, content: bytes) -> str | None:
    """Return why a file is an archive, or None."""
    suffix = PurePosixPath(name).suffix.lower()
    kind = next((kind for at, mark, kind in _ARCHIVE_MARKS if content.startswith(mark, at)), None)
    if kind is not None:
        return f"is a {kind} archive" + ("" if suffix in _ARCHIVE_SUFFIXES else ", regardless of its name")
    return f"has the extension of an archive ({suffix}) and is not one" if suffix in _ARCHIVE_SUFFIXES else None


def _text(name: str, content: bytes, note: _Note) -> str | None:
    problem = _archive(name, content)
    if problem:
        note(f"{name}: {problem}; {_UNPACK}")
        return None
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            note(f"{name}: byte 0 is the start of a {encoding} byte-order mark ({mark.hex(' ')}); {_UTF8}")
            return None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        note(f"{name}: byte {error.start} ({content[error.start]:#04x}) is not UTF-8; {_UTF8}")
        return None
    if "\0" not in text:
        return text
    note(f"{name}: byte {content.index(0)} is NUL: UTF-16, or not text; {_UTF8}")
    return None


def _parse(name: str, text: str, minor: int, note: _Note) -> ast.Module | None:
    """Return the syntax tree of a Python file. It is compiled too, which finds a stray `return`, but not run."""
    own = sys.version_info.minor
    known = min(minor, own)
    limit = f" (checked with Python 3.{own}, which runs the synth)" if minor > own else ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text.encode(), name, feature_version=(3, known))
            compile(tree, name, "exec", dont_inherit=True)
        except SyntaxError as error:
            place = f"{name}:{max(error.lineno or 1, 1)}:{max(error.offset or 1, 1)}"
            note(f"{place}: not valid Python 3.{known}: {error.msg}{limit}")
        except (MemoryError, RecursionError):
            note(f"{name}: nested too deeply for Python's parser")
        else:
            return tree
    return None


def _handler_parts(handler: str, shape: re.Pattern[str], refuse: _Note) -> tuple[str, str] | None:
    parts = shape.fullmatch(handler)
    if parts and len(handler) <= MAX_HANDLER_LENGTH:
        return parts["module"], parts["name"]
    refuse(f"expected 'module.function', such as 'index.handler', with at most {MAX_HANDLER_LENGTH} characters")
    return None


def _find(candidates: list[str], files: Mapping[str, str | None], refuse: _Note) -> str | None:
    found = next((name for name in candidates if name in files), None)
    if found is None:
        near = ", ".join(difflib.get_close_matches(candidates[0], files, n=3, cutoff=0))
        refuse(f"{' or '.join(candidates)} not found in the source; similar files: {near}")
    return found


def _check_python_handler(
    handler: str, files: Mapping[str, str | None], trees: Mapping[str, ast.Module | None], refuse: _Note
) -> None:
    parts = _handler_parts(handler, _PYTHON_HANDLER, refuse)
    if parts is None:
        return
    module = parts[0].replace(".", "/")
    file = _find([f"{module}.py", f"{module}/__init__.py"], files, refuse)
    tree = trees.get(file or "")
    if tree is None:
        return
    names = dict(_bound_names(tree))
    node = names.get(parts[1])
    if isinstance(node, ast.AsyncFunctionDef):
        refuse(f"is async ({file}:{node.lineno}), which Lambda does not support; call asyncio.run in a plain function")
    elif isinstance(node, ast.FunctionDef) and not _takes_event_and_context(node):
        refuse(f"wrong parameters ({file}:{node.lineno}); expected event and context")
    elif node is None and "*" not in names:
        functions = ", ".join(name for name, other in names.items() if isinstance(other, ast.FunctionDef))
        refuse(f"{parts[1]} not found in {file}; its functions: {functions or 'none'}")


def _bound_names(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that a module defines, with the nodes that bind them, also in `if`, `try` and similar blocks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0], node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        elif not isinstance(node, _OWN_SCOPE) and not (isinstance(node, ast.AnnAssign) and node.value is None):
            yield from _bound_names(node)


def _takes_event_and_context(node: ast.FunctionDef) -> bool:
    """Return whether a function accepts two arguments; a decorator may change them."""
    arguments = node.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    least = positional - len(arguments.defaults)
    fits = least <= _HANDLER_ARGUMENTS and (positional >= _HANDLER_ARGUMENTS or arguments.vararg is not None)
    return bool(node.decorator_list) or (fits and None not in arguments.kw_defaults)


def _check_node_handler(handler: str, files: Mapping[str, str | None], refuse: _Note) -> None:
    parts = _handler_parts(handler, _NODE_HANDLER, refuse)
    if parts is None:
        return
    file = _find([parts[0] + suffix for suffix in _NODE_SUFFIXES], files, refuse)
    text = files.get(file or "")
    if text is None:
        return
    name = re.escape(parts[1])
    exported = re.compile(
        rf"\bexports\.{name}\s*=(?!=)"
        rf"|\bexports(\[|\s*,)\s*['\"]{name}['\"]"
        rf"|\bmodule\.exports\s*=\s*\{{.*\b{name}\b"
        r"|\bmodule\.exports\s*=(?!=)\s*[^\s{]"
        rf"|\bexport\s+(async\s+)?(function\b\s*\*?|const|let|var|class)\s*{name}(?![\w$])"
        rf"|\bexport\s*\{{([^}}]*[\s,])?{name}\s*[,}}]"
        r"|\bexport\s*\*",
        re.DOTALL,
    )
    if not exported.search(_NODE_COMMENT.sub("", text)):
        refuse(f"{file} does not export {parts[1]}; add exports.{parts[1]} = ... or export {{ {parts[1]} }}")
