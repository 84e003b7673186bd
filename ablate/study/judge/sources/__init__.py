"""Results in the databases and exports of other tools, as tables; all of them are only read.

- :mod:`ablate.study.judge.sources.optuna_trials`: the trials of an Optuna study;
- :mod:`ablate.study.judge.sources.mlflow_runs`: the runs of an MLflow experiment, in a folder or a database;
- :mod:`ablate.study.judge.sources.wandb_table`: a table of runs that was exported from Weights & Biases;
- :mod:`ablate.study.judge.sources.parameters`: which parameters are axes;
- :mod:`ablate.study.judge.sources.databases`: SQLite files that stay as they are.
"""
