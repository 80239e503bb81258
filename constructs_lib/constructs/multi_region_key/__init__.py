"""MultiRegionKey: one KMS key in several regions, with a policy that grants only what its consumers asked for."""

from constructs_lib.constructs.multi_region_key.multi_region_key import MultiRegionKey

__all__ = ["MultiRegionKey"]
