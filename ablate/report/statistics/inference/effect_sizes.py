"""The size of an effect: standardised differences, the share of replicates that one wins, ranks along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.intervals import spread
from ablate.report.statistics.inference.power import hedges

if TYPE_CHECKING:
    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate


class Share(NamedTuple):
    """A share of replicates with its interval, each [...]."""

    share: FloatArray
    low: FloatArray
    high: FloatArray


def standardised(differences: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return the estimated difference over its standard deviation, with Hedges' correction: g, [...].

    For the mean it is J. Cohen's d_z times ``1 - 3 / (4 (n - 1) - 1)`` (L. V. Hedges, Journal of Educational Statistics
    6, 1981). In general it is the estimate over its standard error, divided by the square root of n, so that it says
    for any estimate how many replicates a test needs. NaN for fewer than two replicates; infinite if more than two
    agree but for rounding errors. With two replicates the correction gives 0.
    """
    n = differences.shape[-1]
    if n < 2:
        return np.full(differences.shape[:-1], np.nan)
    middle, error, freedom = spread(differences, estimate)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((error == 0) & (middle == 0), 0.0, middle / (error * np.sqrt(n)))
        return np.asarray(ratio * hedges(freedom))


def p_better(differences: FloatArray, level: float = 0.95) -> Share:
    """Return the share of replicates with a difference above 0, with its interval; a difference of 0 counts half.

    It estimates the probability that one variant beats the other under the same seeds. Its replicates are pairs, so
    replicate i of one is compared with replicate i of the other only; a share of all n times n pairs would answer for
    different seeds, and its pairs are not independent. The interval is that of C. J. Clopper and E. S. Pearson
    (Biometrika 26, 1934), which contains the true probability in at least this share of studies.

    Args:
        differences: [..., replicates], no NaN; negative where less is better.
        level: 0 to 1.
    """
    n = differences.shape[-1]
    wins = (differences > 0).sum(axis=-1) + 0.5 * (differences == 0).sum(axis=-1)
    outside = (1 - level) / 2
    low = np.where(wins > 0, sps.beta.ppf(outside, np.maximum(wins, 0.5), n - wins + 1), 0.0)
    high = np.where(wins < n, sps.beta.ppf(1 - outside, wins + 1, np.maximum(n - wins, 0.5)), 1.0)
    return Share(np.asarray(wins / n), np.asarray(low), np.asarray(high))


def kendall(levels: FloatArray, values: FloatArray) -> FloatArray:
    """Return Kendall's tau of each replicate, [replicates]: 1 if its values rise from level to level, -1 if they fall.

    Args:
        levels: [levels], in any order.
        values: [replicates, levels]. A replicate whose values are all equal has tau 0.
    """
    with np.errstate(invalid="ignore"):
        taus = [sps.kendalltau(levels, row).statistic for row in values]
    return np.asarray(np.nan_to_num(taus), float)
