"""The events stack for real: validated everywhere, applied in every environment, and events sent all the way through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Environment
from stacks.events import LOADS, MAX_RECEIVES, REGION, SOURCE, EventsStack
from tests.terraform.events_pipeline import Pipeline, always_throttled
from tests.terraform.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import SimpleNamespace

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform

pytestmark = pytest.mark.terraform

PLACE = REGION.replace("-", "_")


def events(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str
) -> SynthesizedStack:
    return synthesize(lambda app: EventsStack(app, "events", environment=environment))["events"]


@pytest.fixture(scope="module")
def applied(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[dict[str, SimpleNamespace]]:
    """The stack of each environment."""
    stacks = {environment.value: events(synthesize, environment) for environment in Environment}
    with side_by_side(stacks, aws_provider) as seen:
        yield seen


@pytest.fixture(params=list(Environment))
def one(request: pytest.FixtureRequest, applied: dict[str, SimpleNamespace]) -> SimpleNamespace:
    return applied[request.param]


@pytest.mark.apply
def test_a_second_plan_changes_nothing(one: SimpleNamespace) -> None:
    assert (one.drift.unexpected, one.drift.known, one.workspace.left_out) == ((), (), ())


@pytest.mark.apply
@pytest.mark.parametrize("environment", list(Environment))
def test_requests_and_executions_are_limited_as_the_environment_says(
    applied: dict[str, SimpleNamespace], environment: Environment
) -> None:
    one, load = applied[environment], LOADS[environment]
    api = one.outputs[f"api_id_{PLACE}"]
    stage = one.aws.client("apigateway", REGION).get_stage(restApiId=api, stageName="live")
    every = stage["methodSettings"]["*/*"]
    assert (every["throttlingRateLimit"], every["throttlingBurstLimit"]) == (load.rate, load.burst)
    functions = one.aws.client("lambda", REGION)
    for name in ("auth", "ingest", "process", "store"):
        function = one.outputs[f"{name}_fn_function_name_{PLACE}"]
        assert function == f"events-{environment}-{name}-fn-{REGION}"
        kept = functions.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")
        assert kept == (None if environment == "dev" else getattr(load, name))


@pytest.mark.apply
def test_flat_outputs_and_the_nested_one_say_the_same(one: SimpleNamespace) -> None:
    nested = one.outputs["deployment_summary"]["regions"][REGION]
    flat = {
        f"{component}_{name}_{PLACE}": value for component, values in nested.items() for name, value in values.items()
    }
    assert flat == {
        name: value for name, value in one.outputs.items() if name not in ("deployment_summary", "workspace")
    }


@pytest.fixture(scope="module")
def pipeline(applied: dict[str, SimpleNamespace], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The deployed system of dev, and what AWS would do between its parts."""
    dev = applied["dev"]
    with Pipeline(dev.aws, dev.outputs, tmp_path_factory.mktemp("packages")) as pipeline:
        yield pipeline


@pytest.fixture
def token(pipeline: Pipeline) -> str:
    """The right token, as a client is given it."""
    name = pipeline.outputs[f"token_name_{PLACE}"]
    found = pipeline.aws.client("ssm", REGION).get_parameter(Name=name, WithDecryption=True)
    assert found["Parameter"]["Type"] == "SecureString"
    return f"Bearer {found['Parameter']['Value']}"


def event(name: str, **changes: object) -> dict[str, Any]:
    return {
        "id": f"order-{name}",
        "type": "order.created",
        "occurred_at": "2026-11-22T10:30:00+01:00",
        "data": {"total": 12.5},
    } | changes


