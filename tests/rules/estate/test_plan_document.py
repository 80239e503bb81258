"""Plans as documents: what is known at apply is a reference again, and modules, instances and regions are told apart.

`fixtures/plan.json` is what Terraform 1.11.4 and the AWS provider 5.100.0 wrote, without what nobody reads.
"""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading import Source, load
from constructs_lib.rules.estate.model import Computed, Estate
from constructs_lib.rules.estate.plan_document import plan_document
from constructs_lib.rules.estate.policies import Principal, Statement, statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.settings import Terraform

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block

FILE = Path(__file__).parent / "fixtures" / "plan.json"
PLAN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def estate() -> Estate:
    return load([FILE])


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return plan_document(FILE, copy.deepcopy(PLAN))


def at(estate: Estate, address: str) -> Block:
    (found,) = [block for block in estate.blocks if block.address == address]
    return found


def test_a_plan_is_named_after_its_file_and_every_block_has_its_terraform_address(estate: Estate) -> None:
    (stack,) = estate.stacks
    assert stack.name == "plan"
    assert [block.address for block in stack.blocks if block.type.startswith("aws_s")] == [
        "aws_s3_bucket.logs",
        "aws_s3_bucket_server_side_encryption_configuration.logs",
        "aws_s3_bucket_versioning.logs",
        "aws_secretsmanager_secret_version.v",
        "aws_security_group.dyn",
        "aws_security_group.sg[0]",
        "aws_security_group.sg[1]",
        "aws_sns_topic_subscription.s",
        'aws_sqs_queue.q["jobs"]',
        'aws_sqs_queue.q["mails"]',
        'module.jobs["a"].aws_sqs_queue.this',
        'module.jobs["b"].aws_sqs_queue.this',
        "aws_sqs_queue_policy.qp",
        'module.jobs["a"].aws_sqs_queue_redrive_policy.this[0]',
        'module.jobs["b"].aws_sqs_queue_redrive_policy.this[0]',
        "module.legacy.aws_sns_topic.this",
        "module.legacy.module.inner.aws_sns_topic_policy.this",
    ]


@pytest.mark.parametrize(
    ("address", "path", "target"),
    [
        ('aws_sqs_queue.q["jobs"]', "kms_master_key_id", "aws_kms_key.k"),
        (
            "aws_s3_bucket_server_side_encryption_configuration.logs",
            "rule.apply_server_side_encryption_by_default.kms_master_key_id",
            "aws_kms_key.k",
        ),
        ("aws_s3_bucket_server_side_encryption_configuration.logs", "bucket", "aws_s3_bucket.logs"),
        ("aws_sns_topic_subscription.s", "endpoint", 'aws_sqs_queue.q["mails"]'),
        ("aws_sqs_queue_policy.qp", "policy", "data.aws_iam_policy_document.p"),
        ('aws_kms_alias.a["one"]', "target_key_id", "aws_kms_key.k"),  # each.value
        ('module.jobs["b"].aws_sqs_queue.this', "kms_master_key_id", "aws_kms_key.k"),  # a module's variable
        ('module.jobs["b"].aws_sqs_queue_redrive_policy.this[0]', "queue_url", 'module.jobs["b"].aws_sqs_queue.this'),
        ("aws_sns_topic_subscription.s", "topic_arn", "module.legacy.aws_sns_topic.this"),  # outputs of modules
        ("module.legacy.module.inner.aws_sns_topic_policy.this", "arn", "module.legacy.aws_sns_topic.this"),
        ("output.mod", "value", 'module.jobs["a"].aws_sqs_queue.this'),
    ],
)
def test_what_is_known_at_apply_refers_to_the_block_that_it_comes_from(
    estate: Estate, address: str, path: str, target: str
) -> None:
    block = at(estate, address)
    assert [found.address for found in block.targets(path)] == [target]


def test_a_known_value_that_came_from_another_block_keeps_both_value_and_reference(estate: Estate) -> None:
    versioning = at(estate, "aws_s3_bucket_versioning.logs")
    assert (versioning.raw("bucket"), versioning.get("bucket")) == ("${aws_s3_bucket.logs.bucket}", "logs")
    assert versioning in at(estate, "aws_s3_bucket.logs").referrers_at("bucket")


