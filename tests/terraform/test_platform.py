"""The platform for real: validated everywhere, applied in every environment, read back, guarded, and its state moved."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from constructs_lib import (
    AuroraProvisioned,
    Environment,
    GeneratedPassword,
    HardenedStack,
    MultiRegionKey,
    NoDeletionProtection,
    PartialS3Backend,
    UnprotectedKey,
)
from constructs_lib.testing.errors import StepError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.remote_state import move_state
from constructs_lib.testing.standins.random_values import make_string
from constructs_lib.testing.terraform import Drift, Terraform, Workspace
from stacks.platform import REGION, PlatformStack
from stacks.state_backend import StateBackendStack
from tests.constructs.aurora_provisioned.clusters import make_cluster
from tests.terraform.side_by_side import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import SimpleNamespace

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Changes

pytestmark = pytest.mark.terraform


def platform(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str, **arguments: Any
) -> SynthesizedStack:
    return synthesize(lambda app: PlatformStack(app, "platform", environment=environment, **arguments))["platform"]


@pytest.fixture(scope="module")
def applied(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
    aws_provider: Terraform,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, SimpleNamespace]]:
    """The stack of each environment, applied to a local AWS of its own; side by side, as the provider mostly waits."""
    backends = {"dev": PartialS3Backend()}
    stacks = {
        environment.value: platform(synthesize, environment, backend=backends.get(environment))
        for environment in Environment
    }
    state = synthesize(lambda app: StateBackendStack(app, "state-backend", environment="dev"))["state-backend"]
    with contextlib.ExitStack() as cleanup, ThreadPoolExecutor() as threads:
        every = {name: cleanup.enter_context(LocalAws()) for name in stacks}
        workspaces = {
            name: cleanup.enter_context(Workspace(stack, aws=every[name], terraform=aws_provider))
            for name, stack in stacks.items()
        }
        buckets = cleanup.enter_context(Workspace(state, aws=every["dev"], terraform=aws_provider))
        seen = dict(zip(workspaces, threads.map(apply, workspaces.values()), strict=True))
        seen["dev"].buckets = apply(buckets)
        yield seen
        move_home(workspaces["dev"], seen["dev"])
        seen["prod"].workspace = cleanup.enter_context(
            lifted(synthesize, workspaces["prod"], tmp_path_factory.mktemp("lifted"))
        )
        for one, destroyed in zip(seen.values(), threads.map(destroy, seen.values()), strict=True):
            assert destroyed.destroy.total() == one.made.add.total()


def destroy(one: SimpleNamespace) -> Changes:
    """Destroy as a person does, with no help from the harness; it lifts protections of its own accord."""
    changes: Changes = one.workspace._apply("plain-destroy", ["-destroy", "-auto-approve"], 1800)
    assert one.workspace._state_list() == []
    return changes


def lifted(synthesize: Callable[..., dict[str, SynthesizedStack]], production: Workspace, folder: Path) -> Workspace:
    """Lift production's protection by the documented step: name the reason in the code, and apply that."""
    because = NoDeletionProtection("the platform moves to another account, and its snapshot with it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stacks.platform.AuroraProvisioned", partial(AuroraProvisioned, deletion_protection=because))
        gone = UnprotectedKey("the snapshot is copied with a key of the other account")
        patch.setattr("stacks.platform.MultiRegionKey", partial(MultiRegionKey, protected=gone))
        stack = platform(synthesize, "prod")
    shutil.copy(production.state, folder / "terraform.tfstate")
    workspace = Workspace(stack, aws=production.aws, terraform=production.terraform, folder=folder)
    workspace.init()
    plan = workspace.plan()
    assert (plan.add, plan.change["aws_rds_cluster"], plan.destroy) == ({}, 1, {})
    workspace.apply()
    assert workspace.drift() == Drift((), ())
    return workspace


def move_home(workspace: Workspace, one: SimpleNamespace) -> None:
    """Move a state out of the bucket again, which goes with the local AWS."""
    override = workspace.directory / "override.tf.json"
    document = json.loads(override.read_text(encoding="utf-8"))
    document["terraform"]["backend"] = {"local": {"path": str(workspace.state)}}
    override.write_text(json.dumps(document), encoding="utf-8")
    workspace.init("-migrate-state", "-force-copy")
    assert one.outputs


@pytest.fixture(params=list(Environment))
def one(request: pytest.FixtureRequest, applied: dict[str, SimpleNamespace]) -> SimpleNamespace:
    return applied[request.param]


@pytest.mark.apply
def test_a_second_plan_changes_nothing(one: SimpleNamespace) -> None:
    assert one.drift.unexpected == ()
    assert one.drift.known == ()
    assert one.workspace.left_out == ()


