"""The local AWS's fixes for Aurora, DynamoDB and ElastiCache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow
EU = "eu-west-1"


def test_aurora_returns_a_storage_type_for_io_optimized_clusters_only(local_aws: LocalAws) -> None:
    databases = local_aws.client("rds", EU)

    def storage_of(name: str) -> str | None:
        (cluster,) = databases.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        found: str | None = cluster.get("StorageType")
        return found

    for name, asked in (
        ("unsaid", {}),
        ("standard", {"StorageType": "aurora"}),
        ("optimized", {"StorageType": "aurora-iopt1"}),
    ):
        databases.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername="someone",
            ManageMasterUserPassword=True,
            **asked,
        )
    assert [storage_of(name) for name in ("unsaid", "standard", "optimized")] == [None, None, "aurora-iopt1"]
    databases.modify_db_cluster(DBClusterIdentifier="optimized", StorageType="aurora")
    databases.modify_db_cluster(DBClusterIdentifier="unsaid", StorageType="aurora-iopt1")
    assert [storage_of(name) for name in ("optimized", "unsaid")] == [None, "aurora-iopt1"]


def test_a_table_and_its_indexes_keep_their_ceilings(local_aws: LocalAws) -> None:
    tables = local_aws.client("dynamodb", EU)
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    index = {"KeySchema": key, "Projection": {"ProjectionType": "ALL"}}
    ten, twenty = ({"MaxReadRequestUnits": units, "MaxWriteRequestUnits": units} for units in (10, 20))

    def ceilings() -> dict[str, object]:
        table = tables.describe_table(TableName="capped")["Table"]
        indexes = {one["IndexName"]: one.get("OnDemandThroughput") for one in table["GlobalSecondaryIndexes"]}
        return {"": table["OnDemandThroughput"], **indexes}

    tables.create_table(
        TableName="capped",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=key,
        BillingMode="PAY_PER_REQUEST",
        OnDemandThroughput=ten,
        GlobalSecondaryIndexes=[
            {"IndexName": "with", "OnDemandThroughput": ten, **index},
            {"IndexName": "without", **index},
        ],
    )
    assert ceilings() == {"": ten, "with": ten, "without": None}
    tables.update_table(
        TableName="capped",
        OnDemandThroughput=twenty,
        GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "without", "OnDemandThroughput": ten}}],
    )
    assert ceilings() == {"": twenty, "with": ten, "without": ten}


def test_a_table_shows_its_contributors_once_it_is_told_to(local_aws: LocalAws) -> None:
    tables = local_aws.client("dynamodb", EU)
    tables.create_table(
        TableName="shown",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def status(**which: str) -> str:
        told = tables.describe_contributor_insights(TableName="shown", **which)
        assert told.get("IndexName") == which.get("IndexName")
        shown: str = told["ContributorInsightsStatus"]
        return shown

    assert status() == "DISABLED"
    tables.update_contributor_insights(TableName="shown", ContributorInsightsAction="ENABLE")
    assert (status(), status(IndexName="by-status")) == ("ENABLED", "DISABLED")
    tables.update_contributor_insights(TableName="shown", ContributorInsightsAction="DISABLE")
    assert status() == "DISABLED"


def test_a_group_of_cache_users_keeps_its_users_until_it_is_gone(local_aws: LocalAws) -> None:
    caches = local_aws.client("elasticache", EU)
    tags = [{"Key": "Owner", "Value": "team"}]
    for id_, name in (("a", "app"), ("b", "default"), ("c", "other")):
        mode = {"Type": "password", "Passwords": ["long-enough-for-it"]}
        caches.create_user(UserId=id_, UserName=name, Engine="valkey", AccessString="off", AuthenticationMode=mode)
    made = caches.create_user_group(UserGroupId="group", Engine="valkey", UserIds=["a", "b"], Tags=tags)
    caches.modify_user_group(UserGroupId="group", UserIdsToAdd=["c"], UserIdsToRemove=["a"])
    (group,) = caches.describe_user_groups(UserGroupId="group")["UserGroups"]
    assert (group["UserIds"], group["Engine"], group["Status"]) == (["b", "c"], "valkey", "active")
    assert caches.list_tags_for_resource(ResourceName=made["ARN"])["TagList"] == tags
    assert [one["UserGroupId"] for one in caches.describe_user_groups()["UserGroups"]] == ["group"]
    caches.delete_user_group(UserGroupId="group")
    with pytest.raises(ClientError, match="UserGroupNotFound"):
        caches.describe_user_groups(UserGroupId="group")


def test_members_of_a_group_are_of_its_engine_and_encrypt_as_it_does(local_aws: LocalAws) -> None:
    caches = local_aws.client("elasticache", EU)
    caches.create_replication_group(
        ReplicationGroupId="members",
        ReplicationGroupDescription="d",
        Engine="valkey",
        EngineVersion="8.2",
        CacheNodeType="cache.r7g.large",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True,
        TransitEncryptionMode="required",
    )
    members = [caches.describe_cache_clusters(CacheClusterId=f"members-00{n}")["CacheClusters"][0] for n in (1, 2)]
    assert [(one["Engine"], one["EngineVersion"], one["TransitEncryptionMode"]) for one in members] == [
        ("valkey", "8.2.0", "required")
    ] * 2


def test_transactions_at_the_same_time_take_turns_in_every_region(local_aws: LocalAws) -> None:
    tables = local_aws.client("dynamodb", EU)
    tables.create_table(
        TableName="sold",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    tables.update_table(TableName="sold", ReplicaUpdates=[{"Create": {"RegionName": "us-east-1"}}])
    tables.put_item(TableName="sold", Item={"id": {"S": "left"}, "count": {"N": "20"}})

    def take(number: int) -> bool:
        update = {
            "TableName": "sold",
            "Key": {"id": {"S": "left"}},
            "UpdateExpression": "SET #c = #c - :one",
            "ConditionExpression": "#c >= :one",
            "ExpressionAttributeNames": {"#c": "count"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        # Two ask for each number: the second one fails after its first write.
        put = {
            "TableName": "sold",
            "Item": {"id": {"S": f"{number // 2}"}},
            "ConditionExpression": "attribute_not_exists(id)",
        }
        try:
            tables.transact_write_items(TransactItems=[{"Update": update}, {"Put": put}])
        except tables.exceptions.TransactionCanceledException:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        taken = sum(threads.map(take, range(80)))
    assert taken == 20
    for region in (EU, "us-east-1"):
        items = {item["id"]["S"]: item for item in local_aws.client("dynamodb", region).scan(TableName="sold")["Items"]}
        assert items.pop("left")["count"] == {"N": "0"}
        assert len(items) == 20
