"""An estate: who refers to whom across stacks; regions, tags and environments; depth and speed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Computed, Estate
from constructs_lib.rules.estate.values import Unknown
from tests.rules.estates import estate, only, queue, resources, value

CROSS = "cross-stack-reference-input-"


# References


def test_targets_are_followed_through_locals_conditions_and_functions() -> None:
    found = estate(
        {
            **resources(
                kms_key={"a": {}, "b": {}},
                sqs_queue={
                    "q": {
                        "one": "${aws_kms_key.a.arn}",
                        "local": "${local.keys.b}",
                        "both": ["${local.keys}"],
                        "choice": "${var.x ? aws_kms_key.a.arn : aws_kms_key.b.arn}",
                        "json": '${jsonencode({"key" = aws_kms_key.b.arn})}',
                        "none": "${var.x}",
                    }
                },
            ),
            "locals": {"keys": {"a": "${aws_kms_key.a.arn}", "b": "${local.b}"}, "b": "${aws_kms_key.b.arn}"},
        }
    )
    block = only(found, "aws_sqs_queue")
    names = {path: [target.name for target in block.targets(path)] for path in block.body}
    assert names == {
        "one": ["a"], "local": ["b"], "both": ["a", "b"], "choice": ["a", "b"], "json": ["b"], "none": [],
    }  # fmt: skip
    assert block.targets("one", "aws_sns_topic") == []
    assert block.target("none") is None
    assert [key.referrers("aws_sqs_queue") for key in found.of("aws_kms_key")] == [[block], [block]]


def test_referrers_are_told_apart_by_the_attribute_that_refers() -> None:
    found = estate(
        resources(
            iam_role={"r": {}},
            iam_role_policy={
                "p": {"role": "${aws_iam_role.r.id}"},
                "q": {"role": "x", "policy": "${aws_iam_role.r.arn}"},
            },
        )
    )
    role = only(found, "aws_iam_role")
    assert [block.name for block in role.referrers()] == ["p", "q"]
    assert [block.name for block in role.referrers_at("role", "aws_iam_role_policy")] == ["p"]


def test_instances_refer_to_the_instances_that_they_name() -> None:
    found = estate(
        resources(
            s3_bucket={"b": {"for_each": {"x": 1, "y": 2}}, "c": {"count": 2}},
            s3_bucket_policy={
                "each": {"for_each": {"x": 1, "y": 2}, "bucket": "${aws_s3_bucket.b[each.key].id}"},
                "count": {"count": 2, "bucket": "${aws_s3_bucket.c[count.index].id}"},
                "named": {"bucket": '${aws_s3_bucket.b["y"].id}'},
                "value": {"for_each": {"k": "${aws_s3_bucket.c[1].id}"}, "bucket": "${each.value}"},
                "all": {"bucket": "${aws_s3_bucket.b}"},
            },
        )
    )
    assert {bucket.address: [block.address for block in bucket.referrers_at("bucket")] for bucket in found.of("aws_s3_bucket")} == {
        'aws_s3_bucket.b["x"]': ['aws_s3_bucket_policy.each["x"]', "aws_s3_bucket_policy.all"],
        'aws_s3_bucket.b["y"]': [
            'aws_s3_bucket_policy.each["y"]', "aws_s3_bucket_policy.named", "aws_s3_bucket_policy.all",
        ],
        "aws_s3_bucket.c[0]": ["aws_s3_bucket_policy.count[0]"],
        "aws_s3_bucket.c[1]": ["aws_s3_bucket_policy.count[1]", 'aws_s3_bucket_policy.value["k"]'],
    }  # fmt: skip


# Stacks together


def cross(target: str, output: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A stack that reads an output of another one, as cdktf writes it."""
    state = {f"{CROSS}{target}": body or {"backend": "local", "config": {"path": f"/x/terraform.{target}.tfstate"}}}
    return {
        "data": {"terraform_remote_state": state},
        **resources(sqs_queue={"q": {"key": f"${{data.terraform_remote_state.{CROSS}{target}.outputs.{output}}}"}}),
    }


PLATFORM = {
    **resources(kms_key={"k": {}}),
    "output": {
        "cross-stack-output-aws_kms_keykarn": {"value": "${aws_kms_key.k.arn}"},
        "text": {"value": "${local.x}"},
    },
    "locals": {"x": "known"},
}


def test_references_lead_into_other_stacks() -> None:
    found = estate(cross("plat-form", "cross-stack-output-aws_kms_keykarn"), None, **{"plat-form": PLATFORM})
    block, key = only(found, "aws_sqs_queue"), only(found, "aws_kms_key")
    assert block.targets("key") == [key]
    assert block.get("key").block is key
    assert key.referrers("aws_sqs_queue") == [block]
    assert only(estate(cross("p", "text"), p=PLATFORM), "aws_sqs_queue").get("key") == "known"


