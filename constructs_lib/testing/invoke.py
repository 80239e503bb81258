"""Runs a deployed function once: its package as the local AWS has it, in a process of its own.

A local AWS runs no functions. What is shown here is that the package which was deployed holds what its handler needs.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from constructs_lib.testing.local_aws.endpoint import Endpoint

# Python's own -I keeps the caller's folder and variables out.
_RUNNER: Final = """
import importlib, json, sys, types
package, module, name, function, arn, seconds = sys.argv[1:]
sys.path.insert(0, package)
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(
    function_name=function, invoked_function_arn=arn, aws_request_id="sample", function_version="$LATEST",
    memory_limit_in_mb="128", get_remaining_time_in_millis=lambda: int(seconds) * 1000,
)
answer = handler(json.load(sys.stdin), context)
print(f"\\n{json.dumps(answer)}")
"""


@dataclass(frozen=True)
class Function:
    """A function that is deployed.

    Attributes:
        name: Its name in AWS.
        region: Where it is.
    """

    name: str
    region: str


@dataclass(frozen=True)
class Answer:
    """What a function did.

    Attributes:
        value: What its handler returned.
        logs: What it printed.
    """

    value: object
    logs: str


def deployed_functions(state: Mapping[str, Any]) -> Iterator[Function]:
    """Yield the functions in a state file of Terraform's, by region and name."""
    found = [
        Function(attributes["function_name"], attributes["arn"].split(":")[3])
        for resource in state.get("resources", [])
        if (resource["mode"], resource["type"]) == ("managed", "aws_lambda_function")
        for attributes in (instance["attributes"] for instance in resource["instances"])
    ]
    yield from sorted(found, key=lambda function: (function.region, function.name))


def invoke(aws: Endpoint, function: Function, event: object) -> Answer:
    """Fetch the package of a function and give its handler an event.

    Raises:
        HarnessError: It is not written in Python, or it failed.
    """
    client = aws.client("lambda", function.region)
    described = client.get_function(FunctionName=function.name)
    settings = described["Configuration"]
    if not settings.get("Runtime", "").startswith("python"):
        raise HarnessError(f"{function.name}: only functions in Python can be run, not {settings.get('Runtime')}")
    module, _, name = settings["Handler"].rpartition(".")
    with tempfile.TemporaryDirectory(prefix="constructs-lib-invoke-") as folder:
        _unpack(described["Code"]["Location"], folder)
        arguments = [folder, module.replace("/", "."), name, function.name, settings["FunctionArn"]]
        try:
            done = subprocess.run(  # noqa: S603  the function that was deployed
                [sys.executable, "-I", "-c", _RUNNER, *arguments, str(settings["Timeout"])],
                cwd=folder,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    **settings.get("Environment", {}).get("Variables", {}),
                    **aws.environment,
                    "AWS_REGION": function.region,
                    "AWS_LAMBDA_FUNCTION_NAME": function.name,
                },
                input=json.dumps(event),
                capture_output=True,
                text=True,
                timeout=settings["Timeout"],
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HarnessError(f"{function.name}: longer than its timeout, {settings['Timeout']} s") from error
    if done.returncode:
        raise HarnessError(f"{function.name}: failed:\n{done.stderr.strip()}")
    logs, _, value = done.stdout.rstrip("\n").rpartition("\n")
    return Answer(json.loads(value), logs.strip())


def read_event(file: Path) -> object:
    """Read a sample event.

    Raises:
        HarnessError: There is no such file, or it is no JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{file}: no event: {error}") from error


def find_function(functions: list[Function], name: str) -> Function:
    """Return the first function with this name, or with this part of a name between hyphens.

    Raises:
        HarnessError: There is none.
    """
    for function in functions:
        if function.name == name or re.search(rf"(^|-){re.escape(name)}(-|$)", function.name):
            return function
    names = ", ".join(function.name for function in functions) or "none at all"
    raise HarnessError(f"no function {name!r} is deployed; there are: {names}")


def _unpack(location: str, folder: str) -> None:
    # By itself the local AWS is reached without a proxy, which the caller's variables may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(location) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as package:
        package.extractall(folder)
