"""A local AWS for one stack: moto's server, with fixes for the AWS provider, on the loopback interface.

`KNOWN_DIFFERENCES` lists where it differs from AWS. For those attributes an empty second plan proves nothing about AWS.
"""

from constructs_lib.testing.local_aws.differences import KNOWN_DIFFERENCES, Effect, KnownDifference
from constructs_lib.testing.local_aws.faults import Failure, Fault
from constructs_lib.testing.local_aws.infidelities import KNOWN_INFIDELITIES, Infidelity
from constructs_lib.testing.local_aws.process import ACCOUNT_ID, MOTO_VERSION, LocalAws

__all__ = [
    "ACCOUNT_ID",
    "KNOWN_DIFFERENCES",
    "KNOWN_INFIDELITIES",
    "MOTO_VERSION",
    "Effect",
    "Failure",
    "Fault",
    "Infidelity",
    "KnownDifference",
    "LocalAws",
]
