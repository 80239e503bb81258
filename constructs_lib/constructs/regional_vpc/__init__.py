"""RegionalVpc: a VPC with public, private and database subnets in one region."""

from constructs_lib.constructs.regional_vpc.arguments import SingleNat
from constructs_lib.constructs.regional_vpc.endpoints import LAMBDA_BASIC, SERVICES, InterfaceEndpoints, Service
from constructs_lib.constructs.regional_vpc.network import ExistingVpc, RouteTable, Subnet, Vpc
from constructs_lib.constructs.regional_vpc.vpc import RegionalVpc

__all__ = [
    "LAMBDA_BASIC",
    "SERVICES",
    "ExistingVpc",
    "InterfaceEndpoints",
    "RegionalVpc",
    "RouteTable",
    "Service",
    "SingleNat",
    "Subnet",
    "Vpc",
]
