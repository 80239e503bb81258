"""Rules for IAM policies, roles and users."""
