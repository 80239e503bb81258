"""AuroraProvisioned: an Aurora cluster with provisioned instances."""

from constructs_lib.constructs.aurora_provisioned.cluster import AuroraProvisioned
from constructs_lib.constructs.aurora_provisioned.engines import ExtendedSupport, MajorUpgrade, PinnedMinorVersion
from constructs_lib.constructs.aurora_provisioned.instances import Instance
from constructs_lib.constructs.aurora_provisioned.scaling import ReaderScaling

__all__ = [
    "AuroraProvisioned",
    "ExtendedSupport",
    "Instance",
    "MajorUpgrade",
    "PinnedMinorVersion",
    "ReaderScaling",
]
