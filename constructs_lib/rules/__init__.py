"""Rules over Terraform JSON: the lessons, found in any estate. Pure Python, without cdktf and Node."""