def test_the_output_of_a_stack_that_is_not_there_is_known_at_apply() -> None:
    block = only(estate(cross("p", "text")), "aws_sqs_queue")
    assert isinstance(block.get("key"), Computed)
    assert [target.address for target in block.targets("key")] == [f"data.terraform_remote_state.{CROSS}p"]


def test_a_hand_written_remote_state_is_found_by_its_backend() -> None:
    s3 = {"bucket": "states", "key": "platform.tfstate", "region": "eu-west-1"}
    platform = {**PLATFORM, "terraform": {"backend": {"s3": {**s3, "encrypt": True}}}}
    other = {**PLATFORM, "terraform": {"backend": {"s3": {**s3, "key": "other.tfstate"}}}, "locals": {"x": "wrong"}}
    shop = {
        "data": {"terraform_remote_state": {"net": {"backend": "s3", "config": s3}}},
        **resources(sqs_queue={"q": {"key": "${data.terraform_remote_state.net.outputs.text}"}}),
    }
    assert only(estate(shop, other=other, platform=platform), "aws_sqs_queue").get("key") == "known"
    shop["data"]["terraform_remote_state"]["net"] = {"backend": "local", "config": {"path": "../p/terraform.tfstate"}}
    local = {**PLATFORM, "terraform": {"backend": {"local": {}}}}
    assert only(estate(shop, o=other, p=local), "aws_sqs_queue").get("key") == "known"


def test_stacks_that_were_renamed_are_found_beside_the_one_that_reads_them() -> None:
    def source(place: str, document: dict[str, Any]) -> Source:
        name = place.rpartition("/")[2]
        noted = {**document, "//": {"metadata": {"stackName": name}}}
        return Source(place, Path(place), noted)

    prod = {**PLATFORM, "locals": {"x": "prod"}}
    found = Estate([source("dev/net", PLATFORM), source("prod/net", prod), source("prod/shop", cross("net", "text"))])
    assert only(found, "aws_sqs_queue").get("key") == "prod"


def test_counts_may_depend_on_another_stack_in_any_order_even_in_a_circle() -> None:
    reading = cross("p", "text")
    reading["resource"]["aws_sqs_queue"]["q"] = {
        "count": f"${{length(data.terraform_remote_state.{CROSS}p.outputs.text)}}"
    }
    found = estate(reading, p=PLATFORM)
    assert len(found.of("aws_sqs_queue")) == len("known")
    circle = {**reading, "output": {"text": {"value": f"${{data.terraform_remote_state.{CROSS}p.outputs.text}}"}}}
    back = {
        **cross("shop", "text"),
        "output": {"text": {"value": f"${{data.terraform_remote_state.{CROSS}shop.outputs.text}}"}},
    }
    for block in estate(circle, p=back).blocks:
        assert not block.get("x")


# Providers, tags, environments


def test_the_region_is_the_blocks_own_then_its_providers() -> None:
    providers = {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "${var.region}"}, {"alias": "none"}]}
    bodies: dict[str, Any] = {
        "default": {},
        "alias": {"provider": "aws.us"},
        "template": {"provider": "${aws.us}"},
        "own": {"region": "ap-southeast-1"},
        "none": {"provider": "aws.none"},
        "missing": {"provider": "aws.missing"},
    }
    variable = {"region": {"default": "us-east-1"}}
    document = {**resources(sqs_queue=bodies), "provider": providers, "variable": variable}
    assert {block.name: block.region for block in estate(document).of("aws_sqs_queue")} == {
        "default": "eu-west-1",
        "alias": "us-east-1",
        "template": "us-east-1",
        "own": "ap-southeast-1",
        "none": Unknown("the provider configuration has no region"),
        "missing": Unknown("no provider configuration sets the region"),
    }


def test_types_whose_names_begin_like_other_words_have_providers_too() -> None:
    document = {"resource": {"local_file": {"f": {}}, "terraform_data": {"t": {}}}, "provider": {"local": {"x": 1}}}
    found = estate(document)
    assert (str(only(found, "local_file").provider), only(found, "terraform_data").provider) == (
        "<shop: provider.local>",
        None,
    )


