"""Rules about FIFO names and limits: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, planned, resources
from tests.rules.catalogue.messaging.documents import queue


class TestLimits:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"name": "${local.base}.fifo", "fifo_queue": "true"},
            {"name": None, "name_prefix": "shop-", "fifo_queue": True},
            {"name": None},
            {"name": "${random_pet.p.id}", "fifo_queue": True},
        ],
    )
    def test_names_that_match_or_are_generated_pass(self, arguments: dict[str, object]) -> None:
        document = {**queue(**arguments), "locals": {"base": "shop"}}
        document["resource"]["random_pet"] = {"p": {}}
        assert found("MSG-019", document) == []

    def test_a_known_suffix_is_checked_although_the_prefix_is_unknown(self) -> None:
        document = {**queue(name="${var.env}-jobs", fifo_queue=True), "variable": {"env": {}}}
        assert len(found("MSG-019", document)) == 1


def test_a_data_key_reuse_period_of_0_passes_in_a_plan() -> None:
    document = resources(aws_sqs_queue={"jobs": {"kms_data_key_reuse_period_seconds": 0}})
    assert found("MSG-020", planned(document)) == []
    assert found("MSG-020", document) == [
        "aws_sqs_queue.jobs: kms_data_key_reuse_period_seconds = 0: must be 60 to 86400"
    ]
