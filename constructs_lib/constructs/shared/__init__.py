"""What several constructs share."""
