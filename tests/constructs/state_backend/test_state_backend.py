from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    Environment,
    HardenedStack,
    LocalBackend,
    MultiRegionKey,
    NoAccessLogs,
    RegionalBucket,
    S3Backend,
    StateBackend,
    UnprotectedBucket,
)
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.foundation.backend import Backend
    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

REASON = "A backend for tests that is thrown away"
NO_LOGS = NoAccessLogs("The tests read no access logs of it")
BUCKET = "${aws_s3_bucket.state_bucket_eu_west_1.arn}"
KEY = "${aws_kms_key.key_eu_west_1.arn}"
TABLE = "${aws_dynamodb_table.state_locks_eu_west_1.arn}"
EVERYBODY = [{"type": "AWS", "identifiers": ["*"]}]


def add(stack: HardenedStack, **arguments: Any) -> StateBackend:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    return StateBackend(stack, "state", **{"region": region, "key": key, "access_logs": NO_LOGS, **arguments})


@pytest.fixture(scope="module")
def simple(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(add)


@pytest.fixture(scope="module")
def scoped(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    """With a table beside the lock file, and policies for two teams."""
    prefixes = {"payments": "payments/prod/", "shop": "shop/"}
    return synth_stack(lambda stack: add(stack, locking="dual", prefixes=prefixes), "prod")


def statements(stack: SynthesizedStack, path: str) -> dict[str, dict[str, Any]]:
    document = stack.resource("data.aws_iam_policy_document", path)
    return {statement.pop("sid"): statement for statement in map(dict, document["statement"])}


def via(service: str) -> list[dict[str, Any]]:
    return [{"test": "StringEquals", "variable": "kms:ViaService", "values": [f"{service}.eu-west-1.amazonaws.com"]}]


def allow(actions: list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"effect": "Allow", "actions": actions, "resources": [resource], **more}


def test_bucket_and_noncurrent_states_are_protected_in_every_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    stack = synth_stack(add, environment)
    assert stack.resource("aws_s3_bucket")["lifecycle"] == {"prevent_destroy": True}
    (rule,) = stack.resource("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 365, "newer_noncurrent_versions": 10}]
    assert statements(stack, "shop/state/bucket/policy-document")["VersionsStay"] == {
        "effect": "Deny",
        "actions": ["s3:DeleteObjectVersion"],
        "principals": EVERYBODY,
        "resources": [f"{BUCKET}/*"],
    }


def test_the_bucket_has_the_given_key_access_logs_and_replication(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        eu, us = stack.region("eu-west-1"), stack.region("us-east-1")
        key = MultiRegionKey(stack, "key", region=eu, replicas=[us])
        logs = RegionalBucket(stack, "logs", region=eu, log_delivery=True)
        copy = RegionalBucket(stack, "copy", region=us, key=key, access_logs=NO_LOGS)
        StateBackend(
            stack,
            "state",
            region=eu,
            key=key,
            access_logs=logs,
            replicate_to=copy,
            noncurrent_days=400,
            account_in_name=False,
        )

    stack = synth_stack(fill)
    logging = stack.resource("aws_s3_bucket_logging", "shop/state/*")
    assert logging["target_bucket"] == "${aws_s3_bucket.logs_eu_west_1.id}"
    (rule,) = stack.resource("aws_s3_bucket_replication_configuration")["rule"]
    assert rule["destination"]["bucket"] == "${aws_s3_bucket.copy_us_east_1.arn}"
    encryption = stack.resource("aws_s3_bucket_server_side_encryption_configuration", "shop/state/*")
    assert encryption["rule"][0]["apply_server_side_encryption_by_default"]["kms_master_key_id"] == KEY
    assert stack.at("aws_s3_bucket.state_bucket_eu_west_1")["bucket"] == "shop-dev-state-bucket-eu-west-1"
    (rule,) = stack.resource("aws_s3_bucket_lifecycle_configuration", "shop/state/*")["rule"]
    assert rule["noncurrent_version_expiration"][0]["noncurrent_days"] == 400


def test_there_is_no_lock_table_by_default(simple: SynthesizedStack) -> None:
    assert simple.find("aws_dynamodb_table") == []
    assert {block["name"] for block in simple.resources("aws_iam_policy")} == {
        "shop-dev-state-plan-eu-west-1",
        "shop-dev-state-apply-eu-west-1",
    }


def test_the_plan_policy_reads_states_and_writes_locks_only(simple: SynthesizedStack) -> None:
    assert statements(simple, "shop/state/plan-document") == {
        "FindState": allow(["s3:ListBucket"], BUCKET),
        "ReadState": allow(["s3:GetObject"], f"{BUCKET}/*"),
        "Lock": allow(["s3:DeleteObject", "s3:PutObject"], f"{BUCKET}/*.tflock"),
        "Key": allow(["kms:Decrypt", "kms:GenerateDataKey"], KEY, condition=via("s3")),
    }


def test_the_apply_policy_also_writes_states_and_deletes_none(simple: SynthesizedStack) -> None:
    plan, apply = (statements(simple, f"shop/state/{work}-document") for work in ("plan", "apply"))
    assert apply == {**plan, "WriteState": allow(["s3:PutObject"], f"{BUCKET}/*")}


def test_policies_are_named_after_their_prefixes(scoped: SynthesizedStack) -> None:
    scoped.at("aws_iam_policy.state_plan_payments_eu_west_1").assert_config(
        {
            "name": "shop-prod-state-plan-payments-eu-west-1",
            "description": "Plan: reads Terraform's state under payments/prod/",
            "policy": "${data.aws_iam_policy_document.state_plan_payments_document_eu_west_1.json}",
        }
    )
    scoped.at("aws_iam_policy.state_apply_shop_eu_west_1").assert_config(
        {
            "name": "shop-prod-state-apply-shop-eu-west-1",
            "description": "Apply: reads and writes Terraform's state under shop/",
            "policy": "${data.aws_iam_policy_document.state_apply_shop_document_eu_west_1.json}",
        }
    )
    assert len(scoped.resources("aws_iam_policy")) == 4


def test_a_prefix_limits_access_to_states_and_locks(scoped: SynthesizedStack) -> None:
    bucket = "shop-prod-state-bucket-eu-west-1-${data.aws_caller_identity.current_eu_west_1.account_id}"
    assert statements(scoped, "shop/state/apply-payments-document") == {
        "FindState": allow(["s3:ListBucket"], BUCKET),
        "ReadState": allow(["s3:GetObject"], f"{BUCKET}/payments/prod/*"),
        "Lock": allow(["s3:DeleteObject", "s3:PutObject"], f"{BUCKET}/payments/prod/*.tflock"),
        "Key": allow(["kms:Decrypt", "kms:GenerateDataKey"], KEY, condition=via("s3")),
        "WriteState": allow(["s3:PutObject"], f"{BUCKET}/payments/prod/*"),
        "FindLocks": allow(["dynamodb:DescribeTable"], TABLE),
        "TableLock": allow(
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
            TABLE,
            condition=[
                {
                    "test": "ForAllValues:StringLike",
                    "variable": "dynamodb:LeadingKeys",
                    "values": [f"{bucket}/payments/prod/*"],
                }
            ],
        ),
        "TableKey": allow(["kms:Decrypt", "kms:DescribeKey"], KEY, condition=via("dynamodb")),
    }


@pytest.mark.parametrize(
    ("locking", "protection"),
    [
        ("dynamodb", {"deletion_protection_enabled": True, "lifecycle": {"prevent_destroy": True}}),
        ("dual", {"deletion_protection_enabled": False}),
    ],
)
def test_a_lock_table_is_encrypted_recoverable_and_protected_where_it_is_the_only_lock(
    synth_stack: Callable[..., SynthesizedStack], locking: str, protection: dict[str, Any]
) -> None:
    synth_stack(lambda stack: add(stack, locking=locking), "prod").resource("aws_dynamodb_table").assert_config(
        {
            "name": "shop-prod-state-locks-eu-west-1",
            "billing_mode": "PAY_PER_REQUEST",
            "hash_key": "LockID",
            "attribute": [{"name": "LockID", "type": "S"}],
            "server_side_encryption": {"enabled": True, "kms_key_arn": KEY},
            "point_in_time_recovery": {"enabled": True},
            **protection,
        }
    )


@pytest.mark.parametrize(
    ("locking", "lines"),
    [
        ("lockfile", ["use_lockfile   = true"]),
        ("dual", ["use_lockfile   = true", 'dynamodb_table = "${aws_dynamodb_table.state_locks_eu_west_1.name}"']),
        ("dynamodb", ['dynamodb_table = "${aws_dynamodb_table.state_locks_eu_west_1.name}"']),
    ],
)
def test_the_backend_configuration_contains_bucket_key_and_locking(
    synth_stack: Callable[..., SynthesizedStack], locking: str, lines: list[str]
) -> None:
    stack = synth_stack(lambda stack: add(stack, locking=locking))
    text: str = stack.outputs["state_backend_config_eu_west_1"]
    assert text.endswith("\n")
    assert text.splitlines() == [
        "# The key is in each stack's own backend block: <project>/<environment>/<stack>/terraform.tfstate",
        'bucket         = "${aws_s3_bucket.state_bucket_eu_west_1.id}"',
        'region         = "eu-west-1"',
        "encrypt        = true",
        f'kms_key_id     = "{KEY}"',
        *lines,
    ]


def test_the_backend_configuration_works_in_another_stack(synthesize: Synthesize) -> None:
    found = read_from_another_stack(synthesize, lambda stack: {"config": add(stack, locking="dual").backend_config})
    assert found["config"].splitlines()[1:] == [
        'bucket         = "${aws_s3_bucket.state_bucket_eu_west_1.id}"',
        'region         = "eu-west-1"',
        "encrypt        = true",
        f'kms_key_id     = "{KEY}"',
        "use_lockfile   = true",
        'dynamodb_table = "${aws_dynamodb_table.state_locks_eu_west_1.name}"',
    ]


def test_policies_and_table_are_exported(scoped: SynthesizedStack) -> None:
    nested = scoped.outputs["deployment_summary"]["regions"]["eu-west-1"]["state"]
    assert nested == {
        "lock_table": "${aws_dynamodb_table.state_locks_eu_west_1.name}",
        "plan_payments_policy_arn": "${aws_iam_policy.state_plan_payments_eu_west_1.arn}",
        "apply_payments_policy_arn": "${aws_iam_policy.state_apply_payments_eu_west_1.arn}",
        "plan_shop_policy_arn": "${aws_iam_policy.state_plan_shop_eu_west_1.arn}",
        "apply_shop_policy_arn": "${aws_iam_policy.state_apply_shop_eu_west_1.arn}",
        "backend_config": scoped.outputs["state_backend_config_eu_west_1"],
    }
    assert scoped.outputs["state_plan_shop_policy_arn_eu_west_1"] == nested["plan_shop_policy_arn"]


def test_an_unprotected_backend_can_be_destroyed(synth_stack: Callable[..., SynthesizedStack]) -> None:
    seen: list[tuple[str, object]] = []

    def fill(stack: HardenedStack) -> None:
        add(stack, locking="dynamodb", protected=UnprotectedBucket(REASON))
        seen.extend(stack.opt_outs)

    stack = synth_stack(fill, "prod")
    assert "lifecycle" not in stack.resource("aws_s3_bucket")
    table = stack.resource("aws_dynamodb_table")
    assert ("lifecycle" in table, table["deletion_protection_enabled"]) == (False, False)
    assert "VersionsStay" not in statements(stack, "shop/state/bucket/policy-document")
    assert ("shop/state/bucket", UnprotectedBucket(REASON)) in seen


def refusal(stack: HardenedStack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        add(stack, **arguments)
    return str(error.value)


def test_all_invalid_arguments_are_reported_at_once(stack: HardenedStack) -> None:
    prefixes = {"Payments": "payments", "all": "", "up": "../"}
    allowed = (
        "must be lower-case letters, digits and hyphens with a trailing slash, such as 'payments/prod/'; without "
        "the slash the prefix would match payments/prod-eu too"
    )
    assert refusal(stack, locking="table", prefixes=prefixes, protected=False) == "\n".join(
        f"shop/state: {line}"
        for line in (
            "locking='table': must be lockfile, dual, dynamodb",
            (
                "prefixes='Payments': is not a valid name; expected lower-case letters, digits and single hyphens, which "
                "become part of the policies' names"
            ),
            f"prefixes['Payments']='payments': {allowed}",
            f"prefixes['all']='': {allowed}",
            f"prefixes['up']='../': {allowed}",
            "protected=False: cannot be turned off; give UnprotectedBucket(reason) to allow the deletion of states",
        )
    )


def test_noncurrent_days_have_the_environments_minimum(stack: HardenedStack) -> None:
    assert refusal(stack, noncurrent_days=29) == (
        "shop/state/bucket: noncurrent_days=29: must be a whole number of days, at least 30 in dev"
    )


def shop(folder: Path, backend: Backend, *accounts: str) -> HardenedStack:
    app = App(outdir=str(folder / "cdktf.out"))
    return HardenedStack(app, "shop", environment="dev", owner="me", backend=backend, allowed_account_ids=accounts)


OWN = "shop-dev-state-bucket-eu-west-1"


def test_a_stack_with_its_own_state_in_the_bucket_is_refused(tmp_path: Path) -> None:
    lost = (
        "is the bucket that this stack creates, so its state would be deleted with the bucket; use LocalBackend or a "
        "bucket in another account"
    )
    own = f"{OWN}-111122223333"
    stack = shop(tmp_path, S3Backend(bucket=own, region="eu-west-1"), "111122223333")
    assert refusal(stack) == f"shop/state: backend={own!r}: {lost}"
    stack = shop(tmp_path, S3Backend(bucket=OWN, region="eu-west-1"))
    assert refusal(stack, account_in_name=False) == f"shop/state: backend={OWN!r}: {lost}"


def test_a_state_bucket_that_may_be_the_stacks_own_needs_an_account_id(tmp_path: Path) -> None:
    backend = S3Backend(bucket=f"{OWN}-111122223333", region="eu-west-1")
    assert refusal(shop(tmp_path, backend)) == (
        f"shop/state: backend='{OWN}-111122223333': may be the bucket that this stack creates: the account id in its "
        "name is not known at synth; give the stack allowed_account_ids with its account"
    )


@pytest.mark.parametrize(
    ("backend", "accounts"),
    [
        (LocalBackend(), ()),
        (S3Backend(bucket="central-state", region="eu-west-1"), ()),
        (S3Backend(bucket=f"{OWN}-11112222333", region="eu-west-1"), ()),
        (S3Backend(bucket=f"{OWN}-111122223333", region="eu-west-1"), ("444455556666",)),
    ],
)
def test_a_state_in_another_place_is_allowed(tmp_path: Path, backend: Backend, accounts: tuple[str, ...]) -> None:
    assert add(shop(tmp_path, backend, *accounts)).resource


def test_two_stacks_of_one_app_never_share_a_state(tmp_path: Path) -> None:
    class Fixed:
        """A backend that forgets who asks."""

        def block(self, **_: str) -> dict[str, Any]:
            return {"s3": {"bucket": "state", "key": "terraform.tfstate", "region": "eu-west-1"}}

    app = App(outdir=str(tmp_path / "cdktf.out"))
    HardenedStack(app, "one", environment="dev", owner="me", backend=Fixed())
    with pytest.raises(ConfigurationError) as error:
        HardenedStack(app, "two", environment="dev", owner="me", backend=Fixed())
    assert str(error.value) == (
        "two: backend='s3://state/terraform.tfstate': the stack one keeps its state there, and each would destroy what "
        "the other made; give one of them another id or project"
    )
