"""Studies whose replicates are independent runs: replicate k of one variant does not belong to replicate k of another.

- :mod:`ablate.report.statistics.independent.judge`: every comparison with its interval, p and verdict;
- :mod:`ablate.report.statistics.independent.words`: its sentences: what the runs could find, and what it would take.

The tests are in :mod:`ablate.report.statistics.inference.independent`.
"""