def test_tags_are_the_blocks_own_over_the_providers() -> None:
    provider = {"aws": {"default_tags": [{"tags": {"Team": "a", "Owner": "${local.owner}"}}]}}
    around = {"provider": provider, "locals": {"owner": "me", "tags": {"Team": "b"}}}
    assert queue({"tags": "${local.tags}"}, **around).tags == {"Team": "b", "Owner": "me"}
    assert queue({}, **around).tags == {"Team": "a", "Owner": "me"}
    assert queue({"tags": "${var.tags}"}, **around).tags == Unknown("var.tags is not declared", "${var.tags}")
    assert queue({"tags": ["odd"]}).tags == {}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, "prod"),
        ({"tags": {"Environment": "dev"}}, "dev"),
        ({"tags": {"env": "QA"}}, "staging"),
        ({"tags": {"Environment": "${var.environment}"}, "variable": "staging"}, "staging"),
        ({"tags": {"Environment": "mars"}, "variable": "dev"}, "dev"),
        ({"tags": "${var.open}", "default": "dev"}, "dev"),
        ({"default": "Development"}, "dev"),
        ({"default": "dev", "tags": {"Environment": "prod"}}, "prod"),
        ({"variable": "uat"}, "staging"),
        ({"local": "live"}, "prod"),
        ({"stack": "payments-dev"}, "dev"),
        ({"stack": "developer-portal"}, "prod"),
    ],
)
def test_the_environment_is_read_from_tags_providers_variables_and_names(
    document: dict[str, Any], expected: str
) -> None:
    content: dict[str, Any] = resources(sqs_queue={"q": {"tags": document.get("tags", {})}})
    if "default" in document:
        content["provider"] = {"aws": {"default_tags": {"tags": {"Environment": document["default"]}}}}
    if "variable" in document:
        content["variable"] = {"environment": {"default": document["variable"]}}
    if "local" in document:
        content["locals"] = {"environment": document["local"]}
    name = document.get("stack", "shop")
    found = Estate([Source(name, Path(name), content)])
    assert only(found, "aws_sqs_queue").environment == expected
    assert only(Estate([Source(name, Path(name), content)], "staging"), "aws_sqs_queue").environment == "staging"


def test_a_block_knows_its_construct_and_the_line_that_made_it() -> None:
    body = {"//": {"metadata": {"path": "shop/queue/Resource"}}}
    source = Source(
        "shop", Path("shop"), resources(sqs_queue={"q": body}), notes={"callers": {"shop/queue": "main.py:7"}}
    )
    block = only(Estate([source]), "aws_sqs_queue")
    assert (block.path, block.caller, repr(block)) == ("shop/queue/Resource", "main.py:7", "<shop: aws_sqs_queue.q>")


# Depth and speed


def test_chains_and_deep_structures_end() -> None:
    chain: dict[str, Any] = {f"l{number}": f"${{local.l{number + 1}}}" for number in range(2000)}
    found = value("${local.l0}", locals={**chain, "l2000": "end"})
    assert isinstance(found, Unknown)
    assert "nested too deeply" in found.reason
    assert value("${local.l1950}", locals={**chain, "l2000": "end"}) == "end"
    deep: Any = "${local.x}"
    for _ in range(190):
        deep = {"a": [deep]}
    around = {"locals": {"x": "end", "deep": deep}}
    assert "end" in json.dumps(queue({"name": deep}, **around).get("name"))
    assert "end" in json.dumps(value("${local.deep}", **around))


def test_values_that_double_again_and_again_end_soon() -> None:
    doubling: dict[str, Any] = {
        f"l{number}": f"${{local.l{number + 1}}}${{local.l{number + 1}}}" for number in range(60)
    }
    started = time.process_time()
    assert isinstance(value("${local.l0}", locals={**doubling, "l60": "x"}), Unknown)
    lists: dict[str, Any] = {f"l{number}": [f"${{local.l{number + 1}}}"] * 2 for number in range(40)}
    assert value("${length(local.l0)}", locals={**lists, "l40": "x"}) == 2
    assert time.process_time() - started < 5


def test_ten_thousand_resources_are_indexed_in_a_second() -> None:
    types: dict[str, dict[str, Any]] = {"sqs_queue": {}, "sqs_queue_policy": {}, "iam_role": {}, "iam_role_policy": {}}
    for number in range(2500):
        tags = {"Name": f"q{number}", "Team": "${local.team}"}
        policy = f'{{"Statement": [{{"Action": "sqs:SendMessage", "Resource": "${{aws_sqs_queue.q{number}.arn}}"}}]}}'
        types["sqs_queue"][f"q{number}"] = {
            "name": f"q{number}",
            "kms_master_key_id": "${aws_kms_key.k.arn}",
            "tags": tags,
        }
        types["sqs_queue_policy"][f"q{number}"] = {"queue_url": f"${{aws_sqs_queue.q{number}.id}}", "policy": policy}
        types["iam_role"][f"r{number}"] = {"name": f"r{number}", "assume_role_policy": "{}", "tags": tags}
        types["iam_role_policy"][f"r{number}"] = {"role": f"${{aws_iam_role.r{number}.id}}", "policy": policy}
    document = {**resources(kms_key={"k": {}}, **types), "locals": {"team": "x"}}
    started = time.process_time()
    found = estate(document)
    referrers = only(found, "aws_kms_key").referrers()
    seconds = time.process_time() - started
    assert len(referrers) == 2500
    assert seconds < 2.5  # measured 0.3 on one core; wide, as others may work beside it


def test_local_values_that_hold_others_twice_are_each_followed_once() -> None:
    twice = {f"a{number}": f"${{local.a{number + 1}}}${{local.a{number + 1}}}" for number in range(9)}
    block = queue({"name": "${local.a0}"}, locals={**twice, "a9": "${aws_sqs_queue.jobs.id}"})
    assert [target for target, _ in block.stack.follow("${local.a0}")] == [block]
