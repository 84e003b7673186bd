"""``ablate judge``: one module for each source of results.

- :mod:`ablate.cli.judge.command`: the command with its options;
- :mod:`ablate.cli.judge.tables`: tables, Optuna, MLflow and W&B;
- :mod:`ablate.cli.judge.output`: what all sources print.
"""

from ablate.cli.judge.command import judge as command

__all__ = ["command"]
