"""What several rules ask of an estate."""
