"""Packages of functions and layers."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.links import sources, undecidable
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

ARCHIVES: Final = ("data.archive_file", "archive_file")
_WRITERS: Final = ("local_file", "local_sensitive_file")
_PATHS: Final = re.compile(r"\$\{path\.(?:module|root|cwd)\}")
_READS_FILE: Final = re.compile(r"\bfile\w*\(")
_WRONG_HASHES: Final = ("output_sha", "output_sha256", "output_sha512", "output_base64sha512", "output_md5")

_GOOD = {
    "data": {
        "archive_file": {
            "worker": {"type": "zip", "source_dir": "lambda_src/worker", "output_path": "${path.module}/worker.zip"},
            "other": {"type": "zip", "source_dir": "lambda_src/other", "output_path": "${path.module}/other.zip"},
        }
    },
    "resource": {
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "filename": "${data.archive_file.worker.output_path}",
                "source_code_hash": "${data.archive_file.worker.output_base64sha256}",
            }
        }
    },
}
_GOOD_LAYER = {
    "data": {
        "archive_file": {
            "common": {
                "type": "zip",
                "source": [{"content": "RETRIES = 3", "filename": "python/common.py"}],
                "output_path": "${path.module}/common.zip",
            }
        }
    },
    "resource": {
        "aws_lambda_layer_version": {
            "common": {
                "layer_name": "shop-prod-common",
                "filename": "${data.archive_file.common.output_path}",
                "source_code_hash": "${data.archive_file.common.output_base64sha256}",
                "compatible_runtimes": ["python3.13"],
            }
        }
    },
}


def local_path(section: Section, at: str) -> Path | None:
    """Return the file or folder that a value names, as found from the stack's folder; None when it is not known."""
    value = section.get(at)
    text = value.text if isinstance(value, Unknown) else value
    if not isinstance(text, str):
        return None
    text = _PATHS.sub(lambda _: str(section.block.stack.source.folder), text)
    return None if not text or "${" in text else section.block.stack.source.folder / text


def archive_of(block: Block) -> Block | None:
    """Return the archive that a function or layer is made of, by reference or by an equal path."""
    found = block.target("filename", *ARCHIVES)
    path = None if found else local_path(block, "filename")
    if path is None:
        return found
    archives = (archive for type_ in ARCHIVES for archive in block.estate.by_type.get(type_, ()))
    return next(
        (each for each in archives if each.stack is block.stack and local_path(each, "output_path") == path), None
    )


def _packed_in_the_plan(block: Block) -> Iterator[Outcome]:
    elsewhere = [at for at in ("image_uri", "s3_bucket", "s3_key") if block.raw(at) is not None]
    if elsewhere or block.get("package_type") == "Image":
        yield NotApplicable("it is made of an image or of an object in a bucket")
        return
    if block.raw("filename") is None:
        yield block.fail(
            "must be the output_path of a data.archive_file, which packs the code in the same plan", "filename"
        )
        return
    if sources(block, "filename") or archive_of(block):
        return
    path = local_path(block, "filename")
    value = block.get("filename")
    if path is None and isinstance(value, Unknown):
        yield block.undecided(value, "filename")
    elif path is None or not path.is_file():
        yield block.fail(
            "nothing builds this file; must be the output_path of a data.archive_file, which packs the code in the "
            "same "
            "plan",
            "filename",
        )
    elif not zipfile.is_zipfile(path):
        yield block.fail("is no zip archive, whatever its name; let a data.archive_file pack the code", "filename")


@rule(
    "LAM-001",
    "A function's package is packed in the same plan",
    why="Terraform stops at a package that nobody has built, and deploys an old one when somebody forgot to build it.",
    fix="Pack the code with data.archive_file and give its output_path as filename.",
    page=f"{PROVIDER}/resources/lambda_function",
    types=["aws_lambda_function"],
    lessons=["PLAT-3", "EVT-2", "PAY-2"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.filename": "lambda/function.zip"},
        {"resource.aws_lambda_function.worker.filename": "${path.module}/lambda/function.zip"},
        {"resource.aws_lambda_function.worker.filename": REMOVED},
    ],
)
def package_is_packed_in_the_plan(function: Block) -> Iterator[Outcome]:
    """A literal path is right where an archive of the stack writes it, or a real zip archive already lies there."""
    yield from _packed_in_the_plan(function)


