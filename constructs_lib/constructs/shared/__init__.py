"""Code that several constructs share."""
