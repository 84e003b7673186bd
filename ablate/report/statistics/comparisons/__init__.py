"""The comparisons: sums of variants, each with a weight.

- :mod:`ablate.report.statistics.comparisons.weights`: each variant with the baseline, contrasts, and crossed effects;
- :mod:`ablate.report.statistics.comparisons.path`: the steps of a path from the baseline to a target;
- :mod:`ablate.report.statistics.comparisons.attribution`: the total difference, shared among the parts;
- :mod:`ablate.report.statistics.comparisons.shapley`: the weights of combinations of parts;
- :mod:`ablate.report.statistics.comparisons.trends`: rise or fall along a numeric axis;
- :mod:`ablate.report.statistics.comparisons.predicted`: the comparisons that a hypothesis is about;
- :mod:`ablate.report.statistics.comparisons.asked`: which of all these are made in which quantity.
"""
