"""Environment, naming, addresses, quotas and errors: pure Python that never imports the engine."""
