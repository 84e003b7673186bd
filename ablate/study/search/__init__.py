"""Studies whose variants Optuna proposes."""
