"""Secrets for real: which values are in the state and in a plan, and which never are."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from constructs_lib import ExternalValue, HardenedStack, MultiRegionKey, SecretParameter, WriteOnlyValue
from constructs_lib.testing.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import LocalAws, Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

EU = "eu-west-1"


def build(app: App) -> None:
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    region = stack.region(EU)
    key = MultiRegionKey(stack, "key", region=region)
    values = {"generated": None, "write-only": WriteOnlyValue(), "outside": ExternalValue()}
    for id_, value in values.items():
        SecretParameter(stack, id_, region=region, key=key, value=value, allowed_pattern="^[A-Za-z0-9_.-]+$")


def written(workspace: Workspace) -> bytes:
    """Everything that Terraform wrote: the state, and the contents of the plans."""
    found = workspace.state.read_bytes()
    for plan in workspace.directory.glob("*.tfplan"):
        with zipfile.ZipFile(io.BytesIO(plan.read_bytes())) as parts:
            found += b"".join(parts.read(part) for part in parts.namelist())
    return found


def test_only_a_generated_value_is_ever_written_down(
    synthesize: Callable[..., dict[str, SynthesizedStack]], local_aws: LocalAws, aws_provider: Terraform
) -> None:
    ssm = local_aws.client("ssm", EU)

    def value(id_: str) -> str:
        parameter = ssm.get_parameter(Name=f"/dev/shop/{id_}", WithDecryption=True)["Parameter"]
        assert parameter["Type"] == "SecureString"
        found: str = parameter["Value"]
        return found

    with Workspace(synthesize(build)["shop"], aws=local_aws, terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()
        workspace.plan()
        workspace.apply()
        first = {id_: value(id_) for id_ in ("generated", "write-only", "outside")}
        assert {len(text) for text in first.values()} == {32}
        ssm.put_parameter(
            Name="/dev/shop/outside", Value="set-outside-by-a-person", Type="SecureString", Overwrite=True
        )
        assert workspace.drift().unexpected == ()
        workspace.plan()
        workspace.apply()
        assert {id_: value(id_) for id_ in first} == {**first, "outside": "set-outside-by-a-person"}
        text = written(workspace)
        assert first["generated"].encode() in text
        for secret in (first["write-only"], first["outside"], "set-outside-by-a-person"):
            assert secret.encode() not in text
        workspace.destroy()
