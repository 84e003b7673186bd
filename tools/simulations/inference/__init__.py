"""Simulations of single tests, intervals and numbers of replicates."""
