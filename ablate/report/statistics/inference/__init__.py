"""Inference over replicates: pure functions of arrays, which know nothing of studies.

All functions take arrays whose last dimension is the replicates, one training each; samples have already been averaged
inside their replicate. Rules and sources are in docs/explanation/statistics/, simulations in
docs/explanation/simulations.md.

- :mod:`ablate.report.statistics.inference.intervals`: the mean or interquartile mean, and its interval;
- :mod:`ablate.report.statistics.inference.flips`: sign-flip tests;
- :mod:`ablate.report.statistics.inference.effect_sizes`: standardised differences, P(better) and ranks;
- :mod:`ablate.report.statistics.inference.equivalence`: tests that a difference is inside a margin;
- :mod:`ablate.report.statistics.inference.doubts`: signs that a mean over few replicates says little;
- :mod:`ablate.report.statistics.inference.power`: power, and the replicates that it needs;
- :mod:`ablate.report.statistics.inference.sequential`: several looks at a study, and alpha spending;
- :mod:`ablate.report.statistics.inference.best_set`: the variants among which the best one is;
- :mod:`ablate.report.statistics.inference.unpaired`: replicates that share no seeds;
- :mod:`ablate.report.statistics.inference.variance`: variance of sampling and of training;
- :mod:`ablate.report.statistics.inference.conjunction`: in how many blocks an effect holds;
- :mod:`ablate.report.statistics.inference.heterogeneity`: whether an effect differs between blocks.
"""
