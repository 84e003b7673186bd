"""``ablate study plan``, and the request of ``study run``: the study with its options, shards, looks, and reuse."""
