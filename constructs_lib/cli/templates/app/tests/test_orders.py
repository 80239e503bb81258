"""The synthesized stack, in every environment."""

import pytest

from orders.stack import OrdersStack


@pytest.fixture(scope="session", params=["dev", "staging", "prod"])
def stack(request, synthesize):
    return synthesize(lambda app: OrdersStack(app, "orders", environment=request.param))["orders"]


def test_the_queue_is_encrypted_and_has_a_dead_letter_queue(stack):
    queue = stack.resource("aws_sqs_queue", "orders/incoming/Resource")
    assert queue["kms_master_key_id"] == "${aws_kms_key.key_eu_west_1.arn}"
    assert "aws_sqs_queue.incoming_dead_letter_eu_west_1" in queue.references


def test_the_function_consumes_the_queue_and_reports_partial_batch_failures(stack):
    mapping = stack.resource("aws_lambda_event_source_mapping")
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert "aws_sqs_queue.incoming_eu_west_1" in mapping.references
