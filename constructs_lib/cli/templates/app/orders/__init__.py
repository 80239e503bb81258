"""The infrastructure of the orders service."""
