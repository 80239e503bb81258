"""Invokes a deployed Lambda function: downloads its package from the local AWS and calls the handler in a new process.

The local AWS itself does not run functions. An invocation shows that the deployed package has what its handler needs.
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

# Python runs it with -I: without the current folder and PYTHON* variables.
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
    """A deployed Lambda function.

    Attributes:
        name: The function name.
        region: Its Region.
    """

    name: str
    region: str


@dataclass(frozen=True)
class Answer:
    """The result of an invocation.

    Attributes:
        value: The handler's return value.
        logs: The handler's output.
    """

    value: object
    logs: str


def deployed_functions(state: Mapping[str, Any]) -> Iterator[Function]:
    """Yield the functions in a Terraform state, sorted by Region and name."""
    found = [
        Function(attributes["function_name"], attributes["arn"].split(":")[3])
        for resource in state.get("resources", [])
        if (resource["mode"], resource["type"]) == ("managed", "aws_lambda_function")
        for attributes in (instance["attributes"] for instance in resource["instances"])
    ]
    yield from sorted(found, key=lambda function: (function.region, function.name))


def invoke(aws: Endpoint, function: Function, event: object) -> Answer:
    """Invoke a function with an event.

    Raises:
        HarnessError: The runtime is not Python, or the invocation failed.
    """
    client = aws.client("lambda", function.region)
    described = client.get_function(FunctionName=function.name)
    settings = described["Configuration"]
    if not settings.get("Runtime", "").startswith("python"):
        raise HarnessError(f"{function.name}: only Python runtimes can be invoked, not {settings.get('Runtime')}")
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
            raise HarnessError(f"{function.name}: invocation timed out after {settings['Timeout']} s") from error
    if done.returncode:
        raise HarnessError(f"{function.name}: invocation failed:\n{done.stderr.strip()}")
    logs, _, value = done.stdout.rstrip("\n").rpartition("\n")
    return Answer(json.loads(value), logs.strip())


def read_event(file: Path) -> object:
    """Read a sample event.

    Raises:
        HarnessError: The file was not found, or it is not valid JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{file}: event cannot be read: {error}") from error


def find_function(functions: list[Function], name: str) -> Function:
    """Return the first function whose name is `name` or contains it between hyphens.

    Raises:
        HarnessError: No function matches.
    """
    for function in functions:
        if function.name == name or re.search(rf"(^|-){re.escape(name)}(-|$)", function.name):
            return function
    names = ", ".join(function.name for function in functions) or "none"
    raise HarnessError(f"function {name!r} is not deployed; deployed functions: {names}")


def _unpack(location: str, folder: str) -> None:
    # The proxy variables of the caller do not apply to the local AWS.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(location) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as package:
        package.extractall(folder)
