"""Rules about functions in a VPC: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, look
from tests.rules.catalogue.functions.documents import FN, function

GROUP = "${aws_security_group.worker.id}"


class TestNetwork:
    def test_a_security_group_that_other_resources_use_may_have_inbound_rules(self) -> None:
        rule = {"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
        document = good("LAM-024", {"resource.aws_security_group.worker.ingress": rule})
        document["resource"]["aws_vpc_endpoint"] = {"api": {"security_group_ids": [GROUP]}}
        assert found("LAM-024", document) == []

    def test_the_security_group_of_a_database_may_have_inbound_rules(self) -> None:
        rule = {"security_group_id": "${aws_security_group.db.id}", "referenced_security_group_id": GROUP}
        document = good("LAM-024", {"resource.aws_vpc_security_group_ingress_rule": {"db": rule}})
        assert found("LAM-024", document) == []

    @pytest.mark.parametrize("own", [{"self": True}, {"referenced_security_group_id": GROUP}])
    def test_a_security_group_may_allow_itself(self, own: dict[str, object]) -> None:
        rule = {"security_group_id": GROUP, "ip_protocol": "-1", **own}
        document = good("LAM-024", {"resource.aws_vpc_security_group_ingress_rule": {"own": rule}})
        assert found("LAM-024", document) == []

    def test_inbound_rules_of_a_dynamic_block_are_undecided(self) -> None:
        dynamic = {"ingress": {"for_each": "${var.rules}", "content": {"from_port": 1, "to_port": 1}}}
        document = good("LAM-024", {"resource.aws_security_group.worker.dynamic": dynamic})
        assert doubted("LAM-024", document) == ["the number of rules of a dynamic block is not known"]

    @pytest.mark.parametrize(
        "rule",
        [
            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]},
            {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["10.0.0.0/8"]},
            {"protocol": "tcp", "from_port": 5432, "to_port": 5432, "security_groups": ["${aws_security_group.db.id}"]},
        ],
    )
    def test_egress_to_security_groups_networks_and_https_passes(self, rule: dict[str, object]) -> None:
        assert found("LAM-025", good("LAM-025", {"resource.aws_security_group.worker.egress": [rule]})) == []

    def test_an_unknown_cidr_range_is_undecided(self) -> None:
        rule = {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": "${var.ranges}"}
        document = good("LAM-025", {"resource.aws_security_group.worker.egress": [rule]})
        assert doubted("LAM-025", {**document, "variable": {"ranges": {}}}) == ["var.ranges has no default"]

    @pytest.mark.parametrize(
        ("subnets", "extra"),
        [
            ("${aws_subnet.many[*].id}", {"count": 2, "availability_zone": "${local.zones[count.index]}"}),
            ("${aws_subnet.many[*].id}", {"count": "${length(data.aws_availability_zones.all.names)}"}),
            (["${aws_subnet.many.id}", "${aws_subnet.a.id}"], {"availability_zone": "eu-west-1b"}),
            (["subnet-1", "subnet-2"], {}),
        ],
    )
    def test_subnets_in_several_zones_pass_in_every_notation(self, subnets: object, extra: dict[str, object]) -> None:
        document = good("LAM-026", {f"{FN}.vpc_config.subnet_ids": subnets})
        document["resource"]["aws_subnet"]["many"] = extra
        document["locals"] = {"zones": ["eu-west-1a", "eu-west-1b"]}
        document["data"] = {"aws_availability_zones": {"all": {}}}
        assert found("LAM-026", document) == []

    def test_indexes_of_an_availability_zones_data_source_are_different_zones(self) -> None:
        zones = "${data.aws_availability_zones.all.names[%d]}"
        change = {f"resource.aws_subnet.{name}.availability_zone": zones % number for number, name in enumerate("ab")}
        document = {**good("LAM-026", change), "data": {"aws_availability_zones": {"all": {}}}}
        assert look("LAM-026", document) == ([], [])

    @pytest.mark.parametrize(
        "change",
        [
            {f"{FN}.vpc_config.subnet_ids": ["${var.given}"]},
            {f"{FN}.vpc_config.subnet_ids": "${var.given}"},
            {"resource.aws_subnet.b.availability_zone": "${var.given}"},
        ],
    )
    def test_subnets_and_zones_that_are_variables_are_undecided(self, change: dict[str, Any]) -> None:
        document = {**good("LAM-026", change), "variable": {"given": {}}}
        assert doubted("LAM-026", document) == ["var.given has no default"]

    def test_a_function_without_vpc_is_skipped(self) -> None:
        assert found("LAM-026", function()) == []
        assert found("LAM-024", function()) == []
