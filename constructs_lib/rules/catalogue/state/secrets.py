"""Secrets in outputs and variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.references import edges
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.secrets import ATTRIBUTES, is_secret_name
from constructs_lib.rules.outcomes import Fail, NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.expressions import Reference
    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{TERRAFORM}/language/manage-sensitive-data"


def _is_secret(stack: Stack, reference: Reference) -> bool:
    if reference.kind == "var":
        variable = stack.one(reference.block)
        return variable is not None and variable.flag("sensitive") is True
    attributes = ATTRIBUTES.get(reference.type, ()) if reference.kind in ("resource", "data") else ()
    steps = [step for step in reference.path if isinstance(step, str) and step != "*"]
    if not attributes:
        return False
    block = stack.one(reference.block)
    instanced = block is not None and (block.raw("for_each") is not None or block.raw("count") is not None)
    # The key of an instance looks like an attribute.
    return not steps or any(step in attributes for step in steps[: 2 if instanced else 1])


def _secrets(stack: Stack, raw: object) -> Iterator[str]:
    """Yield the secrets in a value, also through local values, except within `nonsensitive`."""
    waiting, seen = [raw], set()
    while waiting:
        value = waiting.pop()
        for reference in _open(value):
            if _is_secret(stack, reference):
                yield reference.text
            local = stack.one(reference.block) if reference.kind == "local" else None
            if local is not None and local.name not in seen:
                seen.add(local.name)
                waiting.append(_part(local.body.get("value"), reference))


def _part(value: object, reference: Reference) -> object:
    for step in reference.path:
        if not isinstance(value, dict) or step not in value:
            return value
        value = value[str(step)]
    return value


def _open(value: object) -> Iterator[Reference]:
    if isinstance(value, str):
        if "nonsensitive(" not in value:
            yield from (reference for _, reference in edges(value, ""))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _open(item)


@rule(
    "STATE-013",
    "Output with a secret is sensitive",
    why="Terraform rejects the plan, or prints the secret in the log of every apply.",
    fix="Set sensitive to true on the output, or output the ARN of the secret instead.",
    page=_PAGE,
    types=["output"],
    good={
        "variable": {"token": {"type": "string", "sensitive": True}},
        "resource": {
            "random_password": {"master": {"length": 32}},
            "aws_rds_cluster": {"main": {"master_password": "${random_password.master.result}"}},
        },
        "locals": {"login": {"user": "app", "password": "${random_password.master.result}"}},
        "output": {
            "password": {"value": "${random_password.master.result}", "sensitive": True},
            "endpoint": {"value": "${aws_rds_cluster.main.endpoint}"},
            "user": {"value": "${local.login.user}"},
        },
    },
    breaks=[
        {"output.password.sensitive": REMOVED},
        {"output.password.sensitive": "false"},
        {
            "output.endpoint.value": "postgres://app:${aws_rds_cluster.main.master_password}@${aws_rds_cluster.main.endpoint}"
        },
        {"output.user.value": "${local.login}"},
        {"output.user.value": "${var.token}"},
    ],
    unknown_passes="a variable that is not sensitive is not a secret; STATE-014 checks its name",
)
def secret_outputs_are_sensitive(output: Block) -> Iterator[Outcome]:
    """Follow the value through local values."""
    if is_plan(output.stack):
        yield NotApplicable("it is a plan, which Terraform does not create with such outputs")
        return
    found = next(_secrets(output.stack, output.body.get("value")), None)
    sensitive = output.flag("sensitive")
    if found is None or sensitive is True or output.flag("ephemeral") is True:
        return
    if isinstance(sensitive, Unknown):
        yield output.undecided(sensitive, "sensitive")
    else:
        yield output.fail(f"must not contain the secret {found}, unless sensitive is true", "value")


@rule(
    "STATE-014",
    "Variable for a secret is sensitive and has no default",
    why="A default is readable in every clone of the repository, and a value that is not sensitive in every plan.",
    fix="Set sensitive to true and remove default; pass the value with TF_VAR_… or generate it in Secrets Manager.",
    page=_PAGE,
    types=["var"],
    severity=WARNING,
    good={"variable": {"db_password": {"type": "string", "sensitive": True}, "db_user": {"default": "app"}}},
    breaks=[
        {"variable.db_password.sensitive": REMOVED},
        {"variable.db_password.default": "hunter2hunter2"},
        {"variable.github_token": {"type": "${string}", "sensitive": False}},
    ],
    unknown_passes="Terraform does not allow expressions in a variable block",
)
def secret_variables_are_sensitive(variable: Block) -> Iterator[Outcome]:
    """Decide by the name; booleans and numbers are not secrets."""
    default = variable.raw("default")
    kind = str(variable.raw("type") or "").strip("${} ")
    if not is_secret_name(variable.name) or kind in ("bool", "number") or isinstance(default, bool | int | float):
        return
    if variable.flag("sensitive") is not True and variable.flag("ephemeral") is not True:
        yield variable.fail("must be true, or every plan prints the secret", "sensitive")
    if default and not is_plan(variable.stack):
        yield Fail(variable, "default", "must not be set for a secret; pass the value with TF_VAR_…", "(not shown)")
