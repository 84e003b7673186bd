"""Studies whose replicates are independent runs: replicate k of one variant does not belong to replicate k of another.

:mod:`ablate.report.statistics.independent.judge` makes every comparison with its interval, p and verdict. The tests,
and the words about the runs that they need, are in :mod:`ablate.report.statistics.inference.independent`.
"""
