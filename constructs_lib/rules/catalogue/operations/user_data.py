"""The script that a machine starts with."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER, TERRAFORM
from constructs_lib.rules.queries.instances import EC2, MAKERS, TEMPLATE, USER_DATA, decode, script_of
from constructs_lib.rules.rule import Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_RENDERERS: Final = ("data.template_file", "data.cloudinit_config", "data.template_cloudinit_config")
_CALL: Final = re.compile(r'\b(templatefile|filebase64|file)\(\s*\\?"((?:\$\{[^}]*\}|[^"\\])*)\\?"')
_HERE: Final = re.compile(r"\$\{path\.(?:module|root|cwd)\}")
_MAX_BYTES: Final = 16 * 1024
_HIDDEN: Final = "(not shown)"
_CREDENTIAL: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b[a-z][a-z0-9+]*://[^:/@\s${]+:[^@/\s${]+@"
)
_ASSIGNED: Final = re.compile(
    r"(?i)\b[\w-]*(?:password|passwd|secret(?:_?key)?|token|api_?key|access_?key|private_?key)[\"']?\s*[=:]\s*"
    r"[\"']?([^\s\"'$`<{;,)]{6,})"
)
_HARMLESS: Final = re.compile(r"(?i)(?:arn:|/|https?://|true|false|none|null|required|optional|[0-9.]+$)")
_SECRETS: Final = frozenset(
    {
        ("random_password", "result"),
        ("data.aws_secretsmanager_secret_version", "secret_string"),
        ("aws_secretsmanager_secret_version", "secret_string"),
        ("aws_iam_access_key", "secret"),
        ("tls_private_key", "private_key_pem"),
        ("tls_private_key", "private_key_openssh"),
    }
)
_AT: Final = "resource.aws_instance.web.user_data"
_TEMPLATE: Final = "resource.aws_launch_template.web.user_data"

_GOOD: Final[dict[str, Any]] = {
    "locals": {"script": "#!/bin/sh\ndnf install -y amazon-cloudwatch-agent\n"},
    "resource": {
        "random_password": {"db": {"length": 32}},
        "aws_instance": {"web": {"user_data": "${local.script}"}},
        "aws_launch_template": {"web": {"user_data": "${base64encode(local.script)}"}},
    },
}


@rule(
    "OPS-017",
    "User data is read from files that exist",
    why="Terraform fails at plan, wherever the file was left behind.",
    fix="Write the script into the configuration, or put the file beside it and name it by ${path.module}.",
    page=f"{TERRAFORM}/language/functions/templatefile",
    types=[*MAKERS, *_RENDERERS],
    lessons=["TRD-7"],
    good=_GOOD,
    breaks=[
        {_TEMPLATE: '${base64encode(templatefile("${path.module}/user_data.sh", {region = "eu-west-1"}))}'},
        {_AT: '${file("scripts/start.sh")}'},
        {"locals.script": '${file("${path.root}/start.sh")}'},
        {"data": {"template_file": {"web": {"template": '${file("start.tpl")}'}}}},
    ],
    unknown_passes="a script that a variable holds was read by somebody else",
)
def files_exist(block: Block) -> Iterator[Outcome]:
    """Paths are looked for beside the stack; absolute ones may be another machine's."""
    names = ("template", *(f"{part.at}.content" for part in block.sections("part")))
    places = ((at, str(block.raw(at) or "")) for at in (names if block.type in _RENDERERS else USER_DATA))
    folder = block.stack.source.folder
    for at, text in places:
        for function, path in _CALL.findall(_with_locals(block, text)):
            plain = _HERE.sub(".", path)
            if "${" in plain:
                yield block.undecided(Unknown(f"the path {path} is made of other values"), at)
            elif plain.startswith("/"):
                yield NotApplicable("an absolute path, of the machine that plans")
            elif not (folder / plain).is_file():
                yield block.fail(f"{function}() reads {path}, which does not exist beside the stack", at)


def _with_locals(block: Block, text: str, depth: int = 5) -> str:
    """Return a text with the local values that it refers to behind it."""
    found = [text]
    for name in re.findall(r"\blocal\.([\w-]+)", text) if depth else ():
        local = block.stack.one(f"local.{name}")
        if local is not None:
            found.append(_with_locals(block, str(local.body.get("value")), depth - 1))
    return "\n".join(found)


@rule(
    "OPS-018",
    "User data of a launch template is Base64",
    why="AWS refuses the template as malformed; neither validate nor plan says so.",
    fix="Wrap the script in base64encode().",
    page=f"{PROVIDER}/resources/launch_template",
    types=MAKERS,
    good=_GOOD,
    breaks=[
        {_TEMPLATE: "${local.script}"},
        {_TEMPLATE: "#!/bin/sh\necho ${random_password.db.id}\n"},
        {"resource.aws_instance.web": {"user_data_base64": "${local.script}"}},
    ],
)
def template_is_base64(machine: Block) -> Iterator[Outcome]:
    """Of an instance user_data is plain text, and user_data_base64 is not."""
    at = "user_data" if machine.type == TEMPLATE else "user_data_base64"
    value = machine.get(at)
    if isinstance(value, Unknown):
        if value.text.startswith(("#", "Content-Type:", "MIME-Version:", "<powershell>")):
            yield machine.fail("must be Base64: wrap it in base64encode()", at)
        elif not isinstance(value, Computed) and value.text.startswith("${var."):
            yield machine.undecided(value, at)
    elif value not in (None, "") and decode(str(value)) is None:
        yield machine.fail("must be Base64: wrap it in base64encode()", at)


