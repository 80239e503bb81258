"""A bucket with everything that it does on request, as the real provider sees it, and what changes of it replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, MultiRegionKey, ObjectLock, RegionalBucket
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.workspace import Workspace
from tests.constructs.regional_bucket.test_options import build
from tests.terraform.changes import change_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.settings import Terraform

    Synthesize = Callable[..., dict[str, SynthesizedStack]]

pytestmark = pytest.mark.terraform

LOCK = "aws_s3_bucket_object_lock_configuration.data_lock_eu_west_1"


def test_the_real_provider_finds_it_valid(synthesize: Synthesize, aws_provider: Terraform) -> None:
    def fill(app: App) -> None:
        build(HardenedStack(app, "shop", environment="dev", owner="team-shop"))

    with Workspace(synthesize(fill)["shop"], terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


def shop(
    synthesize: Synthesize, lock: ObjectLock | None = None, *, created_with_it: bool | None = None
) -> SynthesizedStack:
    """A data bucket and a log bucket; with Object Lock from its creation, as earlier versions of this library made it."""

    def fill(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
        region = stack.region("eu-west-1")
        logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
        key = MultiRegionKey(stack, "key", region=region)
        data = RegionalBucket(stack, "data", region=region, key=key, access_logs=logs, object_lock=lock)
        if created_with_it:
            data.resource.add_override("object_lock_enabled", value=True)

    return synthesize(fill)["shop"]


@pytest.mark.apply
def test_object_lock_is_added_to_a_bucket_with_objects_and_changed_and_removed_in_place(
    synthesize: Synthesize, aws_provider: Terraform
) -> None:
    with LocalAws() as aws, Workspace(shop(synthesize), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        bucket, s3 = workspace.outputs()["data_name_eu_west_1"], aws.client("s3", "eu-west-1")
        version = s3.put_object(Bucket=bucket, Key="a", Body=b"a")["VersionId"]

        assert change_to(workspace, shop(synthesize, ObjectLock(days=1))) == {LOCK: "create"}
        workspace.apply()
        configuration = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
        assert configuration["ObjectLockEnabled"] == "Enabled"
        retention = configuration["Rule"]["DefaultRetention"]
        assert (retention["Mode"], retention["Days"]) == ("GOVERNANCE", 1)
        assert s3.get_object(Bucket=bucket, Key="a")["VersionId"] == version
        assert workspace.drift().unexpected == ()
        assert change_to(workspace, shop(synthesize, ObjectLock(days=2))) == {LOCK: "update"}
        assert change_to(workspace, shop(synthesize)) == {LOCK: "delete"}
        workspace.apply()
        assert workspace.drift().unexpected == ()
        s3.delete_object(Bucket=bucket, Key="a", VersionId=version)
        workspace.destroy()


@pytest.mark.apply
def test_a_bucket_that_was_created_with_object_lock_sees_no_change(
    synthesize: Synthesize, aws_provider: Terraform
) -> None:
    lock = ObjectLock(days=1)
    earlier = shop(synthesize, lock, created_with_it=True)
    with LocalAws() as aws, Workspace(earlier, aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert change_to(workspace, shop(synthesize, lock)) == {}
        assert change_to(workspace, shop(synthesize)) == {LOCK: "delete"}
        workspace.apply()
        assert workspace.drift().unexpected == ()
        workspace.destroy()
