"""Rules about concurrency: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import found, good, look
from tests.rules.catalogue.functions.documents import function


class TestConcurrency:
    def reserve(self, region: str, count: object, **provider: object) -> dict[str, Any]:
        document = function(reserved_concurrent_executions=count)
        return {**document, "provider": {"aws": [{"region": region, **provider}]}}

    def test_reserved_concurrency_is_summed_over_all_stacks_of_a_region(self) -> None:
        (message,) = found("LAM-023", self.reserve("eu-west-1", 500), self.reserve("eu-west-1", "401"))
        assert "must reserve at most 900 of 1000 concurrent executions; they reserve 901" in message
        assert "aws_lambda_function.worker of the stack shop1 401" in message

    def test_900_concurrent_executions_may_be_reserved(self) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 500), self.reserve("eu-west-1", 400)) == []

    @pytest.mark.parametrize(
        "other",
        [
            {"region": "us-east-1"},
            {"region": "eu-west-1", "allowed_account_ids": ["444455556666"]},
            {"region": "eu-west-1", "assume_role": {"role_arn": "arn:aws:iam::444455556666:role/deploy"}},
        ],
    )
    def test_other_regions_and_accounts_have_their_own_quota(self, other: dict[str, Any]) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 500), self.reserve(count=500, **other)) == []

    def test_environments_are_assumed_to_be_in_separate_accounts(self) -> None:
        stacks = [
            {**self.reserve("eu-west-1", 500, default_tags={"tags": {"Environment": environment}})}
            for environment in ("dev", "prod")
        ]
        assert look("LAM-023", *stacks, environment=None) == ([], [])

    def test_a_declared_quota_increase_counts(self) -> None:
        document = self.reserve("eu-west-1", 2000)
        document["resource"]["aws_servicequotas_service_quota"] = {
            "lambda": {"quota_code": "L-B99A9384", "service_code": "lambda", "value": 5000}
        }
        assert found("LAM-023", document) == []

    def test_a_reservation_of_0_or_none_does_not_count(self) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 0), self.reserve("eu-west-1", -1)) == []

    def test_provisioned_concurrency_is_summed_over_versions(self) -> None:
        document = good("LAM-030")
        document["resource"]["aws_lambda_provisioned_concurrency_config"]["old"] = {
            "function_name": "shop-prod-api",
            "qualifier": "6",
            "provisioned_concurrent_executions": 15,
        }
        (message,) = found("LAM-030", document)
        assert (
            "must not exceed the reserved concurrency of aws_lambda_function.api, 20; it is 25 for all versions"
            in message
        )

    def test_a_function_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        change = {"resource.aws_lambda_provisioned_concurrency_config.live.function_name": "elsewhere"}
        assert found("LAM-030", good("LAM-030", change)) == []

    def test_provisioned_concurrency_needs_no_reserved_concurrency(self) -> None:
        change = {"resource.aws_lambda_function.api.reserved_concurrent_executions": REMOVED}
        assert found("LAM-030", good("LAM-030", change)) == []
