"""Rules about permissions: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.rules.facts.permissions import RESOURCE_OF, SCOPED
from tests.rules.asking import doubted, found, good, look, resources

ROLE = {"r": {"name": "shop-role"}}
GITHUB = "token.actions.githubusercontent.com"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**resources(aws_iam_role_policy={"p": {"role": "shop-role", "policy": document(*statements)}}), **more}


def trust(principal: object, action: str = "sts:AssumeRole", **more: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return resources(aws_iam_role={"r": {"name": "shop-role", "assume_role_policy": document(statement)}})


class TestResources:
    @pytest.mark.parametrize(
        "action",
        [
            "ec2:Describe*",
            "s3:ListAllMyBuckets",
            "xray:PutTraceSegments",
            "cloudwatch:PutMetricData",
            "ec2:CreateNetworkInterface",
            "logs:CreateLogDelivery",
            "ecr:GetAuthorizationToken",
            "sts:GetCallerIdentity",
            "kms:GenerateRandom",
            "ssm:UpdateInstanceInformation",
            "states:SendTaskSuccess",
            "sns:Publish",
            "unheardof:Anything",
        ],
    )
    def test_actions_without_resources_may_have_all(self, action: str) -> None:
        assert found("IAM-003", policy(allow(action))) == []

    @pytest.mark.parametrize(
        "action", ["s3:ListBucket", "LOGS:putlogevents", "sqs:*", "dynamodb:Batch*", "lambda:Invoke?unction"]
    )
    @pytest.mark.parametrize("resource", ["*", ["arn:aws:s3:::x", "*"], "arn:aws:*:*:*:*", "arn:aws:logs:*:*:*"])
    def test_actions_with_resources_may_not(self, action: str, resource: object) -> None:
        assert len(found("IAM-003", policy(allow(action, resource)))) == 1

    @pytest.mark.parametrize(
        "resource",
        [
            "arn:aws:s3:::shop-*",
            "arn:aws:logs:*:*:log-group:/shop/*",
            "${aws_sqs_queue.q.arn}",
            "arn:${data.aws_partition.p.partition}:sqs:*:*:shop-*",
        ],
    )
    def test_a_part_of_a_name_is_a_name(self, resource: str) -> None:
        made = policy(allow("sqs:SendMessage", resource), data={"aws_partition": {"p": {}}})
        made["resource"]["aws_sqs_queue"] = {"q": {"name": "shop"}}
        assert found("IAM-003", made) == []

    def test_a_condition_on_the_resource_narrows(self) -> None:
        condition = {"StringEquals": {"aws:ResourceTag/Project": "shop"}}
        assert found("IAM-003", policy(allow("ec2:StopInstances", Condition=condition))) == []
        other = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
        assert len(found("IAM-003", policy(allow("ec2:StopInstances", Condition=other)))) == 1

    def test_a_deny_is_right(self) -> None:
        deny = {**allow(["*", "s3:*", "s3:GetObject", "iam:PassRole", "kms:Decrypt"]), "Effect": "Deny"}
        for id_ in ("IAM-001", "IAM-002", "IAM-003", "IAM-004", "IAM-005", "IAM-007", "IAM-008"):
            assert found(id_, policy(deny)) == [], id_

    def test_each_mistake_is_told_once(self) -> None:
        wide = policy(allow(["*"]), allow("kms:Decrypt"), allow("iam:PassRole"), allow("iam:PutRolePolicy"))
        findings = [len(found(id_, wide)) for id_ in ("IAM-001", "IAM-003", "IAM-004", "IAM-007", "IAM-008")]
        assert findings == [1, 0, 1, 1, 1]

    def test_a_resource_that_is_not_known_is_undecided(self) -> None:
        variable: dict[str, Any] = {"variable": {"given": {}}}
        assert doubted("IAM-003", policy(allow("s3:GetObject", "${var.given}"), **variable)) == [
            "var.given has no default"
        ]
        assert found("IAM-003", policy(allow("s3:GetObject", "arn:aws:s3:::${var.given}/*"), **variable)) == []

    def test_the_message_names_the_only_resource_of_the_stack(self) -> None:
        (message,) = found("IAM-003", {**policy(allow("sqs:SendMessage")), "data": {}} | _with_queue())
        assert message.endswith("name the ARNs, such as ${aws_sqs_queue.q.arn}")

    def test_every_service_with_an_example_has_actions(self) -> None:
        assert set(RESOURCE_OF) <= set(SCOPED)

    def test_decryption_through_a_service_is_narrowed(self) -> None:
        condition = {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}
        assert found("IAM-008", policy(allow("kms:Decrypt", Condition=condition))) == []

    def test_a_role_by_part_of_its_name_is_passed_by_name(self) -> None:
        assert found("IAM-004", policy(allow("iam:PassRole", "arn:aws:iam::*:role/shop-*"))) == []


def _with_queue() -> dict[str, Any]:
    made = policy(allow("sqs:SendMessage"))
    made["resource"]["aws_sqs_queue"] = {"q": {"name": "shop"}}
    return made


class TestTrust:
    @pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount"])
    def test_everybody_of_an_organisation_is_named(self, key: str) -> None:
        assert found("IAM-009", trust("*", Condition={"StringEquals": {key: "x"}})) == []

    @pytest.mark.parametrize(
        "principal",
        [
            {"AWS": "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"},
            {"AWS": "arn:aws:iam::444455556666:role/deployer"},
            {"Service": "ec2.amazonaws.com"},
        ],
    )
    def test_roles_services_and_the_own_account_need_no_external_id(self, principal: object) -> None:
        data: dict[str, Any] = {"data": {"aws_caller_identity": {"me": {}}}}
        assert found("IAM-011", trust(principal) | data) == []

    @pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:MultiFactorAuthPresent", "sts:ExternalId"])
    def test_another_account_is_known_by_a_condition(self, key: str) -> None:
        assert found("IAM-011", trust({"AWS": "444455556666"}, Condition={"StringEquals": {key: "x"}})) == []

    @pytest.mark.parametrize(
        ("key", "value", "findings"),
        [
            (f"{GITHUB}:sub", "repo:shop/web:*", 0),
            (f"{GITHUB}:sub", "repo:*/web:ref:refs/heads/main", 1),
            (f"{GITHUB}:sub", "*", 1),
            (f"{GITHUB}:repository", "shop/web", 0),
            (f"{GITHUB}:sub", "${var.subject}", 0),
        ],
    )
    def test_a_pipeline_is_known_by_its_repository(self, key: str, value: str, findings: int) -> None:
        federated = {"Federated": f"arn:aws:iam::1:oidc-provider/{GITHUB}"}
        made = trust(federated, "sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {key: value}})
        assert len(found("IAM-012", made | {"variable": {"subject": {}}})) == findings

    def test_visitors_of_an_app_are_known_by_the_app(self) -> None:
        condition = {"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:1"}}
        made = trust(
            {"Federated": "cognito-identity.amazonaws.com"}, "sts:AssumeRoleWithWebIdentity", Condition=condition
        )
        assert found("IAM-012", made) == []

    def test_services_that_do_not_say_for_whom_they_act_are_left_alone(self) -> None:
        assert found("IAM-010", trust({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})) == []

    @pytest.mark.parametrize("service", ["states.amazonaws.com", "states.eu-west-1.amazonaws.com", "*"])
    def test_a_service_may_be_named_with_its_region(self, service: str) -> None:
        made = trust({"Service": service})
        made["resource"]["aws_sfn_state_machine"] = {"m": {"role_arn": "${aws_iam_role.r.arn}"}}
        assert found("IAM-013", made) == []

    def test_a_role_in_another_stack_is_found_by_its_arn(self) -> None:
        user = resources(aws_flow_log={"f": {"iam_role_arn": "arn:aws:iam::111122223333:role/shop-role"}})
        (message,) = found("IAM-013", trust({"Service": "ec2.amazonaws.com"}), user)
        assert message.endswith("act as the role, which aws_flow_log.f of the stack shop1 gives it")
        assert found("IAM-013", user) == []


class TestDocuments:
    def test_the_data_source_and_variables_of_iam_are_right(self) -> None:
        statement = allow("s3:GetObject", "arn:aws:s3:::home/$${aws:username}/*")
        assert found("IAM-014", policy(statement)) == []
        by_data = {"data": {"aws_iam_policy_document": {"d": {"statement": {"actions": ["s3:GetObject"]}}}}}
        made = resources(aws_iam_role_policy={"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}) | by_data
        for id_ in ("IAM-014", "IAM-015", "IAM-016"):
            assert found(id_, made) == [], id_

    def test_jsonencode_is_read(self) -> None:
        text = '${jsonencode({Version = "2012-10-17", Statement = [{Effekt = "Allow", Action = aws_sqs_queue.q.arn}]})}'
        messages = found("IAM-014", resources(aws_iam_role_policy={"p": {"policy": text}}, aws_sqs_queue={"q": {}}))
        assert any('has the element "Effekt", which IAM does not know' in message for message in messages)

    def test_one_statement_may_stand_without_a_list(self) -> None:
        made = resources(
            aws_iam_policy={"p": {"policy": json.dumps({"Version": "2012-10-17", "Statement": allow("s3:GetObject")})}}
        )
        assert found("IAM-014", made) == []

    def test_statements_without_a_sid_are_not_alike(self) -> None:
        assert found("IAM-015", policy(allow("s3:GetObject", Sid=""), allow("s3:PutObject", Sid=""))) == []

    def test_what_is_not_known_does_not_count_for_the_size(self) -> None:
        arns = [f"arn:aws:s3:::${{data.aws_caller_identity.me.account_id}}-{number}" for number in range(200)]
        data: dict[str, Any] = {"data": {"aws_caller_identity": {"me": {}}}}
        made = resources(aws_iam_policy={"p": {"policy": document(allow("s3:GetObject", arns))}}) | data
        assert found("IAM-017", made) == []

    def test_white_space_does_not_count_for_the_size(self) -> None:
        arns = [f"arn:aws:s3:::bucket-{number}" for number in range(200)]
        wide = json.dumps(json.loads(document(allow("s3:GetObject", arns))), indent=30)
        assert len(wide) > 6_144
        assert found("IAM-017", resources(aws_iam_policy={"p": {"policy": wide}})) == []

    def test_inline_policies_of_two_roles_are_not_added_up(self) -> None:
        text = document(allow("s3:GetObject", [f"arn:aws:s3:::bucket-{number:030}" for number in range(150)]))
        made = resources(
            aws_iam_role={name: {"name": name} for name in "ab"},
            aws_iam_role_policy={name: {"role": f"${{aws_iam_role.{name}.id}}", "policy": text} for name in "ab"},
        )
        assert found("IAM-017", made) == []
        made["resource"]["aws_iam_role_policy"]["b"]["role"] = "${aws_iam_role.a.id}"
        assert len(found("IAM-017", made)) == 2


class TestIdentities:
    def test_a_policy_may_be_used_in_many_ways(self) -> None:
        users: list[dict[str, Any]] = [
            {"output": {"arn": {"value": "${aws_iam_policy.p.arn}"}}},
            {"output": {"arn": {"value": {"all": ["${local.arn}"]}}}, "locals": {"arn": "${aws_iam_policy.p.arn}"}},
            resources(aws_iam_role={"r": {"permissions_boundary": "${aws_iam_policy.p.arn}"}}),
            resources(aws_iam_role_policy_attachment={"a": {"role": "r", "policy_arn": "arn:aws:iam::1:policy/shop"}}),
        ]
        for user in users:
            made = {**user, "resource": {**user.get("resource", {}), "aws_iam_policy": {"p": {"name": "shop"}}}}
            assert found("IAM-022", made) == [], user

    def test_a_module_may_attach_a_policy(self) -> None:
        made = resources(aws_iam_policy={"p": {"name": "shop"}}) | {"module": {"m": {"source": "./m"}}}
        assert found("IAM-022", made) == []

    def test_a_policy_of_ones_own_is_no_administrator(self) -> None:
        made = resources(
            aws_iam_policy={"p": {"name": "shop"}},
            aws_iam_role_policy_attachment={"a": {"role": "r", "policy_arn": "${aws_iam_policy.p.arn}"}},
        )
        assert found("IAM-018", made) == []

    def test_the_same_policy_twice_counts_once(self) -> None:
        attachments = {
            str(n): {"role": "${aws_iam_role.r.name}", "policy_arn": "arn:aws:iam::1:policy/P"} for n in range(12)
        }
        assert found("IAM-021", resources(aws_iam_role=ROLE, aws_iam_role_policy_attachment=attachments)) == []


class TestGrants:
    FUNCTION = "resource.aws_lambda_function.worker"

    def test_rights_may_come_from_a_policy_that_is_attached(self) -> None:
        made = good("IAM-024")
        inline = made["resource"].pop("aws_iam_role_policy")["worker"]["policy"]
        made["resource"]["aws_iam_policy"] = {"p": {"policy": inline}}
        attach = {"role": "${aws_iam_role.worker.name}", "policy_arn": "${aws_iam_policy.p.arn}"}
        made["resource"]["aws_iam_role_policy_attachment"]["p"] = attach
        assert found("IAM-024", made) == []
        made["resource"]["aws_iam_role_policy_attachment"].pop("p")
        assert len(found("IAM-024", made)) == 2

    def test_rights_may_be_inline_in_the_role(self) -> None:
        made = good("IAM-024")
        inline = made["resource"].pop("aws_iam_role_policy")["worker"]["policy"]
        made["resource"]["aws_iam_role"]["worker"]["inline_policy"] = [{"name": "p", "policy": inline}]
        assert found("IAM-024", made) == []

    @pytest.mark.parametrize(
        "arn", ["arn:aws:iam::aws:policy/AmazonSQSFullAccess", "arn:aws:iam::1:policy/ours", "${var.given}"]
    )
    def test_a_policy_that_is_not_in_the_documents_may_give_them(self, arn: str) -> None:
        made = good("IAM-024", {"resource.aws_iam_role_policy_attachment.vpc.policy_arn": arn})
        messages, doubts = look("IAM-024", made | {"variable": {"given": {}}})
        assert messages == []
        assert doubts

    def test_a_policy_that_cannot_be_read_may_give_them(self) -> None:
        made = good("IAM-024", {"resource.aws_iam_role_policy.worker.policy": '${file("policy.json")}'})
        messages, doubts = look("IAM-024", made)
        assert messages == []
        assert doubts

    def test_a_policy_for_a_role_that_is_named_by_a_text_may_be_for_this_one(self) -> None:
        made = good("IAM-024")
        made["resource"]["aws_iam_role_policy"]["worker"]["role"] = "shop-prod-worker"
        messages, doubts = look("IAM-024", made)
        assert messages == []
        assert doubts

    def test_a_role_elsewhere_is_not_looked_at(self) -> None:
        role = {f"{self.FUNCTION}.role": "arn:aws:iam::111122223333:role/elsewhere"}
        assert found("IAM-024", good("IAM-024", role)) == []

    def test_a_stream_of_a_table_is_read_with_the_rights_of_streams(self) -> None:
        at = "resource.aws_lambda_event_source_mapping.jobs.event_source_arn"
        made = good("IAM-024", {at: "${aws_dynamodb_table.t.stream_arn}"})
        made["resource"]["aws_dynamodb_table"] = {"t": {"name": "t"}}
        (message,) = found("IAM-024", made)
        assert "needs dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:DescribeStream" in message
