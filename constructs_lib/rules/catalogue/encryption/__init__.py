"""Rules of the family ENC."""
