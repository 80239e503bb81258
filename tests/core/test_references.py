"""Every public reference of every construct works in another stack of the app."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import (
    App,
    CustomDomain,
    Environment,
    Fn,
    HardenedStack,
    HostedZone,
    MultiRegionKey,
    NotificationTopic,
    RestApi,
    ShorterTimeout,
    aws,
)
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack
from tests.constructs.queues import function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

ZONE = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
IN_STACK = re.compile(r"\$\{(?!TfToken\[)(?:data\.)?[a-z]\w*\.\w+")
"""A reference that is valid in its own stack only, as text."""
REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z]\w*\.\w+)\.")


def build(app: App) -> None:
    """Add the reference stacks, and what they lack."""
    given: dict[str, Any] = {"environment": Environment.PROD}
    EventsStack(app, "events", **given)
    PaymentsStack(app, "payments", **given)
    PlatformStack(app, "platform", **given)
    TicketingStack(app, "ticketing", **given)
    TradingStack(app, "trading", zone=ZONE, **given)
    StateBackendStack(app, "state-backend", **given)
    rest = HardenedStack(app, "rest", owner="me", **given)
    region = rest.region("eu-west-1")
    key = MultiRegionKey(rest, "key", region=region)
    NotificationTopic(rest, "topic", region=region, key=key).subscribe("a@example.com")
    called = function(key, "called")
    api = RestApi(rest, "api", region=region, key=key, custom_domain=True, account_has_log_role=True)
    api.add_method("GET", "/", called, shorter_timeout=ShorterTimeout("answering twice does no harm"))
    CustomDomain(rest, "domain", region=region, domain="api.example.com", zone=ZONE, api=api)


def constructs(app: App) -> list[HardenedConstruct]:
    return [node for node in app.node.find_all() if isinstance(node, HardenedConstruct)]


def references(construct: HardenedConstruct) -> Iterator[tuple[str, str]]:
    """Yield the public references of a construct by attribute; what refuses to be read has none."""
    for name in sorted({*dir(type(construct)), *vars(construct)}):
        if name.startswith("_") or name in ("node", "resources", "caller"):
            continue
        if inspect.isroutine(inspect.getattr_static(construct, name)):
            continue
        try:
            value = getattr(construct, name)
        except (constructs_lib.ConfigurationError, DeprecationWarning):
            continue
        yield from texts(name, value)


def texts(at: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and "${" in value:
        yield at, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts(f"{at}[{key!r}]", each)
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from texts(f"{at}[{index}]", each)


@pytest.fixture(scope="module")
def every(synthesize: Synthesize) -> tuple[dict[str, SynthesizedStack], dict[str, str]]:
    """The synthesized stacks, one of which uses every public reference of the others; and the references by path."""
    used: dict[str, str] = {}

    def fill(app: App) -> None:
        build(app)
        reader = HardenedStack(app, "reader", environment="prod", owner="me")
        region = reader.region("eu-west-1")
        for construct in constructs(app):
            for name, value in references(construct):
                used[f"{construct.path}.{name}"] = value
        for number, value in enumerate(used.values()):
            reader.output(f"output-{number}", value, "A reference to another stack")
            aws.ssm_parameter.SsmParameter(
                reader,
                f"text-{number}",
                provider=region.provider,
                name=f"/{number}",
                type="String",
                value=f"is {value}!",
            )
        document = aws.data_aws_iam_policy_document
        statement = document.DataAwsIamPolicyDocumentStatement(
            actions=["sts:GetCallerIdentity"], resources=[*used.values()]
        )
        document.DataAwsIamPolicyDocument(reader, "list", provider=region.provider, statement=[statement])
        reader.output("joined", Fn.join(",", [*used.values()]), "All of them through a function of Terraform")
        reader.output("encoded", json.dumps([*used.values()]), "All of them as JSON")

    return synthesize(fill), used


def test_every_public_construct_takes_part(synthesize: Synthesize) -> None:
    found: set[str] = set()

    def fill(app: App) -> None:
        build(app)
        found.update(type(construct).__name__ for construct in constructs(app))

    synthesize(fill)
    public = {
        name
        for name in constructs_lib.__all__
        if inspect.isclass(made := getattr(constructs_lib, name)) and issubclass(made, HardenedConstruct)
        if name == made.__name__  # no alias
    }
    assert public - found - {"Vpc"} == set()  # a Vpc is a RegionalVpc, or exists already


def test_no_public_reference_is_text_that_only_its_own_stack_understands(
    every: tuple[dict[str, SynthesizedStack], dict[str, str]],
) -> None:
    _, used = every
    assert len(used) > 50
    assert [f"{path}: {value}" for path, value in used.items() if IN_STACK.search(value)] == []


def test_another_stack_refers_to_nothing_that_it_does_not_declare(
    every: tuple[dict[str, SynthesizedStack], dict[str, str]],
) -> None:
    stacks, _ = every
    document = stacks["reader"].document
    declared = {
        f"{prefix}{type_}.{name}"
        for prefix, kind in (("", "resource"), ("data.", "data"))
        for type_, blocks in document[kind].items()
        for name in blocks
    }
    assert set(REFERENCE.findall(json.dumps(document))) - declared == set()


@pytest.mark.terraform
def test_terraform_finds_every_stack_valid(
    every: tuple[dict[str, SynthesizedStack], dict[str, str]], aws_provider: Terraform
) -> None:
    stacks, _ = every
    for name in ("reader", "rest", "events"):
        with Workspace(stacks[name], terraform=aws_provider) as workspace:
            workspace.init()
            assert workspace.validate() == (), name
