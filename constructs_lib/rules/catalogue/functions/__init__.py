"""Rules of the family LAM."""
