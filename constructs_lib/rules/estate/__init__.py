"""The model of a Terraform configuration that rules read: blocks, references, expressions, plans, policies."""
