"""Rules for the Terraform state, references, modules, variables and outputs."""
