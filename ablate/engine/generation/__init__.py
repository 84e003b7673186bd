"""Generation of tokens, many rows at a time."""
