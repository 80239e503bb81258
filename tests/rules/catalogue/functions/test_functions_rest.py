"""Rules about functions: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.functions.documents import FN, function


class TestConcurrency:
    def reserve(self, region: str, count: object, **provider: object) -> dict[str, Any]:
        document = function(reserved_concurrent_executions=count)
        return {**document, "provider": {"aws": [{"region": region, **provider}]}}

    def test_functions_of_all_stacks_in_a_region_count_together(self) -> None:
        (message,) = found("LAM-023", self.reserve("eu-west-1", 500), self.reserve("eu-west-1", "401"))
        assert "reserve 901 together, and may reserve 900 of 1000" in message
        assert "aws_lambda_function.worker of the stack shop1 401" in message

    def test_exactly_nine_hundred_may_be_reserved(self) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 500), self.reserve("eu-west-1", 400)) == []

    @pytest.mark.parametrize(
        "other",
        [
            {"region": "us-east-1"},
            {"region": "eu-west-1", "allowed_account_ids": ["444455556666"]},
            {"region": "eu-west-1", "assume_role": {"role_arn": "arn:aws:iam::444455556666:role/deploy"}},
        ],
    )
    def test_other_regions_and_accounts_have_their_own_pool(self, other: dict[str, Any]) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 500), self.reserve(count=500, **other)) == []

    def test_environments_are_taken_to_have_accounts_of_their_own(self) -> None:
        stacks = [
            {**self.reserve("eu-west-1", 500, default_tags={"tags": {"Environment": environment}})}
            for environment in ("dev", "prod")
        ]
        assert look("LAM-023", *stacks, environment=None) == ([], [])

    def test_a_raised_quota_counts(self) -> None:
        document = self.reserve("eu-west-1", 2000)
        document["resource"]["aws_servicequotas_service_quota"] = {
            "lambda": {"quota_code": "L-B99A9384", "service_code": "lambda", "value": 5000}
        }
        assert found("LAM-023", document) == []

    def test_a_function_that_is_switched_off_reserves_nothing(self) -> None:
        assert found("LAM-023", self.reserve("eu-west-1", 0), self.reserve("eu-west-1", -1)) == []

    def test_provisioned_concurrency_of_two_aliases_counts_together(self) -> None:
        document = good("LAM-030")
        document["resource"]["aws_lambda_provisioned_concurrency_config"]["old"] = {
            "function_name": "shop-prod-api",
            "qualifier": "6",
            "provisioned_concurrent_executions": 15,
        }
        (message,) = found("LAM-030", document)
        assert "must be within the 20 that aws_lambda_function.api reserves; it is 25 in all of its versions" in message

    def test_a_function_that_is_elsewhere_may_provision(self) -> None:
        change = {"resource.aws_lambda_provisioned_concurrency_config.live.function_name": "elsewhere"}
        assert found("LAM-030", good("LAM-030", change)) == []

    def test_a_function_that_reserves_nothing_may_provision(self) -> None:
        change = {"resource.aws_lambda_function.api.reserved_concurrent_executions": REMOVED}
        assert found("LAM-030", good("LAM-030", change)) == []


GROUP = "${aws_security_group.worker.id}"


class TestNetwork:
    def test_a_group_that_others_use_too_may_be_open(self) -> None:
        rule = {"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
        document = good("LAM-024", {"resource.aws_security_group.worker.ingress": rule})
        document["resource"]["aws_vpc_endpoint"] = {"api": {"security_group_ids": [GROUP]}}
        assert found("LAM-024", document) == []

    def test_the_group_of_a_database_may_be_open(self) -> None:
        rule = {"security_group_id": "${aws_security_group.db.id}", "referenced_security_group_id": GROUP}
        document = good("LAM-024", {"resource.aws_vpc_security_group_ingress_rule": {"db": rule}})
        assert found("LAM-024", document) == []

    @pytest.mark.parametrize("own", [{"self": True}, {"referenced_security_group_id": GROUP}])
    def test_a_group_may_admit_itself(self, own: dict[str, object]) -> None:
        rule = {"security_group_id": GROUP, "ip_protocol": "-1", **own}
        document = good("LAM-024", {"resource.aws_vpc_security_group_ingress_rule": {"own": rule}})
        assert found("LAM-024", document) == []

    def test_rules_of_a_dynamic_block_may_be_none(self) -> None:
        dynamic = {"ingress": {"for_each": "${var.rules}", "content": {"from_port": 1, "to_port": 1}}}
        document = good("LAM-024", {"resource.aws_security_group.worker.dynamic": dynamic})
        assert doubted("LAM-024", document) == ["how many rules a dynamic block makes is not known"]

    @pytest.mark.parametrize(
        "rule",
        [
            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]},
            {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["10.0.0.0/8"]},
            {"protocol": "tcp", "from_port": 5432, "to_port": 5432, "security_groups": ["${aws_security_group.db.id}"]},
        ],
    )
    def test_egress_to_peers_and_https_pass(self, rule: dict[str, object]) -> None:
        assert found("LAM-025", good("LAM-025", {"resource.aws_security_group.worker.egress": [rule]})) == []

    def test_an_unknown_range_is_undecided(self) -> None:
        rule = {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": "${var.ranges}"}
        document = good("LAM-025", {"resource.aws_security_group.worker.egress": [rule]})
        assert doubted("LAM-025", {**document, "variable": {"ranges": {}}}) == ["var.ranges has no default"]

    @pytest.mark.parametrize(
        ("subnets", "extra"),
        [
            ("${aws_subnet.many[*].id}", {"count": 2, "availability_zone": "${local.zones[count.index]}"}),
            ("${aws_subnet.many[*].id}", {"count": "${length(data.aws_availability_zones.all.names)}"}),
            (["${aws_subnet.many.id}", "${aws_subnet.a.id}"], {"availability_zone": "eu-west-1b"}),
            (["subnet-1", "subnet-2"], {}),
        ],
    )
    def test_subnets_in_several_zones_pass_however_they_are_written(
        self, subnets: object, extra: dict[str, object]
    ) -> None:
        document = good("LAM-026", {f"{FN}.vpc_config.subnet_ids": subnets})
        document["resource"]["aws_subnet"]["many"] = extra
        document["locals"] = {"zones": ["eu-west-1a", "eu-west-1b"]}
        document["data"] = {"aws_availability_zones": {"all": {}}}
        assert found("LAM-026", document) == []

    def test_zones_of_a_data_source_by_number_are_told_apart(self) -> None:
        zones = "${data.aws_availability_zones.all.names[%d]}"
        change = {f"resource.aws_subnet.{name}.availability_zone": zones % number for number, name in enumerate("ab")}
        document = {**good("LAM-026", change), "data": {"aws_availability_zones": {"all": {}}}}
        assert look("LAM-026", document) == ([], [])

    @pytest.mark.parametrize(
        "change",
        [
            {f"{FN}.vpc_config.subnet_ids": ["${var.given}"]},
            {f"{FN}.vpc_config.subnet_ids": "${var.given}"},
            {"resource.aws_subnet.b.availability_zone": "${var.given}"},
        ],
    )
    def test_subnets_and_zones_that_are_variables_are_undecided(self, change: dict[str, Any]) -> None:
        document = {**good("LAM-026", change), "variable": {"given": {}}}
        assert doubted("LAM-026", document) == ["var.given has no default"]

    def test_a_function_outside_any_vpc_is_left_alone(self) -> None:
        assert found("LAM-026", function()) == []
        assert found("LAM-024", function()) == []


class TestCalls:
    def test_a_destination_for_failures_keeps_calls_as_well(self) -> None:
        document = good("LAM-027", {f"{FN}.dead_letter_config": REMOVED})
        document["resource"]["aws_lambda_function_event_invoke_config"] = {
            "worker": {
                "function_name": "${aws_lambda_function.worker.arn}",
                "destination_config": [{"on_failure": [{"destination": "${aws_sqs_queue.failed.arn}"}]}],
            }
        }
        assert found("LAM-027", document) == []

    def test_a_function_behind_an_api_is_called_synchronously(self) -> None:
        document = good("LAM-027", {f"{FN}.dead_letter_config": REMOVED})
        document["resource"]["aws_lambda_permission"]["orders"]["principal"] = "apigateway.amazonaws.com"
        assert found("LAM-027", document) == []

    def test_a_subscription_of_another_stack_is_seen(self) -> None:
        subscription = {
            "protocol": "lambda",
            "topic_arn": "t",
            "endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:shop-worker",
        }
        other = resources(aws_sns_topic_subscription={"s": subscription})
        (message,) = found("LAM-027", function(), other)
        assert "since aws_sns_topic_subscription.s calls asynchronously" in message

    def test_a_queue_is_read_in_batches_of_one_without_a_report(self) -> None:
        change = {
            "resource.aws_lambda_event_source_mapping.jobs.function_response_types": REMOVED,
            "resource.aws_lambda_event_source_mapping.jobs.batch_size": "1",
        }
        assert found("LAM-028", good("LAM-028", change)) == []

    def test_a_literal_arn_says_what_is_read(self) -> None:
        mapping = {"function_name": "f", "event_source_arn": "arn:aws:sqs:eu-west-1:111122223333:elsewhere"}
        assert len(found("LAM-028", resources(aws_lambda_event_source_mapping={"m": mapping}))) == 1
        assert found("LAM-029", resources(aws_lambda_event_source_mapping={"m": mapping})) == []
        mapping["event_source_arn"] = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
        assert len(found("LAM-029", resources(aws_lambda_event_source_mapping={"m": mapping}))) == 2

    def test_an_age_bounds_a_stream_too(self) -> None:
        at = "resource.aws_lambda_event_source_mapping.orders"
        change = {f"{at}.maximum_retry_attempts": REMOVED, f"{at}.maximum_record_age_in_seconds": 3600}
        assert found("LAM-029", good("LAM-029", change)) == []
