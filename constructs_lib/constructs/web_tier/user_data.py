"""The user data of the instances: a shell script that is rendered at synth."""

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
"""The port of the web server: an application can listen on it without root."""
INTERVAL: Final = 60
"""Period of the CloudWatch agent's metrics in seconds."""

_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN: Final = re.compile(r"[^'\\\x00-\x1f\x7f\ud800-\udfff]*")
_MARK: Final = re.compile(r"@([a-z_]+)@")
_EXPRESSION: Final = re.compile(r'\$\{(?:[^{}"]|"(?:[^"\\]|\\.)*"|\{[^{}]*\})*\}')
"""A Terraform expression, which may contain strings and one level of braces."""
_LONE_NAME: Final = re.compile(r"\$\{\w+\}")
_PLACE: Final = re.compile(r"\\u0000([0-9]+)\\u0000")
"""The placeholder of an expression in the script as JSON."""
_OF_THE_SHELL: Final = ("BASHOPTS", "BASH_VERSINFO", "EUID", "PATH", "PPID", "SHELLOPTS", "UID")


@dataclass(frozen=True)
class UserData:
    """The values of the script.

    Attributes:
        title: Title of the page.
        facts: What the page shows, in this order.
        group: Name of the Auto Scaling group, a dimension of the metrics.
        namespace: Namespace of the metrics.
        log_group: Name of the log group.
        network: CIDR block of the VPC, which contains the load balancer's addresses.
        health_path: Health check path.
        commands: Shell commands that run before the web server starts.
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


def render(user_data: UserData) -> str:
    """Return the script; references are not resolved."""
    health = "/index.html" if user_data.health_path == "/" else user_data.health_path
    own = health != "/index.html"
    parts = {
        "agent": json.dumps(agent_configuration(user_data), indent=1),
        "settings": "\n".join(f"{key}='{value}'" for key, value in sorted(user_data.settings.items())),
        "network": user_data.network,
        "pages": PAGES,
        "port": str(PORT),
        "page": page(user_data),
        "health_folder": posixpath.dirname(PAGES + health),
        # A health check path that is the page needs no file.
        "health_file": PAGES + health if own else "/dev/null",
        "commands": "\n".join(user_data.commands),
    }
    return _MARK.sub(lambda mark: parts[mark[1]], _template())


def encoded(user_data: UserData) -> str:
    """Return the script as Base64, or a Terraform expression for it if settings have references."""
    expressions: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        expressions.append(found[0])
        return f"\x00{len(expressions) - 1}\x00"

    settings = {key: _EXPRESSION.sub(set_aside, value) for key, value in user_data.settings.items()}
    if not expressions:
        return base64.b64encode(render(user_data).encode()).decode()
    script = render(replace(user_data, settings=settings))
    # Everything else that looks like an expression is shell.
    text = json.dumps(script, ensure_ascii=False)[1:-1].replace("${", "$${").replace("%{", "%%{")
    text = _PLACE.sub(lambda place: expressions[int(place[1])], text)
    return f'${{base64encode("{text}")}}'


def page(user_data: UserData) -> str:
    """Return the page that is served until the commands replace it."""
    title = html.escape(user_data.title)
    facts = "\n".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in user_data.facts.items())
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return (
        f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n<h1>{title}</h1>\n<dl>\n{facts}\n</dl>\n</body>\n</html>'
    )


def agent_configuration(user_data: UserData) -> dict[str, Any]:
    """Return the configuration of the CloudWatch agent: metrics of memory and disk, and the logs.

    It contains the group's name: the agent could find it only with permission to read every tag of the account.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html.
    """
    group = {"AutoScalingGroupName": user_data.group}
    files = {
        "access": "/var/log/httpd/access_log",
        "error": "/var/log/httpd/error_log",
        "setup": "/var/log/web-tier-setup.log",
    }
    return {
        "agent": {"metrics_collection_interval": INTERVAL, "run_as_user": "root"},
        "metrics": {
            "namespace": user_data.namespace,
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
                            "log_group_name": user_data.log_group,
                            "log_stream_name": f"{{instance_id}}/{stream}",
                        }
                        for stream, file in files.items()
                    ]
                }
            }
        },
    }


def check_settings(problems: Problems, settings: object) -> None:
    """Report environment variables that the shell does not allow, and secrets."""
    if not isinstance(settings, Mapping):
        problems.stop("settings", settings, "must be a dict of strings by name")
    for key, value in settings.items():
        argument = f"settings[{key!r}]"
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            problems.add(
                argument, value, "a name must be upper-case letters, digits and underscores, and start with a letter"
            )
        elif key in _OF_THE_SHELL:
            problems.add(argument, value, "is reserved by the shell that runs the script; choose another name")
        elif not isinstance(value, str):
            problems.add(argument, value, f"must be a string, not a {type(value).__name__}")
        elif is_secret(key, value):
            # Without the value, which would be written to the build's log.
            problems.add(
                argument,
                "***",
                "looks like a secret: everyone who may describe the launch template can read it. Store it in a "
                f"SecretParameter and pass its ARN as {key}_ARN",
            )
        else:
            _check_text(problems, argument, value)


def _check_text(problems: Problems, argument: str, value: str) -> None:
    plain = _EXPRESSION.sub("", value)
    problems.check(
        _PLAIN.fullmatch(plain),
        argument,
        value,
        "must be one line without single quotes, backslashes and control characters",
    )
    problems.check("${" not in plain, argument, value, "has a reference without its closing brace")
    for name in _LONE_NAME.findall(value):
        problems.add(
            argument,
            value,
            f"{name} is not a Terraform reference and is not expanded; set the variable in commands",
        )


def check_size(problems: Problems, user_data: UserData) -> None:
    """Report a script that is larger than EC2 allows, without the values of references."""
    known = {key: _EXPRESSION.sub("", value) for key, value in user_data.settings.items()}
    size = len(render(replace(user_data, settings=known)).encode())
    problems.check(
        size <= MAX_BYTES,
        "commands",
        f"{len(user_data.commands)} lines",
        f"the user data has {size} bytes with them; EC2 allows {MAX_BYTES}. Download the application from a bucket, or "
        "build an AMI",
    )


@cache
def _template() -> str:
    return resources.files(__package__).joinpath("user_data.sh").read_text(encoding="utf-8")
