"""Rules of the family DDB."""
