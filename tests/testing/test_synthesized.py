from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, LogGroup, MultiRegionKey
from constructs_lib.testing import SynthesizedStack, read_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App


@pytest.fixture(scope="module")
def shop(synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        LogGroup(stack, "audit", region=region, key=key)
        LogGroup(stack, "trail", region=region, key=key)

    return synthesize(build)["shop"]


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(AssertionError) as error:
        call()
    return str(error.value)


def test_blocks_are_found_by_type_and_construct_path(shop: SynthesizedStack) -> None:
    assert (
        shop.resource("aws_cloudwatch_log_group", "shop/audit/*").address == "aws_cloudwatch_log_group.audit_eu_west_1"
    )
    assert len(shop.resources("aws_cloudwatch_log_group")) == 2
    assert shop.at("aws_kms_key.key_eu_west_1").path == "shop/key/Resource"
    assert shop.resource("data.aws_caller_identity").path == "shop/current-eu-west-1"


def test_finding_nothing_fails_and_says_what_is_there(shop: SynthesizedStack) -> None:
    assert failure(lambda: shop.resources("aws_cloudwatch_log_group", "*/orders/*")) == (
        "no aws_cloudwatch_log_group matches '*/orders/*'; resources of this type:\n  shop/audit/Resource\n  shop/trail/Resource"
    )
    assert failure(lambda: shop.resources("aws_vpc")) == (
        "no aws_vpc matches '*'; resources of this type:\n  none of this type"
    )


def test_finding_nothing_is_an_answer_only_when_asked_for(shop: SynthesizedStack) -> None:
    assert shop.find("aws_vpc") == []


def test_several_where_one_was_expected_fail(shop: SynthesizedStack) -> None:
    assert failure(lambda: shop.resource("aws_cloudwatch_log_group")) == (
        "2 aws_cloudwatch_log_group match '*'; expected one:\n  shop/audit/Resource\n  shop/trail/Resource"
    )


def test_an_unknown_address_names_close_ones(shop: SynthesizedStack) -> None:
    assert failure(lambda: shop.at("aws_kms_key.key_eu_west_2")) == (
        "no block has the address aws_kms_key.key_eu_west_2; similar addresses: aws_kms_key.key_eu_west_1, aws_kms_alias.key_alias_eu_west_1"
    )


def test_references_are_the_addresses_in_expressions(shop: SynthesizedStack) -> None:
    assert shop.resource("aws_cloudwatch_log_group", "shop/audit/*").references == {"aws_kms_key.key_eu_west_1"}
    assert shop.resource("aws_kms_key").references == {"data.aws_caller_identity.current_eu_west_1"}


def test_a_whole_object_is_compared_and_the_difference_shown(shop: SynthesizedStack) -> None:
    alias = shop.resource("aws_kms_alias")
    alias.assert_config({"name": "alias/shop-dev-key", "target_key_id": "${aws_kms_key.key_eu_west_1.key_id}"})
    text = failure(lambda: alias.assert_config({"name": "alias/shop-dev-key", "target_key_id": "another"}))
    assert text.splitlines() == [
        "aws_kms_alias.key_alias_eu_west_1 differs:",
        "--- expected",
        "+++ actual",
        "@@ -2,3 +2,3 @@",
        '   "name": "alias/shop-dev-key",',
        '-  "target_key_id": "another"',
        '+  "target_key_id": "${aws_kms_key.key_eu_west_1.key_id}"',
        " }",
    ]


def test_an_attribute_that_is_missing_or_too_many_is_a_difference(shop: SynthesizedStack) -> None:
    alias = shop.resource("aws_kms_alias")
    assert '+  "target_key_id"' in failure(lambda: alias.assert_config({"name": "alias/shop-dev-key"}))
    full = {"name": "alias/shop-dev-key", "target_key_id": "${aws_kms_key.key_eu_west_1.key_id}", "x": 1}
    assert '-  "x": 1' in failure(lambda: alias.assert_config(full))


def test_an_attribute_that_is_not_there_names_those_that_are(shop: SynthesizedStack) -> None:
    alias = shop.resource("aws_kms_alias")
    assert "name" in alias
    assert "key" not in alias
    assert failure(lambda: alias["key"]) == (
        "aws_kms_alias.key_alias_eu_west_1 has no 'key'; it has name, provider, target_key_id"
    )


def test_a_provider_that_is_not_there_names_those_that_are(shop: SynthesizedStack) -> None:
    assert failure(lambda: shop.provider("eu_west_2")) == "0 providers have the alias 'eu_west_2': ['eu_west_1']"


def test_a_stack_is_read_from_its_folder(shop: SynthesizedStack) -> None:
    assert read_stack(str(shop.directory)).addresses == shop.addresses


def test_the_plugin_gives_other_projects_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from constructs_lib import HardenedStack, MultiRegionKey

        def test_it(synthesize):
            def build(app):
                stack = HardenedStack(app, "shop", environment="dev", owner="me")
                MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))

            assert synthesize(build)["shop"].resource("aws_kms_key")["enable_key_rotation"] is True
        """
    )
    pytester.runpytest_inprocess("-p", "constructs_lib.testing.plugin").assert_outcomes(passed=1)
