"""The ticketing stack for real: validated, applied in every environment, and tickets sold from the deployed package."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from constructs_lib import Environment
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.ticketing import REGIONS, TicketingStack
from tests.terraform.side_by_side import side_by_side
from tests.terraform.ticket_sales import Cache, Sales, commands_of, free_port, real_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import SimpleNamespace

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = pytest.mark.terraform

HOME, OTHER = REGIONS
THIRD = "ap-northeast-1"
CALLERS = 1_000
TICKETS = 100
PROCESSES = 2


def ticketing(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str
) -> SynthesizedStack:
    return synthesize(lambda app: TicketingStack(app, "ticketing", environment=environment))["ticketing"]


@pytest.fixture(scope="module")
def applied(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[dict[str, SimpleNamespace]]:
    """The stack of each environment."""
    stacks = {environment.value: ticketing(synthesize, environment) for environment in Environment}
    with side_by_side(stacks, aws_provider) as seen:
        yield seen


@pytest.fixture(params=list(Environment))
def one(request: pytest.FixtureRequest, applied: dict[str, SimpleNamespace]) -> SimpleNamespace:
    return applied[request.param]


@pytest.mark.apply
def test_a_second_plan_changes_nothing(one: SimpleNamespace) -> None:
    assert (one.drift.unexpected, one.drift.known, one.workspace.left_out) == ((), (), ())


@pytest.mark.apply
@pytest.mark.parametrize("region", REGIONS)
def test_flat_outputs_and_the_nested_one_say_the_same(one: SimpleNamespace, region: str) -> None:
    place = region.replace("-", "_")
    nested = one.outputs["deployment_summary"]["regions"][region]
    flat = {
        f"{component}_{name}_{place}": value for component, values in nested.items() for name, value in values.items()
    }
    # The local AWS's caches have no address for readers, and Terraform puts out nothing that is null.
    assert flat.pop(f"cache_reader_endpoint_{place}") is None
    assert flat == {name: value for name, value in one.outputs.items() if name.endswith(place)}


@pytest.mark.apply
@pytest.mark.parametrize("region", REGIONS)
def test_what_the_functions_reach_is_what_was_made(one: SimpleNamespace, region: str) -> None:
    place = region.replace("-", "_")
    ec2 = one.aws.client("ec2", region)
    lists = {one["PrefixListId"]: one["PrefixListName"] for one in ec2.describe_prefix_lists()["PrefixLists"]}
    caches = one.aws.client("elasticache", region).describe_replication_groups()["ReplicationGroups"]
    assert [cache["Status"] for cache in caches] == ["available"]
    functions = one.aws.client("lambda", region)
    for task in ("purchase", "inventory"):
        name = one.outputs[f"{task}_fn_function_name_{place}"]
        (group,) = functions.get_function_configuration(FunctionName=name)["VpcConfig"]["SecurityGroupIds"]
        found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        reached = {
            (
                lists.get(rule.get("PrefixListId"))
                or ec2.describe_security_groups(GroupIds=[rule["ReferencedGroupInfo"]["GroupId"]])["SecurityGroups"][0][
                    "Description"
                ],
                rule["FromPort"],
                rule["ToPort"],
            )
            for rule in found["SecurityGroupRules"]
        }
        assert all(rule["IsEgress"] for rule in found["SecurityGroupRules"])
        assert reached == {
            (f"com.amazonaws.{region}.dynamodb", 443, 443),
            (f"Cache ticketing/cache-{region}", 6380, 6380),
        }


# Selling, in dev


@pytest.fixture(scope="module")
def sales(applied: dict[str, SimpleNamespace], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sales]:
    """The deployed functions of each region."""
    dev = applied["dev"]
    return {name: Sales(dev.aws, dev.outputs, name, tmp_path_factory.mktemp("packages")) for name in REGIONS}


@pytest.fixture(params=["with a real cache", "with the cache down"])
def cache(request: pytest.FixtureRequest, sales: dict[str, Sales], tmp_path: Path) -> Iterator[Cache]:
    """A real server that lets the deployed user do what his access string says, or nobody at all."""
    if request.param == "with the cache down":
        yield Cache(f"127.0.0.1:{free_port()}")
        return
    with real_cache(tmp_path, *sales[HOME].user()) as server:
        yield server


@pytest.mark.apply
@pytest.mark.parametrize("region", REGIONS)
def test_the_api_leads_to_the_functions_that_sell(sales: dict[str, Sales], region: str) -> None:
    shop = sales[region]
    assert shop.leads_to("POST", "/purchases") == shop.outputs[f"purchase_fn_function_name_{shop.place}"]
    assert (
        shop.leads_to("GET", "/events/{event_id}/tickets") == shop.outputs[f"inventory_fn_function_name_{shop.place}"]
    )


@pytest.mark.apply
def test_a_thousand_callers_at_once_buy_a_hundred_tickets(sales: dict[str, Sales], cache: Cache) -> None:
    shop, event = sales[HOME], f"concert-{uuid4().hex}"
    shop.put_on_sale(event, TICKETS, HOME)
    orders = [(f"{event[-12:]}-order-{number:04}", event, 1) for number in range(CALLERS)]
    shop.logs.clear()

    first = shop.buy(orders, cache, PROCESSES)

    assert Counter(answer.status for answer in first) == {201: TICKETS, 409: CALLERS - TICKETS}
    assert {answer.body["error"]["code"] for answer in first if answer.status == 409} == {"sold_out"}
    assert len({answer.body["purchase_id"] for answer in first if answer.status == 201}) == TICKETS
    assert (shop.remaining(event), shop.sold(event)) == (0, TICKETS)
    assert any(line["message"] == "cache away" for line in shop.logs) is (not cache.program)
    assert (sales[OTHER].remaining(event), sales[OTHER].sold(event)) == (0, TICKETS)

    again = shop.buy(orders, cache, PROCESSES)

    assert [answer.status for answer in again] == [answer.status for answer in first]
    assert [answer.body.get("purchase_id") for answer in again] == [answer.body.get("purchase_id") for answer in first]
    assert (shop.remaining(event), shop.sold(event)) == (0, TICKETS)
    assert [answer.body["remaining"] for answer in shop.look_up(event, cache)] == [0]


@pytest.mark.apply
def test_repeats_at_once_with_the_same_key_sell_once(sales: dict[str, Sales], cache: Cache) -> None:
    shop, event = sales[HOME], f"concert-{uuid4().hex}"
    shop.put_on_sale(event, TICKETS, HOME)
    orders = [(f"{event[-12:]}-repeat-{number % 10:04}", event, 3) for number in range(200)]

    answers = shop.buy(orders, cache, PROCESSES)

    assert {answer.status for answer in answers} == {201}
    for number in range(10):
        assert len({answer.body["purchase_id"] for answer in answers[number::10]}) == 1
    assert (shop.remaining(event), shop.sold(event)) == (TICKETS - 30, 30)


@pytest.mark.apply
def test_a_purchase_is_seen_at_once_with_the_cache_and_without(sales: dict[str, Sales], cache: Cache) -> None:
    shop, event = sales[HOME], f"concert-{uuid4().hex}"
    shop.put_on_sale(event, TICKETS, HOME)
    shop.logs.clear()
    assert [answer.body["remaining"] for answer in shop.look_up(event, cache, times=20)] == [TICKETS] * 20
    assert shop.buy([(f"{event[-12:]}-seen-0001", event, 2)], cache)[0].status == 201
    assert [answer.body["remaining"] for answer in shop.look_up(event, cache)] == [TICKETS - 2]
    origins = Counter(line["origin"] for line in shop.logs if "origin" in line)
    if cache.program:
        assert origins["cache"] >= 1
        assert origins["table"] >= 2
        assert origins.total() == 21
        told = commands_of(cache, shop.user()[0])
        assert "cmdstat_set" in told
        assert "cmdstat_del" in told
    else:
        assert origins == {"table": 21}


@pytest.mark.apply
def test_an_event_is_sold_in_its_own_region_and_shown_in_every_one(sales: dict[str, Sales]) -> None:
    away, event = Cache(f"127.0.0.1:{free_port()}"), f"concert-{uuid4().hex}"
    sales[HOME].put_on_sale(event, TICKETS, OTHER)
    refused = sales[HOME].buy([(f"{event[-12:]}-order-0001", event, 1)], away)
    assert [(one.status, one.body["error"]["code"]) for one in refused] == [(421, "wrong_region")]
    assert [one.status for one in sales[OTHER].buy([(f"{event[-12:]}-order-0001", event, 1)], away)] == [201]
    for shop in sales.values():
        assert [one.body["remaining"] for one in shop.look_up(event, away)] == [TICKETS - 1]


# A third region


@pytest.mark.apply
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_third_region_is_planned_as_additions_and_nothing_else(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
    aws_provider: Terraform,
    applied: dict[str, SimpleNamespace],
    tmp_path: Path,
    environment: str,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stacks.ticketing.REGIONS", (*REGIONS, THIRD))
        grown = ticketing(synthesize, environment)
    two = applied[environment]
    folder = tmp_path / "workspace"
    folder.mkdir()
    shutil.copy(two.workspace.state, folder / "terraform.tfstate")
    with Workspace(grown, aws=two.aws, terraform=aws_provider, folder=folder) as workspace:
        workspace.init()
        plan = workspace.plan()
    assert (plan.change, plan.destroy) == ({}, {})
    assert (plan.add["aws_vpc"], plan.add["aws_dynamodb_table_replica"], plan.add["aws_kms_replica_key"]) == (1, 1, 1)
    assert "aws_dynamodb_table" not in plan.add