@pytest.mark.apply
def test_a_request_goes_all_the_way(pipeline: Pipeline, token: str) -> None:
    answer = pipeline.post(token, event("0001"))
    assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (202, 1), pipeline.logs("ingest")
    assert pipeline.waiting("incoming") == 1
    pipeline.run()
    item = pipeline.item("order-0001")
    assert (item["type"], item["category"], item["data"]) == ("order.created", "order", '{"total":12.5}')
    assert item["occurred_at"] == "2026-11-22T09:30:00.000Z"
    assert item["correlation_id"] == pipeline.last_request
    assert int(item["expires_at"]) > 1_800_000_000
    assert [pipeline.waiting(queue) for queue in ("incoming", "processed")] == [0, 0]


@pytest.mark.apply
def test_a_duplicate_is_stored_once(pipeline: Pipeline, token: str) -> None:
    for _ in range(2):
        assert pipeline.post(token, event("0002"))["statusCode"] == 202
    pipeline.run()
    first = pipeline.item("order-0002")
    assert pipeline.post(token, event("0002"))["statusCode"] == 202
    pipeline.run()
    assert pipeline.item("order-0002") == first
    assert pipeline.stored().count("order-0002") == 1
    assert pipeline.dead_letters("processed") == []


@pytest.mark.apply
@pytest.mark.parametrize(
    ("bad", "status"), [(None, 401), ("Bearer ", 401), ("Basic YTpi", 401), ("Bearer not-the-right-token", 403)]
)
def test_a_bad_token_is_refused(pipeline: Pipeline, bad: str | None, status: int) -> None:
    assert pipeline.post(bad, event("0003"))["statusCode"] == status
    assert pipeline.waiting("incoming") == 0


@pytest.mark.apply
def test_a_poison_message_ends_in_the_dead_letter_queue_and_holds_nothing_up(pipeline: Pipeline, token: str) -> None:
    poison = {"card": "unreadable"}
    bus = pipeline.outputs[f"bus_name_{PLACE}"]
    entry = {"EventBusName": bus, "Source": SOURCE, "DetailType": "x.y", "Detail": json.dumps(poison)}
    pipeline.aws.client("events", REGION).put_events(Entries=[entry])
    assert pipeline.post(token, event("0004"))["statusCode"] == 202
    failed = pipeline.run()
    assert "order-0004" in pipeline.stored()
    assert failed == {"incoming": MAX_RECEIVES}
    (dead,) = pipeline.dead_letters("incoming")
    assert json.loads(dead)["detail"] == poison


@pytest.mark.apply
def test_another_event_with_a_stored_id_is_not_lost(pipeline: Pipeline, token: str) -> None:
    for total in (1, 2):
        assert pipeline.post(token, event("0005", data={"total": total}))["statusCode"] == 202
        failed = pipeline.run()
    assert failed == {"processed": MAX_RECEIVES}
    (dead,) = pipeline.dead_letters("processed")
    assert json.loads(dead)["event"]["data"] == {"total": 2}
    assert pipeline.item("order-0005")["data"] == '{"total":1}'


@pytest.mark.apply
def test_a_throttled_table_loses_nothing(pipeline: Pipeline, token: str) -> None:
    batch = [event(f"1{number:03}") for number in range(3)]
    answer = pipeline.post(token, batch)
    assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (202, 3)
    pipeline.deliver("incoming")
    with always_throttled() as table, pipeline.function("store", endpoint=table.url) as store:
        assert pipeline.deliver("processed", store) == 3
        assert table.asked >= 3
    assert not {one["id"] for one in batch} & set(pipeline.stored())
    pipeline.run()
    assert {one["id"] for one in batch} <= set(pipeline.stored())
    assert pipeline.dead_letters("processed") == []


@pytest.mark.apply
def test_an_event_of_another_source_is_not_delivered(pipeline: Pipeline) -> None:
    bus = pipeline.outputs[f"bus_name_{PLACE}"]
    entry = {"EventBusName": bus, "Source": "somebody.else", "DetailType": "x.y", "Detail": "{}"}
    pipeline.aws.client("events", REGION).put_events(Entries=[entry])
    assert pipeline.waiting("incoming") == 0
