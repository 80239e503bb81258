"""Modules, instances and what Terraform is kept from seeing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.json_values import labelled, merged
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once, resources
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.expressions import Reference
    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_REGISTRY: Final = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?/)?[\w-]+/[\w-]+/[\w-]+(?://.*)?")
_GIT: Final = re.compile(r"git::|git@|(?:github\.com|bitbucket\.org)/|.*\.git(?:$|[/?])")


@rule(
    "STATE-017",
    "A module from elsewhere has a version",
    why="The next init takes whatever its authors have published since, and changes what is deployed.",
    fix="Set version for a registry, ?ref= with a tag or commit for git.",
    page=f"{TERRAFORM}/language/modules/sources",
    types=["module"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_TF_1", "CKV_TF_2")),
    good={
        "module": {
            "vpc": {"source": "terraform-aws-modules/vpc/aws", "version": "~> 5.0"},
            "logs": {"source": "git::https://example.com/logs.git//core?depth=1&ref=v1.2.0"},
            "local": {"source": "./modules/local"},
        }
    },
    breaks=[
        {"module.vpc.version": REMOVED},
        {"module.logs.source": "git::https://example.com/logs.git//core"},
        {"module.logs.source": "github.com/example/logs"},
        {"module.vpc": {"source": "app.terraform.io/example/vpc/aws//modules/core"}},
    ],
    unknown_passes="Terraform takes no expression for a source",
)
def modules_have_versions(module: Block) -> Iterator[Outcome]:
    """Look at sources in registries and git; local folders come with the stack."""
    source = str(module.raw("source") or "")
    if source.startswith(("./", "../")):
        yield NotApplicable("it comes with the stack")
    elif _GIT.match(source):
        if not re.search(r"[?&]ref=[^&]", source):
            yield module.fail("must end in ?ref= with a tag or commit", "source")
    elif _REGISTRY.fullmatch(source) and module.raw("version") is None:
        yield module.fail(f"must be set, such as ~> 1.2: any version of {source} fits now", "version")


def _wrong_index(block: Block, at: str, reference: Reference) -> str:
    """Return what is wrong with the instance that a reference names; empty when nothing is."""
    found = block.stack.all(reference.block) if reference.kind in ("resource", "data") else []
    if not found:
        return ""
    target, step = found[0], next(iter(reference.path), None)
    rest = reference.text.removeprefix(reference.block)
    counted, mapped = "count" in target.body, "for_each" in target.body
    if rest.startswith(".") and not rest.startswith(".*") and (counted or mapped) and not rest[1:2].isdecimal():
        word, key = ("count", "0") if counted else ("for_each", "each.key")
        return f"{reference.block} has {word}; say which instance, such as {reference.block}[{key}]"
    plain = block.raw(at) == f"${{{reference.text}}}"
    if not rest.startswith("[") or isinstance(step, Unknown) or step == "*" or not plain or may_be_absent(target):
        return ""
    if not (counted or mapped):
        return "" if isinstance(step, str) else f"{reference.block} has neither count nor for_each; leave the index out"
    keys = [each.key for each in found]
    return "" if step in keys else f"{reference.block} has no instance {step!r}; it has {', '.join(map(repr, keys))}"


@rule(
    "STATE-018",
    "A reference names an instance that there is",
    why="Terraform stops: missing resource instance key, or invalid index.",
    fix="Name one of the instances, or all of them with [*].",
    page=f"{TERRAFORM}/language/expressions/references",
    types=["terraform"],
    good={
        "resource": {
            "aws_subnet": {"private": {"count": 2, "cidr_block": "10.0.${count.index}.0/24"}},
            "aws_eip": {"nat": {"for_each": {"a": "x", "b": "y"}}},
            "aws_nat_gateway": {
                "a": {"subnet_id": "${aws_subnet.private[1].id}", "allocation_id": '${aws_eip.nat["a"].id}'}
            },
        },
        "output": {"subnets": {"value": "${aws_subnet.private[*].id}"}},
    },
    breaks=[
        {"resource.aws_nat_gateway.a.subnet_id": "${aws_subnet.private[2].id}"},
        {"resource.aws_nat_gateway.a.subnet_id": "${aws_subnet.private.id}"},
        {"resource.aws_nat_gateway.a.allocation_id": '${aws_eip.nat["c"].id}'},
        {"output.subnets.value": '${join(",", aws_subnet.private.id)}'},
    ],
    unknown_passes="a variable in its place names no instance",
)
def instances_exist(root: Block) -> Iterator[Outcome]:
    """Within conditions and functions an instance may be missing on purpose; a missing index never works."""
    if is_plan(root.stack):
        yield NotApplicable("Terraform has planned it, so every instance exists")
        return
    repeated = {block.base for block in once(root.stack) if "count" in block.body or "for_each" in block.body}
    for block in once(root.stack):
        for at, reference in block.edges:
            if "[" not in reference.text and (not repeated or reference.block not in repeated):
                continue
            wrong = _wrong_index(block, at, reference)
            if wrong:
                yield block.fail(wrong, at)


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
    "Nothing is built by commands of the machine that applies",
    why="The command is missing on the next machine, runs after the plan has looked, or leaves yesterday's file.",
    fix="Let data.archive_file pack a folder or text; build everything else before Terraform runs.",
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
    unknown_passes="Terraform takes no expression for a provisioner; unknown programs and files are reported",
)
def nothing_is_built_by_hand(root: Block) -> Iterator[Outcome]:
    """Look for known packers and builders, and for source files that Terraform writes."""
    for block in once(root.stack):
        for at, command in _commands(block):
            if _BUILDS.search(command):
                yield block.fail("must not build anything; pack the code with data.archive_file", at)
        if block.type == "data.external":
            program = block.items("program")
            if isinstance(program, Unknown):
                yield block.undecided(program, "program")
            elif _BUILDS.search(" ".join(str(part) for part in program)):
                yield block.fail("must not build anything; pack the code with data.archive_file", "program")
        elif block.type in _FILES:
            name = block.get("filename")
            text = name.text if isinstance(name, Unknown) else str(name)
            if _CODE.search(text):
                yield block.fail(
                    "is code that is packed before it is written; give the text to data.archive_file", "filename"
                )
            elif isinstance(name, Unknown) and text.endswith("}"):
                yield block.undecided(name, "filename")


@rule(
    "STATE-024",
    "A resource does not ignore all changes",
    why="Nothing that is changed in the code is ever applied, and what somebody changes by hand is never seen.",
    fix="Name the attributes that something else manages.",
    page=f"{TERRAFORM}/language/meta-arguments/lifecycle",
    types=["terraform"],
    severity=WARNING,
    good={
        "resource": {"aws_ecs_service": {"web": {"name": "web", "lifecycle": {"ignore_changes": ["desired_count"]}}}}
    },
    breaks=[
        {"resource.aws_ecs_service.web.lifecycle.ignore_changes": "all"},
        {"resource.aws_ecs_service.web.lifecycle": [{"ignore_changes": ["all"]}]},
    ],
    unknown_passes="Terraform takes no expression here",
)
def changes_are_seen(root: Block) -> Iterator[Outcome]:
    """Look for the word."""
    for block in resources(root.stack):
        if block.raw("lifecycle.ignore_changes") in ("all", "${all}", ["all"], ["${all}"]):
            yield block.fail(
                "must name attributes; with all, Terraform manages nothing of it", "lifecycle.ignore_changes"
            )


@rule(
    "STATE-025",
    "Templates are rendered by Terraform itself",
    why="The template provider is archived and has no build for newer machines; init fails on them.",
    fix="Use templatefile(), or write the text into the code.",
    page="https://registry.terraform.io/providers/hashicorp/template/latest/docs",
    types=["terraform"],
    severity=WARNING,
    good={"data": {"cloudinit_config": {"web": {"part": {"content": "#!/bin/sh"}}}}},
    breaks=[
        {"data.template_file": {"web": {"template": "hello ${name}"}}},
        {"data": {"template_cloudinit_config": {"web": {"part": {"content": "#!/bin/sh"}}}}},
    ],
)
def templates_need_no_provider(root: Block) -> Iterator[Outcome]:
    """Look at the types of that provider."""
    for block in once(root.stack):
        if block.type.startswith(("data.template_", "template_")):
            instead = "data.cloudinit_config" if "cloudinit" in block.type else "templatefile()"
            yield block.fail(f"comes from the template provider, which is archived; use {instead}")


_NESTING: Final = re.compile(r"\b(?:map|object)\(|[()]")
_DEEPEST: Final = 2


def _depth(kind: str) -> int:
    """Return how many maps and objects stand in one another in a type."""
    deepest = 0
    open_: list[bool] = []
    for mark in _NESTING.findall(kind):
        if mark == ")":
            if open_:
                open_.pop()
        else:
            open_.append(mark != "(")
            deepest = max(deepest, sum(open_))
    return deepest


@rule(
    "STATE-026",
    "A variable is a plain value, or a map of options at most",
    why="Nobody fills in nested maps without a mistake, and Terraform names none of the places where it is.",
    fix="Give each value a variable with a default; keep what depends on the region in a local map.",
    page=f"{TERRAFORM}/language/expressions/type-constraints",
    types=["var"],
    severity=Severity("info", "info", "info"),
    lessons=["TRD-9"],
    good={
        "variable": {
            "subnets": {"type": "map(object({cidr = string, zones = list(string)}))"},
            "rules": {"type": "${list(object({port = number, source = string}))}"},
        }
    },
    breaks=[
        {"variable.subnets.type": "map(object({cidr = string, subnets = map(object({cidr = string}))}))"},
        {"variable.rules.type": "${object({web = object({listener = object({port = number})})})}"},
    ],
)
def variables_are_simple(variable: Block) -> Iterator[Outcome]:
    """Count maps and objects in one another; lists do not count."""
    kind = variable.raw("type")
    if isinstance(kind, str) and _depth(kind) > _DEEPEST:
        yield variable.fail(
            f"must nest maps and objects {_DEEPEST} deep at most, nests them {_depth(kind)} deep", "type"
        )
