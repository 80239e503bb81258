"""The lessons of the ticketing post-mortem: each mistake refused, or found in the raw system, and not in the stack."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
)
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.ticketing import REGIONS, TicketingStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

ROOT = Path(__file__).parent.parent.parent
TESTS = sorted((ROOT / "tests").rglob("*.py"))
RAW = ROOT / "tests" / "rules" / "seeds" / "ticketing" / "bad"
ENVIRONMENTS = ("dev", "staging", "prod")
HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"
FUNCTION = "aws_lambda_function.ticket_purchase"
GROUP = "aws_security_group.function"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What the rules say about the system as the post-mortem found it, in production."""
    folder = tmp_path_factory.mktemp("prod") / "ticketing"
    shutil.copytree(RAW, folder)
    return list(run(load([folder]), rules()).findings)


@pytest.fixture(scope="module")
def every(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> dict[str, SynthesizedStack]:
    return {
        name: synthesize(lambda app, name=name: TicketingStack(app, "ticketing", environment=name))["ticketing"]  # type: ignore[misc]
        for name in ENVIRONMENTS
    }


@pytest.fixture(params=ENVIRONMENTS)
def ticketing(request: pytest.FixtureRequest, every: dict[str, SynthesizedStack]) -> SynthesizedStack:
    return every[request.param]


@pytest.fixture
def stack(tmp_path: Path) -> HardenedStack:
    return HardenedStack(App(outdir=str(tmp_path / "out")), "shop", environment="dev", owner="me")


def found(raw: list[Finding], rule: str, address: str) -> list[str]:
    """Return what a rule says about one block, without the block's address."""
    about = [one for one in raw if (one.id, one.address) == (rule, address)]
    return [one.message.removeprefix(f"{address}: ") for one in about]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


def function(stack: HardenedStack, **changes: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=["private"])
    arguments = {"source": InlineSource(HANDLER), "handler": "index.handler", "reserved_concurrency": 1, **changes}
    return PaymentLambda(stack, "fn", region=region, key=key, vpc=vpc, **arguments)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_no_rule_finds_the_mistake_in_the_stack(every: dict[str, SynthesizedStack], number: int) -> None:
    own = [rule for rule in rules() if f"TICK-{number}" in rule.lessons]
    assert own
    for made in every.values():
        assert [str(one) for one in run(load([made.directory]), own).findings] == []


# TICK-1: code from files that the same plan writes first


def test_tick_1_a_package_of_written_files_is_found(raw: list[Finding]) -> None:
    assert found(raw, "LAM-005", "data.archive_file.ticket_purchase_zip") == [
        (
            'source.content = "${file(\\"${path.module}/ticket_purchase.js\\")}": must not be a file that '
            "local_file.ticket_purchase_code writes; package the source itself"
        )
    ]
    assert found(raw, "STATE-023", "local_file.ticket_purchase_code") == [
        (
            'filename = "${path.module}/ticket_purchase.js": must not be a code file: it is packaged before Terraform '
            "writes it; use source of data.archive_file"
        )
    ]


def test_tick_1_text_that_is_only_known_at_apply_is_refused(stack: HardenedStack) -> None:
    source = InlineSource(f'CODE = "${{TfToken[TOKEN.7]}}"\n{HANDLER}')
    assert refusal(lambda: function(stack, source=source)) == (
        "shop/fn: source=InlineSource(filename='index.py'): contains a reference; expected plain text. Give references "
        "as environment variables"
    )


def test_tick_1_the_package_is_what_is_in_the_folder(ticketing: SynthesizedStack) -> None:
    for task in ("purchase", "inventory"):
        for region in REGIONS:
            package = ticketing.at(f"data.archive_file.{task}_fn_package_{region.replace('-', '_')}")
            assert "content" not in json.dumps(package.config)
            folder = ticketing.directory / package["source_dir"].removeprefix("${path.module}/")
            source = ROOT / "lambda_src" / f"ticket_{task}"
            assert {one.name: one.read_bytes() for one in folder.iterdir()} == {
                one.name: one.read_bytes() for one in source.glob("*.py")
            }
    assert not {"local_file", "local_sensitive_file", "null_resource"} & ticketing.document["resource"].keys()
    assert "file(" not in json.dumps(ticketing.document)


# TICK-2: no environment suffix


@pytest.mark.parametrize(
    ("address", "attribute", "name"),
    [
        ("aws_dynamodb_table.inventory", "name", "ticket-inventory"),
        (FUNCTION, "function_name", "ticket-purchase"),
    ],
)
def test_tick_2_a_name_without_the_environment_is_found(
    raw: list[Finding], address: str, attribute: str, name: str
) -> None:
    assert found(raw, "NAME-001", address) == [
        f'{attribute} = "${{local.app_name}}-{name}": must contain the environment, such as dev, staging or prod'
    ]


def test_tick_2_there_is_no_stack_without_an_environment(tmp_path: Path) -> None:
    make: Any = TicketingStack
    with pytest.raises(TypeError, match="environment"):
        make(App(outdir=str(tmp_path)), "ticketing")
    assert refusal(lambda: TicketingStack(App(outdir=str(tmp_path)), "ticketing", environment="")) == (
        "ticketing: environment='': must be one of dev, staging, prod"
    )


# TICK-3: some names carry the suffix, some do not


def names(stack: SynthesizedStack) -> Iterator[tuple[str, str]]:
    """Yield every name in AWS that a resource is given, beside its address."""
    attributes = (
        "name",
        "function_name",
        "replication_group_id",
        "user_id",
        "user_group_id",
        "layer_name",
        "alarm_name",
    )
    for block in stack.blocks:
        # Models and validators are parts of an API, and their names are its own.
        if block.address.startswith(("data.", "aws_api_gateway_model.", "aws_api_gateway_request_validator.")):
            continue
        for attribute in attributes:
            value = block.config.get(attribute)
            # Every function has an alias of the same name.
            if isinstance(value, str) and "${" not in value and value != "live":
                yield block.address, value


def test_tick_3_the_cache_without_the_environment_is_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-001", "aws_elasticache_replication_group.redis") == [
        'replication_group_id = "${local.app_name}-redis": must contain the environment, such as dev, staging or prod'
    ]


