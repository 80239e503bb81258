"""Reference stacks, thin and readable: what app teams copy."""
