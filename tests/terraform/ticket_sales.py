"""The deployed ticket functions, run over a local AWS in as many processes as are asked for, and a cache for them.

Packages, layers and variables come from the local AWS; each process has nothing of this repository on its path. Only
where the cache is, whether it has TLS, and how long it is waited for are not as deployed: a local AWS has no cache, and a
machine that is busy with other tests is not a cache that is away.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

import pytest

from tests.terraform.events_pipeline import unpack
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from constructs_lib.testing.local_aws.endpoint import Endpoint

THREADS: Final = 8

RUNNER: Final = """
import importlib, json, sys, types
from concurrent.futures import ThreadPoolExecutor
asked, answers, module, name, threads, *paths = sys.argv[1:]
sys.path[:0] = paths
handler = getattr(importlib.import_module(module), name)
cache = importlib.import_module("ticket_cache")
cache.CONNECT_SECONDS = cache.TIMEOUT_SECONDS = 5.0
def call(event):
    context = types.SimpleNamespace(aws_request_id=None, get_remaining_time_in_millis=lambda: 30_000)
    return handler(event, context)
with open(asked) as file:
    events = json.load(file)
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(int(threads)) as pool:
    found = list(pool.map(call, events))
with open(answers, "w") as file:
    json.dump(found, file)
"""


class Cache(NamedTuple):
    """Where a cache answers, and the program of a real one."""

    endpoint: str
    program: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a function that are not as deployed."""
        return {"CACHE_ENDPOINT": self.endpoint, "CACHE_TLS": "false"}


class Answer(NamedTuple):
    """What a caller was answered."""

    status: int
    body: dict[str, Any]


