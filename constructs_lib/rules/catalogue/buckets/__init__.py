"""Rules of the family S3."""
