"""Simulations of what a whole study claims: families, pages, sets, shares, blocks, paths and looks."""
