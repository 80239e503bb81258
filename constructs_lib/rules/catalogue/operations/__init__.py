"""Rules of the family OPS."""