def test_tick_3_every_name_carries_the_environment(every: dict[str, SynthesizedStack]) -> None:
    seen = {environment: dict(names(made)) for environment, made in every.items()}
    for environment, named in seen.items():
        assert len(named) > 30
        assert {address: name for address, name in named.items() if environment not in re.split(r"[-/_]", name)} == {}
    assert not set(seen["dev"].values()) & set(seen["prod"].values())


# TICK-4: no outputs for the tests


def test_tick_4_a_stack_without_outputs_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-020", "terraform") == [
        "must have outputs; add those that tests and pipelines need, such as addresses and names"
    ]


@pytest.mark.parametrize("region", REGIONS)
def test_tick_4_what_a_test_needs_is_put_out_in_each_region(ticketing: SynthesizedStack, region: str) -> None:
    place = region.replace("-", "_")
    needed = {
        f"{name}_{place}"
        for name in (
            *("api_url", "api_id", "inventory_name", "inventory_arn", "inventory_stream_arn", "cache_endpoint"),
            *("cache_port", "cache_reader_endpoint", "vpc_id", "vpc_private_subnet_ids", "vpc_database_subnet_ids"),
            *("purchase_fn_function_name", "purchase_fn_alias_arn", "inventory_fn_function_name", "alarms_arn"),
        )
    }
    assert needed <= ticketing.outputs.keys()


# TICK-5: placeholder tests


def checks(test: ast.FunctionDef) -> bool:
    """Whether a test can pass and can fail: it calls something, and asserts nothing that is so or not by itself."""
    asserts = [node.test for node in ast.walk(test) if isinstance(node, ast.Assert)]
    if any(isinstance(one, ast.Constant) for one in asserts):
        return False
    return bool(asserts) or any(isinstance(node, ast.Call) for part in test.body for node in ast.walk(part))


