"""Rules about buckets: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, look, resources

ACCOUNT = "111122223333"
BUCKET = {"data": {"bucket": "shop-data"}}


def policy(**more: object) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket_policy(**more: object) -> dict[str, Any]:
    return resources(
        aws_s3_bucket=BUCKET, aws_s3_bucket_policy={"p": {"bucket": "shop-data", "policy": policy(**more)}}
    )


TLS = {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::shop-data", "arn:aws:s3:::shop-data/*"]}
NO_TLS = {"Bool": {"aws:SecureTransport": "false"}}


class TestWhichBucketIsMeant:
    @pytest.mark.parametrize(
        "name", ["shop-data", "${aws_s3_bucket.data.id}", "${aws_s3_bucket.data.bucket}", "${local.name}"]
    )
    def test_a_part_names_its_bucket_by_reference_or_by_name(self, name: str) -> None:
        document = resources(
            aws_s3_bucket=BUCKET,
            aws_s3_bucket_versioning={"v": {"bucket": name, "versioning_configuration": {"status": "Enabled"}}},
        )
        assert found("S3-008", {**document, "locals": {"name": "shop-data"}}) == []

    def test_a_part_in_another_stack_counts(self) -> None:
        part = {"v": {"bucket": "arn:aws:s3:::shop-data", "versioning_configuration": {"status": "Enabled"}}}
        assert found("S3-008", resources(aws_s3_bucket=BUCKET), resources(aws_s3_bucket_versioning=part)) == []

    def test_a_part_for_a_bucket_that_is_not_known_may_be_for_this_one(self) -> None:
        document = resources(
            aws_s3_bucket=BUCKET,
            aws_s3_bucket_public_access_block={"b": {"bucket": "${var.bucket}"}},
        )
        assert doubted("S3-002", {**document, "variable": {"bucket": {}}}) == ["var.bucket has no default"]

    def test_each_instance_has_its_own_part(self) -> None:
        document = resources(
            aws_s3_bucket={"all": {"for_each": {"a": 1, "b": 1}, "bucket": "shop-${each.key}"}},
            aws_s3_bucket_public_access_block={"one": {"bucket": '${aws_s3_bucket.all["a"].id}'}},
        )
        (message,) = found("S3-002", document)
        assert message.startswith('aws_s3_bucket.all["b"]: must have an aws_s3_bucket_public_access_block')


class TestPolicies:
    @pytest.mark.parametrize(
        "condition",
        [
            {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
            {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
        ],
    )
    def test_a_statement_for_everybody_that_a_condition_narrows_is_not_public(self, condition: object) -> None:
        assert found("S3-003", bucket_policy(Condition=condition)) == []

    def test_a_policy_document_is_read(self) -> None:
        document = resources(
            aws_s3_bucket=BUCKET,
            aws_s3_bucket_policy={"p": {"bucket": "shop-data", "policy": "${data.aws_iam_policy_document.p.json}"}},
        )
        open_ = {"actions": ["s3:*"], "resources": ["*"], "principals": [{"type": "AWS", "identifiers": ["*"]}]}
        document["data"] = {"aws_iam_policy_document": {"p": {"statement": open_}}}
        (message,) = found("S3-003", document)
        assert "a statement allows s3:* to everyone" in message

    @pytest.mark.parametrize(
        "more",
        [
            {**TLS, "Condition": NO_TLS},
            {**TLS, "Condition": {"BoolIfExists": {"aws:SecureTransport": False}}, "Principal": {"AWS": "*"}},
            {**TLS, "Condition": NO_TLS, "Resource": "*"},
            {**TLS, "Condition": NO_TLS, "Action": ["s3:GetObject", "s3:PutObject"]},
        ],
    )
    def test_tls_may_be_asked_for_in_several_forms(self, more: dict[str, Any]) -> None:
        assert found("S3-004", bucket_policy(**more)) == []

    def test_one_of_two_policies_suffices_and_the_finding_is_about_a_policy(self) -> None:
        document = bucket_policy(**TLS, Condition=NO_TLS)
        document["resource"]["aws_s3_bucket"] = {"data": {"bucket": "shop-data", "policy": policy()}}
        assert found("S3-004", document) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"Condition": NO_TLS},
            {"Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"}}},
            {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/admin"}},
            {"Principal": {"AWS": "arn:aws:iam::111122223333:role/guest"}},
            {"Resource": "arn:aws:s3:::shop-data/*"},
            {"Action": ["s3:DeleteBucket", "s3:PutBucketPolicy"]},
            {"Action": "s3:*Object*"},
            {"Action": None, "NotAction": ["s3:*BucketPolicy"]},
            {"Action": None, "NotAction": ["${var.spared}"]},
            {"Effect": "Allow"},
        ],
    )
    def test_a_refusal_that_leaves_somebody_a_way_in_is_right(self, change: dict[str, Any]) -> None:
        document = bucket_policy(**{**TLS, **change})
        assert found("S3-022", {**document, "variable": {"spared": {}}}) == []

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"Action": None, "NotAction": "s3:GetObject"},
            {"Resource": "*"},
            {"Resource": "arn:aws:s3:::shop-${var.name}"},
            {"Resource": ["${var.name}", "${aws_s3_bucket.data.arn}"]},
        ],
    )
    def test_a_refusal_of_everything_for_everybody_locks_all_out(self, change: dict[str, Any]) -> None:
        document = bucket_policy(**{**TLS, **change})
        (message,) = found("S3-022", {**document, "variable": {"name": {}}})
        assert "must let administrators change the policy, which a statement denies to everyone" in message

    def test_a_refusal_of_what_is_not_known_is_undecided(self) -> None:
        document = bucket_policy(**{**TLS, "Resource": "${var.arn}"}) | {"variable": {"arn": {}}}
        assert doubted("S3-022", document) == ["var.arn has no default"]

    def test_services_that_aws_admits_without_a_condition_are_left_alone(self) -> None:
        service = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
        assert found("S3-007", bucket_policy(Principal=service)) == []
        assert found("S3-007", bucket_policy(Effect="Deny", Principal={"Service": "cloudtrail.amazonaws.com"})) == []


class TestData:
    def test_a_bucket_for_access_logs_has_no_customer_key_and_no_logs(self) -> None:
        document = good("S3-009")
        assert found("S3-009", document) == []
        del document["resource"]["aws_s3_bucket_logging"]
        (message,) = found("S3-009", document)
        assert message.startswith("aws_s3_bucket.logs: must have an aws_s3_bucket_server_side_encryption_configuration")

    def test_a_network_load_balancer_writes_with_a_customer_key(self) -> None:
        at = "resource.aws_s3_bucket_server_side_encryption_configuration.logs.rule"
        with_key = {f"{at}.apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}
        assert found("S3-016", good("S3-016", {**with_key, "resource.aws_lb.web.load_balancer_type": "network"})) == []
        assert len(found("S3-016", good("S3-016", with_key))) == 1

    def test_logs_that_are_switched_off_are_not_written(self) -> None:
        off = {"resource.aws_lb.web.access_logs.enabled": False, "resource.aws_lb.web.depends_on": []}
        assert found("S3-017", good("S3-017", off)) == []

    def test_double_encryption_needs_no_bucket_key(self) -> None:
        rule = "resource.aws_s3_bucket_server_side_encryption_configuration.data.rule"
        change = {
            f"{rule}.apply_server_side_encryption_by_default.sse_algorithm": "aws:kms:dsse",
            f"{rule}.bucket_key_enabled": False,
        }
        assert found("S3-009", good("S3-009", change)) == []

    def test_buckets_of_dev_may_be_emptied(self) -> None:
        document = resources(aws_s3_bucket={"data": {"bucket": "shop-data", "force_destroy": True}})
        assert found("S3-011", document, environment="dev") == []
        assert len(found("S3-011", document, environment="staging")) == 1

    def test_a_log_bucket_may_log_itself(self) -> None:
        logging = {
            "data": {"bucket": "shop-data", "target_bucket": "shop-logs"},
            "logs": {"bucket": "shop-logs", "target_bucket": "shop-logs"},
        }
        document = resources(aws_s3_bucket=BUCKET | {"logs": {"bucket": "shop-logs"}}, aws_s3_bucket_logging=logging)
        assert found("S3-018", document) == []


class TestOrder:
    def test_a_reference_orders_as_depends_on_does(self) -> None:
        at = "resource.aws_s3_bucket_notification.data"
        change = {
            f"{at}.depends_on": ["aws_sqs_queue_policy.index"],
            f"{at}.lambda_function.0.filter_prefix": "${aws_lambda_permission.scan.statement_id}",
        }
        assert found("S3-013", good("S3-013", change)) == []

    def test_a_permission_of_another_stack_cannot_be_waited_for(self) -> None:
        document = good(
            "S3-013", {"resource.aws_s3_bucket_notification.data.depends_on": ["aws_sqs_queue_policy.index"]}
        )
        permission = document["resource"].pop("aws_lambda_permission")
        permission["scan"]["function_name"] = "shop-prod-scan"
        assert found("S3-013", document, resources(aws_lambda_permission=permission)) == []

    def test_receivers_elsewhere_are_not_looked_at(self) -> None:
        notification = {"n": {"bucket": "shop-data", "queue": {"queue_arn": "arn:aws:sqs:eu-west-1:1:q"}}}
        assert found("S3-013", resources(aws_s3_bucket_notification=notification)) == []

    def test_access_logs_that_are_not_switched_on_are_not_written(self) -> None:
        logs = {"bucket": "${aws_s3_bucket.logs.id}"}
        change = {"resource.aws_lb.web.access_logs": logs, "resource.aws_lb.web.depends_on": []}
        assert found("S3-017", good("S3-017", change)) == []

    def test_what_a_module_holds_may_come_first(self) -> None:
        assert found("S3-017", good("S3-017", {"resource.aws_lb.web.depends_on": ["module.logs"]})) == []

    def test_a_load_balancer_waits_for_the_policy_of_its_log_bucket(self) -> None:
        change = {"resource.aws_lb.web.depends_on": ["aws_s3_bucket.logs"]}
        (message,) = found("S3-017", good("S3-017", change))
        assert "must depend on aws_s3_bucket_policy.logs" in message

    def test_the_account_of_the_load_balancers_may_be_let_in(self) -> None:
        statement = policy(Principal={"AWS": "${data.aws_elb_service_account.main.arn}"}, Action="s3:Put*")
        document = good("S3-017", {"resource.aws_s3_bucket_policy.logs.policy": statement})
        document["data"] = {"aws_elb_service_account": {"main": {}}}
        assert found("S3-017", document) == []


class TestNames:
    @pytest.mark.parametrize("name", ["abc", "1-a.b-2", "a" * 63, "shop-${data.aws_caller_identity.me.account_id}"])
    def test_legal_names_are_clean(self, name: str) -> None:
        document = resources(aws_s3_bucket={"data": {"bucket": name}})
        assert found("S3-019", document | {"data": {"aws_caller_identity": {"me": {}}}}) == []

    def test_a_name_that_s3_makes_is_legal(self) -> None:
        assert found("S3-019", resources(aws_s3_bucket={"data": {}})) == []
        assert found("S3-020", resources(aws_s3_bucket={"data": {}})) == []

    def test_a_website_is_named_as_its_domain(self) -> None:
        site = resources(
            aws_s3_bucket={"site": {"bucket": "www.shop.example"}},
            aws_s3_bucket_website_configuration={"site": {"bucket": "${aws_s3_bucket.site.id}"}},
        )
        assert found("S3-020", site) == []

    def test_buckets_of_two_stacks_or_regions_are_two_systems(self) -> None:
        one, other = ({"aws_s3_bucket": {"data": {"bucket": name}}} for name in ("a-bucket", "b-bucket"))
        assert found("S3-021", resources(**one), resources(**other)) == []

    def test_two_parts_of_one_kind_are_found_by_whatever_name(self) -> None:
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


def test_acls_of_an_unknown_name_are_undecided() -> None:
    document = resources(aws_s3_object={"logo": {"bucket": "b", "key": "k", "acl": "${var.acl}"}})
    messages, doubts = look("S3-006", document | {"variable": {"acl": {}}})
    assert (messages, doubts) == ([], ["var.acl has no default"])
