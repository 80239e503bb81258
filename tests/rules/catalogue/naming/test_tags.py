"""Rules about tags: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from tests.rules.asking import found, look
from tests.rules.catalogue.naming.documents import TWO


def test_synonyms_of_the_required_tags_pass() -> None:
    tags = {"acme:team": "shop", "application": "shop", "env": "prod"}
    document = {"resource": {"aws_sqs_queue": {"jobs": {"tags": tags}}}}
    assert found("NAME-010", document) == []


def test_tags_from_a_local_value_and_merge_count() -> None:
    document = {
        "locals": {"tags": {"Project": "shop", "Environment": "prod"}},
        "resource": {"aws_sqs_queue": {"jobs": {"tags": '${merge(local.tags, {Owner = "me"})}'}}},
    }
    assert found("NAME-010", document) == []


def test_tags_in_a_variable_are_undecided() -> None:
    document = {"variable": {"tags": {}}, "resource": {"aws_sqs_queue": {"jobs": {"tags": "${var.tags}"}}}}
    assert look("NAME-010", document) == ([], ["var.tags has no default"])


def test_providers_without_resources_need_no_tags() -> None:
    assert found("NAME-011", {"provider": TWO}) == []


def test_tags_of_services_that_allow_more_characters_pass() -> None:
    document = {"resource": {"aws_instance": {"web": {"tags": {"Note": "a, b & c", "größe": "1"}}}}}
    assert found("NAME-012", document) == []