@rule(
    "LAM-002",
    "A package's hash is that of the package",
    why="Without the hash Terraform does not see that the code has changed, and goes on running the old code.",
    fix="Set source_code_hash to output_base64sha256 of the archive that filename comes from.",
    page=f"{PROVIDER}/resources/lambda_function",
    types=["aws_lambda_function", "aws_lambda_layer_version"],
    severity=WARNING,
    lessons=["PLAT-3"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.source_code_hash": REMOVED},
        {"resource.aws_lambda_function.worker.source_code_hash": "${data.archive_file.other.output_base64sha256}"},
        {"resource.aws_lambda_function.worker.source_code_hash": "${data.archive_file.worker.output_sha256}"},
        {"resource.aws_lambda_function.worker.source_code_hash": "0lNc5fTyAWwqfZDNTxjKmVGfFE8QZUlYPGHkfjXkX1c="},
    ],
)
def hash_is_of_the_package(block: Block) -> Iterator[Outcome]:
    """A hash that Terraform computes of a file is right; a literal one only in a plan, where all values are literal."""
    if block.raw("filename") is None:
        yield NotApplicable("it is not made of a local package")
        return
    at = "source_code_hash"
    raw, value, archive = block.raw(at), block.get(at), archive_of(block)
    wanted = f"must be ${{{archive.base}.output_base64sha256}}" if archive else "must be the package's base64 SHA-256"
    if raw is None:
        yield block.fail(f"{wanted}, or a change of the code deploys nothing", at)
        return
    hashed = [(found, reference) for found, reference in block.stack.follow(raw) if found.type in ARCHIVES]
    if hashed and archive and archive not in [found for found, _ in hashed]:
        yield block.fail(f"{wanted}, of the archive that filename comes from", at)
    elif any(reference.path[-1:] == (wrong,) for _, reference in hashed for wrong in _WRONG_HASHES) and "(" not in raw:
        yield block.fail(
            f"{wanted}: Lambda compares the base64 form of SHA-256, so that another differs in every plan", at
        )
    elif isinstance(value, str) and "${" not in raw and sources(block, "filename"):
        yield block.fail(f"{wanted}: a literal stays the same when the code changes", at)
    elif (unknown := undecidable(value)) and not hashed and not _READS_FILE.search(str(raw)):
        yield block.undecided(unknown, at)


@rule(
    "LAM-003",
    "A layer's package is packed in the same plan",
    why="Terraform stops at a package that nobody has built.",
    fix="Pack the layer with data.archive_file and give its output_path as filename.",
    page=f"{PROVIDER}/resources/lambda_layer_version",
    types=["aws_lambda_layer_version"],
    lessons=["EVT-16"],
    good=_GOOD_LAYER,
    breaks=[
        {"resource.aws_lambda_layer_version.common.filename": "common-dependencies-layer.zip"},
        {"resource.aws_lambda_layer_version.common.filename": REMOVED},
    ],
)
def layer_is_packed_in_the_plan(layer: Block) -> Iterator[Outcome]:
    """As for a function."""
    yield from _packed_in_the_plan(layer)


