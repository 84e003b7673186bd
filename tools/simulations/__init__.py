"""Simulations of the rules that judge studies; each module yields the rows of a table of the page about statistics.

- :mod:`simulations.draws`: random replicates, and the verdicts of the functions that judge real ones;
- :mod:`simulations.inference`: single tests, intervals and numbers of replicates;
- :mod:`simulations.claims`: what a whole study claims.
"""
