"""A bucket with everything that it does on request, as the real provider sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack
from constructs_lib.testing.workspace import Workspace
from tests.constructs.regional_bucket.test_options import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.settings import Terraform

pytestmark = pytest.mark.terraform


def test_the_real_provider_finds_it_valid(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    def fill(app: App) -> None:
        build(HardenedStack(app, "shop", environment="dev", owner="team-shop"))

    with Workspace(synthesize(fill)["shop"], terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()
