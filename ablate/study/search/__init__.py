"""Searches: studies whose variants Optuna proposes.

The modules in the order of reading:

- :mod:`ablate.study.search.search`: the loop: propose a variant, run it, prune those that are worse;
- :mod:`ablate.study.search.propose`: Optuna's samplers and pruner.
"""