def test_instances_are_blocks_with_their_keys_and_values(estate: Estate) -> None:
    queues = [block for block in estate.of("aws_sqs_queue") if block.base == "aws_sqs_queue.q"]
    assert [(block.key, block.get("name")) for block in queues] == [("jobs", "jobs"), ("mails", "mails")]
    assert [block.key for block in estate.of("aws_security_group")] == [None, 0, 1]
    assert [block.address for block in queues[1].referrers()] == ["aws_sns_topic_subscription.s"]


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("aws_kms_key.k", "eu-west-1"),  # a variable's value
        ("aws_security_group.sg[0]", "us-east-1"),  # an alias
        ('module.jobs["a"].aws_sqs_queue.this', "us-east-1"),  # handed to the module
        ("module.legacy.module.inner.aws_sns_topic_policy.this", "us-west-2"),  # the module's own
    ],
)
def test_every_block_is_in_the_region_of_its_provider(estate: Estate, address: str, region: str) -> None:
    assert at(estate, address).region == region


def test_default_tags_say_the_environment(estate: Estate) -> None:
    key = at(estate, "aws_kms_key.k")
    assert (key.tags, key.environment) == ({"Environment": "staging"}, "staging")


def test_default_tags_from_local_values_are_those_of_the_resources() -> None:
    plan = copy.deepcopy(PLAN)
    for provider in plan["configuration"]["provider_config"].values():
        provider["expressions"]["default_tags"] = [{"tags": {"references": ["local.tags"]}}]
    for resource in plan["planned_values"]["root_module"]["resources"]:
        if resource["type"] == "aws_kms_key":
            resource["values"]["tags_all"] = {"Environment": "staging"}
    estate = Estate([Source("shop", Path(), plan_document(FILE, plan))])
    assert {block.environment for block in estate.of("aws_kms_key", "aws_iam_role_policy")} == {"staging"}
    assert at(estate, "aws_kms_key.k").tags == {"Environment": "staging"}


def test_what_nobody_configured_is_left_out(document: dict[str, Any]) -> None:
    (logs,) = document["resource"]["aws_s3_bucket"]["logs"]
    assert {key: value for key, value in logs.items() if key != "lifecycle"} == {
        "//": {"address": "aws_s3_bucket.logs"},
        "bucket": "logs",
        "tags_all": {"Environment": "staging"},
    }


def changed(**values: object) -> dict[str, Any]:
    """Return the plan of a VPC's route table that exists, with the values given in addition to what is configured."""
    address = "aws_route_table.r"
    table = {"address": address, "mode": "managed", "type": "aws_route_table", "name": "r"}
    after = {"vpc_id": "vpc-1", **values}
    expression = {"constant_value": "${aws_vpc.v.id}", "references": ["aws_vpc.v.id", "aws_vpc.v"]}
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [{**table, "values": after}]}},
        "resource_changes": [{**table, "change": {"actions": ["no-op"], "before": after, "after": after}}],
        "configuration": {"root_module": {"resources": [{**table, "expressions": {"vpc_id": expression}}]}},
    }


def test_what_aws_decided_of_a_resource_that_exists_is_not_code() -> None:
    plan = changed(arn="arn:aws:ec2:…", propagating_vgws=[], tags_all={"Owner": "me"}, route=[{"cidr_block": "::/0"}])
    (table,) = plan_document(FILE, plan)["resource"]["aws_route_table"]["r"]
    del table["//"], table["lifecycle"]
    assert table == {
        "vpc_id": "${aws_vpc.v.id}",
        "tags_all": {"Owner": "me"},
        "route": Unknown("set by AWS, or by a dynamic block: a plan does not say"),
    }


def test_a_provider_that_is_only_required_is_not_declared() -> None:
    plan = changed()
    plan["configuration"]["provider_config"] = {
        "aws": {"name": "aws", "full_name": "hashicorp/aws", "version_constraint": ">= 5"},
        "aws.ie": {"name": "aws", "alias": "ie", "expressions": {"region": {"constant_value": "eu-west-1"}}},
    }
    plan["configuration"]["root_module"]["resources"][0]["provider_config_key"] = "aws.ie"
    document = plan_document(FILE, plan)
    assert document["provider"] == {"aws": [{"region": "eu-west-1", "alias": "ie"}]}
    assert document["terraform"]["required_providers"] == {"aws": {"source": "hashicorp/aws", "version": ">= 5"}}


def test_what_a_plan_does_not_say_is_unknown(estate: Estate) -> None:
    key = at(estate, "aws_kms_key.k")
    unsaid = Unknown("a plan does not say")
    assert key.flag("lifecycle.prevent_destroy") == unsaid
    assert estate.stacks[0].terraform.get("backend.s3.encrypt") == unsaid


def test_blocks_of_a_set_find_their_configuration_though_they_are_sorted_anew(estate: Estate) -> None:
    tags = at(estate, "aws_autoscaling_group.g").sections("tag")
    assert [(tag.get("key"), tag.target("value")) for tag in tags] == [
        ("A", at(estate, "aws_s3_bucket.logs")),
        ("B", at(estate, "aws_kms_key.k")),
    ]


