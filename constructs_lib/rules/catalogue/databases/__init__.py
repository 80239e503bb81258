"""Rules for RDS and Aurora databases."""
