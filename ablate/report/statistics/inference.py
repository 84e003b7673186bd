"""Inference over replicates. Rules, sources and simulations are in docs/statistics.md.

All functions take arrays whose last dimension is the replicates, one training each; samples have already been averaged
inside their replicate. The methods are scipy's and statsmodels'; this module decides which one is used when.
"""

from __future__ import annotations

import functools
import gc
import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy import stats as sps
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower, normal_power
from statsmodels.stats.weightstats import DescrStatsW

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray


Estimate = Literal["mean", "iqm"]

#: From this number of replicates on an interval is BCa; below, Student's t has better coverage (see the simulations).
BOOTSTRAP_FROM = 30
RESAMPLES = 9999
#: Up to this number of replicates all assignments of signs are tried; beyond, :data:`RESAMPLES` random ones.
EXACT_UP_TO = 14
#: The largest number of replicates that the report recommends.
MOST_REPLICATES = 1000
#: Values that differ by less, relative to their size, are equal.
_ROUNDING = 1e-12
#: How many numbers the sign-flip test has in memory at once: about the size of a processor's cache.
_AT_ONCE = 500_000


class Interval(NamedTuple):
    """Lower and upper ends, [...], and the method: ``t``, ``BCa``, or ``none`` for a single replicate."""

    low: FloatArray
    high: FloatArray
    method: str


def estimator(estimate: Estimate) -> Callable[..., Any]:
    """Return the mean, or the interquartile mean: of the middle half, with a quarter trimmed at either end.

    The interquartile mean is that of R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice" (NeurIPS 2021), where it is taken over runs and tasks; here it is over replicates. Below four
    replicates nothing is trimmed.
    """
    return np.mean if estimate == "mean" else functools.partial(sps.trim_mean, proportiontocut=0.25)


