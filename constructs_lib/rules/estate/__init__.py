"""The model that rules ask: blocks, references, expressions, plans, policies."""
