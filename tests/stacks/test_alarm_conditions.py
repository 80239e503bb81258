"""Faults of each reference system in prod, and the alarms whose conditions they meet.

The handlers run with the fault. What Lambda, API Gateway and SQS publish of an invocation is modelled from their pages of
metrics; what a handler publishes itself is read from its log lines in the embedded metric format.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Environment, HostedZone
from lambda_src.payment_validator import handler as validator
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack
from tests.handlers import event_functions as events
from tests.handlers import payment_requests as payments
from tests.handlers import ticket_functions as tickets
from tests.handlers.event_functions import aws
from tests.handlers.test_platform_status import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from constructs_lib import App
    from constructs_lib.testing import Block, SynthesizedStack

__all__ = ["aws", "status"]

PROD = Environment.PROD
REFERENCE = re.compile(r"\$\{(aws_\w+\.\w+)\.(\w+)\}")
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


class Metrics:
    """What one period of a fault publishes: the values by namespace, metric and dimensions."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, frozenset[tuple[str, str]]], float] = defaultdict(float)

    def add(self, namespace: str, metric: str, value: float = 1, /, **dimensions: str) -> None:
        self.values[namespace, metric, frozenset(dimensions.items())] += value

    def invoke(self, function: str, handler: Callable[[object, object], Any], event: object) -> Any:
        """Run a handler as Lambda does, and publish what Lambda and the handler publish."""
        written = io.StringIO()
        context = SimpleNamespace(aws_request_id="call-1", get_remaining_time_in_millis=lambda: 30_000)
        answer: Any = None
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
            try:
                answer = handler(event, context)
            except Exception:  # noqa: BLE001  Lambda counts every exception
                self.add("AWS/Lambda", "Errors", FunctionName=function)
        for line in written.getvalue().splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            for directive in entry.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    self.add(directive["Namespace"], metric["Name"], entry[metric["Name"]], FunctionName=function)
        return answer

    def request(self, api: str, stage: str, function: str, handler: Callable[..., Any], event: object) -> None:
        """Send a request through API Gateway, which answers 502 for an exception."""
        answer = self.invoke(function, handler, event)
        if answer is None or answer["statusCode"] >= 500:
            self.add("AWS/ApiGateway", "5XXError", ApiName=api, Stage=stage)


def fired(stack: SynthesizedStack, metrics: Metrics) -> set[str]:
    """Return the metrics of the alarms whose conditions hold while each period has these values."""

    def resolved(value: str) -> str:
        def name(match: re.Match[str]) -> str:
            found = stack.at(match[1]).config.get("function_name" if match[2] == "function_name" else match[2])
            return found if isinstance(found, str) else match[0]

        return REFERENCE.sub(name, value)

    found = set()
    for alarm in stack.find("aws_cloudwatch_metric_alarm"):
        dimensions = frozenset((name, resolved(value)) for name, value in alarm["dimensions"].items())
        value = metrics.values.get((alarm["namespace"], alarm["metric_name"], dimensions))
        if value is not None and COMPARED[alarm["comparison_operator"]](value, alarm["threshold"]):
            assert alarm["alarm_actions"], f"{alarm.address} notifies no topic"
            found.add(alarm["metric_name"])
    return found


@pytest.fixture(scope="module")
def stacks(synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]) -> dict[str, SynthesizedStack]:
    def build(app: App) -> None:
        EventsStack(app, "events", environment=PROD)
        PaymentsStack(app, "payments", environment=PROD)
        PlatformStack(app, "platform", environment=PROD)
        TicketingStack(app, "ticketing", environment=PROD)
        TradingStack(app, "trading", environment=PROD, zone=HostedZone("Z0123456789ABCDEFGHIJ", "example.com"))

    return synthesize(build)


def function_name(stack: SynthesizedStack, part: str) -> str:
    """Return the name of the first function whose construct path contains a part."""
    name = stack.find("aws_lambda_function", f"*{part}*")[0]["function_name"]
    assert isinstance(name, str)
    return name


def api_and_stage(stack: SynthesizedStack, region: str) -> tuple[str, str]:
    (api,) = stack.find("aws_api_gateway_rest_api", f"*{region}*") or stack.find("aws_api_gateway_rest_api")
    stage = (stack.find("aws_api_gateway_stage", f"*{region}*") or stack.find("aws_api_gateway_stage"))[0]
    return api["name"], stage["stage_name"]