def test_an_unknown_part_of_a_dynamic_block_is_unknown_and_not_missing(estate: Estate) -> None:
    rules = at(estate, "aws_security_group.dyn").sections("ingress")
    assert [(rule.get("from_port"), rule.get("security_groups")) for rule in rules] == [
        (443, Unknown("known after apply")),
        (80, Unknown("known after apply")),
    ]


def test_a_secret_is_its_reference_and_its_value_stands_nowhere(document: dict[str, Any]) -> None:
    (version,) = document["resource"]["aws_secretsmanager_secret_version"]["v"]
    assert version["secret_string"] == "${var.secret}"
    assert "hidden" not in json.dumps(document, default=str)


def readable(block: Block, path: str) -> list[Statement]:
    found = statements(block, path)
    assert not isinstance(found, Unknown)
    return found


def test_policies_are_read_known_or_not(estate: Estate) -> None:
    (known,) = readable(at(estate, "aws_iam_policy.known"), "policy")
    assert (known.actions, known.resources) == (("s3:*",), ("*",))
    (sends,) = readable(at(estate, "aws_sqs_queue_policy.qp"), "policy")
    assert sends.principals == (Principal("Service", "sns.amazonaws.com"),)
    assert isinstance(sends.resources[0], Computed)
    (trust,) = readable(at(estate, "aws_iam_role.r"), "assume_role_policy")
    assert trust.condition("AWS:principaltag/x") == ("${aws:username}",)
    inline = statements(at(estate, "aws_iam_policy.inline"), "policy")
    assert isinstance(inline, Unknown)
    assert inline.reason == 'aws_sqs_queue.q["jobs"].arn is known after apply'


def test_variables_outputs_and_modules_are_there(document: dict[str, Any]) -> None:
    assert {word: document[word] for word in ("variable", "output", "module")} == {
        "variable": {
            "environment": {"default": "staging"},
            "region": {"default": "eu-west-1"},
            "secret": {"sensitive": True},
        },
        "output": {
            "key": {"value": "${aws_kms_key.k.arn}"},
            "mod": {"value": "${aws_sqs_queue.module_jobs_a__this.arn}"},
            "plain": {"value": "x"},
        },
        "module": {"jobs": {"source": "./mod"}, "legacy": {"source": "./legacy"}},
    }


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({**PLAN, "format_version": "2.0"}))
    with pytest.raises(ConfigurationError) as caught:
        load([file])
    assert str(caught.value) == f"{file}: has format_version '2.0'; expected 1.x"


@pytest.mark.terraform
def test_a_plan_of_the_terraform_that_is_here_is_read(tmp_path: Path) -> None:
    try:
        terraform = Terraform.discover()
    except UnavailableError as error:
        pytest.skip(str(error))
    module = {"variable": {"text": {}}, "resource": {"terraform_data": {"copy": {"input": "${var.text}"}}}}
    root = {
        "resource": {
            "terraform_data": {
                "one": {"input": "known"},
                "two": {"for_each": {"a": 1}, "input": "${terraform_data.one.id}"},
            }
        },
        "module": {"inner": {"source": "./inner", "text": '${terraform_data.two["a"].output}'}},
    }
    (tmp_path / "inner").mkdir()
    (tmp_path / "main.tf.json").write_text(json.dumps(root))
    (tmp_path / "inner" / "main.tf.json").write_text(json.dumps(module))
    shown = ""
    for command in (["init"], ["plan", "-out=p"], ["show", "-json", "p"]):
        done = subprocess.run([terraform.binary, *command], cwd=tmp_path, capture_output=True, text=True, check=True)
        shown = done.stdout
    (tmp_path / "plan.json").write_text(shown)
    found = load([tmp_path / "plan.json"])
    assert {block.address: block.raw("input") for block in found.of("terraform_data")} == {
        "terraform_data.one": "known",
        'terraform_data.two["a"]': "${terraform_data.one.id}",
        "module.inner.terraform_data.copy": '${terraform_data.two["a"].output}',
    }


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in items for place in places(item, (*at, key)))]


PLACES = [place for place in places(PLAN) if place]


@settings(max_examples=200)
@given(place=st.sampled_from(PLACES), value=st.sampled_from([None, 3, "x", [], {}, True, [3], {"a": 1}]))
def test_a_plan_with_anything_at_a_place_is_read_or_refused(place: tuple[Any, ...], value: object) -> None:
    plan = copy.deepcopy(PLAN)
    inner: Any = plan
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    try:
        document = plan_document(FILE, plan)
    except ConfigurationError as error:
        assert str(error).startswith(f"{FILE}: ")  # noqa: PT017  both ends are right
    else:
        assert isinstance(document, dict)
