"""Training and generation on torch, and nothing else: no study, no store, no files but checkpoints."""
