"""The lessons of the payments post-mortem: each mistake refused with its message, each right way passed."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    AwsProvider,
    ConfigurationError,
    HardenedStack,
    InlineSource,
    LogGroup,
    MultiRegionKey,
    PaymentLambda,
    PeeredMesh,
    RegionalMap,
    RegionalVpc,
    Vpc,
)
from stacks.payments import PaymentsStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

MINOR = sys.version_info.minor
LIMIT = f" (checked with Python 3.{MINOR}, which runs the synth)" if MINOR < 13 else ""
SYNTH = f"Python 3.{min(MINOR, 13)}: expected ':'{LIMIT}"
HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"


@pytest.fixture
def stack(tmp_path: Path) -> HardenedStack:
    return HardenedStack(App(outdir=str(tmp_path / "cdktf.out")), "shop", environment="dev", owner="me")


@pytest.fixture(scope="module")
def payments(synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]) -> SynthesizedStack:
    return synthesize(lambda app: PaymentsStack(app, "payments", environment="dev"))["payments"]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


def add_function(stack: HardenedStack, source: Any, handler: str = "index.handler", **changes: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    arguments = {"region": region, "source": source, "handler": handler, "key": key, "reserved_concurrency": 1}
    return PaymentLambda(stack, "fn", **{**arguments, **changes})


def name_vpc(stack: HardenedStack, id_: str, cidr: str, region: str = "eu-west-1") -> Vpc:
    return RegionalVpc.from_attributes(
        stack,
        id_,
        region=stack.region(region),
        vpc_id="vpc-0123456789abcdef0",
        cidr=cidr,
        subnets={"private": {"a": "subnet-0123456789abcdef0"}},
        route_tables={"private": ["rtb-0123456789abcdef0"]},
    )


# PAY-1: a provider chosen at run time


def test_pay_1_a_region_is_an_object_with_its_provider_and_not_a_value(stack: HardenedStack) -> None:
    assert refusal(lambda: MultiRegionKey(stack, "key", region="${each.value.region}")) == (  # type: ignore[arg-type]
        "key: region='${each.value.region}': expected a Region; pass stack.region('eu-west-1') instead of a name"
    )
    assert refusal(lambda: stack.region("${var.region}")).startswith(
        "shop: region='${var.region}': must be a plain value"
    )


def test_pay_1_a_provider_of_another_region_is_refused(stack: HardenedStack) -> None:
    provider = AwsProvider(stack, "own", alias="own", region="us-east-1")
    assert refusal(lambda: stack.region("eu-west-1", provider=provider)) == (
        "shop: provider='us-east-1': is configured for another region; expected a provider for eu-west-1"
    )


def test_pay_1_a_provider_without_an_alias_is_refused(stack: HardenedStack) -> None:
    provider = AwsProvider(stack, "own", region="eu-west-1")
    assert refusal(lambda: stack.region("eu-west-1", provider=provider)) == (
        "shop: provider=None: has no alias; expected a provider with an alias"
    )


def test_pay_1_a_resource_that_needs_one_of_another_region_is_refused(stack: HardenedStack) -> None:
    us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=us)
    assert refusal(lambda: LogGroup(stack, "audit", region=eu, key=key)) == (
        "shop/audit: key='shop/key': exists in us-east-1 and not in eu-west-1, and a resource cannot use a key of another "
        "region; add eu-west-1 to the key's replicas"
    )


def test_pay_1_every_block_has_one_of_the_declared_providers_and_none_is_repeated_by_for_each(
    payments: SynthesizedStack,
) -> None:
    declared = {f"aws.{provider['alias']}" for provider in payments.document["provider"]["aws"]}
    for block in payments.blocks:
        assert "for_each" not in block
        assert "count" not in block
        assert block["provider"] in declared | {"archive"}, block.address


# PAY-2: a byte-order mark, a text file renamed to .zip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "handler.py",
            b"\xff\xfed\x00e\x00f\x00",
            "handler.py: byte 0 is the start of a UTF-16 LE byte-order mark (ff fe); save the file as UTF-8 without a byte-order mark",
        ),
        (
            "handler.py",
            b"\xef\xbb\xbfdef handler(event, context): ...\n",
            "handler.py: byte 0 is the start of a UTF-8 byte-order mark (ef bb bf); save the file as UTF-8 without a byte-order mark",
        ),
        ("handler.py", b"def handler(event, context)\n", f"handler.py:1:28: not valid {SYNTH}"),
        (
            "package.zip",
            b"not a zip",
            "package.zip: has the extension of an archive (.zip) and is not one; give the files instead, which archive_file packages",
        ),
        (
            "notes.txt",
            b"PK\x03\x04rest",
            "notes.txt: is a zip archive, regardless of its name; give the files instead, which archive_file packages",
        ),
    ],
)
def test_pay_2_a_source_that_lambda_could_not_run_is_refused(
    stack: HardenedStack, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "handler.py").write_bytes(HANDLER.encode())
    (source / name).write_bytes(content)
    assert (
        refusal(lambda: add_function(stack, source, "handler.handler")) == f"shop/fn: source={str(source)!r}: {message}"
    )


def test_pay_2_a_sound_source_is_packed_by_the_same_plan(payments: SynthesizedStack) -> None:
    for region in ("us_east_1", "eu_west_1", "ap_southeast_1"):
        package = payments.at(f"data.archive_file.validator_package_{region}")
        folder = payments.directory / package["source_dir"].removeprefix("${path.module}/")
        assert [file.name for file in folder.iterdir()] == ["handler.py"]
        function = payments.at(f"aws_lambda_function.validator_{region}")
        assert function["filename"] == f"${{{package.address}.output_path}}"
        assert function["source_code_hash"] == f"${{{package.address}.output_base64sha256}}"


# PAY-3: the same locals twice


def test_pay_3_values_of_regions_are_kept_once_in_a_complete_map(payments: SynthesizedStack) -> None:
    assert "locals" not in payments.document
    nested = payments.outputs["deployment_summary"]["regions"]
    assert len({json.dumps(value, sort_keys=True) for value in nested.values()}) == 3


def test_pay_3_a_name_that_is_taken_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    MultiRegionKey(stack, "key", region=region)
    assert refusal(lambda: MultiRegionKey(stack, "key-eu-west-1", region=region)) == (
        "shop/key-eu-west-1: id_='key-eu-west-1': results in the Terraform name 'key_eu_west_1', which shop/key has; "
        "choose another id"
    )
    stack.output("answer", 42, "The answer")
    assert refusal(lambda: stack.output("answer", 42, "The answer")) == (
        "shop/answer: id_='answer': already used in this scope; choose another id"
    )


# PAY-4: three styles of names


def test_pay_4_terraform_names_are_snake_case_and_end_in_their_region(payments: SynthesizedStack) -> None:
    for block in payments.blocks:
        name = block.address.rsplit(".", 1)[1]
        assert re.fullmatch(r"[a-z][a-z0-9_]*_(us_east_1|eu_west_1|ap_southeast_1)", name), block.address


def test_pay_4_aws_names_are_kebab_case_with_project_environment_and_region(payments: SynthesizedStack) -> None:
    names = [block["name"] for type_ in ("aws_iam_role", "aws_sqs_queue") for block in payments.resources(type_)]
    for name in names:
        assert re.fullmatch(r"payments-dev-[a-z0-9-]+-(us-east-1|eu-west-1|ap-southeast-1)", name)


def test_pay_4_a_project_that_would_bring_another_style_is_refused(stack: HardenedStack) -> None:
    app = stack.node.root
    assert refusal(lambda: HardenedStack(app, "x", environment="dev", owner="me", project="paymentValidator")) == (  # type: ignore[arg-type]
        "x: project='paymentValidator': must be lower-case letters, digits and single hyphens, starting with a letter, "
        "because it becomes part of every AWS name"
    )


# PAY-5: peering across regions without peer_region


def test_pay_5_requester_and_accepter_are_in_their_own_regions(payments: SynthesizedStack) -> None:
    for request in payments.resources("aws_vpc_peering_connection"):
        accept = next(
            block
            for block in payments.resources("aws_vpc_peering_connection_accepter")
            if request.address in block.references
        )
        assert accept["provider"] == f"aws.{request['peer_region'].replace('-', '_')}" != request["provider"]
        assert "auto_accept" not in request
        assert accept["auto_accept"] is True


def test_pay_5_members_that_overlap_are_refused(stack: HardenedStack) -> None:
    vpcs = [name_vpc(stack, "a", "10.0.0.0/16"), name_vpc(stack, "b", "10.0.128.0/20", "us-east-1")]
    assert refusal(lambda: PeeredMesh(stack, "mesh", vpcs=vpcs)) == (
        "shop/mesh: shop/b='10.0.128.0/20': overlaps shop/a (10.0.0.0/16); 10.1.0.0/20 is free"
    )


# PAY-6: tests that expect the design of before


def test_pay_6_looking_for_what_is_not_there_fails(payments: SynthesizedStack) -> None:
    with pytest.raises(
        AssertionError, match=r"no aws_api_gateway_rest_api matches 'payments/main/\*'; resources of this type:"
    ):
        payments.resources("aws_api_gateway_rest_api", "payments/main/*")


# PAY-7: a map that misses a region


def test_pay_7_a_map_that_misses_a_region_is_refused(stack: HardenedStack) -> None:
    stack.region("us-east-1")
    stack.region("eu-west-1")
    assert refusal(lambda: RegionalMap(stack, {"us-east-1": 1}, name="vpcs")) == (
        "shop/vpcs: no value for eu-west-1, a region of the stack; add one"
    )
    assert dict(RegionalMap(stack, {"us-east-1": 1, "eu-west-1": 2})) == {"us-east-1": 1, "eu-west-1": 2}


def test_inline_source_is_checked_like_a_folder(stack: HardenedStack) -> None:
    assert "index.py:1:" in refusal(lambda: add_function(stack, InlineSource("def handler(event, context)\n")))
