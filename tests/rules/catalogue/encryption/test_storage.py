"""Rules of encryption/storage: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import found, resources
from tests.rules.catalogue.encryption.documents import REGION


def test_encryption_by_default_covers_the_region() -> None:
    document = resources(aws_ebs_volume={"v": {"size": 1}}, aws_ebs_encryption_by_default={"all": {}})
    assert found("ENC-006", {**document, **REGION}) == []
    document["resource"]["aws_ebs_encryption_by_default"]["all"]["enabled"] = False
    assert len(found("ENC-006", {**document, **REGION})) == 1


def test_volumes_of_snapshots_and_launch_templates_are_exempt() -> None:
    document = resources(
        aws_ebs_volume={"v": {"snapshot_id": "snap-1"}},
        aws_instance={
            "web": {"launch_template": {"id": "lt-1"}},
            "db": {"root_block_device": {"encrypted": True}, "ebs_block_device": [{"snapshot_id": "snap-1"}]},
        },
    )
    assert found("ENC-006", document) == []


def test_a_delivery_stream_with_a_kinesis_source_is_exempt() -> None:
    stream = {"s": {"kinesis_source_configuration": {"kinesis_stream_arn": "arn:x"}}}
    assert found("ENC-007", resources(aws_kinesis_firehose_delivery_stream=stream)) == []
