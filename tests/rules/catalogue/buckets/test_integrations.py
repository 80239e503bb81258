"""Rules of buckets/integrations: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import found, good, resources
from tests.rules.catalogue.buckets.documents import BUCKET, policy


def test_a_network_load_balancer_supports_a_customer_managed_key() -> None:
    at = "resource.aws_s3_bucket_server_side_encryption_configuration.logs.rule"
    with_key = {f"{at}.apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}
    assert found("S3-016", good("S3-016", {**with_key, "resource.aws_lb.web.load_balancer_type": "network"})) == []
    assert len(found("S3-016", good("S3-016", with_key))) == 1


def test_disabled_access_logs_need_no_permission() -> None:
    off = {"resource.aws_lb.web.access_logs.enabled": False, "resource.aws_lb.web.depends_on": []}
    assert found("S3-017", good("S3-017", off)) == []


def test_a_log_bucket_may_log_to_itself() -> None:
    logging = {
        "data": {"bucket": "shop-data", "target_bucket": "shop-logs"},
        "logs": {"bucket": "shop-logs", "target_bucket": "shop-logs"},
    }
    document = resources(aws_s3_bucket=BUCKET | {"logs": {"bucket": "shop-logs"}}, aws_s3_bucket_logging=logging)
    assert found("S3-018", document) == []


def test_a_reference_is_a_dependency_as_depends_on_is() -> None:
    at = "resource.aws_s3_bucket_notification.data"
    change = {
        f"{at}.depends_on": ["aws_sqs_queue_policy.index"],
        f"{at}.lambda_function.0.filter_prefix": "${aws_lambda_permission.scan.statement_id}",
    }
    assert found("S3-013", good("S3-013", change)) == []


def test_a_permission_in_another_stack_needs_no_depends_on() -> None:
    document = good("S3-013", {"resource.aws_s3_bucket_notification.data.depends_on": ["aws_sqs_queue_policy.index"]})
    permission = document["resource"].pop("aws_lambda_permission")
    permission["scan"]["function_name"] = "shop-prod-scan"
    assert found("S3-013", document, resources(aws_lambda_permission=permission)) == []


def test_targets_outside_of_the_stacks_are_exempt() -> None:
    notification = {"n": {"bucket": "shop-data", "queue": {"queue_arn": "arn:aws:sqs:eu-west-1:1:q"}}}
    assert found("S3-013", resources(aws_s3_bucket_notification=notification)) == []


def test_access_logs_without_enabled_need_no_permission() -> None:
    logs = {"bucket": "${aws_s3_bucket.logs.id}"}
    change = {"resource.aws_lb.web.access_logs": logs, "resource.aws_lb.web.depends_on": []}
    assert found("S3-017", good("S3-017", change)) == []


def test_a_dependency_on_a_module_may_include_the_policy() -> None:
    assert found("S3-017", good("S3-017", {"resource.aws_lb.web.depends_on": ["module.logs"]})) == []


def test_a_load_balancer_depends_on_the_policy_of_its_log_bucket() -> None:
    change = {"resource.aws_lb.web.depends_on": ["aws_s3_bucket.logs"]}
    (message,) = found("S3-017", good("S3-017", change))
    assert "must depend on aws_s3_bucket_policy.logs" in message


def test_the_service_account_of_elastic_load_balancing_may_be_allowed() -> None:
    statement = policy(Principal={"AWS": "${data.aws_elb_service_account.main.arn}"}, Action="s3:Put*")
    document = good("S3-017", {"resource.aws_s3_bucket_policy.logs.policy": statement})
    document["data"] = {"aws_elb_service_account": {"main": {}}}
    assert found("S3-017", document) == []


def test_two_resources_of_one_type_are_found_by_reference_or_name() -> None:
    document = resources(
        aws_s3_bucket=BUCKET,
        aws_s3_bucket_lifecycle_configuration={
            "a": {"bucket": "shop-data"},
            "b": {"bucket": "${aws_s3_bucket.data.id}"},
            "c": {"bucket": "another"},
        },
    )
    (message,) = found("S3-014", document)
    assert message.startswith("aws_s3_bucket_lifecycle_configuration.b: bucket")
