"""A study as Optuna sees it: its objectives, its levels as parameters, its variants as trials."""