@rule(
    "LAM-004",
    "A Python layer keeps its modules in the folder python",
    why="Lambda puts a layer below /opt and Python looks in /opt/python: modules beside that folder cannot be "
    "imported.",
    fix="Put the modules below python/ in the archive.",
    page=f"{AWS}/lambda/latest/dg/packaging-layers.html",
    types=["aws_lambda_layer_version"],
    lessons=["EVT-16"],
    good=_GOOD_LAYER,
    breaks=[{"data.archive_file.common.source": [{"content": "RETRIES = 3", "filename": "common.py"}]}],
    unknown_passes="Only the archive's file names decide; where they are not known there is nothing to compare.",
)
def layer_has_the_runtimes_layout(layer: Block) -> Iterator[Outcome]:
    """Files of any other kind may lie anywhere below /opt."""
    runtimes = layer.items("compatible_runtimes")
    archive = archive_of(layer)
    if isinstance(runtimes, Unknown) or not runtimes or archive is None:
        return
    if not all(isinstance(runtime, str) and runtime.startswith("python") for runtime in runtimes):
        return
    names = _names_in(archive)
    modules = [name for name in names if name.endswith(".py")]
    if modules and not any(name.startswith("python/") for name in names):
        yield layer.fail(
            f"{archive.address} packs {modules[0]} outside the folder python/, the only one that Python looks in",
            "filename",
        )


def _names_in(archive: Block) -> list[str]:
    names = [section.get("filename") for section in archive.sections("source")]
    names.append(archive.get("source_content_filename"))
    file, folder = local_path(archive, "source_file"), local_path(archive, "source_dir")
    if file is not None:
        names.append(file.name)
    if folder is not None and folder.is_dir():
        names.extend(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return [name for name in names if isinstance(name, str)]


@rule(
    "LAM-005",
    "Code is packed from sources, not from files that the plan writes",
    why="Terraform reads the file before the plan has written it: the first run fails and later runs pack the code of "
    "the run before.",
    fix="Give the folder with the sources as source_dir, or the text itself as source content, to data.archive_file.",
    page="https://registry.terraform.io/providers/hashicorp/archive/latest/docs/data-sources/file",
    types=[*ARCHIVES, "aws_lambda_function", "aws_lambda_layer_version"],
    severity=WARNING,
    lessons=["TICK-1"],
    good={
        "resource": {"local_file": {"purchase": {"filename": "${path.module}/build/purchase.py", "content": "x = 1"}}},
        "data": {
            "archive_file": {
                "purchase": {
                    "type": "zip",
                    "output_path": "${path.module}/build/purchase.zip",
                    "source": {"content": "def handler(event, context): ...", "filename": "index.py"},
                }
            }
        },
    },
    breaks=[
        {"data.archive_file.purchase.source.content": '${file("${path.module}/build/purchase.py")}'},
        {"data.archive_file.purchase.source_file": "${local_file.purchase.filename}"},
        {"data.archive_file.purchase.source_file": "${path.module}/build/purchase.py"},
        {"data.archive_file.purchase.depends_on": ["local_file.purchase"]},
    ],
    unknown_passes="A path that is not known is no path of a file that the plan visibly writes.",
)
def code_is_packed_from_sources(block: Block) -> Iterator[Outcome]:
    """Look for files that a `local_file` of the stack writes, by reference and by path."""
    written = _written(block)
    if not written:
        return
    by_address = {writer.base: writer for writer in written.values()}
    for number, address in enumerate(block.body.get("depends_on") or ()):
        if str(address).strip("${}") in by_address:
            yield block.fail("packs what this resource writes; pack the source text itself", f"depends_on.{number}")
    places: list[tuple[Section, str]] = [
        (block, at) for at in ("filename", "source_file", "source_dir", "source_content")
    ]
    places += [(section, "content") for section in block.sections("source")]
    for section, at in places:
        raw = section.raw(at)
        writer = section.target(at, *_WRITERS)
        if writer is None and isinstance(raw, str):
            named = re.findall(r'\bfile\w*\("([^"]+)"\)', raw)
            writer = next((written[text] for text in (raw, section.get(at), *named) if _known(text) in written), None)
        if writer is not None:
            yield section.fail(f"comes from a file that {writer.address} writes; pack the source text itself", at)


def _written(block: Block) -> dict[str, Block]:
    writers = (writer for type_ in _WRITERS for writer in block.estate.by_type.get(type_, ()))
    return {_known(writer.get("filename")): writer for writer in writers if writer.stack is block.stack}


def _known(value: object) -> str:
    return value.text if isinstance(value, Unknown) else str(value)
