"""The script that instances start with, rendered whole at synth: no file has to be there at apply."""

from __future__ import annotations

import base64
import html
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final

from constructs_lib.constructs.shared.environment_variables import is_secret
from constructs_lib.foundation.errors import Problems

MAX_BYTES: Final = 16 * 1024
"""See https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html."""
PAGES: Final = "/var/www/html"
PORT: Final = 8080
"""Where the web server listens; an application that takes its place need not run as root for it."""
INTERVAL: Final = 60
"""Seconds between two values of a metric."""

_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN: Final = re.compile(r"[^'\\\x00-\x1f\x7f\ud800-\udfff]*")
_MARK: Final = re.compile(r"@([a-z_]+)@")
_EXPRESSION: Final = re.compile(r'\$\{(?:[^{}"]|"(?:[^"\\]|\\.)*"|\{[^{}]*\})*\}')
"""What Terraform puts a value in place of, with strings and one level of braces in it."""
_LONE_NAME: Final = re.compile(r"\$\{\w+\}")
_PLACE: Final = re.compile(r"\\u0000([0-9]+)\\u0000")
"""What stands for an expression in the script as JSON; nothing else has the character."""
_OF_THE_SHELL: Final = ("BASHOPTS", "BASH_VERSINFO", "EUID", "PATH", "PPID", "SHELLOPTS", "UID")


@dataclass(frozen=True)
class Machine:
    """What the script of one web tier is made from.

    Attributes:
        title: What the page is headed with.
        facts: What the page says, in its order: the region above all.
        group: Name of the Auto Scaling group, a dimension of the metrics.
        namespace: Namespace of the metrics.
        log_group: Name of the log group.
        network: Range of the VPC, where the load balancer's addresses are.
        health_path: What the load balancer asks for.
        commands: Lines of shell that run before the web server starts.
        settings: Environment variables of the commands and the web server; values may be references.
    """

    title: str
    facts: Mapping[str, str]
    group: str
    namespace: str
    log_group: str
    network: str
    health_path: str
    commands: Sequence[str]
    settings: Mapping[str, str]


def render(machine: Machine) -> str:
    """Return the script; references stand in it as they were given."""
    health = "/index.html" if machine.health_path == "/" else machine.health_path
    own = health != "/index.html"
    parts = {
        "agent": json.dumps(agent_configuration(machine), indent=1),
        "settings": "\n".join(f"{key}='{value}'" for key, value in sorted(machine.settings.items())),
        "network": machine.network,
        "pages": PAGES,
        "port": str(PORT),
        "page": page(machine),
        "health_folder": posixpath.dirname(PAGES + health),
        # A path that is the page itself is answered by the page.
        "health_file": PAGES + health if own else "/dev/null",
        "commands": "\n".join(machine.commands),
    }
    return _MARK.sub(lambda mark: parts[mark[1]], _template())


def encoded(machine: Machine) -> str:
    """Return the script as Base64; as an expression for Terraform where settings are known at apply only."""
    expressions: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        expressions.append(found[0])
        return f"\x00{len(expressions) - 1}\x00"

    settings = {key: _EXPRESSION.sub(set_aside, value) for key, value in machine.settings.items()}
    if not expressions:
        return base64.b64encode(render(machine).encode()).decode()
    script = render(replace(machine, settings=settings))
    # What looks like an expression in the script is shell.
    text = json.dumps(script, ensure_ascii=False)[1:-1].replace("${", "$${").replace("%{", "%%{")
    text = _PLACE.sub(lambda place: expressions[int(place[1])], text)
    return f'${{base64encode("{text}")}}'


def page(machine: Machine) -> str:
    """Return the page that is served until the commands put another one there."""
    title = html.escape(machine.title)
    facts = "\n".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in machine.facts.items())
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return (
        f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n<h1>{title}</h1>\n<dl>\n{facts}\n</dl>\n</body>\n</html>'
    )


def agent_configuration(machine: Machine) -> dict[str, Any]:
    """Return the configuration of the CloudWatch agent: memory and disk, which EC2 does not see, and the logs.

    The group's name is written into it: the agent would need leave to read every tag of the account to find it.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html.
    """
    group = {"AutoScalingGroupName": machine.group}
    files = {
        "access": "/var/log/httpd/access_log",
        "error": "/var/log/httpd/error_log",
        "setup": "/var/log/web-tier-setup.log",
    }
    return {
        "agent": {"metrics_collection_interval": INTERVAL, "run_as_user": "root"},
        "metrics": {
            "namespace": machine.namespace,
            "append_dimensions": {"InstanceId": "${aws:InstanceId}"},
            "aggregation_dimensions": [["AutoScalingGroupName"]],
            "metrics_collected": {
                "mem": {"measurement": ["mem_used_percent"], "append_dimensions": group},
                "disk": {
                    "measurement": ["used_percent"],
                    "resources": ["/"],
                    "drop_device": True,
                    "append_dimensions": group,
                },
            },
        },
        "logs": {
            "logs_collected": {
                "files": {
                    "collect_list": [
                        {
                            "file_path": file,
                            "log_group_name": machine.log_group,
                            "log_stream_name": f"{{instance_id}}/{stream}",
                        }
                        for stream, file in files.items()
                    ]
                }
            }
        },
    }


def check_settings(problems: Problems, settings: object) -> None:
    """Note variables that the shell does not take, and those that everybody on the machine should not read."""
    if not isinstance(settings, Mapping):
        problems.stop("settings", settings, "must be a mapping of names to strings")
    for key, value in settings.items():
        argument = f"settings[{key!r}]"
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            problems.add(argument, value, "a key is capital letters, digits and underscores, a letter first")
        elif key in _OF_THE_SHELL:
            problems.add(argument, value, "is the shell's own, which runs the script; choose another name")
        elif not isinstance(value, str):
            problems.add(argument, value, f"must be a string, not a {type(value).__name__}")
        elif is_secret(key, value):
            # The value stays out of the message: it would end up in the build's log.
            problems.add(
                argument,
                "***",
                "looks like a secret, and everyone who may describe the instances would read it; keep it in a "
                f"SecretParameter and give its ARN, as {key}_ARN",
            )
        else:
            _check_text(problems, argument, value)


def _check_text(problems: Problems, argument: str, value: str) -> None:
    """Note text that the settings' file cannot hold; what expressions stand for is known at apply only."""
    plain = _EXPRESSION.sub("", value)
    problems.check(
        _PLAIN.fullmatch(plain),
        argument,
        value,
        "must be one line without single quotes, backslashes and control characters",
    )
    problems.check("${" not in plain, argument, value, "begins a reference with ${ that does not end")
    for name in _LONE_NAME.findall(value):
        problems.add(
            argument,
            value,
            f"nothing replaces {name}: it is no reference of Terraform; set such a variable in commands",
        )


def check_size(problems: Problems, machine: Machine) -> None:
    """Note a script that EC2 refuses; what is known at apply only counts for nothing."""
    known = {key: _EXPRESSION.sub("", value) for key, value in machine.settings.items()}
    size = len(render(replace(machine, settings=known)).encode())
    problems.check(
        size <= MAX_BYTES,
        "commands",
        f"{len(machine.commands)} lines",
        f"the user data has {size} bytes with them, and EC2 takes {MAX_BYTES}: fetch the application from a bucket, or "
        "put it into an image",
    )


@cache
def _template() -> str:
    return resources.files(__package__).joinpath("user_data.sh").read_text(encoding="utf-8")
