"""Blocks as Terraform would see them: values, instances, nested blocks."""

from __future__ import annotations

import pytest

from constructs_lib.rules.estate.declarations import MAX_INSTANCES
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from tests.rules.estates import estate, only, queue, resources, value

# Values


def test_values_are_found_by_dotted_path_whether_nested_blocks_are_objects_or_lists_of_one() -> None:
    for rule in ({"expiration": {"days": 3}}, [{"expiration": [{"days": 3}]}]):
        block = queue({"rule": rule, "list": [{"a": 1}, {"a": 2}]})
        assert (block.get("rule.expiration.days"), block.get("list.1.a"), block.get("list.a")) == (3, 2, None)
    for path in ("x", "rule.x", "rule.expiration.days.x", "rule.7", "list.7.a", "list.0.a.b"):
        assert (block.get(path), block.raw(path)) == (None, None)


def test_a_path_leads_through_an_expression() -> None:
    block = queue({"tags": "${local.tags}", "name": "${var.x}"}, locals={"tags": {"Team": "${local.team}", "team": 1}})
    assert block.raw("tags.Team") is None
    assert isinstance(block.get("tags.Team"), Unknown)
    assert block.get("tags.team") == 1
    assert block.get("tags.none") is None
    assert block.get("name.anything") == Unknown("var.x is not declared", "${var.x}")


def test_text_number_flag_and_items_read_what_terraform_converts() -> None:
    block = queue(
        {"a": "3", "b": True, "c": "true", "d": 5, "e": ["x"], "f": "x", "g": None, "h": "${var.h}", "i": "y"}
    )
    assert [block.text(path) for path in "abdg"] == ["3", "true", "5", None]
    assert [block.number(path) for path in "adbg"] == [3.0, 5, None, None]
    assert block.number("i") == Unknown("'y' is not a number")
    assert [block.flag(path) for path in "bcg"] == [True, True, False]
    assert block.flag("g", default=True) is True
    assert [block.items(path) for path in "efg"] == [["x"], ["x"], []]
    unknown = Unknown("var.h is not declared", "${var.h}")
    assert (block.text("h"), block.number("h"), block.flag("h"), block.items("h")) == (unknown,) * 4


def test_locals_and_variables_are_followed_into_structures() -> None:
    around = {
        "locals": {"names": {"eu": "${local.prefix}-eu"}, "prefix": "acme-${var.stage}", "list": ["a", "${var.stage}"]},
        "variable": {"stage": {"default": "prod"}, "open": {"type": "string"}, "object": {"default": {"a": [1]}}},
    }
    assert value("${local.names.eu}!", **around) == "acme-prod-eu!"
    assert value('${local.names["eu"]}', **around) == "acme-prod-eu"
    assert value("${local.list[1]}", **around) == "prod"
    assert value("${local.list}", **around) == ["a", "prod"]
    assert value("${var.object.a[0]}", **around) == 1
    assert value("x-${var.open}", **around) == Unknown("var.open has no default", "x-${var.open}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${var.x}", "var.x is not declared"),
        ("${local.x}", "local.x is not declared"),
        ("${aws_kms_key.x.arn}", "aws_kms_key.x is not declared"),
        ("${module.net.id}", "module.net.id is not known before a plan"),
        ("${each.value}", "each.value is not known before a plan"),
        ("${path.root}", "path.root is not known before a plan"),
        ("${aws_sqs_queue.jobs.arn}", "aws_sqs_queue.jobs.arn is known after apply"),
        ("${aws_sqs_queue.jobs}", "aws_sqs_queue.jobs is a whole block"),
        ("${aws_sqs_queue.jobs.name}", "aws_sqs_queue.jobs.name refers to itself"),
        ("${local.a}", "local.a refers to itself"),
    ],
)
def test_what_is_not_known_says_why(text: str, reason: str) -> None:
    found = value(text, locals={"a": "${local.b}", "b": ["${local.a}"]})
    while isinstance(found, list):
        (found,) = found
    assert isinstance(found, Unknown)
    assert found.reason == reason


