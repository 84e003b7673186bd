"""From measurements to verdicts.

The modules in the order of reading:

- :mod:`ablate.report.statistics.summary`: mean and spread of each variant over replicates;
- :mod:`ablate.report.statistics.comparisons`: which variants are compared, as weighted sums;
- :mod:`ablate.report.statistics.inference`: intervals, tests and power;
- :mod:`ablate.report.statistics.looks`: what each look at the study may spend of alpha, and whether it may stop;
- :mod:`ablate.report.statistics.effects`: each comparison with its difference, interval, p and verdict;
- :mod:`ablate.report.statistics.verdicts`: the verdicts and their sentences;
- :mod:`ablate.report.statistics.best`: the variants among which the best one is;
- :mod:`ablate.report.statistics.responses`: whether the music follows a label;
- :mod:`ablate.report.statistics.floors`: reference scores;
- :mod:`ablate.report.statistics.margins`: the smallest difference that matters;
- :mod:`ablate.report.statistics.doubts`: reasons to read the verdicts of a quantity with care;
- :mod:`ablate.report.statistics.confounds`: quantities that change as a side effect of a level;
- :mod:`ablate.report.statistics.analysis`: all of this for one study;
- :mod:`ablate.report.statistics.pairs`: two variants, or two studies, against each other.

The rules and their sources are in docs/statistics.md.
"""
