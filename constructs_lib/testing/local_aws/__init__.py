"""A local AWS for one stack: moto's server with the fixes that a multi-region stack needs, on the loopback interface.

It is a stand-in. What it cannot do, does differently, or was made to do is in `KNOWN_DIFFERENCES`: an empty second plan
is no evidence about AWS for those attributes.
"""

from constructs_lib.testing.local_aws.differences import KNOWN_DIFFERENCES, Effect, KnownDifference
from constructs_lib.testing.local_aws.process import ACCOUNT_ID, MOTO_VERSION, LocalAws

__all__ = ["ACCOUNT_ID", "KNOWN_DIFFERENCES", "MOTO_VERSION", "Effect", "KnownDifference", "LocalAws"]
