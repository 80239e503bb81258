"""Rules of the family NET."""
