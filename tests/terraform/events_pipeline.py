"""What AWS does between the parts of the deployed events stack, over a local AWS, which runs no functions.

The functions' packages and layers come from the local AWS; each function is a process of its own with nothing of this
repository on its path. API Gateway's part is taken from what was deployed: authorizer, integration, policy. So is
Lambda's for the queues: batch size, single failures, and receives until the dead-letter queue.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from stacks.events import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from constructs_lib.testing.local_aws.endpoint import Endpoint

PLACE: Final = REGION.replace("-", "_")
ACCOUNT: Final = "123456789012"
ANSWER: Final = "answer: "

RUNNER: Final = """
import importlib, json, sys, types
sys.path[:0] = sys.argv[3:]
handler = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
for line in sys.stdin:
    context = types.SimpleNamespace(aws_request_id=None, get_remaining_time_in_millis=lambda: 30_000)
    try:
        answer = {"value": handler(json.loads(line), context)}
    except Exception as error:
        answer = {"error": str(error)}
    print("answer: " + json.dumps(answer), flush=True)
"""


class Function:
    """A deployed function in a process of its own."""

    def __init__(self, aws: Endpoint, name: str, folder: Path, endpoint: str | None) -> None:
        client = aws.client("lambda", REGION)
        described = client.get_function(FunctionName=name, Qualifier="live")
        settings = described["Configuration"]
        own = folder / name
        paths = [unpack(described["Code"]["Location"], own)]
        for layer in settings.get("Layers", []):
            layer_name, _, version = layer["Arn"].rpartition(":")
            found = client.get_layer_version(LayerName=layer_name, VersionNumber=int(version))
            paths.append(unpack(found["Content"]["Location"], own.with_suffix(".layer")) / "python")
        module, _, handler = settings["Handler"].rpartition(".")
        self.logs: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", RUNNER, module, handler, *map(str, paths)],
            cwd=own,
            env={
                "PATH": os.environ.get("PATH", ""),
                **settings["Environment"]["Variables"],
                **aws.environment,
                **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
                "AWS_REGION": REGION,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, event: object) -> dict[str, Any]:
        """Return the `value` that the handler answered, or the text of its `error`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(event)}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                answer: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
                return answer
            self.logs.append(json.loads(line))
        raise AssertionError(f"the function ended with {self._process.wait()}")

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=300)


