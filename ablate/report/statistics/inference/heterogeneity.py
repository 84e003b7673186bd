"""Heterogeneity: does a difference vary between blocks, and by how much?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize
from scipy import stats as sps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray

#: Values that differ by less, relative to their size, are equal.
_ROUNDING = 1e-12

#: Above this F, the noncentral F distribution is that of a constant over a chi-squared variable.
_LARGE = 1000.0


class Heterogeneity(NamedTuple):
    """The spread of true differences between blocks.

    Attributes:
        sd: their standard deviation, estimated without the scatter inside the blocks; 0 if that explains everything.
        low: the lower end of its 95 % interval.
        high: the upper end.
        p: that all blocks have one true difference.
    """

    sd: float
    low: float
    high: float
    p: float


#: With fewer than two blocks of two replicates nothing can be estimated.
UNKNOWN = Heterogeneity(np.nan, np.nan, np.nan, np.nan)


def heterogeneity(blocks: Sequence[FloatArray], level: float = 0.95) -> Heterogeneity:
    """Estimate and test the spread of a difference between blocks.

    The p is the larger one of two tests: the analysis of variance, which is right if the blocks scatter alike, and
    that of B. L. Welch, "On the comparison of several mean values: an alternative approach", Biometrika 38, 1951,
    which is right if they do not. Where differences are skewed, either one alone claims too much. The interval inverts
    the noncentral F distribution; it assumes that the blocks scatter alike.

    Args:
        blocks: the differences of each block, [replicates] without NaN; blocks of one replicate are left out.
        level: of the interval, 0 to 1.
    """
    groups = [values for values in blocks if len(values) > 1]
    if len(groups) < 2:
        return UNKNOWN
    sizes = np.array([len(values) for values in groups], float)
    means = np.array([values.mean() for values in groups])
    variances = np.array([values.var(ddof=1) for values in groups])
    largest = max(float(np.abs(values).max()) for values in groups)
    if variances.max() <= (_ROUNDING * largest) ** 2:  # no scatter inside the blocks
        sd = float(means.std(ddof=1)) if np.ptp(means) > _ROUNDING * largest else 0.0
        return Heterogeneity(sd, sd, sd, 0.0 if sd else 1.0)
    sd = float(np.sqrt(max(means.var(ddof=1) - (variances / sizes).mean(), 0.0)))
    f, between, within = _analysis_of_variance(sizes, means, variances)
    pooled = float(((sizes - 1) * variances).sum() / within)
    size = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / between
    tail = (1 - level) / 2
    low, high = (
        float(np.sqrt(_noncentrality(f, between, within, share) * pooled / (size * between)))
        for share in (1 - tail, tail)
    )
    p = max(float(sps.f.sf(f, between, within)), _welch(sizes, means, variances))
    return Heterogeneity(sd, low, high, p)


def _analysis_of_variance(sizes: FloatArray, means: FloatArray, variances: FloatArray) -> tuple[float, float, float]:
    """Return F with its degrees of freedom between and within the blocks."""
    between, within = len(sizes) - 1.0, float(sizes.sum() - len(sizes))
    middle = (sizes * means).sum() / sizes.sum()
    pooled = ((sizes - 1) * variances).sum() / within
    return float((sizes * (means - middle) ** 2).sum() / between / pooled), between, within


def _welch(sizes: FloatArray, means: FloatArray, variances: FloatArray) -> float:
    """Return the p of Welch's test; a block without scatter counts with a scatter far below that of the others."""
    count = len(sizes)
    weights = sizes / np.maximum(variances, variances.max() * _ROUNDING)
    share = weights / weights.sum()
    spread = (weights * (means - (share * means).sum()) ** 2).sum() / (count - 1)
    correction = ((1 - share) ** 2 / (sizes - 1)).sum() / (count**2 - 1)
    return float(sps.f.sf(spread / (1 + 2 * (count - 2) * correction), count - 1, 1 / (3 * correction)))


def _noncentrality(f: float, between: float, within: float, share: float) -> float:
    """Return the noncentrality with which F is at most ``f`` with this probability; 0 if there is none."""

    def excess(noncentrality: float) -> float:
        if not noncentrality:
            return float(sps.f.cdf(f, between, within)) - share
        return float(sps.ncf.cdf(f, between, within, noncentrality)) - share

    if f > _LARGE:  # the scatter of the blocks' means does not count any more, and the cdf loses its digits
        return float(f * between * sps.chi2.isf(share, within) / within)
    if excess(0.0) <= 0:
        return 0.0
    end = 1.0 + f * between
    while excess(end) > 0:
        end *= 2
    return float(optimize.brentq(excess, 0.0, end, xtol=1e-6))
