"""Deployment packages of Lambda functions and layers."""

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
    """Return the path that an argument names, relative to the stack's directory, or None if it is not known."""
    value = section.get(at)
    text = value.text if isinstance(value, Unknown) else value
    if not isinstance(text, str):
        return None
    text = _PATHS.sub(lambda _: str(section.block.stack.source.folder), text)
    return None if not text or "${" in text else section.block.stack.source.folder / text


def archive_of(block: Block) -> Block | None:
    """Return the archive that a function or layer is created from, by reference or by an equal path."""
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
        yield NotApplicable("its code is a container image or an S3 object")
        return
    if block.raw("filename") is None:
        yield block.fail(
            "must be the output_path of a data.archive_file, which packages the code in the same plan", "filename"
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
            "file not found, and nothing builds it; must be the output_path of a data.archive_file, which packages the "
            "code in the same plan",
            "filename",
        )
    elif not zipfile.is_zipfile(path):
        yield block.fail("is not a zip archive; package the code with a data.archive_file", "filename")


@rule(
    "LAM-001",
    "Lambda deployment package is built in the same plan",
    why="Terraform fails if the deployment package has not been built, and deploys an outdated package if nobody "
    "rebuilt it.",
    fix="Package the code with data.archive_file and set filename to its output_path.",
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
    """A literal path is allowed if an archive of the stack writes it, or if a zip archive exists there."""
    yield from _packed_in_the_plan(function)


@rule(
    "LAM-002",
    "Lambda function or layer has the source_code_hash of its package",
    why="Without the hash, Terraform does not detect that the code has changed, and Lambda keeps running the old code.",
    fix="Set source_code_hash to the output_base64sha256 of the archive that filename refers to.",
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
    """A literal hash is allowed with a literal path only, as in a plan, where every value is literal."""
    if block.raw("filename") is None:
        yield NotApplicable("it has no local package")
        return
    at = "source_code_hash"
    raw, value, archive = block.raw(at), block.get(at), archive_of(block)
    wanted = f"must be ${{{archive.base}.output_base64sha256}}" if archive else "must be the package's base64 SHA-256"
    if raw is None:
        yield block.fail(f"{wanted}, or code changes are not deployed", at)
        return
    hashed = [(found, reference) for found, reference in block.stack.follow(raw) if found.type in ARCHIVES]
    if hashed and archive and archive not in [found for found, _ in hashed]:
        yield block.fail(f"{wanted}, the hash of the archive that filename refers to", at)
    elif any(reference.path[-1:] == (wrong,) for _, reference in hashed for wrong in _WRONG_HASHES) and "(" not in raw:
        yield block.fail(f"{wanted}: Lambda returns the base64 SHA-256, so any other hash differs in every plan", at)
    elif isinstance(value, str) and "${" not in raw and sources(block, "filename"):
        yield block.fail(f"{wanted}: a literal hash does not change with the code", at)
    elif (unknown := undecidable(value)) and not hashed and not _READS_FILE.search(str(raw)):
        yield block.undecided(unknown, at)


@rule(
    "LAM-003",
    "Lambda layer package is built in the same plan",
    why="Terraform fails if the package has not been built.",
    fix="Package the layer with data.archive_file and set filename to its output_path.",
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
    """The same checks as for functions."""
    yield from _packed_in_the_plan(layer)


@rule(
    "LAM-004",
    "Lambda layer for Python has its modules in the python directory",
    why="Lambda extracts layers to /opt, and Python imports from /opt/python: modules outside that directory cannot "
    "be imported.",
    fix="Put the modules under python/ in the archive.",
    page=f"{AWS}/lambda/latest/dg/packaging-layers.html",
    types=["aws_lambda_layer_version"],
    lessons=["EVT-16"],
    good=_GOOD_LAYER,
    breaks=[{"data.archive_file.common.source": [{"content": "RETRIES = 3", "filename": "common.py"}]}],
    unknown_passes="The rule checks the file names that are known before apply only.",
)
def layer_has_the_runtimes_layout(layer: Block) -> Iterator[Outcome]:
    """Files other than Python modules may be anywhere under /opt."""
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
            f"must have its Python modules under python/; {archive.address} packages {modules[0]} outside of it",
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
    "Lambda package is built from source files, not from files that the plan writes",
    why="Terraform reads the file before it has written it: the first apply fails, and later ones package the "
    "previous code.",
    fix="Set source_dir of data.archive_file to the directory of the sources, or source.content to the text itself.",
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
    unknown_passes="A path that is not known is assumed not to be one that the plan writes.",
)
def package_is_built_from_sources(block: Block) -> Iterator[Outcome]:
    """Find files that a `local_file` of the stack writes, by reference and by path."""
    written = _written(block)
    if not written:
        return
    by_address = {writer.base: writer for writer in written.values()}
    for number, address in enumerate(block.body.get("depends_on") or ()):
        if str(address).strip("${}") in by_address:
            yield block.fail(
                "must not be a resource that writes the packaged file; package the source itself",
                f"depends_on.{number}",
            )
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
            yield section.fail(f"must not be a file that {writer.address} writes; package the source itself", at)


def _written(block: Block) -> dict[str, Block]:
    writers = (writer for type_ in _WRITERS for writer in block.estate.by_type.get(type_, ()))
    return {_known(writer.get("filename")): writer for writer in writers if writer.stack is block.stack}


def _known(value: object) -> str:
    return value.text if isinstance(value, Unknown) else str(value)
