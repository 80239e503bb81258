"""Rules of the family REG."""
