"""Simulations of the rules that judge studies; each module yields the rows of a table of docs/statistics.md."""
