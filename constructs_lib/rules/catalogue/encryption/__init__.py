"""Rules for KMS keys, secrets and encrypted storage."""
