"""Rules about invocations: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.functions.documents import FN, function


class TestInvocations:
    def test_an_on_failure_destination_replaces_the_dead_letter_queue(self) -> None:
        document = good("LAM-027", {f"{FN}.dead_letter_config": REMOVED})
        document["resource"]["aws_lambda_function_event_invoke_config"] = {
            "worker": {
                "function_name": "${aws_lambda_function.worker.arn}",
                "destination_config": [{"on_failure": [{"destination": "${aws_sqs_queue.failed.arn}"}]}],
            }
        }
        assert found("LAM-027", document) == []

    def test_invocations_by_api_gateway_are_synchronous(self) -> None:
        document = good("LAM-027", {f"{FN}.dead_letter_config": REMOVED})
        document["resource"]["aws_lambda_permission"]["orders"]["principal"] = "apigateway.amazonaws.com"
        assert found("LAM-027", document) == []

    def test_a_subscription_in_another_stack_is_an_asynchronous_invocation(self) -> None:
        subscription = {
            "protocol": "lambda",
            "topic_arn": "t",
            "endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:shop-worker",
        }
        other = resources(aws_sns_topic_subscription={"s": subscription})
        (message,) = found("LAM-027", function(), other)
        assert "because aws_sns_topic_subscription.s invokes the function asynchronously" in message

    def test_batches_of_one_message_need_no_partial_batch_failures(self) -> None:
        change = {
            "resource.aws_lambda_event_source_mapping.jobs.function_response_types": REMOVED,
            "resource.aws_lambda_event_source_mapping.jobs.batch_size": "1",
        }
        assert found("LAM-028", good("LAM-028", change)) == []

    def test_the_event_source_is_derived_from_a_literal_arn(self) -> None:
        mapping = {"function_name": "f", "event_source_arn": "arn:aws:sqs:eu-west-1:111122223333:elsewhere"}
        assert len(found("LAM-028", resources(aws_lambda_event_source_mapping={"m": mapping}))) == 1
        assert found("LAM-029", resources(aws_lambda_event_source_mapping={"m": mapping})) == []
        mapping["event_source_arn"] = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
        assert len(found("LAM-029", resources(aws_lambda_event_source_mapping={"m": mapping}))) == 2

    def test_a_maximum_record_age_limits_retries(self) -> None:
        at = "resource.aws_lambda_event_source_mapping.orders"
        change = {f"{at}.maximum_retry_attempts": REMOVED, f"{at}.maximum_record_age_in_seconds": 3600}
        assert found("LAM-029", good("LAM-029", change)) == []


class TestApiPermission:
    def test_an_integration_with_credentials_needs_no_permission(self) -> None:
        change = {
            "resource.aws_lambda_permission": REMOVED,
            "resource.aws_api_gateway_integration.api.credentials": "arn:aws:iam::111122223333:role/api",
        }
        assert found("LAM-032", good("LAM-032", change)) == []

    def test_a_permission_with_literal_names_counts(self) -> None:
        change = {
            "resource.aws_lambda_permission.api.function_name": "shop-prod-api",
            "resource.aws_lambda_permission.api.qualifier": "live",
        }
        assert found("LAM-032", good("LAM-032", change)) == []

    def test_a_permission_in_another_stack_counts(self) -> None:
        document = good("LAM-032")
        other = {"resource": {"aws_lambda_permission": document["resource"].pop("aws_lambda_permission")}}
        permission = other["resource"]["aws_lambda_permission"]["api"]
        permission |= {"function_name": "shop-prod-api", "qualifier": "live"}
        assert found("LAM-032", document, other) == []

    def test_a_permission_for_an_alias_does_not_apply_to_the_function(self) -> None:
        uri = "${aws_lambda_function.api.invoke_arn}"
        assert len(found("LAM-032", good("LAM-032", {"resource.aws_api_gateway_integration.api.uri": uri}))) == 1

    def test_a_permission_for_an_unknown_function_is_undecided(self) -> None:
        document = good("LAM-032", {"resource.aws_lambda_permission.api.function_name": "${var.name}"})
        assert doubted("LAM-032", {**document, "variable": {"name": {}}}) == ["var.name has no default"]

    def test_a_missing_permission_is_reported_once_for_all_integrations(self) -> None:
        document = good("LAM-032", {"resource.aws_lambda_permission": REMOVED})
        integrations = document["resource"]["aws_api_gateway_integration"]
        integrations["second"] = integrations["api"]
        assert len(found("LAM-032", document)) == 1

    def test_an_authorizer_needs_a_permission(self) -> None:
        authorizer = {"authorizer_uri": "${aws_lambda_function.api.invoke_arn}", "name": "a"}
        document = good("LAM-032", {"resource.aws_api_gateway_authorizer": {"a": authorizer}})
        (message,) = found("LAM-032", document)
        assert message.startswith("aws_api_gateway_authorizer.a: authorizer_uri")
