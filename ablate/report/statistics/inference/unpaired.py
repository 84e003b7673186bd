"""Comparisons of two groups of replicates that share no seeds, so that no replicate of one belongs to one of the other.

Two tests must agree, so p is the larger of both. The permutation test of Welch's t (Yuen's t for interquartile means),
in which every replicate may belong to either group, is exact if both groups have one distribution (R. A. Fisher, "The
design of experiments", 1935), but not if one group is noisier. Welch's t itself (B. L. Welch, Biometrika 34, 1947)
allows for that, but only for values that are about normal.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.equivalence import holm
from ablate.report.statistics.inference.intervals import estimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import Array, FloatArray
    from ablate.report.statistics.inference.intervals import Estimate

#: Up to this number of ways to divide the replicates in two groups, all of them are tried: 9 and 9 replicates.
EXACT_UP_TO = 50_000
#: Beyond, this number of random ones, and the observed one.
RANDOM = 9_999
#: How many numbers are in memory at once.
_AT_ONCE = 2_000_000
#: Statistics that differ by less, relative to their size, are equal.
_ROUNDING = 1e-9


class TwoSample(NamedTuple):
    """Two groups against each other, each number [comparisons].

    Attributes:
        difference: mean of the second group minus that of the first; of interquartile means where these are estimated.
        low: lower end of Welch's interval (Yuen's for interquartile means), uncorrected.
        high: upper end.
        effect: the standardised difference: over the root of the mean of both variances, with Hedges' correction.
        p: the larger p of both tests, two-sided.
        adjusted: the larger one after correction for all comparisons: the permutation test by step-down max-T (P. H.
            Westfall and S. S. Young, "Resampling-based multiple testing", 1993), Welch's by Holm's method.
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    effect: FloatArray
    p: FloatArray
    adjusted: FloatArray


def two_sample(one: FloatArray, other: FloatArray, estimate: Estimate = "mean", level: float = 0.95) -> TwoSample:
    """Compare two groups of replicates, for several quantities or variants at once.

    All comparisons are permuted together: a replicate keeps its own values. NaN where a group has fewer than two
    replicates.

    Args:
        one: [comparisons, replicates of the first group]; NaN for a missing replicate.
        other: [comparisons, replicates of the second group].
        estimate: of each group.
        level: of the intervals, 0 to 1.
    """
    trim = 0.0 if estimate == "mean" else 0.25
    rows = [_welch(a[~np.isnan(a)], b[~np.isnan(b)], estimate, level) for a, b in zip(one, other, strict=True)]
    difference, low, high, effect, p = np.array(rows, float).reshape(-1, 5).T
    adjusted = holm(p)
    known = ~np.isnan(p)
    if known.any():
        permuted, corrected = _permutation_p(one[known], other[known], trim)
        p[known], adjusted[known] = np.maximum(p[known], permuted), np.maximum(adjusted[known], corrected)
    return TwoSample(difference, low, high, effect, p, adjusted)


def _welch(one: Array, other: Array, estimate: Estimate, level: float) -> tuple[float, float, float, float, float]:
    """Return the difference of two groups, its interval, the standardised difference, and the p of Welch's t."""
    nothing = (math.nan, math.nan, math.nan, math.nan)
    if not (len(one) and len(other)):
        return math.nan, *nothing
    middle = estimator(estimate)
    difference = float(middle(other) - middle(one))
    if min(len(one), len(other)) < 2:
        return difference, *nothing
    trim = 0.0 if estimate == "mean" else 0.25
    (_, error_a, df_a), (_, error_b, df_b) = (_moments(group[None], trim) for group in (one, other))
    error = float(error_a[0] + error_b[0])
    if error == 0.0:
        same = abs(difference) <= _ROUNDING * float(np.abs(one).max())
        effect = 0.0 if same else math.copysign(math.inf, difference)
        return difference, difference, difference, effect, float(same)
    freedom = error**2 / float(error_a[0] ** 2 / df_a[0] + error_b[0] ** 2 / df_b[0])
    half = float(sps.t.ppf(0.5 + level / 2, freedom)) * math.sqrt(error)
    spread = math.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    correction = 1 - 3 / (4 * (len(one) + len(other) - 2) - 1)
    effect = difference / spread * correction if spread else math.copysign(math.inf, difference)
    p = 2 * float(sps.t.sf(abs(difference) / math.sqrt(error), freedom))
    return difference, difference - half, difference + half, effect, p


