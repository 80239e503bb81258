"""What a table refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    GlobalIndex,
    GlobalTable,
    HardenedStack,
    LocalIndex,
    MultiRegionKey,
    Provisioned,
)
from tests.constructs.global_table.tables import EU, HOME, make_table

if TYPE_CHECKING:
    from pathlib import Path

STATUS = {"id": "S", "status": "S"}
NAMES = tuple(f"name-{n}" for n in range(21))


def refusal(stack: HardenedStack, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        make_table(stack, **arguments)
    return [line.removeprefix("shop/orders: ") for line in str(error.value).splitlines()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"attributes": {"id": "S", "total": "N"}},
            (
                "attributes['total']='N': is not a key of the table or of an index; remove it, because DynamoDB accepts key "
                "attributes only"
            ),
        ),
        (
            {"attributes": {"id": "S"}, "sort_key": "at"},
            "sort_key='at': is not declared; add it to attributes with its type",
        ),
        (
            {"global_indexes": {"by-status": GlobalIndex("status")}},
            "global_indexes['by-status'].partition_key='status': is not declared; add it to attributes with its type",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", "at")}},
            "global_indexes['by-id'].sort_key='at': is not declared; add it to attributes with its type",
        ),
        (
            {"sort_key": "at", "local_indexes": {"by-total": LocalIndex("total")}},
            "local_indexes['by-total'].sort_key='total': is not declared; add it to attributes with its type",
        ),
        (
            {"attributes": {"id": "STRING"}},
            "attributes['id']='STRING': must be 'S' (string), 'N' (number) or 'B' (binary)",
        ),
        (
            {"partition_key": "${x}"},
            "attributes='${x}': must be a plain string of 1 to 255 characters",
        ),
        ({"partition_key": ""}, "attributes='': must be a plain string of 1 to 255 characters"),
        ({"sort_key": "id"}, "sort_key='id': must be another attribute than partition_key"),
        (
            {"global_indexes": {"x": GlobalIndex("id")}},
            "global_indexes='x': must be 3 to 255 letters, digits, underscores, dots and hyphens",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", "id")}},
            "global_indexes['by-id'].sort_key='id': must be another attribute than its partition_key",
        ),
        (
            {"global_indexes": {f"index-{n}": GlobalIndex("id") for n in range(21)}},
            "global_indexes=21: exceeds the 20 indexes that DynamoDB allows",
        ),
        (
            {
                "sort_key": "at",
                "attributes": {"id": "S", "at": "N", "a": "S"},
                "local_indexes": {f"index-{n}": LocalIndex("a") for n in range(6)},
            },
            "local_indexes=6: exceeds the 5 indexes that DynamoDB allows",
        ),
        (
            {"attributes": STATUS, "local_indexes": {"by-status": LocalIndex("status")}},
            "local_indexes=['by-status']: require a table with a sort_key",
        ),
        (
            {"sort_key": "at", "local_indexes": {"by-time": LocalIndex("at")}},
            "local_indexes['by-time'].sort_key='at': must be another attribute than the table's keys",
        ),
        (
            {"sort_key": "at", "local_indexes": {"by-id": LocalIndex("id")}},
            "local_indexes['by-id'].sort_key='id': must be another attribute than the table's keys",
        ),
        (
            {
                "sort_key": "at",
                "attributes": {"id": "S", "at": "N", "a": "S"},
                "global_indexes": {"same": GlobalIndex("a")},
                "local_indexes": {"same": LocalIndex("a")},
            },
            "local_indexes='same': is also the name of a global index; choose another",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", projection="SOME")}},  # type: ignore[arg-type]
            "global_indexes['by-id'].projection='SOME': must be 'ALL' or 'KEYS_ONLY'; for INCLUDE give include=(...)",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", include="total")}},  # type: ignore[arg-type]
            "global_indexes['by-id'].include='total': must be a tuple of up to 20 different attribute names",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", include=("total", "total"))}},
            (
                "global_indexes['by-id'].include=('total', 'total'): must be a tuple of up to 20 different attribute "
                "names"
            ),
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", include=("${x}",))}},
            "global_indexes['by-id'].include=('${x}',): must be a tuple of up to 20 different attribute names",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", include=NAMES[:21])}},
            f"global_indexes['by-id'].include={NAMES[:21]!r}: must be a tuple of up to 20 different attribute names",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex("id", projection="KEYS_ONLY", include=("total",))}},
            "global_indexes['by-id'].projection='KEYS_ONLY': cannot be combined with include",
        ),
        (
            {
                "sort_key": "at",
                "attributes": {"id": "S", "at": "N", "a": "S"},
                "global_indexes": {f"by-{n}": GlobalIndex("a", include=NAMES[:20]) for n in "abcde"},
                "local_indexes": {"local-a": LocalIndex("a", include=("total",))},
            },
            "include=101: exceeds the 100 non-key attributes that DynamoDB allows for all indexes of a table",
        ),
    ],
)
def test_invalid_keys_and_indexes_are_refused(stack: HardenedStack, arguments: Any, message: str) -> None:
    assert refusal(stack, **arguments) == [message]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"max_read_units": 0},
            "max_read_units=0: must be a whole number from 1 to 40000 request units a second",
        ),
        (
            {"max_write_units": 40001},
            "max_write_units=40001: must be a whole number from 1 to 40000 request units a second",
        ),
        (
            {"max_read_units": True},
            "max_read_units=True: must be a whole number from 1 to 40000 request units a second",
        ),
        (
            {"provisioned": Provisioned(4, 10)},
            "provisioned.read_maximum=4: must be a whole number from read_minimum=5 to 40000",
        ),
        (
            {"provisioned": Provisioned(10, 40001)},
            "provisioned.write_maximum=40001: must be a whole number from write_minimum=5 to 40000",
        ),
        (
            {"provisioned": Provisioned(10, 10, read_minimum=0)},
            "provisioned.read_minimum=0: must be a whole number of at least 1",
        ),
        (
            {"provisioned": Provisioned(10, 10, target_percent=91)},
            "provisioned.target_percent=91: must be a whole number from 20 to 90",
        ),
        (
            {"provisioned": Provisioned(10, 10), "max_write_units": 5},
            "max_write_units=5: cannot be combined with provisioned; give its read_maximum and write_maximum",
        ),
        (
            {"provisioned": Provisioned(10, 10), "global_indexes": {"by-id": GlobalIndex("id")}},
            (
                f"provisioned={Provisioned(10, 10)!r}: cannot be combined with global_indexes: Terraform cannot ignore "
                "changes of their capacity without ignoring all changes of the indexes; use on-demand capacity"
            ),
        ),
        (
            {"stream_view": "ALL"},
            "stream_view='ALL': must be one of KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE, OLD_IMAGE",
        ),
        (
            {"stream_view": "KEYS_ONLY", "replicas": [EU]},
            "stream_view='KEYS_ONLY': must be NEW_AND_OLD_IMAGES with replicas",
        ),
        ({"table_class": "COLD"}, "table_class='COLD': must be one of STANDARD, STANDARD_INFREQUENT_ACCESS"),
        (
            {"provisioned": {"read": 5}},
            "provisioned={'read': 5}: must be Provisioned(read_maximum, write_maximum)",
        ),
        ({"global_indexes": {"by-id": "id"}}, "global_indexes['by-id']='id': must be a GlobalIndex"),
        (
            {"local_indexes": {"by-id": GlobalIndex("id")}},
            f"local_indexes['by-id']={GlobalIndex('id')!r}: must be a LocalIndex",
        ),
        ({"partition_key": None}, "partition_key=None: must be the name of an attribute"),
        ({"sort_key": ["at"]}, "sort_key=['at']: must be the name of an attribute"),
        ({"attributes": ["id"]}, "attributes=['id']: must be a dictionary by name"),
        ({"global_indexes": ["by-id"]}, "global_indexes=['by-id']: must be a dictionary by name"),
        ({"local_indexes": ["by-id"]}, "local_indexes=['by-id']: must be a dictionary by name"),
        (
            {"global_indexes": {7: GlobalIndex("id")}},
            "global_indexes=7: must be 3 to 255 letters, digits, underscores, dots and hyphens",
        ),
        (
            {"global_indexes": {"by-id": GlobalIndex(["id"])}},  # type: ignore[arg-type]
            "global_indexes['by-id'].partition_key=['id']: is not declared; add it to attributes with its type",
        ),
        ({"ttl_attribute": ""}, "ttl_attribute='': must be the name of an attribute"),
        ({"ttl_attribute": 7}, "ttl_attribute=7: must be the name of an attribute"),
        (
            {"ttl_attribute": "id"},
            (
                "ttl_attribute='id': is a key attribute of another type than N, so that items would never expire; expected a "
                "number attribute"
            ),
        ),
        ({"contributor_insights": "no"}, "contributor_insights='no': must be True or False"),
        (
            {"deletion_protection": "yes"},
            "deletion_protection='yes': must be True, False or NoDeletionProtection(reason)",
        ),
        ({"alarms": "yes"}, "alarms='yes': expected True, False or NoAlarms(reason)"),
        ({"alarm_topics": "arn"}, "alarm_topics='arn': expected a list of ARNs"),
        (
            {"alarm_topics": ["arn:aws:sns:eu-west-1:123456789012:x"]},
            (
                "alarm_topics='arn:aws:sns:eu-west-1:123456789012:x': is in eu-west-1; an alarm notifies topics "
                "of its own region only, us-east-1"
            ),
        ),
        (
            {"alarm_topics": {EU: []}},
            "alarm_topics='eu-west-1': is not a region of the table; expected one of us-east-1",
        ),
        (
            {"replicas": [EU], "alarms": True, "alarm_topics": ["arn:aws:sns:eu-west-1:1:x"]},
            "alarm_topics='arn:aws:sns:eu-west-1:1:x': expected the ARN of an SNS topic",
        ),
    ],
)
def test_other_invalid_arguments_are_refused(stack: HardenedStack, arguments: Any, message: str) -> None:
    assert refusal(stack, **arguments) == [message]


def test_topics_that_are_references_must_be_given_by_region(stack: HardenedStack) -> None:
    assert refusal(stack, replicas=[EU], alarm_topics=["${aws_sns_topic.pager.arn}"]) == [
        (
            "alarm_topics='${aws_sns_topic.pager.arn}': is a reference without a known region; give topics by region, such "
            "as {'us-east-1': [topic.arn]}"
        )
    ]


def test_a_region_without_a_replica_of_the_key_is_reported(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region(HOME))
    assert refusal(stack, replicas=[EU, "ap-south-1"], key=key) == [
        f"key='shop/key': has no replica in {region}, where a replica of the table needs it; add the region to the key's "
        "replicas"
        for region in (EU, "ap-south-1")
    ]


def test_replicas_must_be_a_list_of_regions(stack: HardenedStack) -> None:
    home = stack.region(HOME)
    key = MultiRegionKey(stack, "key", region=home)
    for given, shown in ((home, HOME), (EU, EU)):
        replicas: Any = given
        with pytest.raises(ConfigurationError) as error:
            GlobalTable(stack, f"orders-{shown}", region=home, key=key, partition_key="id", replicas=replicas)
        assert str(error.value) == f"shop/orders-{shown}: replicas={shown!r}: must be a list of regions"


def test_the_name_of_a_region_is_not_a_region(stack: HardenedStack) -> None:
    home = stack.region(HOME)
    key = MultiRegionKey(stack, "key", region=home)
    names: Any = [EU]
    with pytest.raises(ConfigurationError) as error:
        GlobalTable(stack, "orders", region=home, key=key, partition_key="id", replicas=names)
    assert str(error.value) == (
        "shop/orders: replicas='eu-west-1': must be a Region: give stack.region('eu-west-1'), not a name"
    )


def test_a_duplicate_region_or_one_of_another_stack_or_partition_is_refused(
    stack: HardenedStack, tmp_path: Path
) -> None:
    key = MultiRegionKey(stack, "key", region=stack.region(HOME), replicas=[stack.region(EU)])
    assert refusal(stack, replicas=[HOME], key=key) == [
        "replicas='us-east-1': is a duplicate; give each region once, without the table's own"
    ]
    other = HardenedStack(App(outdir=str(tmp_path)), "other", environment="dev", owner="team")
    with pytest.raises(ConfigurationError) as error:
        GlobalTable(
            stack,
            "carts",
            region=stack.region(HOME),
            key=key,
            partition_key="id",
            replicas=[other.region(EU), other.region("cn-north-1")],
        )
    assert str(error.value).splitlines() == [
        "shop/carts: replicas='eu-west-1': is in another stack; expected a region of the same stack",
        "shop/carts: replicas='cn-north-1': is in another stack; expected a region of the same stack",
        "shop/carts: replicas='cn-north-1': is in the partition aws-cn; DynamoDB does not replicate to it from aws",
        (
            "shop/carts: key='shop/key': has no replica in cn-north-1, where a replica of the table needs it; add the region "
            "to the key's replicas"
        ),
    ]


def test_prod_requires_deletion_protection_and_alarms(tmp_path: Path) -> None:
    stack = HardenedStack(App(outdir=str(tmp_path)), "shop", environment="prod", owner="team")
    assert refusal(stack, deletion_protection=False, alarms=False) == [
        "deletion_protection=False: must be True in prod; give NoDeletionProtection(reason) to turn it off",
        "alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out",
    ]