def functions(text: str) -> list[ast.FunctionDef]:
    return [
        one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    ]


def test_tick_5_a_placeholder_is_seen() -> None:
    tests = ("assert False", "assert True", "pass", "assert sold() == 100")
    assert [checks(functions(f"def test_a():\n    {body}\n")[0]) for body in tests] == [False, False, False, True]


def test_tick_5_no_test_is_a_placeholder() -> None:
    empty = [
        f"{file.relative_to(ROOT)}::{test.name}"
        for file in TESTS
        if file.name.startswith("test_")
        for test in functions(file.read_text(encoding="utf-8"))
        if not checks(test)
    ]
    assert empty == []


def test_tick_5_every_rule_has_a_bad_and_a_good_document() -> None:
    for rule in rules():
        assert rule.good != rule.bad, rule.id


# TICK-6: tests that point at files of other names


def test_tick_6_every_file_of_the_code_that_a_test_names_is_there() -> None:
    named = re.compile(r"(?:stacks|lambda_src|constructs_lib)/[\w/]+\.py")
    paths = {
        (file.name, path)
        for file in TESTS
        if "rules" not in file.parts  # they judge code that is made up
        if named.search(text := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for path in named.findall(node.value)
    }
    assert ("test_ticketing.py", "stacks/ticketing.py") in paths
    assert {(file, path) for file, path in paths if not (ROOT / path).is_file()} == set()


def test_tick_6_tests_import_the_stack() -> None:
    importing = {
        file.parent.name
        for file in TESTS
        if "stacks.ticketing" in (text := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "stacks.ticketing"
    }
    assert importing == {"core", "lessons", "stacks", "terraform"}


# TICK-7: a function in a VPC without proper security groups


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "LAM-024",
            (
                'ingress.0 = {"from_port": 0, "to_port": 65535, "protocol": "tcp", "cidr_…: must be '
                "removed: aws_security_group.function is the security group of a Lambda function, which accepts no "
                "connections"
            ),
        ),
        (
            "LAM-025",
            (
                'egress.0 = {"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_block…: aws_security_group.function is '
                "the security group of a Lambda function: egress to any address must be limited to TCP 443; for other "
                "ports, name the security group or CIDR range of the destination"
            ),
        ),
        (
            "NET-002",
            'ingress.0.cidr_blocks = ["0.0.0.0/0"]: must not allow all ports from the internet; allow only the ports that are served',
        ),
    ],
)
def test_tick_7_an_open_group_is_found(raw: list[Finding], rule: str, message: str) -> None:
    assert found(raw, rule, GROUP) == [message]


def test_tick_7_a_way_to_everywhere_is_refused(stack: HardenedStack) -> None:
    made = function(stack)
    assert refusal(lambda: made.allow_to_cidr("0.0.0.0/0", 6379, "the cache")) == (
        "shop/fn/security-group: cidr='0.0.0.0/0': is allowed on port 443 only, not on port 6379; give a narrower CIDR block"
    )


def test_tick_7_each_function_has_a_group_of_its_own_that_names_every_peer(ticketing: SynthesizedStack) -> None:
    groups = [
        group for one in ticketing.resources("aws_lambda_function") for group in one["vpc_config"]["security_group_ids"]
    ]
    assert len(groups) == len(set(groups)) == 2 * len(REGIONS)
    for group in groups:
        out = [
            one
            for one in ticketing.resources("aws_vpc_security_group_egress_rule")
            if one["security_group_id"] == group
        ]
        assert len(out) == 2
        assert all("cidr_ipv4" not in one.config for one in out)
    let_in = {one["security_group_id"] for one in ticketing.resources("aws_vpc_security_group_ingress_rule")}
    assert not let_in & set(groups)
