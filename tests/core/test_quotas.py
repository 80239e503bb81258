"""Quotas that the stacks of an app use up together, at synth."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import AddressPlan, App, ConfigurationError, HardenedStack, MultiRegionKey, RegionalVpc
from constructs_lib.foundation.errors import ConfigurationWarning

if TYPE_CHECKING:
    from pathlib import Path

REGION = "us-east-1"


def app_of(folder: Path, *stacks: str, **limits: Any) -> App:
    """Stacks with three NAT gateways each."""
    app = App(outdir=str(folder))
    for index, name in enumerate(stacks):
        stack = HardenedStack(app, name, environment="prod", owner="me")
        region = stack.region(REGION, **limits)
        key = MultiRegionKey(stack, "key", region=region)
        plan = AddressPlan(f"10.{16 * index}.0.0/12", [REGION])
        RegionalVpc(stack, "vpc", region=region, cidr=plan.cidr(REGION), key=key)
    return app


def test_more_addresses_than_a_new_account_has_are_a_warning(tmp_path: Path) -> None:
    with pytest.warns(ConfigurationWarning) as caught:
        app_of(tmp_path, "shop", "bank").synth()
    (warning,) = caught
    assert str(warning.message).startswith(
        "shop: elastic_ip_limit=None: the stacks of one account create 6 Elastic IP addresses in us-east-1 (shop 3, bank "
        "3), and the default quota L-0263D0A3 is 5; request a higher quota with `aws service-quotas "
    )


def test_more_than_the_stated_quota_fails_the_synthesis(tmp_path: Path) -> None:
    with pytest.raises(
        RuntimeError, match=r"\[shop\] elastic_ip_limit=5: the stacks of one account create 6 Elastic IP"
    ):
        app_of(tmp_path, "shop", "bank", elastic_ip_limit=5).synth()
    with pytest.raises(
        RuntimeError, match=r"\[shop\] vpc_limit=1: the stacks of one account create 2 VPCs in us-east-1"
    ):
        app_of(tmp_path, "shop", "bank", elastic_ip_limit=6, vpc_limit=1).synth()


def test_a_quota_that_suffices_is_no_finding(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app_of(tmp_path, "shop", "bank", elastic_ip_limit=6, vpc_limit=2).synth()
        app_of(tmp_path, "shop").synth()


@pytest.mark.parametrize("limits", [{"vpc_limit": -1}, {"elastic_ip_limit": -1}])
def test_a_limit_below_zero_is_refused(tmp_path: Path, limits: dict[str, int]) -> None:
    ((argument, given),) = limits.items()
    with pytest.raises(ConfigurationError) as error:
        app_of(tmp_path, "shop", **limits)
    assert str(error.value) == (
        f"shop: {argument}={given}: must be a whole number of at least 0, the same in every call of region('us-east-1')"
    )


def test_another_limit_in_a_later_call_is_refused(tmp_path: Path) -> None:
    stack = HardenedStack(App(outdir=str(tmp_path)), "shop", environment="dev", owner="me")
    region = stack.region(REGION, vpc_limit=7)
    assert stack.region(REGION) is stack.region(REGION, vpc_limit=7) is region
    with pytest.raises(ConfigurationError) as error:
        stack.region(REGION, vpc_limit=8)
    assert str(error.value) == (
        "shop: vpc_limit=8: must be a whole number of at least 0, the same in every call of region('us-east-1')"
    )