class Pipeline:
    """The deployed stack of one environment."""

    def __init__(self, aws: Endpoint, outputs: Mapping[str, Any], folder: Path) -> None:
        self.aws = aws
        self.outputs = outputs
        self.last_request = ""
        self._folder = folder
        self._sqs = aws.client("sqs", REGION)
        self._table = aws.client("dynamodb", REGION)
        self._cleanup = contextlib.ExitStack()
        self._functions: dict[str, Function] = {}

    def __enter__(self) -> Self:
        # The local AWS would give each message to Docker; delivering is this class's part.
        client = self.aws.client("lambda", REGION)
        for queue in ("incoming", "processed"):
            uuid = self._mapping(queue)["UUID"]
            client.update_event_source_mapping(UUID=uuid, Enabled=False)
            self._cleanup.callback(client.update_event_source_mapping, UUID=uuid, Enabled=True)
        for name in ("auth", "ingest", "process", "store"):
            self._functions[self._name(name)] = self._cleanup.enter_context(self.function(name))
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    @contextlib.contextmanager
    def function(self, name: str, endpoint: str | None = None) -> Iterator[Function]:
        """Run one function, at another endpoint than the local AWS if told so."""
        folder = self._folder / uuid4().hex
        folder.mkdir()
        with contextlib.closing(Function(self.aws, self._name(name), folder, endpoint)) as function:
            yield function

    def post(self, token: str | None, body: object) -> dict[str, Any]:
        """Send a request to POST /events, and return the answer."""
        gateway, api = self.aws.client("apigateway", REGION), self.outputs[f"api_id_{PLACE}"]
        (resource,) = (one for one in gateway.get_resources(restApiId=api)["items"] if one["path"] == "/events")
        method = gateway.get_method(restApiId=api, resourceId=resource["id"], httpMethod="POST")
        integration = gateway.get_integration(restApiId=api, resourceId=resource["id"], httpMethod="POST")
        assert (method["authorizationType"], integration["type"]) == ("CUSTOM", "AWS_PROXY")
        authorizer = gateway.get_authorizer(restApiId=api, authorizerId=method["authorizerId"])
        assert (authorizer["type"], authorizer["identitySource"]) == ("TOKEN", "method.request.header.Authorization")
        if token is None or not re.fullmatch(authorizer["identityValidationExpression"], token):
            return {"statusCode": 401, "body": ""}
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/live/POST/events"
        asked = {"type": "TOKEN", "authorizationToken": token, "methodArn": arn}
        allowed = self._behind(authorizer["authorizerUri"]).call(asked)
        (statement,) = allowed["value"]["policyDocument"]["Statement"]
        assert fnmatch.fnmatchcase(arn, statement["Resource"])
        if statement["Effect"] == "Deny":
            return {"statusCode": 403, "body": ""}
        self.last_request = str(uuid4())
        request = {
            "httpMethod": "POST",
            "path": "/events",
            "headers": {"Content-Type": "application/json", "Authorization": token},
            "requestContext": {"requestId": self.last_request, "authorizer": allowed["value"]["context"]},
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }
        answer: dict[str, Any] = self._behind(integration["uri"]).call(request)["value"]
        return answer

    def deliver(self, queue: str, function: Function | None = None) -> int | None:
        """Give one batch of a queue to its function as Lambda does; return how many messages failed, or None."""
        mapping = self._mapping(queue)
        url = self.outputs[f"{queue}_url_{PLACE}"]
        found = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=mapping["BatchSize"], WaitTimeSeconds=0, AttributeNames=["All"]
        ).get("Messages", [])
        if not found:
            return None
        records = [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
                "eventSource": "aws:sqs",
                "eventSourceARN": mapping["EventSourceArn"],
                "awsRegion": REGION,
            }
            for one in found
        ]
        answer = (function or self._behind(mapping["FunctionArn"])).call({"Records": records})
        every = {one["MessageId"] for one in found}
        named = {one["itemIdentifier"] for one in answer["value"]["batchItemFailures"]} if "value" in answer else every
        assert named <= every
        for one in found:
            if one["MessageId"] in named:
                # In place of waiting until it shows up again.
                self._sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0
                )
            else:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return len(named)

    def run(self) -> dict[str, int]:
        """Deliver until both queues are empty; return how many deliveries failed, by queue."""
        failed = {}
        for queue in ("incoming", "processed"):
            count = 0
            while (more := self.deliver(queue)) is not None:
                count += more
            if count:
                failed[queue] = count
        return failed

    def logs(self, function: str) -> list[dict[str, Any]]:
        """Return what a function wrote."""
        return self._functions[self._name(function)].logs

    def waiting(self, queue: str) -> int:
        """Return how many messages a queue has to give."""
        url = self.outputs[f"{queue}_url_{PLACE}"]
        asked = ["ApproximateNumberOfMessages"]
        return int(self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"][asked[0]])

    def dead_letters(self, queue: str) -> list[str]:
        """Take what is in the dead-letter queue of a queue."""
        url = self.outputs[f"{queue}_dead_letter_url_{PLACE}"]
        found = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
        for one in found:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return [one["Body"] for one in found]

    def stored(self) -> list[str]:
        """Return the ids of what the table holds."""
        items = self._table.scan(TableName=self.outputs[f"records_name_{PLACE}"])["Items"]
        return sorted(item["pk"]["S"] for item in items)

    def item(self, id_: str) -> dict[str, str]:
        """Return one item of the table."""
        table = self.outputs[f"records_name_{PLACE}"]
        item = self._table.get_item(TableName=table, Key={"pk": {"S": id_}})["Item"]
        return {name: next(iter(value.values())) for name, value in item.items()}

    def _name(self, function: str) -> str:
        return str(self.outputs[f"{function}_fn_function_name_{PLACE}"])

    def _behind(self, uri: str) -> Function:
        """Return the function whose alias an ARN, or the URI of an integration, names."""
        found = re.search(r":function:([\w-]+):live(?:/invocations)?$", uri)
        assert found, uri
        return self._functions[found[1]]

    def _mapping(self, queue: str) -> dict[str, Any]:
        arn = self.outputs[f"{queue}_arn_{PLACE}"]
        found = self.aws.client("lambda", REGION).list_event_source_mappings()["EventSourceMappings"]
        (mapping,) = (one for one in found if one["EventSourceArn"] == arn)
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        return dict(mapping)


class ThrottledTable:
    """A DynamoDB that takes nothing, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        table = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                table.asked += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
                content = json.dumps({"__type": kind, "message": "slow down"}).encode()
                self.send_response(400)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextlib.contextmanager
def always_throttled() -> Iterator[ThrottledTable]:
    """Serve a table that takes nothing."""
    table = ThrottledTable()
    thread = threading.Thread(target=table.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield table
    finally:
        table.server.shutdown()
        table.server.server_close()
        thread.join()


def unpack(location: str, folder: Path) -> Path:
    """Unpack what the local AWS has at a location."""
    with urllib.request.urlopen(location) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as package:  # noqa: S310
        package.extractall(folder)
    return folder