@pytest.mark.apply
@pytest.mark.parametrize(
    ("environment", "gateways", "classes", "retention"),
    [
        ("dev", 1, ["db.t4g.medium"], 14),
        ("staging", 1, ["db.t4g.medium"] * 2, 14),
        ("prod", 3, ["db.r7g.large"] * 2, 35),
    ],
)
def test_what_was_made_is_what_the_environment_asks_for(
    applied: dict[str, SimpleNamespace], environment: str, gateways: int, classes: list[str], retention: int
) -> None:
    aws, protected = applied[environment].aws, environment == "prod"
    assert len(aws.client("ec2", REGION).describe_nat_gateways()["NatGateways"]) == gateways
    rds = aws.client("rds", REGION)
    (cluster,) = rds.describe_db_clusters()["DBClusters"]
    assert cluster["BackupRetentionPeriod"] == retention
    assert cluster["DeletionProtection"] is protected
    assert cluster["StorageEncrypted"] is True
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    instances = rds.describe_db_instances()["DBInstances"]
    assert [instance["DBInstanceClass"] for instance in instances] == classes
    assert bool(aws.client("cloudwatch", REGION).describe_alarms()["MetricAlarms"]) is protected


@pytest.mark.apply
def test_the_secret_is_all_that_a_client_needs_beside_the_address(one: SimpleNamespace) -> None:
    secrets = one.aws.client("secretsmanager", REGION)
    name = one.outputs["database_secret_arn_us_east_1"]
    secret = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    (cluster,) = one.aws.client("rds", REGION).describe_db_clusters()["DBClusters"]
    # moto writes the name of a user of its own into the secret; RDS writes the cluster's.
    url = connection_string(cluster["MasterUsername"], secret["password"], one.outputs["database_endpoint_us_east_1"])
    parts = urlsplit(url)
    assert (parts.scheme, parts.username, parts.port) == ("postgresql", "cluster_owner", 5432)
    assert unquote(parts.password or "") == secret["password"]


def connection_string(user: str, password: str, host: str) -> str:
    """Return what a client connects with, the password escaped as RDS's own ones need it."""
    return f"postgresql://{user}:{quote(password, safe='')}@{host}:5432/app?sslmode=verify-full"


def test_ten_thousand_generated_passwords_need_no_escape(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        make_cluster(HardenedStack(app, "shop", environment="dev", owner="me"), password=GeneratedPassword())

    config = synthesize(build)["shop"].resource("random_password").config
    arguments = {"lower": True, "upper": True, "numeric": True, **config}
    passwords = {make_string(arguments) for _ in range(10_000)}
    assert len(passwords) == 10_000
    for password in passwords:
        assert quote(password, safe="") == password
        assert shlex.quote(password) == password
        assert json.dumps(password) == f'"{password}"'
        assert urlsplit(f"postgresql://cluster_owner:{password}@db.example:5432/app").password == password


@pytest.mark.apply
def test_production_is_not_destroyed_before_its_protection_is_lifted(applied: dict[str, SimpleNamespace]) -> None:
    workspace = applied["prod"].workspace
    with pytest.raises(StepError, match="Instance cannot be destroyed"):
        workspace._apply("unlifted", ["-destroy", "-auto-approve"], 300)
    assert applied["prod"].aws.client("rds", REGION).describe_db_clusters()["DBClusters"]


@pytest.mark.apply
def test_a_plan_in_another_workspace_fails(applied: dict[str, SimpleNamespace]) -> None:
    workspace = applied["staging"].workspace
    workspace._run("workspace-new", ["workspace", "new", "prod"], 60)
    try:
        with pytest.raises(
            StepError, match=r"The stack platform is synthesized for staging: use the workspace default"
        ):
            workspace.plan()
    finally:
        workspace._run("workspace-select", ["workspace", "select", "default"], 60)
    assert not workspace.plan()


@pytest.mark.apply
def test_the_state_moves_into_the_bucket_of_the_state_backend(applied: dict[str, SimpleNamespace]) -> None:
    one = applied["dev"]
    local = json.loads(one.workspace.state.read_text(encoding="utf-8"))
    move_state(one.workspace, one.buckets.outputs["state_backend_config_eu_west_1"])
    s3 = one.aws.client("s3", "eu-west-1")
    bucket = one.buckets.outputs["state_bucket_name_eu_west_1"]
    kept = s3.get_object(Bucket=bucket, Key="platform/dev/platform/terraform.tfstate")
    assert kept["ServerSideEncryption"] == "aws:kms"
    assert json.loads(kept["Body"].read())["resources"] == local["resources"]
    assert not one.workspace.plan()
