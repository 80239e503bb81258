"""User data of EC2 instances and launch templates."""

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
    "User data file exists",
    why="Terraform fails at plan when file() or templatefile() does not find the file.",
    fix="Write the script into the configuration, or put the file into its folder and use a path with ${path.module}.",
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
    unknown_passes="a script from a variable is not read from a file here",
)
def files_exist(block: Block) -> Iterator[Outcome]:
    """Find relative paths in the folder of the stack; skip absolute paths."""
    names = ("template", *(f"{part.at}.content" for part in block.sections("part")))
    places = ((at, str(block.raw(at) or "")) for at in (names if block.type in _RENDERERS else USER_DATA))
    folder = block.stack.source.folder
    for at, text in places:
        for function, path in _CALL.findall(_with_locals(block, text)):
            plain = _HERE.sub(".", path)
            if "${" in plain:
                yield block.undecided(Unknown(f"the path {path} contains other values"), at)
            elif plain.startswith("/"):
                yield NotApplicable("its path is absolute")
            elif not (folder / plain).is_file():
                yield block.fail(f"must read a file that exists; {function}() reads {path}: file not found", at)


def _with_locals(block: Block, text: str, depth: int = 5) -> str:
    """Return a text followed by the local values that it refers to."""
    found = [text]
    for name in re.findall(r"\blocal\.([\w-]+)", text) if depth else ():
        local = block.stack.one(f"local.{name}")
        if local is not None:
            found.append(_with_locals(block, str(local.body.get("value")), depth - 1))
    return "\n".join(found)


@rule(
    "OPS-018",
    "Launch template user data is Base64-encoded",
    why="AWS rejects the launch template at apply; validate and plan do not report it.",
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
def template_is_base64(instance: Block) -> Iterator[Outcome]:
    """Check user_data of a launch template, and user_data_base64 of an instance."""
    at = "user_data" if instance.type == TEMPLATE else "user_data_base64"
    value = instance.get(at)
    if isinstance(value, Unknown):
        if value.text.startswith(("#", "Content-Type:", "MIME-Version:", "<powershell>")):
            yield instance.fail("must be Base64: wrap it in base64encode()", at)
        elif not isinstance(value, Computed) and value.text.startswith("${var."):
            yield instance.undecided(value, at)
    elif value not in (None, "") and decode(str(value)) is None:
        yield instance.fail("must be Base64: wrap it in base64encode()", at)


@rule(
    "OPS-019",
    "User data contains no secrets",
    why="User data is readable for every process on the instance, with ec2:DescribeInstanceAttribute and in the "
    "Terraform state.",
    fix="Read the secret from Secrets Manager or a SecureString parameter on the instance, with the role of the "
    "instance.",
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
    unknown_passes="the known part of the script is checked; a variable that is not sensitive is not a secret",
)
def user_data_holds_no_secret(instance: Block) -> Iterator[Outcome]:
    """Shell variables, commands, paths and ARNs are not secrets, whatever the name of the variable."""
    for at in USER_DATA:
        raw = instance.raw(at)
        if raw is None:
            continue
        origin = _origin(instance, raw)
        if origin:
            text = f"must not contain the secret {origin}; read it on the instance"
            yield replace(instance.fail(text, at), value=_HIDDEN)
    found = script_of(instance)
    if found is None:
        return
    at, script, _ = found
    raw = str(instance.raw(at))
    written = _with_locals(instance, raw) if "${" in raw else script  # names of other blocks are not literals
    assigned = [value for value in _ASSIGNED.findall(script) if not _HARMLESS.match(value) and value in written]
    if _CREDENTIAL.search(script) or assigned:
        yield replace(
            instance.fail("must not contain a secret in plain text; read it on the instance", at), value=_HIDDEN
        )


def _origin(instance: Block, raw: object) -> str:
    """Return the secret that an argument refers to, or an empty string."""
    for target, reference in instance.stack.follow(raw, instance):
        if reference.path and (target.type, reference.path[0]) in _SECRETS:
            return f"{target.address}.{reference.path[0]}"
    for _, reference in (pair for pair in instance.edges if pair[0] in USER_DATA):
        variable = instance.stack.one(reference.block) if reference.kind == "var" else None
        if variable is not None and variable.flag("sensitive") is True:
            return reference.block
    return ""


@rule(
    "OPS-020",
    "User data does not exceed 16 KB",
    why="AWS rejects the instance at apply; validate and plan do not report it.",
    fix="Store files in an S3 bucket or the AMI, and download them in the script.",
    page=f"{EC2}/user-data.html",
    types=MAKERS,
    good=_GOOD,
    breaks=[{"locals.script": "#!/bin/sh\n" + "echo shop\n" * 2000}],
    unknown_passes="only known values are counted; values that are known after apply are short",
)
def user_data_fits(instance: Block) -> Iterator[Outcome]:
    """Count the bytes before Base64 encoding."""
    found = script_of(instance)
    if found is None:
        yield NotApplicable("it has none, or it is compressed")
        return
    at, script, known = found
    size = len(script.encode())
    if known and size > _MAX_BYTES:
        yield replace(instance.fail(f"must have at most {_MAX_BYTES} bytes; it has {size}", at), value=f"{size} bytes")


@rule(
    "OPS-021",
    "User data script starts with #! or #cloud-config",
    why="With a leading space or line break, cloud-init does not run the script, and reports no error.",
    fix="Remove the leading space, for example with <<-EOT or trimspace().",
    page=f"{EC2}/user-data.html",
    types=MAKERS,
    good=_GOOD,
    breaks=[
        {"locals.script": "\n#!/bin/sh\ndnf install -y nginx\n"},
        {_AT: "    #!/bin/bash\n    echo ${aws_launch_template.web.id}\n"},
    ],
    unknown_passes="an unknown script cannot be checked",
)
def script_has_no_leading_space(instance: Block) -> Iterator[Outcome]:
    """Check the decoded script."""
    found = script_of(instance)
    if found is None:
        yield NotApplicable("it has none, or it is compressed")
        return
    at, script, _ = found
    if script[:1].isspace() and script.lstrip().startswith(("#!", "#cloud-config")):
        start = script.lstrip().split("\n", 1)[0]
        text = f"must start with {start}, without leading spaces or line breaks; otherwise cloud-init ignores it"
        yield replace(instance.fail(text, at), value=script[:20])
