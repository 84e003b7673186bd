"""``ablate study plan``, and what ``study run`` asks for: the study with its options, shards, and what is reused."""
