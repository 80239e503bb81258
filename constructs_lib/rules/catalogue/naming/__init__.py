"""Rules of the family NAME."""
