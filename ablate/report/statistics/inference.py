"""Inference over replicates. Rules, sources and simulations are in docs/statistics.md.

Everything here takes arrays whose last dimension is the replicates, one training each, and nothing knows of samples:
they have been averaged inside their replicate. Work is scipy's and statsmodels'; what is ours is which of it, and when.
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

#: From so many replicates on an interval is BCa; below, Student's t covers better (see the simulations).
BOOTSTRAP_FROM = 30
RESAMPLES = 9999
#: Up to so many replicates every assignment of signs is tried; beyond, :data:`RESAMPLES` random ones.
EXACT_UP_TO = 14
#: Numbers of replicates beyond this are not worth naming.
MOST_REPLICATES = 1000
#: Replicates that differ by less, relative to their size, are equal.
_ROUNDING = 1e-12
#: Numbers in memory at once while signs are flipped: as many as a processor keeps close by.
_AT_ONCE = 500_000


class Interval(NamedTuple):
    """Lower and upper ends, [...], and how they were found: ``t``, ``BCa``, or ``none`` for a single replicate."""

    low: FloatArray
    high: FloatArray
    method: str


def estimator(estimate: Estimate) -> Callable[..., Any]:
    """The mean, or the interquartile mean: of the middle half, a quarter trimmed at either end, along ``axis``.

    The interquartile mean is that of R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice" (NeurIPS 2021), who take it over runs and tasks; here it is over replicates. Below four replicates
    nothing is trimmed.
    """
    return np.mean if estimate == "mean" else functools.partial(sps.trim_mean, proportiontocut=0.25)


def interval(values: FloatArray, level: float = 0.95, estimate: Estimate = "mean") -> Interval:
    """A confidence interval of the mean (or interquartile mean) over replicates.

    Student's t below :data:`BOOTSTRAP_FROM` replicates, otherwise the bias-corrected and accelerated bootstrap
    (B. Efron, "Better bootstrap confidence intervals", JASA 82, 1987); of an interquartile mean always the latter,
    which with few replicates is too narrow.

    Args:
        values: [..., replicates], no NaN.
        level: 0 to 1.
        estimate: what is estimated.
    """
    n = values.shape[-1]
    if n < 2:
        nothing = np.full(values.shape[:-1], np.nan)
        return Interval(nothing, nothing, "none")
    middle = np.asarray(estimator(estimate)(values, axis=-1))
    low, high = middle.copy(), middle.copy()
    # where nothing varies but by rounding, the interval is the value
    spread = np.ptp(values, axis=-1) > _ROUNDING * np.abs(values).max(axis=-1)
    if estimate == "mean" and n < BOOTSTRAP_FROM:
        if spread.any():
            found = sps.ttest_1samp(values[spread], 0.0, axis=-1).confidence_interval(level)
            low[spread], high[spread] = found.low, found.high
        return Interval(low, high, "t")
    for place in np.ndindex(spread.shape):
        if not spread[place]:
            continue
        found = sps.bootstrap(
            (values[place],),
            estimator(estimate),
            n_resamples=RESAMPLES,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low[place], high[place] = found.low, found.high
    return Interval(low, high, "BCa")


def sign_flip(differences: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Two-sided p of the sign-flip permutation test that paired differences are symmetric about 0.

    If two variants do not differ, each replicate's difference is as likely to be positive as negative, whatever its
    distribution (R. A. Fisher, "The design of experiments", 1935, section 21). Exact up to :data:`EXACT_UP_TO`
    replicates: the share of all 2**n assignments of signs whose mean is at least as extreme, doubled for two sides.
    Beyond that, of :data:`RESAMPLES` random assignments and the one observed.

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
    found = sps.permutation_test(
        (_summed_exactly(differences),),
        _to_eight_digits(estimator(estimate)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else RESAMPLES,
        batch=max(1, _AT_ONCE // max(differences.size, 1)),
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return np.asarray(np.minimum(found.pvalue, 1.0), float)


def _to_eight_digits(statistic: Callable[..., Any]) -> Callable[..., Any]:
    """A statistic of whole numbers of ten digits, with the last two of them dropped.

    Where a third of one difference is another, their roundings are not, and sums that should be equal differ by 1. The
    offset keeps round numbers, which differences often are, away from where rounding changes.
    """

    def rounded(values: FloatArray, axis: int = -1) -> Any:
        found = statistic(values, axis=axis)
        return np.sign(found) * np.rint(np.abs(found) / 100 + 0.123)

    return rounded


def _summed_exactly(values: FloatArray) -> FloatArray:
    """As whole numbers of ten digits for the largest of each row, so that equal sums are equal however they are added.

    Otherwise the last bit of a sum decides whether an assignment of signs is as extreme as the observed one.
    """
    largest = np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-290)
    return np.asarray(np.rint(values / 10.0 ** (np.floor(np.log10(largest)) - 9.0)))


def smallest_p(n: int) -> float:
    """The smallest p that :func:`sign_flip` can give: all differences of one sign."""
    return 2.0 / 2**n if n <= EXACT_UP_TO else 2.0 / (RESAMPLES + 1)


def holm(p: FloatArray) -> FloatArray:
    """P adjusted so that a family is wrong at most so often (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    NaN is left out of the family and stays NaN.
    """
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        gc.freeze()  # it looks for garbage in all of memory, which would take longer than a whole report
        try:
            adjusted[known] = multipletests(p[known], method="holm")[1]
        finally:
            gc.unfreeze()
    return adjusted


def standardised(differences: FloatArray) -> FloatArray:
    """Mean paired difference over its standard deviation, Hedges' correction applied: g of the differences, [...].

    J. Cohen's d_z times ``1 - 3 / (4 (n - 1) - 1)`` (L. V. Hedges, Journal of Educational Statistics 6, 1981).
    NaN for fewer than two replicates; infinite where more than two agree to the last bit. Of two the correction leaves
    nothing: it is 0.
    """
    n = differences.shape[-1]
    if n < 2:
        return np.full(differences.shape[:-1], np.nan)
    mean, sd = differences.mean(-1), differences.std(-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((sd == 0) & (mean == 0), 0.0, mean / sd)
        return np.asarray(ratio * (1 - 3 / (4 * (n - 1) - 1)))


def equivalence(differences: FloatArray, margin: FloatArray) -> FloatArray:
    """P of two one-sided t tests that the mean difference is inside plus or minus ``margin``.

    D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987. It is below alpha just where the
    interval of level ``1 - 2 alpha`` lies inside the margin.

    Args:
        differences: [rows, replicates], no NaN.
        margin: [rows], above 0; NaN where there is none.

    Returns:
        [rows]; NaN without a margin or for a single replicate.
    """
    rows, n = differences.shape
    if n < 2 or not rows:
        return np.full(rows, np.nan)
    described = DescrStatsW(differences.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = described.ttest_mean(-margin, alternative="larger")[1]
        below = described.ttest_mean(margin, alternative="smaller")[1]
    return np.asarray(np.maximum(above, below))


def power(effect: float, n: int, alpha: float) -> float:
    """How often the sign-flip test of ``n`` replicates finds a standardised effect, at level ``alpha``.

    Its p comes in steps of 2 / 2**n. Where only the smallest one will do, all differences must have one sign, and how
    often they have is worked out for normal differences; otherwise it is the power of the paired t test at the level
    that can be reached.
    """
    reached, size = attainable(alpha, n), abs(effect)
    if not reached or n < 2:
        return 0.0
    if n <= EXACT_UP_TO and reached < 1.5 * smallest_p(n):
        return float(sps.norm.cdf(size) ** n + sps.norm.cdf(-size) ** n)
    found = float(TTestPower().power(size, n, reached))
    # the noncentral t distribution gives up where n is large, and is normal there
    return found if math.isfinite(found) else float(normal_power(size, n, reached))


def attainable(alpha: float, n: int) -> float:
    """The largest p of the sign-flip test of n replicates that is not above ``alpha``; 0 where there is none."""
    step = smallest_p(n)
    return math.floor(alpha / step + 1e-9) * step


def fewest_replicates(alpha: float) -> int | None:
    """The fewest replicates, at least 2, with which the sign-flip test can reach a p of ``alpha``; None if none can."""
    return next((n for n in range(2, EXACT_UP_TO + 2) if attainable(alpha, n)), None)


@functools.lru_cache(maxsize=4096)
def replicates_needed(effect: float, alpha: float, wanted: float = 0.8) -> int | None:
    """The fewest replicates with which a standardised effect is found with power ``wanted`` at level ``alpha``.

    None where even :data:`MOST_REPLICATES` are not enough.
    """
    size = abs(effect)
    if not math.isfinite(size):
        size = 1e6  # every replicate agrees: only the steps of p are in the way
    if power(size, MOST_REPLICATES, alpha) < wanted:
        return None
    low, high = 1, MOST_REPLICATES  # power grows with n but for the steps of p, which matter at the lower end only
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(size, middle, alpha) >= wanted else (middle, high)
    return next(n for n in range(max(2, high - EXACT_UP_TO), high + 1) if power(size, n, alpha) >= wanted)


def kendall(levels: FloatArray, values: FloatArray) -> FloatArray:
    """Kendall's tau of each replicate, [replicates]: 1 where its values rise from level to level, -1 where they fall.

    Args:
        levels: [levels], in any order.
        values: [replicates, levels]. A replicate whose values are all equal has tau 0.
    """
    with np.errstate(invalid="ignore"):
        taus = [sps.kendalltau(levels, row).statistic for row in values]
    return np.asarray(np.nan_to_num(taus), float)
