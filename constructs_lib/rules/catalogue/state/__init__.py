"""Rules of the family STATE."""
