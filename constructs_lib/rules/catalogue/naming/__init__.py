"""Rules for resource names, labels and tags."""
