"""``ablate study run``: the command, its progress, Ctrl-C, and what it prints in the end."""
