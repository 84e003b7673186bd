"""From measurements to verdicts.

In the order of reading:

- :mod:`ablate.report.statistics.described`: means, floors, confounds and what else needs no test;
- :mod:`ablate.report.statistics.roles`: which quantities are judged together;
- :mod:`ablate.report.statistics.comparisons`: what is compared, as weighted sums of variants;
- :mod:`ablate.report.statistics.inference`: intervals, tests and power, as functions of arrays;
- :mod:`ablate.report.statistics.margins`: the smallest difference that matters;
- :mod:`ablate.report.statistics.effects`: each comparison with its difference, interval, p and verdict;
- :mod:`ablate.report.statistics.looks`: what each look at the study may spend of alpha, and whether it may stop;
- :mod:`ablate.report.statistics.verdicts`: the verdicts and their sentences;
- :mod:`ablate.report.statistics.doubts`: reasons to read the verdicts of a quantity with care;
- :mod:`ablate.report.statistics.answers`: the best variants, shares and blocks;
- :mod:`ablate.report.statistics.variance`: where the noise comes from, and what would reduce it;
- :mod:`ablate.report.statistics.analysis`: all of this for one study;
- :mod:`ablate.report.statistics.hypothesis`: the answers to the predictions of a study;
- :mod:`ablate.report.statistics.replicates`: the values that comparisons are computed from;
- :mod:`ablate.report.statistics.pairs`: two variants, or two studies, against each other.

The rules are in docs/explanation/verdicts.md, with their details and sources in docs/explanation/statistics/.
"""
