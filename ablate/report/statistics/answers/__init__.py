"""Answers that the comparisons of a study add up to.

- :mod:`ablate.report.statistics.answers.best`: the variants among which the best one is;
- :mod:`ablate.report.statistics.answers.shares`: the shares of parts in the total difference;
- :mod:`ablate.report.statistics.answers.rounding`: numbers that add up to their total, also as printed;
- :mod:`ablate.report.statistics.answers.blocks`: the effects in each block, and in how many blocks they hold.
"""
