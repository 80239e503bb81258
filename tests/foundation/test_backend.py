from __future__ import annotations

import pytest

from constructs_lib.foundation.backend import (
    Backend,
    LocalBackend,
    PartialS3Backend,
    S3Backend,
    backend_from_environment,
    claim_state,
)
from constructs_lib.foundation.errors import ConfigurationError

STACK = {"project": "shop", "environment": "dev", "stack": "web"}


def test_state_is_a_local_file_beside_the_output_folder_unless_told_otherwise() -> None:
    backend = backend_from_environment({"PATH": "/bin"})
    assert backend == LocalBackend()
    assert backend.block(**STACK) == {"local": {"path": "../../../terraform.shop-dev-web.tfstate"}}


def test_environment_variables_choose_an_encrypted_and_locked_bucket() -> None:
    backend = backend_from_environment({"TERRAFORM_STATE_BUCKET": "state", "TERRAFORM_STATE_REGION": "eu-west-1"})
    assert backend.block(**STACK) == {
        "s3": {
            "bucket": "state",
            "encrypt": True,
            "key": "shop/dev/web/terraform.tfstate",
            "region": "eu-west-1",
            "use_lockfile": True,
        }
    }


def test_a_lock_table_and_a_key_are_added_on_request_only() -> None:
    backend = backend_from_environment(
        {
            "TERRAFORM_STATE_BUCKET": "state",
            "TERRAFORM_STATE_REGION": "eu-west-1",
            "TERRAFORM_STATE_KMS_KEY_ID": "arn:aws:kms:eu-west-1:111122223333:key/a",
            "TERRAFORM_STATE_LOCK_TABLE": "locks",
        }
    )
    block = backend.block(**STACK)["s3"]
    assert (block["kms_key_id"], block["dynamodb_table"], block["use_lockfile"]) == (
        "arn:aws:kms:eu-west-1:111122223333:key/a",
        "locks",
        True,
    )


def test_a_partial_backend_leaves_everything_but_the_key_and_protection_to_a_file() -> None:
    backend = backend_from_environment({"TERRAFORM_STATE_PARTIAL": "1"})
    assert backend == PartialS3Backend()
    assert backend.block(**STACK) == {
        "s3": {"encrypt": True, "key": "shop/dev/web/terraform.tfstate", "use_lockfile": True}
    }


S3 = {"TERRAFORM_STATE_BUCKET": "state", "TERRAFORM_STATE_REGION": "eu-west-1"}
TABLE = {"TERRAFORM_STATE_LOCK_TABLE": "locks"}


