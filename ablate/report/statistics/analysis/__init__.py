"""The statistics of one study, in three layers.

- :mod:`ablate.report.statistics.analysis.quantities`: the quantities with their roles, directions, margins and means;
- :mod:`ablate.report.statistics.analysis.judged`: the comparisons with their verdicts, and what they add up to;
- :mod:`ablate.report.statistics.analysis.analysis`: floors, noise, confounds, doubts and copying.
"""
