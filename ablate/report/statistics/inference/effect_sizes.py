"""The size of an effect: standardised differences, and ranks along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as sps

if TYPE_CHECKING:
    from ablate.arrays import FloatArray


def standardised(differences: FloatArray) -> FloatArray:
    """Return the mean paired difference over its standard deviation, with Hedges' correction: g, [...].

    J. Cohen's d_z times ``1 - 3 / (4 (n - 1) - 1)`` (L. V. Hedges, Journal of Educational Statistics 6, 1981).
    NaN for fewer than two replicates; infinite if more than two agree to the last bit. With two replicates the
    correction gives 0.
    """
    n = differences.shape[-1]
    if n < 2:
        return np.full(differences.shape[:-1], np.nan)
    mean, sd = differences.mean(-1), differences.std(-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((sd == 0) & (mean == 0), 0.0, mean / sd)
        return np.asarray(ratio * (1 - 3 / (4 * (n - 1) - 1)))


def kendall(levels: FloatArray, values: FloatArray) -> FloatArray:
    """Return Kendall's tau of each replicate, [replicates]: 1 if its values rise from level to level, -1 if they fall.

    Args:
        levels: [levels], in any order.
        values: [replicates, levels]. A replicate whose values are all equal has tau 0.
    """
    with np.errstate(invalid="ignore"):
        taus = [sps.kendalltau(levels, row).statistic for row in values]
    return np.asarray(np.nan_to_num(taus), float)
