"""Questions about a synthesized estate, answered from its JSON: pure Python that never imports the engine."""
