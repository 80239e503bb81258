"""Rules about consistent names: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from tests.rules.asking import found
from tests.rules.catalogue.naming.documents import queues


def test_paths_fifo_suffixes_regions_and_single_words_have_no_style() -> None:
    document = queues("shop-prod-jobs.fifo", "shop-prod-mails", "jobs", "shop_${var.x}", "Shop-prod-Carts")
    document["variable"] = {"x": {}}
    document["resource"]["aws_ssm_parameter"] = {"p": {"name": "/shop/prod_token"}}
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-us-east-1"}}
    assert found("NAME-004", document) == []


def test_two_equally_common_styles_pass() -> None:
    assert found("NAME-004", queues("shop-jobs", "shop_mails")) == []


def test_a_prefix_of_fewer_than_half_of_the_names_is_not_compared() -> None:
    assert found("NAME-005", queues("a-1", "a-2", "a-3", "b-1", "c-1", "d-1")) == []


def test_a_required_prefix_such_as_alias_is_ignored() -> None:
    document = queues("shop-prod-a", "shop-prod-b", "shop-prod-c")
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-data"}}
    document["resource"]["aws_wafv2_web_acl"] = {"w": {"name": "${var.p}-web"}}
    document["variable"] = {"p": {}}
    assert found("NAME-005", document) == []


def test_a_suffix_may_precede_the_environment_and_region() -> None:
    names = ("auth-fn-dev", "ingest-fn-dev-us-east-1", "process-fn-${var.env}")
    functions = {f"f{number}": {"function_name": name} for number, name in enumerate(names)}
    assert found("NAME-006", {"variable": {"env": {}}, "resource": {"aws_lambda_function": functions}}) == []
