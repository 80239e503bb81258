"""Arguments of a wrong type: explained for every construct, whatever they would have led to."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

import constructs_lib
from constructs_lib import (
    App,
    AuroraProvisioned,
    ConfigurationError,
    EventBus,
    EventTarget,
    HardenedStack,
    InlineSource,
    InputTransformer,
    LogGroup,
    MultiRegionKey,
    PaymentLambda,
    Queue,
    RegionalBucket,
    RegionalMap,
    RegionalVpc,
    RestApi,
    SecurityGroup,
    WebAcl,
)
from constructs_lib.core.construct import HardenedConstruct

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


@pytest.fixture
def add(stack: HardenedStack) -> Callable[..., object]:
    """Make a construct named x of what most of them need and what is given."""
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)

    def make(type_: Callable[..., object], id_: object = "x", **arguments: Any) -> object:
        return type_(stack, id_, **{"region": region, "key": key, **arguments})

    return make


def signatures() -> list[Any]:
    """Return every constructor, public method and option object of a public class."""
    found = []
    for name in constructs_lib.__all__:
        made = getattr(constructs_lib, name)
        if inspect.isclass(made) and made.__module__.startswith("constructs_lib"):
            found += [
                pytest.param(method, id=f"{name}.{method_name}")
                for method_name, method in inspect.getmembers(made, inspect.isfunction)
                if method_name == "__init__" or not method_name.startswith("_")
                if method.__module__.startswith("constructs_lib")
            ]
    return found


@pytest.mark.parametrize("function", signatures())
def test_every_type_of_a_public_signature_is_known_at_run_time(function: Callable[..., object]) -> None:
    hints = get_type_hints(inspect.unwrap(function))
    named = {name for name, parameter in inspect.signature(function).parameters.items() if name != "self"}
    untyped = {"args", "kwargs"}  # what a generated class takes
    assert named - untyped <= set(hints)
    assert [name for name in named - untyped if hints[name] is Any] == []


@pytest.mark.parametrize(
    ("type_", "argument", "value", "allowed"),
    [
        (AuroraProvisioned, "vpc", "vpc-1", "Vpc, and is of the type str"),
        (EventBus, "description", 1, "str | None, and is of the type int"),
        (LogGroup, "key", None, "MultiRegionKey, and is of the type NoneType"),
        (LogGroup, "name", b"x", "str | None, and is of the type bytes"),
        (RestApi, "custom_domain", "no", "bool, and is of the type str"),
        (RestApi, "account_has_log_role", "no", "bool, and is of the type str"),
        (RegionalBucket, "account_in_name", 0, "bool, and is of the type int"),
        (Queue, "alarm_topics", None, "Iterable[str], and is of the type NoneType"),
        (WebAcl, "managed_groups", [["x"]], "Sequence[str], and is of the type list"),
    ],
)
def test_an_argument_of_another_type_is_refused(
    add: Callable[..., object], type_: type, argument: str, value: object, allowed: str
) -> None:
    assert refusal(lambda: add(type_, **{argument: value})) == (
        f"shop/x: {argument}={value!r}: must be of the type {allowed}"
    )


def test_every_argument_of_another_type_is_named(add: Callable[..., object]) -> None:
    assert refusal(lambda: add(LogGroup, key=None, name=1)) == (
        "shop/x: key=None: must be of the type MultiRegionKey, and is of the type NoneType\n"
        "shop/x: name=1: must be of the type str | None, and is of the type int"
    )


def test_a_construct_has_the_first_word_on_its_arguments(add: Callable[..., object]) -> None:
    assert refusal(lambda: add(Queue, fifo=True)) == "shop/x: fifo=True: expected Fifo(...) or None"


def test_an_opt_out_without_its_reason_is_refused(stack: HardenedStack, add: Callable[..., object]) -> None:
    key = MultiRegionKey(stack, "other-key", region=stack.region("eu-west-1"))
    vpc = RegionalVpc(stack, "vpc", region=stack.region("eu-west-1"), cidr="10.0.0.0/16", key=key)
    assert refusal(lambda: add(AuroraProvisioned, vpc=vpc, extended_support=True)) == (
        "shop/x: extended_support=True: must be of the type ExtendedSupport | None, and is of the type bool"
    )


@pytest.mark.parametrize(
    ("type_", "argument", "value"),
    [(EventBus, "accounts", "111111111111"), (WebAcl, "managed_groups", "AWSManagedRulesLinuxRuleSet")],
)
def test_a_generator_is_refused_where_its_check_would_use_it_up(
    add: Callable[..., object], type_: type, argument: str, value: str
) -> None:
    given = (each for each in [value])
    assert refusal(lambda: add(type_, **{argument: given})) == (
        f"shop/x: {argument}={given!r}: must be of the type Sequence[str], and is of the type generator"
    )


def test_an_argument_of_a_method_is_refused_too(add: Callable[..., object]) -> None:
    function = add(
        PaymentLambda,
        "fn",
        source=InlineSource("def handler(event, context):\n    return {}\n"),
        handler="index.handler",
        reserved_concurrency=1,
    )
    api = add(RestApi)
    assert isinstance(api, RestApi)
    assert refusal(lambda: api.add_method("GET", "/", function, shorter_timeout="it is safe")) == (  # type: ignore[arg-type]
        "shop/x: shorter_timeout='it is safe': must be of the type ShorterTimeout | None, and is of the type str"
    )
    names = (name for name in ["header.Key"])
    assert refusal(lambda: api.add_method("GET", "/a", function, required_parameters=names)) == (  # type: ignore[arg-type]
        f"shop/x: required_parameters={names!r}: must be of the type Sequence[str], and is of the type generator"
    )


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (
            {"dead_letter_queue": "x"},
            "dead_letter_queue='x': must be of the type DeadLetterQueue | None, and is of the type str",
        ),
        ({"input": {"a": 1}}, "input={'a': 1}: must be of the type str | None, and is of the type dict"),
        (
            {"input_transformer": "x"},
            "input_transformer='x': must be of the type InputTransformer | None, and is of the type str",
        ),
        (
            {"input_transformer": InputTransformer(paths=7, template="<a>")},  # type: ignore[arg-type]
            "input_transformer.paths=7: must be of the type Mapping[str, str], and is of the type int",
        ),
    ],
)
def test_a_field_of_an_option_object_is_refused_where_the_object_is_used(
    add: Callable[..., object], target: dict[str, Any], problem: str
) -> None:
    queue, bus = add(Queue, "queue"), add(EventBus, "bus")
    assert isinstance(queue, Queue)
    assert isinstance(bus, EventBus)
    event = {"source": "shop"}
    refused = refusal(
        lambda: bus.add_rule(
            "rule", pattern={"source": ["shop"]}, samples=[event], targets=[EventTarget(queue, **target)]
        )
    )
    assert refused == f"shop/bus: targets[0].{problem}"


def test_something_without_a_role_is_granted_nothing(add: Callable[..., object]) -> None:
    queue = add(Queue)
    assert isinstance(queue, Queue)
    assert refusal(lambda: queue.grant_send("role")) == (  # type: ignore[arg-type]
        "shop/x: grantee='role': must be of the type Grantee, and is of the type str"
    )


def test_a_callers_own_construct_may_be_annotated_with_anything(stack: HardenedStack) -> None:
    class Own(HardenedConstruct):
        def __init__(self, scope: HardenedStack, id_: str, *, colour: paint.Colour) -> None:  # type: ignore[name-defined]  # noqa: F821
            super().__init__(scope, id_, region=stack.region("eu-west-1"))
            self.colour = colour

    assert Own(stack, "own", colour="red").colour == "red"


def test_arguments_of_a_stack_and_its_methods_are_explained_too(stack: HardenedStack) -> None:
    wrong: Any = "s3"
    seven: Any = 7
    assert refusal(lambda: HardenedStack(App(), "other", environment="dev", owner="me", backend=wrong)) == (
        "other: backend='s3': must be of the type Backend | None, and is of the type str"
    )
    assert refusal(lambda: stack.output("answer", 42, description=seven)) == (
        "shop: description=7: must be of the type str, and is of the type int"
    )


@pytest.mark.parametrize("tags", [["CostCenter"], {7: "x"}])
def test_tags_that_are_none_are_refused(tags: Any) -> None:
    assert refusal(lambda: HardenedStack(App(), "other", environment="dev", owner="me", tags=tags)) == (
        f"other: tags={tags!r}: expected a dict of strings"
    )


@pytest.mark.parametrize("accounts", [None, 1, "111122223333"])
def test_accounts_that_are_no_list_are_refused(accounts: Any) -> None:
    assert refusal(
        lambda: HardenedStack(App(), "other", environment="dev", owner="me", allowed_account_ids=accounts)
    ) == (f"other: allowed_account_ids={accounts!r}: expected a list of account ids")


def test_values_of_regions_that_are_no_mapping_are_refused(stack: HardenedStack) -> None:
    stack.region("eu-west-1")
    assert refusal(lambda: RegionalMap(stack, ["a"])) == (  # type: ignore[arg-type]
        "shop/RegionalMap: values=['a']: expected a dict of values by region"
    )


def test_an_id_that_is_no_text_is_refused(add: Callable[..., object]) -> None:
    assert refusal(lambda: add(Queue, 7)) == "shop/7: id_=7: must be of the type str, and is of the type int"


@pytest.mark.parametrize("id_", ["größe", "注文", "a\nb", "\ud800", "---"])
def test_an_id_that_names_cannot_hold_is_refused(add: Callable[..., object], id_: str) -> None:
    assert refusal(lambda: add(Queue, id_)) == (
        f"shop/{id_}: id_={id_!r}: expected printable ASCII with a letter or digit, since AWS names are made of it"
    )


@pytest.mark.parametrize("id_", ["Orders", "order_queue", "2nd-queue", "Order Queue", "Resource"])
def test_ids_of_every_style_are_accepted(add: Callable[..., object], id_: str) -> None:
    assert isinstance(add(Queue, id_), Queue)


def test_something_else_than_a_scope_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=region)
    assert refusal(lambda: Queue("shop", "x", region=region, key=key)) == (  # type: ignore[arg-type]
        "x: scope='shop': must be of the type core.Construct, and is of the type str"
    )


def test_an_argument_that_is_missing_or_unknown_is_pythons_own_error(
    stack: HardenedStack, add: Callable[..., object]
) -> None:
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'vpc'"):
        SecurityGroup(stack, "x", region=stack.region("eu-west-1"), description="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        add(Queue, colour="red")


def test_a_fault_of_the_library_keeps_its_traceback(
    add: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("constructs_lib.constructs.payment_lambda.function.check_sizes", lambda *_, **__: len(None))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="object of type 'NoneType' has no len"):
        add(
            PaymentLambda,
            source=InlineSource("def handler(event, context):\n    return {}\n"),
            handler="index.handler",
            reserved_concurrency=1,
        )