def _moments(values: FloatArray, trim: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the trimmed mean, its squared standard error, and its degrees of freedom.

    K. K. Yuen, Biometrika 61, 1974.

    Args:
        values: [..., replicates], NaN for a missing one.
        trim: the share that is cut at either end; 0 gives the mean and its usual error.
    """
    values = np.sort(values, axis=-1) if trim else values  # NaN last
    n = (~np.isnan(values)).sum(-1)
    cut = (trim * n).astype(int)
    kept = n - 2 * cut
    with np.errstate(invalid="ignore", divide="ignore"):
        if trim:
            places = np.arange(values.shape[-1])
            inside = (places >= cut[..., None]) & (places < (n - cut)[..., None])
            middle = np.where(inside, values, 0.0).sum(-1) / kept
            low = np.take_along_axis(values, cut[..., None], -1)
            high = np.take_along_axis(values, np.maximum(n - cut - 1, 0)[..., None], -1)
            values = np.clip(values, low, high)  # winsorised
        else:
            middle = np.nansum(values, -1) / n
        deviations = values - (np.nansum(values, -1) / n)[..., None]
        squares = np.nansum(deviations**2, -1)
        # rounding alone is no spread
        squares = np.where(squares <= _ROUNDING**2 * np.nansum(values**2, -1), 0.0, squares)
        return middle, squares / (kept * (kept - 1.0)), np.asarray(kept - 1.0)


def _permutation_p(one: FloatArray, other: FloatArray, trim: float) -> tuple[FloatArray, FloatArray]:
    """Return the p of each comparison, and the p that step-down max-T gives, [comparisons]."""
    pooled, size = np.concatenate([one, other], axis=-1), one.shape[-1]
    observed = _statistics(pooled, np.arange(size)[None], trim)[0]
    order = np.argsort(-observed, kind="stable")
    bound = (observed * (1 - _ROUNDING))[order]
    alone, together, count = np.zeros(len(order)), np.zeros(len(order)), 0
    for chosen in _divisions(size, pooled.shape[-1], len(pooled)):
        values = _statistics(pooled, chosen, trim)[:, order]
        alone += (values >= bound).sum(0)
        # the largest statistic among this comparison and those with a smaller one
        together += (np.maximum.accumulate(values[:, ::-1], axis=1)[:, ::-1] >= bound).sum(0)
        count += len(values)
    p, adjusted = np.empty(len(order)), np.empty(len(order))
    p[order], adjusted[order] = alone / count, np.maximum.accumulate(together / count)
    return p, adjusted


def _divisions(size: int, total: int, comparisons: int) -> Iterator[Array]:
    """Yield the members of the first group, [divisions, size]: all divisions, or the observed one and random ones."""
    batch = max(1, _AT_ONCE // (total * comparisons))
    if math.comb(total, size) <= EXACT_UP_TO:
        every = itertools.combinations(range(total), size)
        while chosen := list(itertools.islice(every, batch)):
            yield np.array(chosen)
        return
    yield np.arange(size)[None]
    rng = np.random.default_rng(0)
    for start in range(0, RANDOM, batch):
        yield rng.permuted(np.tile(np.arange(total), (min(batch, RANDOM - start), 1)), axis=1)[:, :size]


def _statistics(pooled: FloatArray, chosen: Array, trim: float) -> FloatArray:
    """Return the size of Welch's or Yuen's t for each division and comparison, [divisions, comparisons].

    Infinite where both groups are constant and differ; 0 where a group has fewer than two replicates.
    """
    rest = np.ones((len(chosen), pooled.shape[-1]), bool)
    np.put_along_axis(rest, chosen, values=False, axis=1)
    others = np.nonzero(rest)[1].reshape(len(chosen), -1)
    (first, first_error, _), (second, second_error, _) = (
        _moments(np.moveaxis(pooled[:, members], 0, 1), trim) for members in (chosen, others)
    )
    difference, error = np.abs(second - first), np.sqrt(first_error + second_error)
    # means that differ by rounding alone are equal
    difference = np.where(difference <= _ROUNDING * (np.abs(first) + np.abs(second)), 0.0, difference)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(difference / error, nan=0.0, posinf=np.inf)