@pytest.mark.parametrize(
    ("variables", "lock"),
    [
        ({**S3, "TERRAFORM_STATE_LOCKING": "lockfile"}, {"use_lockfile": True}),
        ({**S3, **TABLE, "TERRAFORM_STATE_LOCKING": "dual"}, {"use_lockfile": True, "dynamodb_table": "locks"}),
        ({**S3, **TABLE, "TERRAFORM_STATE_LOCKING": "dynamodb"}, {"dynamodb_table": "locks"}),
        ({"TERRAFORM_STATE_PARTIAL": "1", "TERRAFORM_STATE_LOCKING": "dual"}, {"use_lockfile": True}),
        ({"TERRAFORM_STATE_PARTIAL": "1", "TERRAFORM_STATE_LOCKING": "dynamodb"}, {}),
    ],
)
def test_the_way_of_locking_is_chosen_outside_the_code_too(variables: dict[str, str], lock: dict[str, object]) -> None:
    block = backend_from_environment(variables).block(**STACK)["s3"]
    assert {name: block[name] for name in ("use_lockfile", "dynamodb_table") if name in block} == lock


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {**S3, "TERRAFORM_STATE_LOCKING": "table"},
            "backend: TERRAFORM_STATE_LOCKING='table': must be lockfile, dual, dynamodb",
        ),
        ({**S3, "TERRAFORM_STATE_LOCKING": "dual"}, "S3Backend: lock_table=None: dual needs a table"),
        (
            {**S3, **TABLE, "TERRAFORM_STATE_LOCKING": "lockfile"},
            "S3Backend: lock_table='locks': lockfile uses no table",
        ),
        (
            {"TERRAFORM_STATE_LOCKING": "lockfile"},
            (
                "backend: TERRAFORM_STATE_LOCKING set without TERRAFORM_STATE_BUCKET and TERRAFORM_STATE_REGION: set "
                "TERRAFORM_STATE_BUCKET and TERRAFORM_STATE_REGION for state in S3, TERRAFORM_STATE_PARTIAL=1 for terraform "
                "init -backend-config=FILE, or none of them for local state"
            ),
        ),
    ],
)
def test_a_way_of_locking_that_cannot_work_is_refused(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        backend_from_environment(variables)
    assert str(error.value) == message


def test_a_partial_backend_knows_the_same_ways_of_locking() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^PartialS3Backend: locking='none': must be lockfile, dual, dynamodb$"
    ):
        PartialS3Backend(locking="none")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("backend", "place"),
    [
        (LocalBackend(), "../../../terraform.shop-dev-web.tfstate"),
        (S3Backend(bucket="state", region="eu-west-1"), "s3://state/shop/dev/web/terraform.tfstate"),
        (PartialS3Backend(), "s3:///shop/dev/web/terraform.tfstate"),
    ],
)
def test_two_stacks_of_an_app_never_keep_their_states_in_one_place(backend: Backend, place: str) -> None:
    class App:
        pass

    app, block = App(), backend.block(**STACK)
    claim_state(app, "web", block)
    claim_state(App(), "web", block)
    claim_state(app, "db", backend.block(**{**STACK, "stack": "db"}))
    with pytest.raises(ConfigurationError) as error:
        claim_state(app, "other", block)
    assert str(error.value) == (
        f"other: backend={place!r}: the stack web keeps its state there, and each would destroy what the other made; "
        "give one of them another id or project"
    )


def test_no_two_stacks_share_a_key() -> None:
    backend = S3Backend(bucket="state", region="eu-west-1")
    keys = {
        backend.block(project=p, environment=e, stack=s)["s3"]["key"]
        for p in ("shop", "pay")
        for e in ("dev", "prod")
        for s in ("web", "db")
    }
    assert len(keys) == 8


def test_a_bucket_without_a_region_is_refused_naming_the_variables() -> None:
    with pytest.raises(ConfigurationError) as error:
        backend_from_environment({"TERRAFORM_STATE_BUCKET": "state"})
    assert str(error.value) == (
        "backend: TERRAFORM_STATE_BUCKET set without TERRAFORM_STATE_REGION: set TERRAFORM_STATE_BUCKET and "
        "TERRAFORM_STATE_REGION for state in S3, TERRAFORM_STATE_PARTIAL=1 for terraform init -backend-config=FILE, or "
        "none of them for local state"
    )


def test_a_lock_table_alone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="TERRAFORM_STATE_LOCK_TABLE set without TERRAFORM_STATE_BUCKET and"):
        backend_from_environment({"TERRAFORM_STATE_LOCK_TABLE": "locks"})


def test_two_choices_at_once_are_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        backend_from_environment({"TERRAFORM_STATE_PARTIAL": "1", "TERRAFORM_STATE_BUCKET": "state"})
    assert str(error.value) == (
        "backend: TERRAFORM_STATE_PARTIAL='1': leaves every value to terraform init -backend-config=FILE; unset "
        "TERRAFORM_STATE_BUCKET"
    )


def test_a_partial_switch_that_is_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        backend_from_environment({"TERRAFORM_STATE_PARTIAL": "yes"})
    assert str(error.value) == "backend: TERRAFORM_STATE_PARTIAL='yes': must be 1 or unset"


@pytest.mark.parametrize("bucket", ["State", "a", "state-", "st_ate", "${var.bucket}"])
def test_a_bucket_name_that_s3_refuses_is_refused(bucket: str) -> None:
    with pytest.raises(ConfigurationError, match="must be 3 to 63 lower-case letters"):
        S3Backend(bucket=bucket, region="eu-west-1")
