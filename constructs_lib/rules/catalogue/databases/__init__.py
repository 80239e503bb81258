"""Rules of the family RDS."""
