"""Rules about global tables: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import ORDERS, table


class TestReplicas:
    def test_strongly_consistent_replicas_need_no_stream(self) -> None:
        replicas = [{"region_name": region, "consistency_mode": "STRONG"} for region in ("us-east-1", "us-east-2")]
        assert found("DDB-010", table(replica=replicas)) == []

    def test_replicas_of_a_dynamic_block_are_checked(self) -> None:
        replica = {"for_each": ["us-east-1"], "content": {"region_name": "${replica.value}"}}
        document = table(dynamic={"replica": replica})
        assert len(found("DDB-010", document)) == 1
        (message,) = found("DDB-011", document)
        assert "replica.content.point_in_time_recovery" in message

    def test_replicas_of_a_table_without_customer_managed_key_need_no_key(self) -> None:
        assert found("DDB-012", table(replica={"region_name": "us-east-1"})) == []

    def test_the_region_of_a_key_alias_is_not_checked(self) -> None:
        change = {f"{ORDERS}.replica.0.kms_key_arn": "alias/shop"}
        assert found("DDB-012", good("DDB-012", change)) == []

    def test_a_multi_region_replica_key_in_the_region_passes(self) -> None:
        change = {
            "resource.aws_kms_replica_key": {"us": {"provider": "aws.us", "primary_key_arn": "${aws_kms_key.eu.arn}"}},
            f"{ORDERS}.replica.0.kms_key_arn": "${aws_kms_replica_key.us.arn}",
        }
        assert found("DDB-012", good("DDB-012", change)) == []

    def test_a_region_from_a_data_source_is_resolved(self) -> None:
        change = {
            "data": {"aws_region": {"us": {"provider": "aws.us"}}},
            f"{ORDERS}.replica.0.region_name": "${data.aws_region.us.name}",
        }
        for id_ in ("DDB-012", "DDB-013"):
            assert found(id_, good(id_, change)) == []

    def test_an_unknown_region_of_the_table_is_undecided(self) -> None:
        assert doubted("DDB-013", table(replica={"region_name": "us-east-1"})) == [
            "no provider configuration sets the region"
        ]

    def test_a_replica_of_a_table_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        replica = {
            "us": {"global_table_arn": "arn:aws:dynamodb:eu-west-1:210987654321:table/shop", "region": "us-east-1"}
        }
        assert found("DDB-013", resources(aws_dynamodb_table_replica=replica)) == []