def interval(values: FloatArray, level: float = 0.95, estimate: Estimate = "mean") -> Interval:
    """Return a confidence interval of the mean (or interquartile mean) over replicates.

    Student's t below :data:`BOOTSTRAP_FROM` replicates, otherwise the bias-corrected and accelerated bootstrap
    (B. Efron, "Better bootstrap confidence intervals", JASA 82, 1987). For an interquartile mean it is always the
    bootstrap, which is too narrow with few replicates.

    Args:
        values: [..., replicates], no NaN.
        level: 0 to 1.
        estimate: what is estimated.
    """
    n = values.shape[-1]
    if n < 2:
        unknown = np.full(values.shape[:-1], np.nan)
        return Interval(unknown, unknown, "none")
    middle = np.asarray(estimator(estimate)(values, axis=-1))
    low, high = middle.copy(), middle.copy()
    # where values vary only by rounding, the interval is the value
    varied = np.ptp(values, axis=-1) > _ROUNDING * np.abs(values).max(axis=-1)
    if estimate == "mean" and n < BOOTSTRAP_FROM:
        if varied.any():
            ends = sps.ttest_1samp(values[varied], 0.0, axis=-1).confidence_interval(level)
            low[varied], high[varied] = ends.low, ends.high
        return Interval(low, high, "t")
    for index in np.ndindex(varied.shape):
        if not varied[index]:
            continue
        ends = sps.bootstrap(
            (values[index],),
            estimator(estimate),
            n_resamples=RESAMPLES,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low[index], high[index] = ends.low, ends.high
    return Interval(low, high, "BCa")


def sign_flip(differences: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return the two-sided p of the sign-flip permutation test that paired differences are symmetric about 0.

    If two variants do not differ, each replicate's difference is as likely to be positive as negative, whatever its
    distribution (R. A. Fisher, "The design of experiments", 1935, section 21). Exact up to :data:`EXACT_UP_TO`
    replicates: the share of all 2**n assignments of signs whose mean is at least as extreme, doubled for two sides.
    Beyond that, the share among :data:`RESAMPLES` random assignments and the observed one.

    Args:
        differences: [..., replicates], no NaN.
        estimate: the test's statistic.

    Returns:
        p in (0, 1], [...]; NaN for a single replicate.
    """
    n = differences.shape[-1]
    if n < 2:
        return np.full(differences.shape[:-1], np.nan)
    exact = n <= EXACT_UP_TO
    result = sps.permutation_test(
        (_whole_numbers(differences),),
        _to_eight_digits(estimator(estimate)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else RESAMPLES,
        batch=max(1, _AT_ONCE // max(differences.size, 1)),
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return np.asarray(np.minimum(result.pvalue, 1.0), float)


def _to_eight_digits(statistic: Callable[..., Any]) -> Callable[..., Any]:
    """Return a statistic of whole numbers of ten digits that drops their last two digits.

    If one difference is a third of another, their rounded values are not, and sums that should be equal differ by 1.
    The offset moves round numbers, which are frequent among differences, away from the points where rounding changes.
    """

    def rounded(values: FloatArray, axis: int = -1) -> Any:
        result = statistic(values, axis=axis)
        return np.sign(result) * np.rint(np.abs(result) / 100 + 0.123)

    return rounded


def _whole_numbers(values: FloatArray) -> FloatArray:
    """Return whole numbers, ten digits for the largest of each row, so that equal sums are equal in any order.

    Otherwise the last bit of a sum decides whether an assignment of signs is as extreme as the observed one.
    """
    largest = np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-290)
    return np.asarray(np.rint(values / 10.0 ** (np.floor(np.log10(largest)) - 9.0)))


def smallest_p(n: int) -> float:
    """Return the smallest p that :func:`sign_flip` can give: all differences have the same sign."""
    return 2.0 / 2**n if n <= EXACT_UP_TO else 2.0 / (RESAMPLES + 1)


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


def power(effect: float, n: int, alpha: float) -> float:
    """Return the power of the sign-flip test of ``n`` replicates for a standardised effect, at level ``alpha``.

    The p of the test has steps of 2 / 2**n. If only the smallest p suffices, all differences must have the same sign,
    and the power is the probability of that for normal differences; otherwise it is the power of the paired t test at
    the level that can be reached.
    """
    level, size = attainable(alpha, n), abs(effect)
    if not level or n < 2:
        return 0.0
    if n <= EXACT_UP_TO and level < 1.5 * smallest_p(n):
        return float(sps.norm.cdf(size) ** n + sps.norm.cdf(-size) ** n)
    t_power = float(TTestPower().power(size, n, level))
    # for large n the noncentral t distribution is not finite; it is normal there
    return t_power if math.isfinite(t_power) else float(normal_power(size, n, level))


def attainable(alpha: float, n: int) -> float:
    """Return the largest p of the sign-flip test of n replicates that is not above ``alpha``; 0 if there is none."""
    step = smallest_p(n)
    return math.floor(alpha / step + 1e-9) * step


def fewest_replicates(alpha: float) -> int | None:
    """Return the fewest replicates, at least 2, whose sign-flip test can reach ``alpha``; None if no number can."""
    return next((n for n in range(2, EXACT_UP_TO + 2) if attainable(alpha, n)), None)


@functools.lru_cache(maxsize=4096)
def replicates_needed(effect: float, alpha: float, target: float = 0.8) -> int | None:
    """Return the fewest replicates whose power for a standardised effect is ``target`` at level ``alpha``.

    None if even :data:`MOST_REPLICATES` are not enough.
    """
    size = abs(effect)
    if not math.isfinite(size):
        size = 1e6  # all replicates agree, so only the steps of p limit the power
    if power(size, MOST_REPLICATES, alpha) < target:
        return None
    low, high = 1, MOST_REPLICATES  # power grows with n, except for the steps of p, which matter at the lower end only
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(size, middle, alpha) >= target else (middle, high)
    return next(n for n in range(max(2, high - EXACT_UP_TO), high + 1) if power(size, n, alpha) >= target)


def kendall(levels: FloatArray, values: FloatArray) -> FloatArray:
    """Return Kendall's tau of each replicate, [replicates]: 1 if its values rise from level to level, -1 if they fall.

    Args:
        levels: [levels], in any order.
        values: [replicates, levels]. A replicate whose values are all equal has tau 0.
    """
    with np.errstate(invalid="ignore"):
        taus = [sps.kendalltau(levels, row).statistic for row in values]
    return np.asarray(np.nan_to_num(taus), float)
