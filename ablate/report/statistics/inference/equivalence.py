"""Tests that a difference is inside a margin."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

if TYPE_CHECKING:
    from ablate.arrays import FloatArray


def holm(p: FloatArray) -> FloatArray:
    """Adjust p for a family of comparisons (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    NaN does not count as a member of the family and stays NaN.
    """
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        gc.freeze()  # multipletests collects garbage, which would take longer than a whole report
        try:
            adjusted[known] = multipletests(p[known], method="holm")[1]
        finally:
            gc.unfreeze()
    return adjusted


def equivalence(differences: FloatArray, margin: FloatArray) -> FloatArray:
    """Return the p of two one-sided t tests that the mean difference is inside plus or minus ``margin``.

    D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987. It is below alpha exactly if the
    interval of level ``1 - 2 alpha`` lies inside the margin.

    Args:
        differences: [rows, replicates], no NaN.
        margin: [rows], above 0; NaN without a margin.

    Returns:
        [rows]; NaN without a margin or for a single replicate.
    """
    rows, n = differences.shape
    if n < 2 or not rows:
        return np.full(rows, np.nan)
    statistics = DescrStatsW(differences.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = statistics.ttest_mean(-margin, alternative="larger")[1]
        below = statistics.ttest_mean(margin, alternative="smaller")[1]
    return np.asarray(np.maximum(above, below))
