"""GlobalTable: a DynamoDB table with replicas in further regions."""

from constructs_lib.constructs.global_table.capacity import Provisioned
from constructs_lib.constructs.global_table.indexes import GlobalIndex, LocalIndex
from constructs_lib.constructs.global_table.table import GlobalTable

__all__ = ["GlobalIndex", "GlobalTable", "LocalIndex", "Provisioned"]