@rule(
    "OPS-019",
    "No secret stands in user data",
    why="Every process on the machine, and everyone who may describe it, reads user data; it stays in the state too.",
    fix="Let the machine read the secret from Secrets Manager or a SecureString, with its own role.",
    page=f"{EC2}/instancedata-add-user-data.html",
    types=MAKERS,
    lessons=["EVT-7"],
    frameworks=Frameworks(pci=("8.6.2",), checkov=("CKV_AWS_46",)),
    good=_GOOD,
    breaks=[
        {"locals.script": "#!/bin/sh\nexport DB_PASSWORD=hunter2-of-the-shop\n"},
        {_AT: "#!/bin/sh\nexport KEY=AKIAIOSFODNN7EXAMPLE\n"},
        {_TEMPLATE: '${base64encode("#!/bin/sh\\nexport DB=${random_password.db.result}\\n")}'},
        {
            "resource.aws_instance.web": {"user_data": '${templatefile("a.sh", {db = var.db})}'},
            "variable": {"db": {"sensitive": True}},
        },
    ],
    unknown_passes="what is known of the script is read; a variable that is not sensitive holds no secret",
)
def user_data_holds_no_secret(machine: Block) -> Iterator[Outcome]:
    """Shell variables, commands, paths and ARNs are no secrets, whatever they are assigned to."""
    for at in USER_DATA:
        raw = machine.raw(at)
        if raw is None:
            continue
        origin = _origin(machine, raw)
        if origin:
            yield replace(machine.fail(f"holds the secret {origin}; let the machine read it", at), value=_HIDDEN)
    found = script_of(machine)
    if found is None:
        return
    at, script, _ = found
    raw = str(machine.raw(at))
    written = _with_locals(machine, raw) if "${" in raw else script  # names of other blocks are no literals
    assigned = [value for value in _ASSIGNED.findall(script) if not _HARMLESS.match(value) and value in written]
    if _CREDENTIAL.search(script) or assigned:
        yield replace(machine.fail("holds a secret in plain text; let the machine read it", at), value=_HIDDEN)


def _origin(machine: Block, raw: object) -> str:
    """Return the secret that an attribute refers to, or nothing."""
    for target, reference in machine.stack.follow(raw, machine):
        if reference.path and (target.type, reference.path[0]) in _SECRETS:
            return f"{target.address}.{reference.path[0]}"
    for _, reference in (pair for pair in machine.edges if pair[0] in USER_DATA):
        variable = machine.stack.one(reference.block) if reference.kind == "var" else None
        if variable is not None and variable.flag("sensitive") is True:
            return reference.block
    return ""


@rule(
    "OPS-020",
    "User data is at most 16 KB",
    why="AWS refuses the machine; neither validate nor plan says so.",
    fix="Put the files into a bucket or an image, and let the script fetch them.",
    page=f"{EC2}/user-data.html",
    types=MAKERS,
    good=_GOOD,
    breaks=[{"locals.script": "#!/bin/sh\n" + "echo shop\n" * 2000}],
    unknown_passes="what is known is counted; what an apply decides is short",
)
def user_data_fits(machine: Block) -> Iterator[Outcome]:
    """Counted before Base64."""
    found = script_of(machine)
    if found is None:
        yield NotApplicable("it has none, or it is compressed")
        return
    at, script, known = found
    size = len(script.encode())
    if known and size > _MAX_BYTES:
        yield replace(machine.fail(f"has {size} bytes; must have at most {_MAX_BYTES}", at), value=f"{size} bytes")


@rule(
    "OPS-021",
    "A script in user data begins with its interpreter",
    why="After a blank the machine does not take it for a script: it starts without it, and nobody is told.",
    fix="Let #! be the first two characters: use <<-EOT, or trimspace().",
    page=f"{EC2}/user-data.html",
    types=MAKERS,
    good=_GOOD,
    breaks=[
        {"locals.script": "\n#!/bin/sh\ndnf install -y nginx\n"},
        {_AT: "    #!/bin/bash\n    echo ${aws_launch_template.web.id}\n"},
    ],
    unknown_passes="a script that is not known is not looked into",
)
def script_begins_with_its_interpreter(machine: Block) -> Iterator[Outcome]:
    """Where a launch template or instance gives one."""
    found = script_of(machine)
    if found is None:
        yield NotApplicable("it has none, or it is compressed")
        return
    at, script, _ = found
    if script[:1].isspace() and script.lstrip().startswith(("#!", "#cloud-config")):
        start = script.lstrip().split("\n", 1)[0]
        text = f"must begin with {start}, and begins with a blank: the machine would ignore it"
        yield replace(machine.fail(text, at), value=script[:20])
