"""GlobalTable: a DynamoDB table, with a replica in every region that is asked for."""

from constructs_lib.constructs.global_table.capacity import Provisioned
from constructs_lib.constructs.global_table.indexes import GlobalIndex, LocalIndex
from constructs_lib.constructs.global_table.table import GlobalTable

__all__ = ["GlobalIndex", "GlobalTable", "LocalIndex", "Provisioned"]
