"""Rules of the family IAM."""
