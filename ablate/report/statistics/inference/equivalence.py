"""Tests that a difference is inside a margin."""

from __future__ import annotations

import functools
import gc
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps
from statsmodels.stats.multitest import multipletests

from ablate.report.statistics.inference.intervals import ROUNDING, spread, trimmed
from ablate.report.statistics.inference.power import MOST_REPLICATES, tail

if TYPE_CHECKING:
    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate


#: With fewer replicates there is no verdict.
FEWEST = 6
#: How much of the skewness that is seen, and that could be there unseen, a test allows for; chosen by simulation so
#: that exponential and lognormal differences keep the level from :data:`FEWEST` replicates on.
ALLOWANCE = {"mean": 9.0, "iqm": 3.0}
#: The skewness that nothing in the replicates shows.
UNSEEN = 0.8
#: Differences that differ by less, relative to the larger of themselves and the margin, are equal.
_SAME = 1e-9
#: The reason where a margin that varies with the replicates is missing in some.
_PARTLY = "the margin is a share of the baseline, which misses some of these replicates"


class Equivalence(NamedTuple):
    """The result of :func:`equivalence`.

    Attributes:
        p: [rows]; NaN without a margin, 1.0 where there is a reason.
        reason: why there can be no verdict, ready for a sentence; empty where there can be one, [rows].
    """

    p: FloatArray
    reason: list[str]


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


def equivalence(differences: FloatArray, margin: FloatArray, estimate: Estimate = "mean") -> Equivalence:
    """Test that the mean (or interquartile mean) difference is inside plus or minus ``margin``.

    Two one-sided tests (D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987), whose t values
    are corrected for skewness as in N. J. Johnson, "Modified t tests and confidence intervals for asymmetrical
    populations" (JASA 73, 1978). The skewness of few values says little about that of their distribution, so the
    correction assumes more than is seen, to the side that would make a claim wrong. See
    docs/explanation/statistics/equivalence.md for what this keeps and what it costs.

    There is no verdict for fewer than :data:`FEWEST` replicates, nor where more than half of the differences are equal:
    then the spread says nothing about the differences that were not seen.

    Args:
        differences: [rows, replicates], no NaN.
        margin: [rows], or [rows, replicates] where each replicate has its own: then the mean difference is compared
            with the mean margin, and both are uncertain. NaN without a margin; if it is missing in some replicates
            only, there is no verdict.
        estimate: what is inside the margin.
    """
    rows, n = differences.shape
    limits = np.broadcast_to(margin if np.ndim(margin) == 2 else np.reshape(margin, (-1, 1)), (rows, n))
    missing, wanted = np.isnan(limits), limits.mean(axis=1) > 0
    partly = np.asarray(missing.any(axis=1) & ~missing.all(axis=1))
    p, reason = np.where(wanted | partly, 1.0, np.nan), [_PARTLY if each else "" for each in partly.tolist()]
    few = f"{n} replicate{'s are' if n > 1 else ' is'} too few for it, {FEWEST} is the fewest"
    if n < FEWEST or not wanted.any():
        return Equivalence(p, [few if each else other for each, other in zip(wanted, reason, strict=True)])
    most, half = _equal(differences, limits.max(axis=1)), n / 2
    for row in np.flatnonzero(wanted & (most > half)):
        reason[row] = _too_alike(int(most[row]), n)
    tested = wanted & (most <= half)
    if tested.any():
        sides = [_one_side(limits[tested] + sign * differences[tested], estimate) for sign in (-1.0, 1.0)]
        p[tested] = np.maximum(*sides)
    return Equivalence(p, reason)


def _too_alike(most: int, n: int) -> str:
    """Return the reason against a verdict where ``most`` of ``n`` differences are equal."""
    if most == n:
        return f"all {n} replicates have the same difference, so nothing shows how much it varies"
    return f"{most} of {n} replicates have the same difference, so the others decide and are too few"


