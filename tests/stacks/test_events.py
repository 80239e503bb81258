"""The events stack: its addresses, the order in which AWS needs its parts, what redeploys it, and its executions."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import stacks.events
from constructs_lib import App, ConfigurationError, Environment, RestApi, ShorterTimeout
from stacks.events import LOADS, EventsStack, Load
from tests.handlers.event_functions import batch, logs
from tests.stacks.pinned import check_addresses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

FUNCTIONS = ("auth_fn", "ingest_fn", "process_fn", "store_fn")
PLACE = stacks.events.REGION.replace("-", "_")


@pytest.fixture(scope="module")
def every(synthesize: Synthesize) -> dict[str, SynthesizedStack]:
    """The stack of each environment."""
    return {
        environment.value: synthesize(
            lambda app, environment=environment: EventsStack(app, "events", environment=environment)  # type: ignore[misc]
        )["events"]
        for environment in Environment
    }


@pytest.fixture(params=list(Environment))
def stack(request: pytest.FixtureRequest, every: dict[str, SynthesizedStack]) -> SynthesizedStack:
    return every[request.param]


@pytest.mark.parametrize("environment", list(Environment))
def test_addresses_stay_where_they_are(every: dict[str, SynthesizedStack], environment: Environment) -> None:
    check_addresses(every[environment], f"events-{environment}")


def test_a_bigger_environment_has_everything_that_a_smaller_one_has(every: dict[str, SynthesizedStack]) -> None:
    dev, staging, prod = (set(every[name].addresses) for name in ("dev", "staging", "prod"))
    assert dev <= staging <= prod


# What comes before what


def before(stack: SynthesizedStack, address: str) -> set[str]:
    """Return everything that Terraform makes before a resource, by reference or depends_on, however far away."""
    found: set[str] = set()
    waiting = [address]
    known = set(stack.addresses)
    while waiting:
        block = stack.at(waiting.pop())
        new = {one for one in {*block.references, *block.config.get("depends_on", [])} if one in known} - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_made_after_its_log_group_its_policy_and_its_layer(stack: SynthesizedStack, name: str) -> None:
    assert {
        f"aws_cloudwatch_log_group.{name}_log_group_{PLACE}",
        f"aws_iam_role.{name}_role_{PLACE}",
        f"aws_iam_role_policy.{name}_role_policy_{PLACE}",
        f"aws_sqs_queue.{name}_dead_letter_{PLACE}",
        f"aws_lambda_layer_version.shared_{PLACE}",
        f"data.archive_file.{name}_package_{PLACE}",
    } <= before(stack, f"aws_lambda_function.{name}_{PLACE}")


def test_the_deployment_is_made_after_everything_that_it_deploys(stack: SynthesizedStack) -> None:
    parts = {
        address
        for type_ in ("authorizer", "method", "integration", "gateway_response", "model")
        for address in stack.addresses
        if address.startswith(f"aws_api_gateway_{type_}.")
    }
    assert len(parts) == 5
    assert parts <= before(stack, f"aws_api_gateway_deployment.api_deployment_{PLACE}")


def test_the_stage_is_made_after_the_role_for_its_logs_and_after_what_lets_it_call(stack: SynthesizedStack) -> None:
    assert {
        f"aws_api_gateway_deployment.api_deployment_{PLACE}",
        f"aws_api_gateway_account.api_gateway_account_{PLACE}",
        f"aws_iam_role_policy.api_gateway_account_log_role_policy_{PLACE}",
        f"aws_cloudwatch_log_group.api_stage_access_log_{PLACE}",
        f"aws_cloudwatch_log_group.api_stage_execution_log_{PLACE}",
        f"aws_iam_role_policy.api_authorizer_role_policy_{PLACE}",
        f"aws_lambda_permission.ingest_fn_api_events_post_{PLACE}",
    } <= before(stack, f"aws_api_gateway_stage.api_stage_{PLACE}")


def test_the_bus_sends_after_the_queue_lets_it_in(stack: SynthesizedStack) -> None:
    assert {
        f"aws_sqs_queue_policy.incoming_policy_{PLACE}",
        f"aws_sqs_queue_policy.bus_dead_letter_policy_{PLACE}",
        f"aws_cloudwatch_event_rule.bus_ingested_{PLACE}",
    } <= before(stack, f"aws_cloudwatch_event_target.bus_ingested_to_incoming_{PLACE}")


@pytest.mark.parametrize(("function", "queue"), [("process_fn", "incoming"), ("store_fn", "processed")])
def test_a_queue_is_read_after_the_role_may_read_it(stack: SynthesizedStack, function: str, queue: str) -> None:
    assert {
        f"aws_iam_role_policy.{function}_role_policy_{PLACE}",
        f"aws_lambda_alias.{function}_live_{PLACE}",
        f"aws_sqs_queue.{queue}_{PLACE}",
        f"aws_sqs_queue.{queue}_dead_letter_{PLACE}",
    } <= before(stack, f"aws_lambda_event_source_mapping.{function}_from_{queue}_{PLACE}")


def test_nothing_waits_for_itself(stack: SynthesizedStack) -> None:
    for address in stack.addresses:
        assert address not in before(stack, address)


# What redeploys the API


def trigger(synthesize: Synthesize, change: Callable[[EventsStack], object]) -> Any:
    def build(app: App) -> None:
        change(EventsStack(app, "events", environment="dev"))

    return synthesize(build)["events"].resource("aws_api_gateway_deployment")["triggers"]


def test_one_method_more_redeploys_and_a_tag_does_not(
    synthesize: Synthesize, every: dict[str, SynthesizedStack]
) -> None:
    def more(stack: EventsStack) -> None:
        late = ShorterTimeout("An event may be sent again: one with the same id is stored once")
        stack.api.add_method("PUT", "/events", stack.ingest, shorter_timeout=late)

    def tag(stack: EventsStack) -> None:
        stack.api.resource.add_override("tags", {"Purpose": "something else"})

    now = every["dev"].resource("aws_api_gateway_deployment")["triggers"]
    assert trigger(synthesize, more) != now
    assert trigger(synthesize, tag) == now


def test_a_changed_method_redeploys(
    synthesize: Synthesize, every: dict[str, SynthesizedStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Any = RestApi.add_method

    def add_method(api: RestApi, *given: Any, **named: Any) -> None:
        original(api, *given, **named, required_parameters=["header.Idempotency-Key"])

    monkeypatch.setattr(RestApi, "add_method", add_method)
    now = every["dev"].resource("aws_api_gateway_deployment")["triggers"]
    assert trigger(synthesize, lambda _: None) != now


def test_the_code_of_a_function_does_not_redeploy_the_api(
    synthesize: Synthesize, every: dict[str, SynthesizedStack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(stacks.events.CODE, tmp_path / "code")
    handler = tmp_path / "code" / "ingest_fn" / "handler.py"
    handler.write_text(f"{handler.read_text(encoding='utf-8')}\n# another version\n", encoding="utf-8")
    monkeypatch.setattr(stacks.events, "CODE", tmp_path / "code")
    now = every["dev"].resource("aws_api_gateway_deployment")["triggers"]
    assert trigger(synthesize, lambda _: None) == now


# How much runs at once


def with_load(monkeypatch: pytest.MonkeyPatch, **changes: int) -> None:
    load: Load = LOADS[Environment.PROD]._replace(**changes)
    monkeypatch.setitem(LOADS, Environment.PROD, load)


@pytest.mark.parametrize("environment", list(Environment))
def test_executions_come_out_of_the_budget(tmp_path: Path, environment: Environment) -> None:
    stack = EventsStack(App(outdir=str(tmp_path)), "events", environment=environment)
    load, budget = LOADS[environment], stack.home.concurrency
    assert budget.reserved == {
        f"events/{name}-fn": getattr(load, name) for name in ("auth", "ingest", "process", "store")
    }
    assert budget.available == 900 - load.auth - load.ingest - load.process - load.store > 0


def test_more_than_the_budget_is_refused_with_who_reserves_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_load(monkeypatch, ingest=749)
    with pytest.raises(ConfigurationError) as error:
        EventsStack(App(outdir=str(tmp_path)), "events", environment="prod")
    assert str(error.value) == (
        "events/store-fn: reserved_concurrency=10: only 1 of the 1000 concurrent executions in eu-central-1 are left (100 "
        "stay unreserved; reserved by events/auth-fn 100, events/ingest-fn 749, events/process-fn 50): reserve less, or "
        "raise the account's quota and give region(..., concurrency_limit=). Request the increase in Service Quotas, of Lambda's "
        "Concurrent executions (L-B99A9384)"
    )


def test_exactly_the_budget_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_load(monkeypatch, ingest=740)
    stack = EventsStack(App(outdir=str(tmp_path)), "events", environment="prod")
    assert stack.home.concurrency.available == 0


def test_queues_give_no_more_than_the_functions_may_take(stack: SynthesizedStack) -> None:
    environment = Environment(stack.outputs["deployment_summary"]["environment"])
    for name in ("process", "store"):
        executions = getattr(LOADS[environment], name)
        (mapping,) = stack.resources("aws_lambda_event_source_mapping", f"events/{name}-fn/*")
        assert mapping["scaling_config"] == {"maximum_concurrency": executions}
        function = stack.resource("aws_lambda_function", f"events/{name}-fn/*").config
        assert function.get("reserved_concurrent_executions") == (
            None if environment is Environment.DEV else executions
        )


@pytest.mark.parametrize("environment", list(Environment))
def test_no_more_executions_write_than_the_table_carries(
    every: dict[str, SynthesizedStack], environment: Environment
) -> None:
    writes, units, minimum = 200, 2, 2
    table = every[environment].resource("aws_dynamodb_table")
    carried = int(table["on_demand_throughput"]["max_write_request_units"]) // (writes * units)
    assert LOADS[environment].store == max(minimum, carried)


@pytest.mark.parametrize("environment", list(Environment))
def test_the_authorizer_carries_twice_the_rate_without_a_cache_in_front(environment: Environment) -> None:
    milliseconds = 5
    assert LOADS[environment].auth >= 2 * LOADS[environment].rate * milliseconds / 1000


# What is retried


@pytest.mark.parametrize("queue", ["incoming", "processed"])
def test_a_valid_message_is_retried_for_hours_before_it_is_a_dead_letter(stack: SynthesizedStack, queue: str) -> None:
    block = stack.at(f"aws_sqs_queue.{queue}_{PLACE}")
    receives = json.loads(block["redrive_policy"])["maxReceiveCount"]
    # Each wait is at least half of its backoff; see lambda_src/events_layer/python/events_shared/batch.py.
    waits = [min(batch.MAX_BACKOFF_SECONDS, batch.BACKOFF_SECONDS * 2**at) for at in range(receives - 1)]
    assert sum(waits) / 2 >= 5 * 3600
    assert sum(waits) <= block["message_retention_seconds"] / 2
    # An invalid message is one soon.
    assert receives * batch.REFUSED_SECONDS <= 15 * 60


def test_the_function_has_the_only_cache_of_tokens(stack: SynthesizedStack) -> None:
    assert stack.resource("aws_api_gateway_authorizer")["authorizer_result_ttl_in_seconds"] == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_faults_of_each_function_notify(every: dict[str, SynthesizedStack], name: str) -> None:
    alarm = every["prod"].at(f"aws_cloudwatch_metric_alarm.{name}_faults_alarm_{PLACE}")
    assert (alarm["namespace"], alarm["metric_name"], alarm["threshold"]) == (logs.NAMESPACE, "Faults", 0)
    assert alarm["dimensions"] == {"FunctionName": f"${{aws_lambda_function.{name}_{PLACE}.function_name}}"}
    assert alarm["alarm_actions"] == [f"${{aws_sns_topic.alarms_{PLACE}.arn}}"]


# The way of an event


def test_each_function_knows_where_the_next_part_is(stack: SynthesizedStack) -> None:
    environment = stack.outputs["deployment_summary"]["environment"]
    known = {
        name: {
            key: value
            for key, value in stack.at(f"aws_lambda_function.{name}_{PLACE}")["environment"]["variables"].items()
            if key != "LOG_LEVEL"
        }
        for name in FUNCTIONS
    }
    assert known == {
        "auth_fn": {"TOKEN_PARAMETER": f"/{environment}/events/token"},
        "ingest_fn": {"EVENT_BUS": f"events-{environment}-bus-{stacks.events.REGION}", "SOURCE": "events.ingest"},
        "process_fn": {
            "SOURCE_QUEUE": f"${{aws_sqs_queue.incoming_{PLACE}.id}}",
            "STORE_QUEUE": f"${{aws_sqs_queue.processed_{PLACE}.id}}",
        },
        "store_fn": {
            "SOURCE_QUEUE": f"${{aws_sqs_queue.processed_{PLACE}.id}}",
            "TABLE_NAME": f"events-{environment}-records",
            "TTL_DAYS": "90",
        },
    }


def test_only_the_source_of_the_api_reaches_the_queue(stack: SynthesizedStack) -> None:
    rule = stack.at(f"aws_cloudwatch_event_rule.bus_ingested_{PLACE}")
    assert json.loads(rule["event_pattern"]) == {"source": ["events.ingest"]}
    document = stack.at(f"data.aws_iam_policy_document.ingest_fn_role_policy_document_{PLACE}")
    (put,) = (one for one in document["statement"] if "events:PutEvents" in one["actions"])
    assert {(one["variable"], *one["values"]) for one in put["condition"]} == {("events:source", "events.ingest")}


def test_the_store_function_may_put_items_and_change_none(stack: SynthesizedStack) -> None:
    document = stack.at(f"data.aws_iam_policy_document.store_fn_role_policy_document_{PLACE}")
    actions = {action for one in document["statement"] for action in one["actions"] if action.startswith("dynamodb:")}
    assert actions == {"dynamodb:DescribeTable", "dynamodb:PutItem"}


@pytest.mark.parametrize(
    ("environment", "rate", "burst"), [("dev", 50, 25), ("staging", 100, 50), ("prod", 10_000, 5_000)]
)
def test_requests_are_throttled_in_the_method_settings(
    every: dict[str, SynthesizedStack], environment: str, rate: int, burst: int
) -> None:
    settings = every[environment].resource("aws_api_gateway_method_settings")
    assert settings["method_path"] == "*/*"
    assert settings["settings"]["throttling_rate_limit"] == rate
    assert settings["settings"]["throttling_burst_limit"] == burst


def test_the_table_forgets_what_has_expired(stack: SynthesizedStack) -> None:
    table = stack.resource("aws_dynamodb_table")
    assert (table["hash_key"], table["attribute"]) == ("pk", [{"name": "pk", "type": "S"}])
    assert table["ttl"] == {"attribute_name": "expires_at", "enabled": True}