def test_an_api_without_the_permission_to_put_events_raises_two_alarms(
    stacks: dict[str, SynthesizedStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, metrics = stacks["events"], Metrics()

    def denied(**_: object) -> object:
        raise events.refused_by_aws("AccessDeniedException")

    monkeypatch.setattr(events.ingest_fn, "client", lambda _: SimpleNamespace(put_events=denied))
    monkeypatch.setenv("EVENT_BUS", "events-prod")
    monkeypatch.setenv("SOURCE", "events.ingest")
    api, stage = api_and_stage(stack, "")
    name = function_name(stack, "ingest-fn")
    metrics.request(api, stage, name, events.ingest_fn.handler, events.post(events.EVENT))
    assert fired(stack, metrics) == {"5XXError", "Faults"}


def test_an_event_that_the_code_cannot_handle_raises_two_alarms(
    stacks: dict[str, SynthesizedStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, metrics = stacks["events"], Metrics()

    def broken(*_: object) -> object:
        raise KeyError("id")

    monkeypatch.setattr(events.ingest_fn, "ingest", broken)
    api, stage = api_and_stage(stack, "")
    name = function_name(stack, "ingest-fn")
    metrics.request(api, stage, name, events.ingest_fn.handler, events.post(events.EVENT))
    assert fired(stack, metrics) == {"5XXError", "Faults"}


def test_a_request_that_the_caller_gets_wrong_raises_none(stacks: dict[str, SynthesizedStack]) -> None:
    stack, metrics = stacks["events"], Metrics()
    api, stage = api_and_stage(stack, "")
    name = function_name(stack, "ingest-fn")
    metrics.request(api, stage, name, events.ingest_fn.handler, events.post({"id": 1}))
    assert fired(stack, metrics) == set()


def test_a_table_that_is_gone_raises_the_alarm_of_the_function_that_stores(
    stacks: dict[str, SynthesizedStack], aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws("dynamodb").list_tables()["TableNames"] == []
    monkeypatch.setenv("TABLE_NAME", "events-prod")
    monkeypatch.setenv("TTL_DAYS", "90")
    metrics = Metrics()
    name = function_name(stacks["events"], "store-fn")
    metrics.invoke(name, events.store_fn.handler, events.of_queue(events.message()))
    assert fired(stacks["events"], metrics) == {"Errors", "Faults"}


def test_a_token_parameter_that_is_gone_raises_an_alarm_and_a_wrong_token_none(
    stacks: dict[str, SynthesizedStack], aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = function_name(stacks["events"], "auth-fn")
    request = {
        "type": "TOKEN",
        "authorizationToken": "Bearer wrong",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/v1/POST/events",
    }
    monkeypatch.setenv("TOKEN_PARAMETER", "/events/prod/token")
    monkeypatch.setattr(events.auth_fn, "_kept", {})
    gone = Metrics()
    gone.invoke(name, events.auth_fn.handler, request)
    assert fired(stacks["events"], gone) == {"Errors", "Faults"}
    aws("ssm").put_parameter(Name="/events/prod/token", Value="a-token-that-is-right", Type="SecureString")
    wrong = Metrics()
    wrong.invoke(name, events.auth_fn.handler, request)
    assert fired(stacks["events"], wrong) == set()


@pytest.mark.parametrize("system", ["events", "payments", "platform", "ticketing", "trading"])
def test_a_function_that_raises_or_is_throttled_raises_an_alarm(
    stacks: dict[str, SynthesizedStack], system: str
) -> None:
    stack = stacks[system]
    for function in stack.find("aws_lambda_function"):
        for metric in ("Errors", "Throttles"):
            metrics = Metrics()
            metrics.add("AWS/Lambda", metric, FunctionName=function["function_name"])
            assert fired(stack, metrics) == {metric}, function.address


@pytest.mark.parametrize("system", ["events", "payments", "platform", "ticketing"])
def test_an_api_that_answers_with_errors_raises_an_alarm(stacks: dict[str, SynthesizedStack], system: str) -> None:
    stack = stacks[system]
    apis = {block.address: block["name"] for block in stack.find("aws_api_gateway_rest_api")}
    for stage in stack.find("aws_api_gateway_stage"):
        metrics = Metrics()
        api = stage["rest_api_id"].removeprefix("${").removesuffix(".id}")
        metrics.add("AWS/ApiGateway", "5XXError", 5, ApiName=apis[api], Stage=stage["stage_name"])
        assert fired(stack, metrics) == {"5XXError"}, stage.address
    for url in stack.find("aws_lambda_function_url"):
        metrics = Metrics()
        function = stack.at(url["function_name"].removeprefix("${").rpartition(".")[0])
        metrics.add("AWS/Lambda", "Url5xxCount", 5, FunctionName=function["function_name"])
        assert fired(stack, metrics) == {"Url5xxCount"}, url.address


@pytest.mark.parametrize("system", ["events", "payments", "platform", "ticketing", "trading"])
def test_a_dead_letter_raises_an_alarm(stacks: dict[str, SynthesizedStack], system: str) -> None:
    stack = stacks[system]
    for queue in dead_letter_queues(stack):
        metrics = Metrics()
        metrics.add("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=queue["name"])
        assert fired(stack, metrics) == {"ApproximateNumberOfMessagesVisible"}, queue.address


def dead_letter_queues(stack: SynthesizedStack) -> Iterable[Block]:
    found = [queue for queue in stack.find("aws_sqs_queue") if "dead-letter" in queue["name"]]
    assert found or stack.find("aws_sqs_queue") == []
    return found


def test_an_event_that_a_rule_cannot_deliver_raises_an_alarm(stacks: dict[str, SynthesizedStack]) -> None:
    stack = stacks["events"]
    for rule in stack.find("aws_cloudwatch_event_rule"):
        metrics = Metrics()
        bus = stack.resource("aws_cloudwatch_event_bus")["name"]
        metrics.add("AWS/Events", "FailedInvocations", RuleName=rule["name"], EventBusName=bus)
        assert fired(stack, metrics) == {"FailedInvocations"}, rule.address


def test_a_payment_that_the_code_cannot_handle_raises_two_alarms(
    stacks: dict[str, SynthesizedStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, metrics = stacks["payments"], Metrics()

    def broken(*_: object) -> object:
        raise KeyError("amount")

    monkeypatch.setattr(validator, "read_payment", broken)
    api, stage = api_and_stage(stack, "eu-west-1")
    name = function_name(stack, "validator-eu-west-1")
    metrics.request(api, stage, name, validator.handler, payments.event_of(payments.FIELDS))
    assert fired(stack, metrics) == {"5XXError", "Faults"}


def test_a_sale_without_a_table_raises_two_alarms(
    stacks: dict[str, SynthesizedStack], aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws("dynamodb").list_tables()["TableNames"] == []
    for variable, value in {"TABLE_NAME": "tickets", "CACHE_ENDPOINT": "", "CACHE_TLS": "false"}.items():
        monkeypatch.setenv(variable, value)
    stack, metrics = stacks["ticketing"], Metrics()
    api, stage = api_and_stage(stack, "us-west-2")
    name = function_name(stack, "purchase-fn-us-west-2")
    metrics.request(api, stage, name, tickets.purchase.handler, tickets.post(tickets.FIELDS))
    assert fired(stack, metrics) == {"5XXError", "Faults"}


def test_a_database_that_is_away_raises_the_alarm_of_the_function_url(
    stacks: dict[str, SynthesizedStack], status: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_HOST", "127.0.0.1")
    monkeypatch.setenv("DATABASE_PORT", "1")
    stack, metrics = stacks["platform"], Metrics()
    name = function_name(stack, "status")
    request = {"rawPath": "/", "requestContext": {"http": {"method": "GET"}, "requestId": "url-1"}}
    answer = metrics.invoke(name, status.handler, request)
    assert answer["statusCode"] == 503
    metrics.add("AWS/Lambda", "Url5xxCount", FunctionName=name)
    assert "Url5xxCount" in fired(stack, metrics)


def test_web_servers_that_fail_raise_alarms(stacks: dict[str, SynthesizedStack]) -> None:
    stack = stacks["trading"]
    for balancer in stack.find("aws_lb"):
        region = balancer.path.rpartition("us-east-1")[1] or "eu-west-1"
        (group,) = stack.find("aws_lb_target_group", f"*{region}*")
        target = {
            "LoadBalancer": f"${{{balancer.address}.arn_suffix}}",
            "TargetGroup": f"${{{group.address}.arn_suffix}}",
        }
        for metric, value in (("HTTPCode_Target_5XX_Count", 1_000), ("UnHealthyHostCount", 1)):
            metrics = Metrics()
            metrics.add("AWS/ApplicationELB", metric, value, **target)
            assert fired(stack, metrics) == {metric}, balancer.address


@pytest.mark.parametrize("system", ["platform", "trading"])
def test_a_database_instance_that_is_overloaded_raises_an_alarm(
    stacks: dict[str, SynthesizedStack], system: str
) -> None:
    stack = stacks[system]
    for instance in stack.find("aws_rds_cluster_instance"):
        for metric, value in (("CPUUtilization", 99), ("FreeableMemory", 1_000_000), ("DatabaseConnections", 99_999)):
            metrics = Metrics()
            metrics.add("AWS/RDS", metric, value, DBInstanceIdentifier=instance["identifier"])
            assert fired(stack, metrics) == {metric}, instance.address
