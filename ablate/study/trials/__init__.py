"""The study as Optuna sees it: one trial for each variant.

The modules in the order of reading:

- :mod:`ablate.study.trials.objectives`: the numbers that trials and searches work with;
- :mod:`ablate.study.trials.levels`: levels, axes and objectives in the form of Optuna;
- :mod:`ablate.study.trials.storage`: Optuna's tables in the database of the store;
- :mod:`ablate.study.trials.view`: the trials of a study, kept up to date.
"""
