"""Searches: studies whose variants Optuna proposes."""
