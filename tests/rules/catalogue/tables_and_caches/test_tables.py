"""Rules about DynamoDB tables: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import ORDERS, UNKNOWN, table


class TestTables:
    def test_a_key_in_a_variable_is_undecided(self) -> None:
        encryption = {"enabled": True, "kms_key_arn": "${var.given}"}
        document = table(server_side_encryption=encryption) | UNKNOWN
        assert doubted("DDB-002", document) == ["var.given has no default"]

    def test_a_billing_mode_in_a_variable_is_undecided(self) -> None:
        document = table(billing_mode="${var.given}", read_capacity=1) | UNKNOWN
        for id_ in ("DDB-004", "DDB-008", "DDB-009"):
            assert doubted(id_, document) == ["var.given has no default"]

    def test_scaling_targets_with_a_literal_table_name_count(self) -> None:
        targets = "resource.aws_appautoscaling_target"
        change = {f"{targets}.{name}.resource_id": "table/shop-prod-stock" for name in ("read", "write")}
        assert found("DDB-004", good("DDB-004", change)) == []

    def test_scaling_of_an_index_does_not_count_for_the_table(self) -> None:
        target = "resource.aws_appautoscaling_target.read"
        change = {
            f"{target}.resource_id": "table/${aws_dynamodb_table.stock.name}/index/by-place",
            f"{target}.scalable_dimension": "dynamodb:index:ReadCapacityUnits",
        }
        assert "must scale read capacity" in found("DDB-004", good("DDB-004", change))[0]

    def test_scaling_targets_in_another_stack_count(self) -> None:
        document = good("DDB-004")
        targets = resources(aws_appautoscaling_target=document["resource"].pop("aws_appautoscaling_target"))
        for target in targets["resource"]["aws_appautoscaling_target"].values():
            target["resource_id"] = "table/shop-prod-stock"
        assert found("DDB-004", document, targets) == []

    def test_a_scaling_target_in_a_variable_is_undecided(self) -> None:
        change = UNKNOWN | {"resource.aws_appautoscaling_target.read.resource_id": "${var.given}"}
        assert len(doubted("DDB-004", good("DDB-004", change))) == 1

    def test_keys_in_a_key_schema_of_an_index_count(self) -> None:
        index = {
            "name": "by-customer",
            "projection_type": "ALL",
            "key_schema": [
                {"attribute_name": "customer", "key_type": "HASH"},
                {"attribute_name": "day", "key_type": "RANGE"},
            ],
        }
        assert found("DDB-005", good("DDB-005", {f"{ORDERS}.global_secondary_index": [index]})) == []

    def test_attributes_of_a_separate_index_resource_are_not_checked(self) -> None:
        change = {
            f"{ORDERS}.global_secondary_index": REMOVED,
            "resource.aws_dynamodb_global_secondary_index": {
                "by_customer": {"table_name": "${aws_dynamodb_table.orders.name}"}
            },
        }
        assert found("DDB-005", good("DDB-005", change)) == []

    def test_attributes_of_a_dynamic_block_are_checked(self) -> None:
        dynamic = {
            "attribute": {
                "for_each": ["id", "total"],
                "content": {"name": "${attribute.value}", "type": "S"},
            }
        }
        messages = found("DDB-005", table(dynamic=dynamic))
        assert len(messages) == 1
        assert "is not a key of the table or of an index" in messages[0]

    def test_a_restored_table_needs_no_attributes(self) -> None:
        document = resources(aws_dynamodb_table={"copy": {"name": "copy", "restore_source_name": "shop-orders"}})
        assert found("DDB-005", document) == []

    def test_attribute_names_in_variables_are_undecided(self) -> None:
        document = table(attribute=[{"name": "${var.given}", "type": "S"}]) | UNKNOWN
        assert doubted("DDB-005", document) == ["var.given has no default"]

    def test_disabled_ttl_may_name_its_attribute(self) -> None:
        assert found("DDB-006", table(ttl={"enabled": False, "attribute_name": "expires"})) == []
        assert found("DDB-006", table(ttl={"enabled": False, "attribute_name": ""})) == []

    def test_ttl_in_a_variable_is_undecided(self) -> None:
        for ttl in ("${var.given}", {"enabled": "${var.given}", "attribute_name": "expires"}):
            assert doubted("DDB-006", table(ttl=ttl) | UNKNOWN) == ["var.given has no default"]
        assert found("DDB-006", table(ttl={"enabled": None})) == []

    def test_an_index_in_a_variable_is_undecided(self) -> None:
        document = good("DDB-005", UNKNOWN | {f"{ORDERS}.global_secondary_index": "${var.given}"})
        assert doubted("DDB-005", document) == ["var.given has no default"]
        provisioned = table(read_capacity=1, write_capacity=1, global_secondary_index="${var.given}") | UNKNOWN
        assert len(doubted("DDB-008", provisioned)) == 2

    def test_a_numeric_key_may_be_the_ttl_attribute(self) -> None:
        change = {f"{ORDERS}.attribute.1.type": "N", f"{ORDERS}.ttl.attribute_name": "day"}
        assert found("DDB-006", good("DDB-006", change)) == []

    def test_a_disabled_stream_may_keep_its_view_type(self) -> None:
        assert found("DDB-007", table(stream_enabled=False, stream_view_type="NEW_IMAGE")) == []

    def test_capacities_of_0_pass_with_on_demand_capacity(self) -> None:
        assert found("DDB-008", table(billing_mode="PAY_PER_REQUEST", read_capacity=0, write_capacity="0")) == []

    def test_an_index_of_a_provisioned_table_needs_capacity(self) -> None:
        index = {"name": "by-day", "hash_key": "day", "projection_type": "ALL"}
        messages = found("DDB-008", table(read_capacity=1, write_capacity=1, global_secondary_index=index))
        assert len(messages) == 2


def test_a_lock_table_needs_no_deletion_protection() -> None:
    assert found("DDB-003", good("DDB-003", {f"{ORDERS}.deletion_protection_enabled": False})) != []
    change = {f"{ORDERS}.deletion_protection_enabled": False, f"{ORDERS}.hash_key": "LockID"}
    assert found("DDB-003", good("DDB-003", change)) == []
