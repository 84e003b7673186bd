"""Independent groups of runs: means with Welch's errors, and tests of families of weighted sums of them.

- :mod:`ablate.report.statistics.inference.independent.moments`: means, errors, degrees of freedom, intervals;
- :mod:`ablate.report.statistics.inference.independent.groups`: one comparison with its numbers;
- :mod:`ablate.report.statistics.inference.independent.worlds`: what runs look like without a difference;
- :mod:`ablate.report.statistics.inference.independent.joint`: the tests of a family;
- :mod:`ablate.report.statistics.inference.independent.best_set`: the variants among which the best one is;
- :mod:`ablate.report.statistics.inference.independent.equivalence`: differences inside a margin;
- :mod:`ablate.report.statistics.inference.independent.power`: the runs that a difference needs;
- :mod:`ablate.report.statistics.inference.independent.words`: these numbers in sentences.
"""
