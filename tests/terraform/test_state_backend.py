"""The state backend for real: applied, and then the state of a second stack moved into it, locked and read back."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import HardenedStack, LocalBackend, MultiRegionKey, NoAccessLogs, PartialS3Backend, StateBackend
from constructs_lib.testing.errors import HarnessError, StepError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.remote_state import move_state, s3_block
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.state_backend import REGION, StateBackendStack
from tests.terraform.changes import change_to
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from constructs_lib import App
    from constructs_lib.foundation.backend import Locking
    from constructs_lib.testing import SynthesizedStack

pytestmark = pytest.mark.terraform

KEY = "shop/dev/shop/terraform.tfstate"


def state_backend(synthesize: Callable[..., dict[str, SynthesizedStack]], environment: str) -> SynthesizedStack:
    return synthesize(lambda app: StateBackendStack(app, "state-backend", environment=environment))["state-backend"]


def shop(app: App, command: str = "true", backend: Any = None) -> None:
    """A stack that needs nothing of AWS but a place for its state."""
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop", backend=backend or PartialS3Backend())
    block = {"triggers_replace": command, "provisioner": {"local-exec": {"command": command}}}
    stack.add_override("resource.terraform_data", {"work": block})


@pytest.fixture(scope="module", params=["dev", "prod"])
def deployed(
    request: pytest.FixtureRequest, synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[SimpleNamespace]:
    """The stack, applied to a local AWS of its own; destroyed at the end, against its protection."""
    with (
        LocalAws() as aws,
        Workspace(state_backend(synthesize, request.param), aws=aws, terraform=aws_provider) as workspace,
    ):
        workspace.init()
        workspace.plan()
        made = workspace.apply()
        outputs = workspace.outputs()
        seen = SimpleNamespace(
            environment=request.param,
            aws=aws,
            made=made,
            drift=workspace.drift(),
            left_out=workspace.left_out,
            outputs=outputs,
            bucket=outputs["state_bucket_name_eu_west_1"],
            config=outputs["state_backend_config_eu_west_1"],
            s3=aws.client("s3", REGION),
        )
        yield seen
        if request.param == "dev":
            # S3 delivers logs until the end; the construct empties its log bucket, and never the one with the states.
            seen.s3.put_object(Bucket=outputs["logs_name_eu_west_1"], Key="access-log/state/a", Body=b"a request")
        for version in seen.s3.list_object_versions(Bucket=seen.bucket).get("Versions", []):
            seen.s3.delete_object(Bucket=seen.bucket, Key=version["Key"], VersionId=version["VersionId"])
        for marker in seen.s3.list_object_versions(Bucket=seen.bucket).get("DeleteMarkers", []):
            seen.s3.delete_object(Bucket=seen.bucket, Key=marker["Key"], VersionId=marker["VersionId"])
        assert workspace.destroy().destroy.total() == made.add.total()


@pytest.mark.apply
def test_a_second_plan_changes_nothing(deployed: SimpleNamespace) -> None:
    assert deployed.drift.unexpected == ()
    assert deployed.left_out == ()


@pytest.mark.apply
def test_the_bucket_is_as_the_stack_says(deployed: SimpleNamespace) -> None:
    s3, bucket = deployed.s3, deployed.bucket
    assert bucket == f"state-backend-{deployed.environment}-state-bucket-eu-west-1-123456789012"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": deployed.outputs["key_arn_eu_west_1"],
    }
    assert rule["BucketKeyEnabled"] is True
    # Terraform's S3 backend takes no other form.
    assert re.fullmatch(r"arn:aws:kms:eu-west-1:\d{12}:key/mrk-[0-9a-f]{32}", deployed.outputs["key_arn_eu_west_1"])
    access = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(access.values()) == {True}
    denied = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in denied] == [
        "TlsOnly",
        "ModernTlsOnly",
        "NoKeyOfTheSender",
        "KeyOnly",
        "OwnKeyOnly",
        "VersionsStay",
    ]
    logging = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    assert logging["TargetBucket"] == deployed.outputs["logs_name_eu_west_1"]
    (lifecycle,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 365, "NewerNoncurrentVersions": 10}


@pytest.mark.apply
def test_a_second_stack_moves_its_local_state_into_the_bucket(
    deployed: SimpleNamespace, synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    stack = synthesize(shop)["shop"]
    with Workspace(stack, aws=deployed.aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        local = json.loads(workspace.state.read_text(encoding="utf-8"))
        move_state(workspace, deployed.config)
        remote = deployed.s3.get_object(Bucket=deployed.bucket, Key=KEY)
        state = json.loads(remote["Body"].read())
        assert remote["ServerSideEncryption"] == "aws:kms"
        assert remote["SSEKMSKeyId"] == deployed.outputs["key_arn_eu_west_1"]
        assert state["resources"] == local["resources"]
        assert not workspace.plan()
        workspace.destroy()
    assert not locked(deployed)


@pytest.mark.apply
def test_nobody_plans_while_an_apply_holds_the_lock(
    deployed: SimpleNamespace,
    synthesize: Callable[..., dict[str, SynthesizedStack]],
    aws_provider: Terraform,
    tmp_path: Path,
) -> None:
    release = tmp_path / "release"
    hold = f"while [ ! -e {release} ]; do sleep 0.1; done"
    stack = synthesize(lambda app: shop(app, hold))["shop"]
    with (
        Workspace(stack, aws=deployed.aws, terraform=aws_provider) as first,
        Workspace(stack, aws=deployed.aws, terraform=aws_provider) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        for workspace in (first, second):
            workspace.init()
            move_state(workspace, deployed.config)
        first.plan()
        try:
            applying = pool.submit(first.apply)
            wait_for(lambda: locked(deployed) or applying.done(), "the lock object")
            with pytest.raises(StepError, match="the state is locked"):
                second.plan()
        finally:
            release.touch()
        assert applying.result(300).add.total() == 1
        assert not locked(deployed)
        assert not second.plan()
        second.destroy()


def locked(deployed: SimpleNamespace) -> bool:
    """Return whether the lock object is there."""
    return bool(deployed.s3.list_objects_v2(Bucket=deployed.bucket, Prefix=f"{KEY}.tflock")["KeyCount"])


def test_the_backend_of_the_copy_finds_the_local_aws_and_keeps_what_the_stack_says() -> None:
    assert s3_block({"key": "a", "encrypt": True}, "http://127.0.0.1:1") == {
        "key": "a",
        "encrypt": True,
        "endpoints": {"dynamodb": "http://127.0.0.1:1", "s3": "http://127.0.0.1:1"},
        "use_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_requesting_account_id": True,
    }


def test_a_state_that_cannot_be_moved_is_told(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    stack = synthesize(lambda app: shop(app, backend=LocalBackend()))["shop"]
    with Workspace(stack, terraform=aws_provider) as workspace:
        with pytest.raises(
            HarnessError,
            match=r"^init: a local AWS with the bucket is required; create the workspace with aws=LocalAws\(\)",
        ):
            move_state(workspace, "")
        workspace.aws = SimpleNamespace(endpoint="")  # type: ignore[assignment]
        with pytest.raises(HarnessError, match=r"stack has a local backend; give it backend=PartialS3Backend\(\)$"):
            move_state(workspace, "")


@pytest.mark.apply
def test_locking_moves_from_the_table_to_the_lock_file_in_two_steps(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    def backend(locking: Locking) -> SynthesizedStack:
        def build(app: App) -> None:
            stack = HardenedStack(app, "states", environment="prod", owner="team-shop")
            region = stack.region(REGION)
            key = MultiRegionKey(stack, "key", region=region)
            logs = NoAccessLogs("Nobody reads the logs of this test's bucket")
            StateBackend(stack, "state", region=region, key=key, access_logs=logs, locking=locking)

        return synthesize(build)["states"]

    table = "aws_dynamodb_table.state_locks_eu_west_1"
    policies = {f"aws_iam_policy.state_{work}_eu_west_1": "update" for work in ("apply", "plan")}
    with LocalAws() as aws, Workspace(backend("dynamodb"), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        s3, bucket = aws.client("s3", REGION), workspace.outputs()["state_bucket_name_eu_west_1"]
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"{}")
        locks = {"LockID": {"S": f"{bucket}/{KEY}-md5"}, "Digest": {"S": "99914b932bd37a50b983c5e7c90ae93b"}}
        aws.client("dynamodb", REGION).put_item(TableName="states-prod-state-locks-eu-west-1", Item=locks)

        assert change_to(workspace, backend("lockfile")) == {table: "delete", **policies}
        with pytest.raises(StepError, match="DeletionProtectionEnabled"):
            workspace.apply()

        assert change_to(workspace, backend("dual"))[table] == "update"
        workspace.apply()
        assert change_to(workspace, backend("lockfile"))[table] == "delete"
        workspace.apply()
        assert workspace.drift().unexpected == ()
        assert aws.client("dynamodb", REGION).list_tables()["TableNames"] == []
        assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"{}"
