"""Rules of the family API."""
