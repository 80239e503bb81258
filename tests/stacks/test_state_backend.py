"""The state-backend stack: one bucket with its log bucket, and who may use it, in every environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from stacks.state_backend import StateBackendStack
from tests.stacks.pinned import check_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="module", params=list(Environment))
def synthesized(
    request: pytest.FixtureRequest, synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]
) -> tuple[Environment, SynthesizedStack]:
    environment: Environment = request.param

    def build(app: App) -> None:
        StateBackendStack(app, "state-backend", environment=environment)

    return environment, synthesize(build)["state-backend"]


def test_addresses_stay_where_they_are(synthesized: tuple[Environment, SynthesizedStack]) -> None:
    environment, stack = synthesized
    check_addresses(stack, f"state-backend-{environment}")


def test_buckets_are_called_by_environment_region_and_account(
    synthesized: tuple[Environment, SynthesizedStack],
) -> None:
    environment, stack = synthesized
    account = "${data.aws_caller_identity.current_eu_west_1.account_id}"
    assert {block["bucket"] for block in stack.resources("aws_s3_bucket")} == {
        f"state-backend-{environment}-state-bucket-eu-west-1-{account}",
        f"state-backend-{environment}-logs-eu-west-1-{account}",
    }


def test_the_state_is_encrypted_kept_and_watched(synthesized: tuple[Environment, SynthesizedStack]) -> None:
    _, stack = synthesized
    assert stack.at("aws_s3_bucket.state_bucket_eu_west_1")["lifecycle"] == {"prevent_destroy": True}
    encryption = stack.resource("aws_s3_bucket_server_side_encryption_configuration", "*/state/*")["rule"][0]
    assert encryption["apply_server_side_encryption_by_default"] == {
        "sse_algorithm": "aws:kms",
        "kms_master_key_id": "${aws_kms_key.key_eu_west_1.arn}",
    }
    logging = stack.resource("aws_s3_bucket_logging", "*/state/*")
    assert logging["target_bucket"] == "${aws_s3_bucket.logs_eu_west_1.id}"


def test_its_own_state_is_a_local_file_beside_the_output(synthesized: tuple[Environment, SynthesizedStack]) -> None:
    environment, stack = synthesized
    assert stack.document["terraform"]["backend"] == {
        "local": {"path": f"../../../terraform.state-backend-{environment}-state-backend.tfstate"}
    }


def test_those_who_plan_and_those_who_apply_have_a_policy_each(
    synthesized: tuple[Environment, SynthesizedStack],
) -> None:
    _, stack = synthesized
    assert stack.outputs["state_plan_policy_arn_eu_west_1"] == "${aws_iam_policy.state_plan_eu_west_1.arn}"
    assert stack.outputs["state_apply_policy_arn_eu_west_1"] == "${aws_iam_policy.state_apply_eu_west_1.arn}"
    assert "use_lockfile   = true" in stack.outputs["state_backend_config_eu_west_1"]


def test_the_stack_is_short_enough_to_copy() -> None:
    source = Path("stacks/state_backend.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
