"""Two variants, or two studies, against each other.

- :mod:`ablate.report.statistics.pairs.comparisons`: what is compared;
- :mod:`ablate.report.statistics.pairs.compare`: the result of ``ablate study compare``;
- :mod:`ablate.report.statistics.pairs.unshared`: the tests where replicates share no seeds.
"""
