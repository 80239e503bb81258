"""Rules about tags: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from tests.rules.asking import found, look
from tests.rules.catalogue.naming.documents import TWO


def test_other_words_for_the_required_tags_are_right() -> None:
    tags = {"acme:team": "shop", "application": "shop", "env": "prod"}
    document = {"resource": {"aws_sqs_queue": {"jobs": {"tags": tags}}}}
    assert found("NAME-010", document) == []


def test_tags_from_a_local_value_and_merge_count() -> None:
    document = {
        "locals": {"tags": {"Project": "shop", "Environment": "prod"}},
        "resource": {"aws_sqs_queue": {"jobs": {"tags": '${merge(local.tags, {Owner = "me"})}'}}},
    }
    assert found("NAME-010", document) == []


def test_tags_that_are_not_known_are_unknown() -> None:
    document = {"variable": {"tags": {}}, "resource": {"aws_sqs_queue": {"jobs": {"tags": "${var.tags}"}}}}
    assert look("NAME-010", document) == ([], ["var.tags has no default"])


def test_providers_without_resources_need_no_tags() -> None:
    assert found("NAME-011", {"provider": TWO}) == []


def test_tags_of_services_that_take_more_signs_are_right() -> None:
    document = {"resource": {"aws_instance": {"web": {"tags": {"Note": "a, b & c", "größe": "1"}}}}}
    assert found("NAME-012", document) == []