class Sales:
    """The deployed functions of one environment in one region."""

    def __init__(self, aws: Endpoint, outputs: Mapping[str, Any], region: str, folder: Path) -> None:
        self.aws, self.outputs, self.region = aws, outputs, region
        self.place = region.replace("-", "_")
        self.logs: list[dict[str, Any]] = []
        self._folder = folder
        self._paths: dict[str, list[Path]] = {}
        self._client = aws.client("lambda", region)
        self._table = aws.client("dynamodb", region)

    def put_on_sale(self, event: str, tickets: int, home: str) -> None:
        """Put tickets of an event on sale in a region."""
        item = {"pk": {"S": f"EVENT#{event}"}, "remaining": {"N": str(tickets)}, "home_region": {"S": home}}
        self._table.put_item(TableName=self.table, Item=item)

    def buy(self, orders: Sequence[tuple[str, str, int]], cache: Cache, processes: int = 1) -> list[Answer]:
        """Send orders, each an idempotency key, an event and a quantity, all at the same time."""
        events = [
            self._request(
                "POST", "/purchases", {"Idempotency-Key": key}, json.dumps({"event_id": name, "quantity": many})
            )
            for key, name, many in orders
        ]
        return self._call("purchase", events, cache, processes)

    def look_up(self, event: str, cache: Cache, times: int = 1) -> list[Answer]:
        """Ask how many tickets are left."""
        request = {**self._request("GET", "/events/{event_id}/tickets"), "pathParameters": {"event_id": event}}
        return self._call("inventory", [request] * times, cache, 1)

    def remaining(self, event: str) -> int:
        """Return how many tickets the table has left."""
        item = self._table.get_item(TableName=self.table, Key={"pk": {"S": f"EVENT#{event}"}})["Item"]
        return int(item["remaining"]["N"])

    def sold(self, event: str) -> int:
        """Return how many tickets the sales in the table are for."""
        pages = self._table.get_paginator("scan").paginate(TableName=self.table)
        items = [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith("SALE#")]
        return sum(int(item["quantity"]["N"]) for item in items if item["event_id"]["S"] == event)

    @property
    def table(self) -> str:
        """The table's name."""
        return str(self.outputs[f"inventory_name_{self.place}"])

    def user(self) -> tuple[str, str]:
        """Return the name and the access string of the deployed cache's user."""
        name = self._settings("purchase")["Environment"]["Variables"]["CACHE_USER"]
        (user,) = self.aws.client("elasticache", self.region).describe_users(UserId=name)["Users"]
        return name, user["AccessString"]

    def _request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> dict[str, Any]:
        """Return what API Gateway makes of a request; the deployed API must lead to the function's alias."""
        return {
            "httpMethod": method,
            "path": path,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "requestContext": {"requestId": str(uuid4())},
            "body": body,
            "isBase64Encoded": False,
        }

    def leads_to(self, method: str, path: str) -> str:
        """Return the name of the function that the deployed API calls for a method of a path."""
        gateway, api = self.aws.client("apigateway", self.region), self.outputs[f"api_id_{self.place}"]
        resources = gateway.get_resources(restApiId=api, limit=500)["items"]
        (resource,) = [one["id"] for one in resources if one["path"] == path]
        uri = gateway.get_integration(restApiId=api, resourceId=resource, httpMethod=method)["uri"]
        found = re.search(r":function:([\w-]+):live/invocations$", uri)
        assert found, uri
        return found[1]

    def _settings(self, task: str) -> dict[str, Any]:
        name = self.outputs[f"{task}_fn_function_name_{self.place}"]
        described: dict[str, Any] = self._client.get_function(FunctionName=name, Qualifier="live")
        if task not in self._paths:
            folder = self._folder / name
            paths = [unpack(described["Code"]["Location"], folder)]
            for layer in described["Configuration"]["Layers"]:
                layer_name, _, version = layer["Arn"].rpartition(":")
                found = self._client.get_layer_version(LayerName=layer_name, VersionNumber=int(version))
                paths.append(unpack(found["Content"]["Location"], folder.with_suffix(".layer")) / "python")
            self._paths[task] = paths
        settings: dict[str, Any] = described["Configuration"]
        return settings

    def _call(self, task: str, events: Sequence[dict[str, Any]], cache: Cache, processes: int) -> list[Answer]:
        settings = self._settings(task)
        module, _, handler = settings["Handler"].rpartition(".")
        variables = {
            "PATH": os.environ.get("PATH", ""),
            **settings["Environment"]["Variables"],
            **self.aws.environment,
            **cache.variables,
            "AWS_REGION": self.region,
        }
        folder = self._folder / uuid4().hex
        folder.mkdir()
        running = []
        for number in range(processes):
            asked, answers, log = (folder / f"{number}.{end}" for end in ("asked", "answers", "log"))
            asked.write_text(json.dumps(events[number::processes]), encoding="utf-8")
            arguments = [asked, answers, module, handler, THREADS, *self._paths[task]]
            with log.open("w", encoding="utf-8") as output:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-c", RUNNER, *map(str, arguments)],
                    cwd=folder,
                    env=variables,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    text=True,
                )
            running.append((process, answers, log))
        logs = [log for _, _, log in running]
        wait_for(lambda: all("ready" in log.read_text(encoding="utf-8") for log in logs), "all functions")
        for process, _, _ in running:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        found: list[Any] = [None] * len(events)
        for number, (process, answers, log) in enumerate(running):
            process.communicate(timeout=600)
            assert process.returncode == 0
            found[number::processes] = json.loads(answers.read_text(encoding="utf-8"))
            lines = log.read_text(encoding="utf-8").splitlines()
            self.logs += [json.loads(line) for line in lines if line.startswith("{")]
        return [Answer(one["statusCode"], json.loads(one["body"])) for one in found]


@contextlib.contextmanager
def real_cache(folder: Path, user: str, access: str) -> Iterator[Cache]:
    """Start a real server with one user, who may do what an access string says; whatever token he logs in with."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("neither redis-server nor valkey-server is on PATH: nothing was sold with a real cache")
    port = free_port()
    lines = [
        *("bind 127.0.0.1", f"port {port}", 'save ""', "appendonly no", f"dir {folder}", "user default off"),
        # A local AWS has no IAM that would vouch for the token.
        f"user {user} {access.replace('on ', 'on nopass ', 1)}",
    ]
    settings = folder / "cache.conf"
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with subprocess.Popen([program, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: ask(port, "PING").startswith("-NOAUTH"), "the cache server")
            yield Cache(f"127.0.0.1:{port}", program)
        finally:
            server.terminate()


def commands_of(cache: Cache, user: str) -> str:
    """Return what a real server answers when the user of the functions counts what it did."""
    port = int(cache.endpoint.rpartition(":")[2])
    return ask(port, f"AUTH {user} any\r\nINFO commandstats")


def ask(port: int, command: str) -> str:
    """Send a line to a server and return its answer; empty while it does not listen."""
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(f"{command}\r\n".encode())
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts).decode()
    except OSError:
        return ""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
