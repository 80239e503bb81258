"""Bad input, each with one clear error: the construct, the argument, the value, what is allowed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    AddressPlan,
    App,
    AuroraProvisioned,
    ConfigurationError,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    PeeredMesh,
    RegionalMap,
    RegionalVpc,
)
from tests.constructs.aurora_provisioned.clusters import make_vpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HANDLER = "def handler(event, context):\n    return {}\n"


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


@pytest.fixture
def add_vpc(stack: HardenedStack) -> Callable[..., RegionalVpc]:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)

    def add(**arguments: Any) -> RegionalVpc:
        return RegionalVpc(stack, "vpc", **{"region": region, "cidr": "10.0.0.0/16", "key": key, **arguments})

    return add


@pytest.fixture
def add_function(stack: HardenedStack) -> Callable[..., PaymentLambda]:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)

    def add(id_: str = "fn", **arguments: Any) -> PaymentLambda:
        given = {"source": InlineSource(HANDLER), "handler": "index.handler", "reserved_concurrency": 1, **arguments}
        return PaymentLambda(stack, id_, region=region, key=key, **given)

    return add


def test_an_unknown_region(stack: HardenedStack) -> None:
    assert refusal(lambda: stack.region("us-est-1")) == (
        "shop: region='us-est-1': is no AWS region known on 2026-11-22; the nearest names are 'us-west-1', 'us-east-1', "
        "'us-west-2'"
    )


def test_an_unknown_environment(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    assert refusal(lambda: HardenedStack(app, "shop", environment="live", owner="me")) == (
        "shop: environment='live': must be one of dev, staging, prod"
    )


def test_a_range_that_overlaps_an_office() -> None:
    assert refusal(lambda: AddressPlan("10.0.0.0/12", ["eu-west-1"], on_premises={"office": "10.0.64.0/18"})) == (
        "AddressPlan: cidr('eu-west-1')='10.0.0.0/16': overlaps on_premises['office']='10.0.64.0/18'; 10.1.0.0/16 is free: "
        "regions={..., 'eu-west-1': 1}"
    )


def test_ranges_without_names() -> None:
    assert refusal(lambda: AddressPlan("10.0.0.0/8", ["eu-west-1"], on_premises=["10.1.0.0/16"])) == (  # type: ignore[arg-type]
        "AddressPlan: on_premises=['10.1.0.0/16']: must be a dict of ranges by name"
    )


def test_members_of_a_mesh_that_overlap(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region("eu-west-1"), replicas=[stack.region("us-east-1")])
    vpcs = [
        RegionalVpc(stack, f"vpc-{name}", region=stack.region(name), cidr="10.0.0.0/16", key=key)
        for name in ("eu-west-1", "us-east-1")
    ]
    assert refusal(lambda: PeeredMesh(stack, "mesh", vpcs=vpcs)) == (
        "shop/mesh: shop/vpc-us-east-1='10.0.0.0/16': overlaps shop/vpc-eu-west-1 (10.0.0.0/16); 10.1.0.0/16 is free"
    )


def test_a_vpc_that_is_too_small(add_vpc: Callable[..., RegionalVpc]) -> None:
    assert refusal(lambda: add_vpc(cidr="10.0.0.0/29")) == (
        "shop/vpc: cidr='10.0.0.0/29': must be /16 to /20: subnets take 8 more bits, and AWS has no subnet smaller than a "
        "/28"
    )


def test_a_token_in_place_of_a_range(add_vpc: Callable[..., RegionalVpc]) -> None:
    assert refusal(lambda: add_vpc(cidr="${var.cidr}")) == (
        "shop/vpc: cidr='${var.cidr}': must be a plain value, because subnets, routes and overlaps are worked out from it "
        "at synth"
    )


def test_no_zones(add_vpc: Callable[..., RegionalVpc]) -> None:
    assert refusal(lambda: add_vpc(zones=[])) == ("shop/vpc: zones=[]: must name at least one of 'a', 'b', 'c'")


def test_a_zone_of_another_region(add_vpc: Callable[..., RegionalVpc]) -> None:
    assert refusal(lambda: add_vpc(zones=["us-east-1a"])) == (
        "shop/vpc: zones[0]='us-east-1a': is a zone of 'us-east-1', but the region here is 'eu-west-1'"
    )


def test_peering_a_vpc_with_itself(stack: HardenedStack, add_vpc: Callable[..., RegionalVpc]) -> None:
    vpc = add_vpc()
    assert refusal(lambda: PeeredMesh(stack, "mesh", vpcs=[vpc, vpc])) == ("shop/mesh: vpcs='shop/vpc': duplicate VPC")


def test_a_source_that_is_not_there(add_function: Callable[..., PaymentLambda], tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    assert refusal(lambda: add_function(source=missing)) == (
        f"shop/fn: source={missing!r}: directory not found: {missing}"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\xef\xbb\xbf" + HANDLER.encode(),
            "index.py: byte 0 is the start of a UTF-8 byte-order mark (ef bb bf); {save}",
        ),
        (HANDLER.encode("utf-16"), "index.py: byte 0 is the start of a UTF-16 LE byte-order mark (ff fe); {save}"),
        (b"# caf\xe9\n" + HANDLER.encode(), "index.py: byte 5 (0xe9) is not UTF-8; {save}"),
    ],
)
def test_a_source_in_another_encoding(
    add_function: Callable[..., PaymentLambda], tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "index.py").write_bytes(content)
    expected = message.format(save="save the file as UTF-8 without a byte-order mark")
    assert refusal(lambda: add_function(source=tmp_path)) == f"shop/fn: source={str(tmp_path)!r}: {expected}"


def test_a_syntax_error(add_function: Callable[..., PaymentLambda]) -> None:
    text = refusal(lambda: add_function(source=InlineSource("def handler(event, context)\n")))
    minor = min(sys.version_info.minor, 13)
    assert text.startswith(
        f"shop/fn: source=InlineSource(filename='index.py'): index.py:1:28: not valid Python 3.{minor}: expected ':'"
    )


def test_a_handler_that_is_not_there(add_function: Callable[..., PaymentLambda]) -> None:
    assert refusal(lambda: add_function(handler="index.main")) == (
        "shop/fn: handler='index.main': main not found in index.py; its functions: handler"
    )


def test_an_archive_in_the_source(add_function: Callable[..., PaymentLambda], tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(HANDLER, encoding="utf-8")
    (tmp_path / "vendor.zip").write_bytes(b"PK\x03\x04")
    assert refusal(lambda: add_function(source=tmp_path)) == (
        f"shop/fn: source={str(tmp_path)!r}: vendor.zip: is a zip archive; give the files instead, which "
        "archive_file packages"
    )


def test_a_timeout_that_is_too_short(add_function: Callable[..., PaymentLambda]) -> None:
    assert refusal(lambda: add_function(timeout=5)) == (
        "shop/fn: timeout=5: must be a whole number of seconds from 30 to 300"
    )


def test_more_concurrency_than_the_account_has(add_function: Callable[..., PaymentLambda]) -> None:
    add_function("first", reserved_concurrency=850)
    assert refusal(lambda: add_function("second", reserved_concurrency=51)) == (
        "shop/second: reserved_concurrency=51: only 50 of the 1000 concurrent executions in eu-west-1 are left (100 stay "
        "unreserved; reserved by shop/first 850): reserve less, or raise the account's quota and give "
        "region(..., concurrency_limit=). Request the increase in Service Quotas, of Lambda's "
        "Concurrent executions (L-B99A9384)"
    )


def test_a_region_missing_from_a_map(stack: HardenedStack) -> None:
    stack.region("us-east-1")
    stack.region("eu-west-1")
    assert refusal(lambda: RegionalMap(stack, {"us-east-1": 1}, name="vpcs")) == (
        "shop/vpcs: no value for eu-west-1, a region of the stack; add one"
    )


def test_a_duplicate_construct_name(add_vpc: Callable[..., RegionalVpc]) -> None:
    add_vpc()
    assert refusal(add_vpc) == "shop/vpc: id_='vpc': already used in this scope; choose another id"


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("vpc", "vpc-1", "must be of the type Vpc, and is of the type str"),
        ("key", "alias/db", "must be of the type MultiRegionKey, and is of the type str"),
        ("engine", ["aurora-mysql"], "must be one of aurora-postgresql, aurora-mysql"),
        ("pinned", "17.4", "requires an exact engine_version; '17' is a major version"),
        ("upgrade", "17.4", "must be of the type MajorUpgrade | None, and is of the type str"),
        ("extended_support", True, "must be of the type ExtendedSupport | None, and is of the type bool"),
        ("reader_scaling", 5, "must be of the type ReaderScaling | None, and is of the type int"),
        ("parameters", "", "must be of the type Mapping[str, str] | None, and is of the type str"),
        ("instance_parameters", ["a"], "must be of the type Mapping[str, str] | None, and is of the type list"),
        ("io_optimized", "yes", "must be of the type bool, and is of the type str"),
    ],
)
def test_an_argument_of_another_type_is_refused_by_a_database(
    stack: HardenedStack, argument: str, value: object, allowed: str
) -> None:
    region = stack.region("eu-west-1")
    given: dict[str, Any] = {
        "vpc": make_vpc(stack),
        "key": MultiRegionKey(stack, "key", region=region),
        argument: value,
    }
    assert (
        refusal(lambda: AuroraProvisioned(stack, "db", region=region, **given))
        == f"shop/db: {argument}={value!r}: {allowed}"
    )
