"""Floor 2: what an operator sees."""
