"""Fixes for RDS and DynamoDB."""

from __future__ import annotations

import threading
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult
from moto.rds.models import DBCluster, DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from constructs_lib.testing.local_aws.fixes.patching import add, around, around_property, kept

if TYPE_CHECKING:
    from collections.abc import Callable

GLOBAL_TABLE_VERSION = "2019.11.21"
ENGINE_VERSIONS = {
    "aurora-mysql": ("8.0.mysql_aurora.3.08.0", "8.0.mysql_aurora.3.10.0"),
    "aurora-postgresql": ("15.4", "16.6", "17.4"),
    "mysql": ("8.0.40",),
    "postgres": ("16.6", "17.4"),
}


def provisioned_clusters_have_no_scaling_configuration() -> None:
    """Provisioned clusters return an empty scaling configuration, which the plan removes."""

    @around_property(DBCluster, "scaling_configuration_info")
    def scaling_configuration_info(given: dict[str, Any], self: DBCluster) -> dict[str, Any] | None:
        return given if self.scaling_configuration else None


def performance_insights_settings_are_kept() -> None:
    """Clusters and instances do not store the settings of Performance Insights and Database Insights."""

    def init(original: Callable[..., None], self: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401
        original(self, *args, **kwargs)
        # Kept under the names that moto's serializer looks for.
        settings = vars(self)
        settings["performance_insights_enabled"] = bool(kwargs.get("enable_performance_insights"))
        if settings["performance_insights_enabled"]:
            settings["performance_insights_kms_key_id"] = kwargs.get("performance_insights_kms_key_id")
            settings["performance_insights_retention_period"] = kwargs.get("performance_insights_retention_period") or 7
        if mode := kwargs.get("database_insights_mode"):
            settings["database_insights_mode"] = mode

    around(DBCluster, "__init__")(init)
    around(DBInstance, "__init__")(init)


def standard_storage_has_no_type() -> None:
    """Aurora returns a storage type for I/O-Optimized clusters only; `gp2` is returned, and `aurora` is refused.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html.
    """

    @around(DBCluster, "__init__")
    def init(original: Callable[..., None], self: DBCluster, *args: object, **kwargs: Any) -> None:  # noqa: ANN401
        if not str(kwargs.get("engine")).startswith("aurora"):
            original(self, *args, **kwargs)
            return
        asked = kwargs.pop("storage_type", None)
        original(self, *args, **kwargs)
        vars(self)["storage_type"] = returned(asked)

    @around(RDSBackend, "modify_db_cluster")
    def modify_db_cluster(original: Callable[..., DBCluster], self: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
        answer = original(self, kwargs)
        for cluster in (answer, self.clusters[answer.db_cluster_identifier]):
            vars(cluster)["storage_type"] = returned(cluster.storage_type)
        return answer

    def returned(storage_type: str | None) -> str | None:
        return None if storage_type == "aurora" else storage_type


def parameters_have_source_user() -> None:
    """Parameters are returned without a source, and the provider ignores parameters whose source is not `user`."""

    @around(RDSResponse, "describe_db_parameters")
    def describe_db_parameters(original: Callable[..., ActionResult], self: RDSResponse) -> ActionResult:
        answer: Any = original(self).result
        return ActionResult({"Parameters": [{**parameter, "Source": "user"} for parameter in answer["Parameters"]]})


def engine_versions_can_be_described() -> None:
    """`DescribeDBEngineVersions` is not supported; the data source aws_rds_engine_version needs it."""

    def family(engine: str, version: str) -> str:
        return "aurora-mysql8.0" if engine == "aurora-mysql" else engine + version.split(".", 1)[0]

    @add(RDSResponse, "describe_db_engine_versions")
    def describe_db_engine_versions(self: RDSResponse) -> ActionResult:
        asked = self.params.get("Engine"), self.params.get("EngineVersion")
        return ActionResult(
            {
                "DBEngineVersions": [
                    {
                        "Engine": engine,
                        "EngineVersion": version,
                        "DBParameterGroupFamily": family(engine, version),
                        "Status": "available",
                    }
                    for engine, versions in ENGINE_VERSIONS.items()
                    for version in versions
                    if asked[0] in (None, engine) and asked[1] in (None, version)
                ]
            }
        )


def tables_have_replicas() -> None:
    """`ReplicaUpdates` is ignored, and the provider waits for the replica until its timeout."""

    def replicas_of(table: Table) -> dict[str, dict[str, Any]]:
        # Shared by the tables of all regions: each describes the others.
        return kept(table, "replicas", dict)

    @around(Table, "describe")
    def describe(
        original: Callable[..., dict[str, Any]], self: Table, base_key: str = "TableDescription"
    ) -> dict[str, Any]:
        description = original(self, base_key)
        replicas = replicas_of(self)
        if replicas:
            description[base_key]["GlobalTableVersion"] = GLOBAL_TABLE_VERSION
            description[base_key]["Replicas"] = [
                {**replica, "ReplicaStatus": "ACTIVE"}
                for region, replica in replicas.items()
                if region != self.region_name
            ]
        return description

    @around(DynamoHandler, "update_table")
    def update_table(original: Callable[..., ActionResult], self: DynamoHandler) -> ActionResult:
        updates = self.body.get("ReplicaUpdates") or []
        table = self.dynamodb_backend.get_table(self.body["TableName"])
        for update in updates:
            ((operation, asked),) = update.items()
            region = asked["RegionName"]
            tables = dynamodb_backends[self.current_account][region].tables
            if operation == "Delete":
                replicas_of(table).pop(region, None)
                tables.pop(table.name, None)
                continue
            replicas = replicas_of(table)
            replicas.setdefault(table.region_name, {"RegionName": table.region_name})
            replicas[region] = {**replicas.get(region, {}), **asked}
            if table.name not in tables:
                tables[table.name] = replica_of(table, region, asked)
        if updates and self.body.keys() == {"TableName", "ReplicaUpdates"}:
            return DynamoResult(table.describe())
        return original(self)

    def replica_of(table: Table, region: str, asked: dict[str, Any]) -> Table:
        replica = copy(table)
        replica.region_name = region
        replica.table_arn = table.table_arn.replace(f":{table.region_name}:", f":{region}:")
        replica.tags = []
        replica.continuous_backups = deepcopy(table.continuous_backups)
        vars(replica)["table_id"] = str(uuid4())
        if table.sse_specification and (key := asked.get("KMSMasterKeyId")):
            replica.sse_specification = {**table.sse_specification, "KMSMasterKeyId": key}
        return replica


def tables_keep_on_demand_throughput() -> None:
    """Tables and indexes do not store their on-demand throughput."""

    def ceilings_of(table: Table) -> dict[str, dict[str, Any]]:
        # By index; the table's own has no name.
        return kept(table, "ceilings", dict)

    def note(self: DynamoHandler) -> None:
        if self.body["TableName"] not in self.dynamodb_backend.tables:
            return
        ceilings = ceilings_of(self.dynamodb_backend.get_table(self.body["TableName"]))
        updates = [asked for update in self.body.get("GlobalSecondaryIndexUpdates") or [] for asked in update.values()]
        for asked in (self.body, *(self.body.get("GlobalSecondaryIndexes") or []), *updates):
            if ceiling := asked.get("OnDemandThroughput"):
                ceilings[asked.get("IndexName", "")] = ceiling

    def noting(original: Callable[..., ActionResult], self: DynamoHandler) -> ActionResult:
        answer = original(self)
        note(self)
        return answer

    around(DynamoHandler, "create_table")(noting)
    around(DynamoHandler, "update_table")(noting)

    @around(Table, "describe")
    def describe(
        original: Callable[..., dict[str, Any]], self: Table, base_key: str = "TableDescription"
    ) -> dict[str, Any]:
        description = original(self, base_key)
        ceilings, told = ceilings_of(self), description[base_key]
        for shown, name in ((told, ""), *((index, index["IndexName"]) for index in told["GlobalSecondaryIndexes"])):
            if name in ceilings:
                shown["OnDemandThroughput"] = ceilings[name]
        return description


def contributor_insights_exist() -> None:
    """Contributor Insights are not supported."""

    def status_of(self: DynamoHandler) -> tuple[dict[str, str], str]:
        table = self.dynamodb_backend.get_table(self.body["TableName"])
        return kept(table, f"contributors_{self.region}", dict), self.body.get("IndexName", "")

    def answer(self: DynamoHandler) -> ActionResult:
        status, index = status_of(self)
        shown = {"TableName": self.body["TableName"], "ContributorInsightsStatus": status.get(index, "DISABLED")}
        return DynamoResult({**shown, "IndexName": index} if index else shown)

    @add(DynamoHandler, "update_contributor_insights")
    def update_contributor_insights(self: DynamoHandler) -> ActionResult:
        status, index = status_of(self)
        status[index] = "ENABLED" if self.body["ContributorInsightsAction"] == "ENABLE" else "DISABLED"
        return answer(self)

    @add(DynamoHandler, "describe_contributor_insights")
    def describe_contributor_insights(self: DynamoHandler) -> ActionResult:
        return answer(self)


def transactions_are_serialized() -> None:
    """A failed transaction restores a copy of the whole table and undoes the concurrent transactions.

    The copy is a table of its own, so that replicas, which share the items, would part from it.
    """
    turn = threading.RLock()  # a transaction calls the others

    def in_turn(original: Callable[..., Any], self: DynamoDBBackend, *args: object, **kwargs: object) -> object:
        with turn:
            return original(self, *args, **kwargs)

    for name in ("get_item", "put_item", "update_item", "delete_item"):
        around(DynamoDBBackend, name)(in_turn)

    @around(DynamoDBBackend, "transact_write_items")
    def transact_write_items(
        original: Callable[..., None], self: DynamoDBBackend, transact_items: list[dict[str, Any]]
    ) -> None:
        with turn:
            before = dict(self.tables)
            # Copied with the table, the records of the stream would make every transaction slower than the last.
            shards = [table.stream_shard for table in before.values() if table.stream_shard]
            records = [(shard, shard.items) for shard in shards]
            for shard, kept_back in records:
                shard.items = []
                shard.starting_sequence_number += len(kept_back)
            try:
                original(self, transact_items)
            except Exception:
                for name, table in before.items():
                    if (copied := self.tables[name]) is not table:
                        table.items.clear()
                        table.items.update(copied.items)
                        self.tables[name] = table
                for shard in shards:
                    shard.items = []
                raise
            finally:
                for shard, kept_back in records:
                    shard.starting_sequence_number -= len(kept_back)
                    shard.items = kept_back + shard.items


FIXES = (
    provisioned_clusters_have_no_scaling_configuration,
    performance_insights_settings_are_kept,
    standard_storage_has_no_type,
    parameters_have_source_user,
    engine_versions_can_be_described,
    tables_have_replicas,
    tables_keep_on_demand_throughput,
    contributor_insights_exist,
    transactions_are_serialized,
)