def _equal(differences: FloatArray, margin: FloatArray) -> FloatArray:
    """Return how many replicates share the most frequent difference, [rows]."""
    scale = np.maximum(np.abs(differences).max(axis=1), np.nan_to_num(margin))
    steps = np.diff(np.sort(differences, axis=1), axis=1) > _SAME * scale[:, None]
    groups = np.concatenate([np.zeros((len(steps), 1), int), np.cumsum(steps, axis=1)], axis=1)
    return np.asarray((groups[:, :, None] == groups[:, None, :]).sum(axis=2).max(axis=1))


def _one_side(room: FloatArray, estimate: Estimate) -> FloatArray:
    """Return the p of the test that the mean room up to a margin is above 0, corrected for skewness, [rows]."""
    middle, error, freedom = spread(room, estimate)
    # a sum of rounded numbers may be a little too large
    middle = middle - ROUNDING * np.abs(room).max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # a claim would be wrong where a long tail reaches down to the margin and beyond
        t = corrected(middle / error, _assumed(-sps.skew(room, axis=1), room.shape[1], estimate))
    # where the middle half agrees, an interquartile mean has no standard error and tells nothing
    return np.asarray(np.where(error > 0, sps.t.sf(t, freedom), 1.0))


def _assumed(skewness: FloatArray | float, n: int, estimate: Estimate) -> FloatArray:
    """Return the skewness that the correction assumes towards the margin, over the square root of n."""
    return np.asarray(ALLOWANCE[estimate] * np.maximum(UNSEEN + skewness, 0.0) / n**0.75)


def corrected(t: FloatArray, assumed: FloatArray) -> FloatArray:
    """Return the t value that, corrected for skewness, is ``t``: solves u + assumed (1 + 2 u^2) / 6 = t for u."""
    curve = np.maximum(assumed / 3, 1e-9)
    # t far below 0 has no solution, and no claim either
    return np.asarray((np.sqrt(np.maximum(1 - 4 * curve * (assumed / 6 - t), 0.0)) - 1) / (2 * curve))


@functools.lru_cache(maxsize=4096)
def replicates_for_equivalence(
    sd: float, margin: float, level: float = 0.05, power: float = 0.8, estimate: Estimate = "mean"
) -> int | None:
    """Return the fewest replicates that show a difference of 0 to be inside the margin, for normal differences.

    Args:
        sd: standard deviation of the paired differences (of a mean), or the standard error times the square root of n.
        margin: above 0, in the same unit.
        level: of the test.
        power: the chance that it succeeds.
        estimate: what is inside the margin.

    Returns:
        None if even :data:`~ablate.report.statistics.inference.power.MOST_REPLICATES` are not enough.
    """
    ratio = margin / sd if sd > 0 else np.inf

    def enough(n: int) -> bool:
        return equivalence_power(ratio, n, level, estimate) >= power

    if not enough(MOST_REPLICATES):
        return None
    low, high = FEWEST - 1, MOST_REPLICATES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def equivalence_power(ratio: float, n: int, level: float = 0.05, estimate: Estimate = "mean") -> float:
    """Return about how often ``n`` normal differences around 0 are shown to be inside the margin.

    Args:
        ratio: the margin over the standard deviation of the differences.
        n: number of replicates.
        level: of the test.
        estimate: what is inside the margin.
    """
    freedom = n - 2 * trimmed(n, estimate) - 1
    if n < FEWEST:
        return 0.0
    if not np.isfinite(ratio):
        return 1.0
    # skewness appears by chance on one of the two sides; this share of its standard deviation gives the power simulated
    by_chance = 0.3 * math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    t = sps.t.ppf(1 - level, freedom)
    needed = t + float(_assumed(by_chance, n, estimate)) * (1 + 2 * t**2) / 6
    return max(0.0, 2 * tail(needed, freedom, ratio * math.sqrt(n)) - 1)
