"""MultiRegionKey: a multi-Region KMS key with replicas and a key policy for the services that use it."""

from constructs_lib.constructs.multi_region_key.multi_region_key import MultiRegionKey, UnprotectedKey, names_like

__all__ = ["MultiRegionKey", "UnprotectedKey", "names_like"]
