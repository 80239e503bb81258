"""Rules of databases/parameters: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance


@pytest.mark.parametrize(
    ("engine", "version"),
    [("postgres", "15.8"), ("postgres", "17"), ("mariadb", "11.8.3"), ("mariadb", "10.4.34"), ("oracle-ee", "19")],
)
def test_instances_that_require_tls_by_default_need_no_parameter(engine: str, version: str) -> None:
    assert found("RDS-019", instance(engine=engine, engine_version=version)) == []


def test_clusters_that_require_tls_by_default_need_no_parameter() -> None:
    assert found("RDS-019", cluster(engine_version="17.9")) == []
    assert found("RDS-019", cluster(engine="aurora-mysql", engine_version="8.4.mysql_aurora.8.4.7")) == []


@pytest.mark.parametrize(("engine", "version"), [("postgres", "14.20"), ("mysql", "8.4.8"), ("mariadb", "11.4.8")])
def test_versions_that_do_not_require_tls_by_default_need_the_parameter(engine: str, version: str) -> None:
    assert len(found("RDS-019", instance(engine=engine, engine_version=version))) == 1


def test_a_parameter_group_may_disable_the_default() -> None:
    change = {
        f"{CLUSTER}.engine_version": "17.9",
        "resource.aws_rds_cluster_parameter_group.orders.parameter.0.value": 0,
    }
    assert len(found("RDS-019", good("RDS-019", change))) == 1


def test_a_parameter_group_outside_of_the_stacks_is_undecided() -> None:
    document = cluster(engine_version="16.9", db_cluster_parameter_group_name="shared")
    assert doubted("RDS-019", document) == ["the parameter group shared is not in the checked stacks"]
    assert found("RDS-021", document) == []


def test_the_default_is_unknown_without_a_version() -> None:
    assert doubted("RDS-019", cluster()) == [
        "AWS chooses the engine version, which decides whether TLS is required by default"
    ]


def test_parameters_of_a_dynamic_block_are_read() -> None:
    group = "resource.aws_rds_cluster_parameter_group.orders"
    parameter = {
        "for_each": {"rds.force_ssl": "1"},
        "content": {"name": "${parameter.key}", "value": "${parameter.value}"},
    }
    change = {f"{group}.parameter": REMOVED, f"{group}.dynamic": {"parameter": parameter}}
    assert found("RDS-019", good("RDS-019", change)) == []


def test_unknown_parameters_are_undecided() -> None:
    group = "resource.aws_rds_cluster_parameter_group.orders"
    for value in ("${var.given}", [{"name": "${var.given}", "value": "1"}]):
        document = good("RDS-019", UNKNOWN | {f"{group}.parameter": value})
        assert doubted("RDS-019", document) == ["var.given has no default"]


def test_an_instance_of_an_unknown_cluster_is_compared_by_its_engine() -> None:
    change = {f"{MEMBER}.cluster_identifier": "elsewhere", f"{MEMBER}.engine": "aurora-mysql"}
    assert "must have a family for aurora-mysql" in found("RDS-021", good("RDS-021", change))[0]


def test_a_family_from_a_data_source_passes() -> None:
    change = {
        "data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql"}}},
        "resource.aws_rds_cluster_parameter_group.orders.family": (
            "${data.aws_rds_engine_version.pg.parameter_group_family}"
        ),
    }
    assert found("RDS-021", good("RDS-021", change)) == []


def test_families_of_commercial_engines_are_exempt() -> None:
    document = instance(engine="oracle-ee", engine_version="19", parameter_group_name="default.oracle-ee-19")
    assert found("RDS-021", document) == []


def test_only_the_engine_is_compared_without_a_version() -> None:
    assert found("RDS-021", instance(parameter_group_name="default.postgres16")) == []
    assert len(found("RDS-021", instance(parameter_group_name="default.mysql8.0"))) == 1
