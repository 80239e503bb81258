"""Rules about consistent names: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from tests.rules.asking import found
from tests.rules.catalogue.naming.documents import queues


def test_paths_fifo_ends_regions_and_single_words_have_no_style_of_their_own() -> None:
    document = queues("shop-prod-jobs.fifo", "shop-prod-mails", "jobs", "shop_${var.x}", "Shop-prod-Carts")
    document["variable"] = {"x": {}}
    document["resource"]["aws_ssm_parameter"] = {"p": {"name": "/shop/prod_token"}}
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-us-east-1"}}
    assert found("NAME-004", document) == []


def test_two_styles_of_equal_weight_are_a_question_of_taste() -> None:
    assert found("NAME-004", queues("shop-jobs", "shop_mails")) == []


def test_a_beginning_that_fewer_than_half_have_is_nobodys() -> None:
    assert found("NAME-005", queues("a-1", "a-2", "a-3", "b-1", "c-1", "d-1")) == []


def test_names_that_a_service_begins_are_compared_after_that() -> None:
    document = queues("shop-prod-a", "shop-prod-b", "shop-prod-c")
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-data"}}
    document["resource"]["aws_wafv2_web_acl"] = {"w": {"name": "${var.p}-web"}}
    document["variable"] = {"p": {}}
    assert found("NAME-005", document) == []


def test_an_end_may_stand_before_environment_and_region() -> None:
    names = ("auth-fn-dev", "ingest-fn-dev-us-east-1", "process-fn-${var.env}")
    functions = {f"f{number}": {"function_name": name} for number, name in enumerate(names)}
    assert found("NAME-006", {"variable": {"env": {}}, "resource": {"aws_lambda_function": functions}}) == []