def test_an_attribute_of_another_block_is_its_value_or_says_whose_it_is() -> None:
    found = estate(
        resources(
            s3_bucket={"b": {"bucket": "logs"}},
            vpc={"v": {"cidr_block": "10.0.0.0/16", "timeouts": [{"create": "1m"}]}},
            sqs_queue={
                "jobs": {
                    "a": "${aws_s3_bucket.b.id}",
                    "b": "${aws_vpc.v.cidr_block}",
                    "c": "${aws_vpc.v.timeouts[0].create}",
                    "d": "${aws_s3_bucket.b.arn}/*",
                    "e": "${aws_s3_bucket.b.arn}",
                }
            },
        )
    )
    block = only(found, "aws_sqs_queue")
    assert [block.get(path) for path in "abc"] == ["logs", "10.0.0.0/16", "1m"]
    assert block.get("d") == Unknown("aws_s3_bucket.b.arn is known after apply", "${aws_s3_bucket.b.arn}/*")
    computed = block.get("e")
    assert isinstance(computed, Computed)
    assert (computed.block, computed.attribute) == (only(found, "aws_s3_bucket"), "arn")


def test_the_region_and_the_partition_are_those_of_the_provider() -> None:
    around = {
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "cn", "region": "cn-north-1"}]},
        "data": {
            "aws_region": {"here": {}, "cn": {"provider": "aws.cn"}},
            "aws_partition": {"here": {}, "cn": {"provider": "aws.cn"}},
        },
    }
    text = "${data.aws_region.%s.name} ${data.aws_partition.%s.partition} ${data.aws_partition.%s.dns_suffix}"
    assert value(text.replace("%s", "here"), **around) == "eu-west-1 aws amazonaws.com"
    assert value(text.replace("%s", "cn"), **around) == "cn-north-1 aws-cn amazonaws.com.cn"


# Instances


def test_for_each_and_count_make_instances_with_their_own_values() -> None:
    found = estate(
        {
            **resources(
                sqs_queue={
                    "map": {"for_each": "${local.queues}", "name": "${each.key}-${each.value.size}"},
                    "set": {"for_each": '${toset(["a", "b"])}', "name": "${each.value}"},
                    "count": {"count": "${length(local.queues)}", "name": "q${count.index}"},
                    "none": {"count": 0},
                    "open": {"for_each": "${var.x}", "name": "${each.key}"},
                }
            ),
            "locals": {"queues": {"jobs": {"size": 1}, "mails": {"size": 2}}},
        }
    )
    assert {block.address: block.get("name") for block in found.of("aws_sqs_queue")} == {
        'aws_sqs_queue.map["jobs"]': "jobs-1",
        'aws_sqs_queue.map["mails"]': "mails-2",
        'aws_sqs_queue.set["a"]': "a",
        'aws_sqs_queue.set["b"]': "b",
        "aws_sqs_queue.count[0]": "q0",
        "aws_sqs_queue.count[1]": "q1",
        "aws_sqs_queue.open": Unknown("each.key is not known before a plan", "${each.key}"),
    }


def test_a_count_beyond_the_limit_is_looked_at_once() -> None:
    found = estate(resources(sqs_queue={"q": {"count": MAX_INSTANCES + 1}, "p": {"count": MAX_INSTANCES}}))
    assert len(found.stacks[0].all("aws_sqs_queue.q")) == 1
    assert len(found.stacks[0].all("aws_sqs_queue.p")) == MAX_INSTANCES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('${aws_s3_bucket.each["a"].bucket}', "name-a"),
        ("${aws_s3_bucket.count[1].bucket}", "name-1"),
        ("${aws_s3_bucket.count[*].bucket}", ["name-0", "name-1"]),
        ("${aws_s3_bucket.one[*].bucket}", ["one"]),
        ('${join(",", aws_s3_bucket.count[*].bucket)}', "name-0,name-1"),
        ("${length(aws_s3_bucket.count)}", 2),
        ("${keys(aws_s3_bucket.each)}", ["a", "b"]),
        ("${aws_s3_bucket.count[local.index].bucket}", "name-1"),
    ],
)
def test_instances_are_read_by_index_key_and_splat(text: str, expected: object) -> None:
    buckets = {
        "each": {"for_each": {"a": 1, "b": 2}, "bucket": "name-${each.key}"},
        "count": {"count": 2, "bucket": "name-${count.index}"},
        "one": {"bucket": "one"},
    }
    document = {**resources(s3_bucket=buckets, sqs_queue={"q": {"name": text}}), "locals": {"index": 1}}
    assert only(estate(document), "aws_sqs_queue").get("name") == expected


