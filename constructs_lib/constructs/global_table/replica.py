"""A replica of a table in a further region."""

from __future__ import annotations

from functools import cached_property

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region


class TableReplica(HardenedConstruct):
    """A replica of a table, with the key of its region. Another key replaces it.

    Attributes:
        resource: The `aws_dynamodb_table_replica`.
        table: The data source of the replica in its region, with the stream's ARN.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GlobalTables.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        table_arn: str,
        key_arn: str,
        keep: bool,
        depends_on: list[core.TerraformResource],
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.resource = self._create(
            aws.dynamodb_table_replica.DynamodbTableReplicaA,
            "Resource",
            global_table_arn=table_arn,
            kms_key_arn=key_arn,
            point_in_time_recovery=True,
            deletion_protection_enabled=keep,
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if keep else None,
            depends_on=depends_on or None,
        )
        # aws_dynamodb_table_replica has no attribute for the stream's ARN.
        self.table = read_back(self, f"{self.region.stack.address(self.resource)}.arn")

    @cached_property
    def name(self) -> str:
        """The table's name."""
        return str(getattr(self.table, "name"))  # noqa: B009  the data source has no type here


def read_back(replica: HardenedConstruct, arn: str) -> core.TerraformElement:
    """Return the data source of a replica in its region.

    The name is taken from an ARN, which is known once the replica exists. With depends_on instead, every change of the
    replica would make the stream's ARN unknown at plan.
    """
    return replica.region.create(
        replica,
        (*replica.components, "table"),
        aws.data_aws_dynamodb_table.DataAwsDynamodbTable,
        name=f'${{split("/", {arn})[1]}}',
    )
