"""Build commands and code files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.json_values import labelled, merged
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import once
from constructs_lib.rules.rule import WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_BUILDS: Final = re.compile(
    r"(?:^|[\s;&|('\"/])(?:zip|7z|tar|npm|npx|yarn|pnpm|pip3?|uv|poetry|mvn|gradlew?|make|webpack|esbuild|tsc|"
    r"go build|cargo|dotnet|docker build|sam build|build\w*\.(?:sh|py|ps1))(?=[\s;&|)'\"]|$)"
    r"|-m\s+(?:pip|zipfile|build)\b"
)


_CODE: Final = re.compile(r"\.(?:py|js|mjs|cjs|ts|rb|go|java|jar|zip|sh)$")


_FILES: Final = ("local_file", "local_sensitive_file")


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    given = block.raw("provisioner")
    for number, part in enumerate(given if isinstance(given, list) else [given]):
        at = f"provisioner.{number}" if isinstance(given, list) else "provisioner"
        for (kind,), body in labelled(part, 1):
            command = merged(body).get("command")
            if kind == "local-exec" and isinstance(command, str):
                yield f"{at}.local-exec{'.0' if isinstance(body, list) else ''}.command", command


@rule(
    "STATE-023",
    "Terraform does not run build commands",
    why="The command is missing on another computer, or runs after plan has read the old package.",
    fix="Package a folder or text with data.archive_file; build everything else before Terraform runs.",
    page=f"{TERRAFORM}/language/resources/provisioners/syntax",
    types=["terraform"],
    severity=WARNING,
    lessons=["PLAT-7", "TICK-1"],
    good={
        "data": {
            "archive_file": {"worker": {"type": "zip", "source_dir": "worker", "output_path": "worker.zip"}},
            "external": {"commit": {"program": ["git-commit-as-json"]}},
        },
        "resource": {
            "local_file": {"notes": {"filename": "notes.txt", "content": "made by Terraform"}},
            "terraform_data": {"done": {"provisioner": {"local-exec": {"command": "echo done"}}}},
        },
    },
    breaks=[
        {
            "resource.terraform_data.done.provisioner": {
                "local-exec": {"command": "cd lambda && zip -r function.zip index.py"}
            }
        },
        {"resource.local_file.notes.filename": "${path.module}/ticket_purchase.js"},
        {"resource.null_resource": {"build": {"provisioner": [{"local-exec": [{"command": "./build.sh"}]}]}}},
        {"data.external.commit.program": ["npm", "run", "build"]},
    ],
    unknown_passes="unknown programs and file names are undecided; a provisioner command is checked as written",
)
def no_build_commands(root: Block) -> Iterator[Outcome]:
    """Find known build tools in commands, and source files that Terraform writes."""
    for block in once(root.stack):
        for at, command in _commands(block):
            if _BUILDS.search(command):
                yield block.fail("must not run build commands; package the code with data.archive_file", at)
        if block.type == "data.external":
            program = block.items("program")
            if isinstance(program, Unknown):
                yield block.undecided(program, "program")
            elif _BUILDS.search(" ".join(str(part) for part in program)):
                yield block.fail("must not run build commands; package the code with data.archive_file", "program")
        elif block.type in _FILES:
            name = block.get("filename")
            text = name.text if isinstance(name, Unknown) else str(name)
            if _CODE.search(text):
                yield block.fail(
                    "must not be a code file: it is packaged before Terraform writes it; use source of "
                    "data.archive_file",
                    "filename",
                )
            elif isinstance(name, Unknown) and text.endswith("}"):
                yield block.undecided(name, "filename")