def test_an_instance_that_is_not_known_is_a_computed_attribute_all_the_same() -> None:
    buckets = {"each": {"for_each": "${var.x}"}, "known": {"for_each": {"a": 1}}}
    texts = {"a": '${aws_s3_bucket.each["a"].arn}', "b": "${aws_s3_bucket.known[var.y].arn}"}
    block = only(estate(resources(s3_bucket=buckets, sqs_queue={"q": texts})), "aws_sqs_queue")
    assert [(type(block.get(path)), block.get(path).attribute) for path in "ab"] == [(Computed, "arn")] * 2


# Nested blocks


def test_sections_are_the_nested_blocks_and_know_where_they_stand() -> None:
    block = queue(
        {"a": {"x": 1}, "b": [{"x": 1}, {"x": 2, "c": [{"y": 3}]}], "d": "${local.d}"}, locals={"d": [{"x": 4}]}
    )
    found = [[(section.at, section.get("x")) for section in block.sections(path)] for path in ("a", "b", "d", "e")]
    assert found == [[("a", 1)], [("b.0", 1), ("b.1", 2)], [("d.0", 4)], []]
    (inner,) = block.sections("b")[1].sections("c")
    assert (inner.at, inner.get("y"), inner.fail("no", "y").at, inner.fail("no", "y").value) == (
        "b.1.c.0",
        3,
        "b.1.c.0.y",
        3,
    )


def test_dynamic_blocks_are_expanded_where_what_they_are_made_of_is_known() -> None:
    dynamic = {
        "ingress": {
            "for_each": {"web": {"port": 443}, "api": {"port": 8443}},
            "content": {"description": "${ingress.key}", "from_port": "${ingress.value.port}"},
        },
        "setting": [{"for_each": ["a"], "iterator": "it", "content": [{"name": "${it.value}-${it.key}"}]}],
        "open": {"for_each": "${var.x}", "content": {"port": "${open.value.port}", "fixed": 1}},
    }
    block = queue({"ingress": [{"from_port": 22}], "dynamic": dynamic})
    assert [
        (section.at, section.get("from_port"), section.get("description")) for section in block.sections("ingress")
    ] == [
        ("ingress.0", 22, None),
        ("dynamic.ingress.content", 443, "web"),
        ("dynamic.ingress.content", 8443, "api"),
    ]
    assert [section.get("name") for section in block.sections("setting")] == ["a-0"]
    (section,) = block.sections("open")
    assert (section.get("fixed"), type(section.get("port"))) == (1, Unknown)


def test_dynamic_blocks_in_one_another_see_both_iterators() -> None:
    inner = {"inner": {"for_each": "${outer.value}", "content": {"x": "${outer.key}${inner.value}"}}}
    block = queue({"dynamic": {"outer": {"for_each": {"a": ["1", "2"]}, "content": {"dynamic": inner}}}})
    (outer,) = block.sections("outer")
    assert [section.get("x") for section in outer.sections("inner")] == ["a1", "a2"]


def test_nested_blocks_that_an_unknown_expression_makes_are_unknown_and_not_missing() -> None:
    (section,) = queue({"rule": "${var.rules}"}).sections("rule")
    unknown = Unknown("var.rules is not declared", "${var.rules}")
    assert (section.get("days"), section.flag("on"), section.at) == (unknown, unknown, "rule")
