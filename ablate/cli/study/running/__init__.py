"""``ablate study run``: the command, its progress, Ctrl-C, looks, and what it prints in the end."""
