"""Rules for regions: providers, Availability Zones, ARNs and cross-region references."""
