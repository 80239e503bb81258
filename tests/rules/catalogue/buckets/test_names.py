"""Rules of buckets/names: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, resources


@pytest.mark.parametrize("name", ["abc", "1-a.b-2", "a" * 63, "shop-${data.aws_caller_identity.me.account_id}"])
def test_valid_names_pass(name: str) -> None:
    document = resources(aws_s3_bucket={"data": {"bucket": name}})
    assert found("S3-019", document | {"data": {"aws_caller_identity": {"me": {}}}}) == []


def test_a_generated_name_is_valid() -> None:
    assert found("S3-019", resources(aws_s3_bucket={"data": {}})) == []
    assert found("S3-020", resources(aws_s3_bucket={"data": {}})) == []


def test_a_static_website_may_have_the_name_of_its_domain() -> None:
    site = resources(
        aws_s3_bucket={"site": {"bucket": "www.shop.example"}},
        aws_s3_bucket_website_configuration={"site": {"bucket": "${aws_s3_bucket.site.id}"}},
    )
    assert found("S3-020", site) == []


def test_buckets_of_two_stacks_need_not_be_merged() -> None:
    one, other = ({"aws_s3_bucket": {"data": {"bucket": name}}} for name in ("a-bucket", "b-bucket"))
    assert found("S3-021", resources(**one), resources(**other)) == []
