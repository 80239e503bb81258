"""create_before_destroy reaches every dependency of a resource, and none of them may have a name that is taken.

See https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#create_before_destroy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from constructs_lib import (
    CustomDomain,
    Environment,
    HardenedStack,
    HostedZone,
    LambdaAuthorizer,
    MultiRegionKey,
    RestApi,
)
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack
from tests.constructs.rest_api.apis import OPEN, SAFE, SCHEMA, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

NOT_UNIQUE: Final = frozenset(
    {
        "aws_acm_certificate",
        "aws_api_gateway_deployment",
        "aws_api_gateway_request_validator",
        "aws_api_gateway_rest_api",
        "aws_lambda_layer_version",
        "random_password",
    }
)
"""Types of which a second one with the same name is accepted."""
GENERATED: Final = frozenset(
    {"aws_db_parameter_group", "aws_elasticache_parameter_group", "aws_rds_cluster_parameter_group"}
)
"""Types whose names contain what a replacement changes."""
RENAMED: Final = frozenset({"aws_elasticache_user"})
"""Types that are replaced when they get another name. A tainted one is repaired with `terraform untaint`."""
SNAPSHOT: Final = frozenset(
    {
        "aws_api_gateway_authorizer",
        "aws_api_gateway_gateway_response",
        "aws_api_gateway_integration",
        "aws_api_gateway_method",
        "aws_api_gateway_model",
        "aws_api_gateway_resource",
    }
)
"""What a deployment copies: it must exist before the deployment, which a stage always needs. See docs/adr/0013."""


def inherited(stack: SynthesizedStack) -> set[str]:
    """Return the types of the resources that are replaced with create_before_destroy, by themselves or by inheritance."""
    waiting = [
        block.address for block in stack.blocks if block.config.get("lifecycle", {}).get("create_before_destroy")
    ]
    reached: set[str] = set()
    while waiting:
        address = waiting.pop()
        if address not in reached:
            reached.add(address)
            waiting += stack.at(address).references
    return {address.split(".")[0] for address in reached} - {"data"}


def api_with_everything(app: App, environment: Environment) -> None:
    """An API with an authorizer, a model, nested paths and a custom domain, which no reference stack has together."""
    stack = HardenedStack(app, "shop", environment=environment, owner="team-shop")
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    authorizer = LambdaAuthorizer(make_function(stack, key, "auth-fn"), shorter_timeout=SAFE)
    api = RestApi(
        stack, "api", region=region, key=key, authorizer=authorizer, custom_domain=True, account_has_log_role=True
    )
    function = make_function(stack, key)
    api.add_method("POST", "/payments/{id}", function, request_schema=SCHEMA, rate_limit=3, shorter_timeout=SAFE)
    api.add_method("GET", "/", function, authorization=OPEN, shorter_timeout=SAFE)
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
    CustomDomain(stack, "domain", region=region, domain="api.example.com", zone=zone, api=api)


def every_stack(app: App, environment: Environment) -> None:
    for stack in (EventsStack, PaymentsStack, PlatformStack, StateBackendStack, TicketingStack):
        stack(app, stack.__name__.removesuffix("Stack").lower(), environment=environment)
    TradingStack(app, "trading", environment=environment, zone=HostedZone("Z0123456789ABCDEFGHIJ", "example.com"))
    api_with_everything(app, environment)


@pytest.fixture(scope="module", params=list(Environment))
def stacks(
    request: pytest.FixtureRequest, synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]
) -> dict[str, SynthesizedStack]:
    return synthesize(lambda app: every_stack(app, request.param))


def test_nothing_with_a_unique_name_is_replaced_with_create_before_destroy(stacks: dict[str, SynthesizedStack]) -> None:
    found = {name: inherited(stack) - NOT_UNIQUE - GENERATED - RENAMED - SNAPSHOT for name, stack in stacks.items()}
    assert {name: types for name, types in found.items() if types} == {}
    assert inherited(stacks["shop"]) >= SNAPSHOT
