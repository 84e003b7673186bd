"""Sign-flip permutation tests of paired differences, alone and jointly for a family of comparisons.

If two variants have the same distribution in every replicate, the difference of a replicate is as likely to have the
other sign (R. A. Fisher, "The design of experiments", 1935, section 21). The tests try all assignments of signs to
replicates. The same signs go to all comparisons at once, so whatever the comparisons have in common (a baseline,
correlated metrics) is accounted for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.intervals import estimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate


#: Up to this number of replicates all assignments of signs are tried; beyond, random ones.
EXACT_UP_TO = 20
#: The number of random assignments.
RANDOM_FLIPS = 2**17 - 1
#: Statistics that differ by less are equal. They lie between 0 and the square root of the number of replicates.
TIE = 1e-10
#: How many numbers a test has in memory at once.
_AT_ONCE = 200_000


class Effort(NamedTuple):
    """The number of assignments of signs that a test tries.

    Attributes:
        exact_up_to: up to this number of replicates, all of them.
        draws: beyond, this number of random ones.
    """

    exact_up_to: int = EXACT_UP_TO
    draws: int = RANDOM_FLIPS


#: The effort for statistics that take long: the interquartile mean, or each of many variants against each other.
LESS = Effort(14, 2**13 - 1)


class JointTest(NamedTuple):
    """The result of :func:`max_t`.

    Attributes:
        p: of each comparison alone, two-sided, [comparisons]; NaN with fewer than two replicates.
        adjusted: the same, adjusted for the whole family.
        level: the level at which each comparison that is still open is tested in effect; 0.0 if no result of this
            many replicates can be significant.
    """

    p: FloatArray
    adjusted: FloatArray
    level: float


def sign_flip(differences: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return the two-sided p of the sign-flip test that paired differences are symmetric about 0.

    It is the share of all assignments of signs whose statistic is at least as far from 0 as the observed one.

    Args:
        differences: [..., replicates].
        estimate: the test's statistic.

    Returns:
        p in (0, 1], [...]; NaN for a single replicate.

    Raises:
        ValueError: a difference is NaN or infinite.
    """
    if not np.isfinite(differences).all():
        raise ValueError("every difference must be a finite number")
    rows = differences.reshape(-1, differences.shape[-1])
    if not len(rows) or rows.shape[1] < 2:
        return np.full(differences.shape[:-1], np.nan)
    return _p_values(rows, estimate)[0].reshape(differences.shape[:-1])


def max_t(differences: FloatArray, estimate: Estimate = "mean", alpha: float = 0.05) -> JointTest:
    """Test a family of comparisons by step-down max-T over joint sign flips.

    P. H. Westfall and S. S. Young, "Resampling-based multiple testing", 1993, algorithm 2.8. The probability of any
    false claim is at most ``alpha``, whichever differences are real, if the joint distribution of the comparisons
    without a difference is symmetric about 0. The statistic of a comparison is its sum over replicates relative to its
    root sum of squares, which no flip changes; so comparisons on different scales count alike.

    Args:
        differences: [comparisons, replicates]; NaN where a comparison misses a replicate.
        estimate: what a comparison's statistic is made of.
        alpha: the family-wise error rate, for ``level`` only.

    Raises:
        ValueError: a difference is infinite.
    """
    if np.isinf(differences).any():
        raise ValueError("no difference may be infinite")
    p, adjusted = np.full(len(differences), np.nan), np.full(len(differences), np.nan)
    tested = np.flatnonzero((~np.isnan(differences)).sum(axis=-1) > 1)
    if not len(tested):
        return JointTest(p, adjusted, 0.0)
    rows = differences[tested]
    rows = rows[:, ~np.isnan(rows).all(axis=0)]
    p[tested], adjusted[tested] = _p_values(rows, estimate)
    still_open = rows[~(adjusted[tested] < alpha)]
    return JointTest(p, adjusted, _level(still_open if len(still_open) else rows, estimate, alpha))


def _p_values(rows: FloatArray, estimate: Estimate) -> tuple[FloatArray, FloatArray]:
    """Return the p of each comparison alone and for the family, [comparisons] each, of two replicates or more."""
    observed = np.abs(flipped(rows, np.ones((1, rows.shape[1])), estimate))[0]
    order = np.argsort(-observed, kind="stable")
    alone, jointly, total = np.zeros(len(rows)), np.zeros(len(rows)), 0
    for signs in sign_rows(rows.shape[1], len(rows), Effort() if estimate == "mean" else LESS):
        statistics = np.abs(flipped(rows[order], signs, estimate))
        alone[order] += (statistics >= observed[order] - TIE).sum(axis=0)
        jointly[order] += (_largest_from_here(statistics) >= observed[order] - TIE).sum(axis=0)
        total += len(signs)
    jointly[order] = np.maximum.accumulate(jointly[order])
    return alone / total, jointly / total


def _largest_from_here(statistics: FloatArray) -> FloatArray:
    """Return the largest statistic among each comparison and those after it, [flips, comparisons]."""
    # a row for each comparison, because the maximum of two rows takes a fraction of the time of two columns
    return np.asarray(np.maximum.accumulate(np.ascontiguousarray(statistics.T[::-1]))[::-1].T)


def _level(rows: FloatArray, estimate: Estimate, alpha: float) -> float:
    """Return the share of flips in which a comparison reaches the critical value of all of them, on average."""

    def statistics() -> Iterator[FloatArray]:
        # the level is for advice only, so with many replicates fewer assignments are enough
        for signs in sign_rows(rows.shape[1], len(rows), LESS):
            yield np.abs(flipped(rows, signs, estimate))

    critical = critical_value(np.concatenate([chunk.max(axis=1) for chunk in statistics()]), alpha)
    reached = [(chunk >= critical - TIE).mean(axis=1) for chunk in statistics()]
    return float(np.concatenate(reached).mean())


def critical_value(statistics: FloatArray, alpha: float) -> float:
    """Return the smallest statistic that at most a share ``alpha`` of the flips reach; infinite if there is none."""
    ordered = np.sort(statistics)[::-1]
    allowed = int(np.floor(alpha * len(ordered) + 1e-9))
    reached = ordered[:allowed]
    # ties with the first one that is not allowed are not allowed either
    reached = reached[reached > ordered[allowed] + TIE]
    return float(reached[-1]) if len(reached) else np.inf


def flipped(differences: FloatArray, signs: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return the signed statistic of each comparison under each assignment of signs, [assignments, comparisons].

    For the mean it lies between plus and minus the square root of the number of replicates. A comparison without any
    replicate has the statistic 0.

    Args:
        differences: [comparisons, replicates]; NaN where a comparison misses a replicate.
        signs: [assignments, replicates], +1 or -1.
        estimate: ``mean``, or ``iqm`` for the interquartile mean.
    """
    known = ~np.isnan(differences)
    values = np.where(known, differences, 0.0)
    # scaled first, because squares of tiny numbers are 0
    values = values / np.maximum(np.abs(values).max(axis=1, keepdims=True), np.finfo(float).tiny)
    scaled = values / np.maximum(np.sqrt((values**2).sum(axis=1, keepdims=True)), 1.0)
    if estimate == "mean":
        # not a matrix product: on a busy machine, the threads that BLAS starts for each small one wait for each other
        return np.asarray(np.einsum("ij,jk->ik", signs, np.ascontiguousarray(scaled.T)))
    columns = [
        estimator(estimate)(signs[:, present] * row[present], axis=-1) * present.sum()
        if present.any()
        else np.zeros(len(signs))
        for row, present in zip(scaled, known, strict=True)
    ]
    return np.stack(columns, axis=-1)


def sign_rows(n: int, comparisons: int = 1, effort: Effort | None = None) -> Iterator[FloatArray]:
    """Yield assignments of signs to ``n`` replicates in chunks, [assignments, n]; the first is the observed one.

    Of two assignments with opposite signs everywhere only one is yielded: two-sided statistics are equal for both.

    Args:
        n: number of replicates.
        comparisons: for how many comparisons a chunk must fit into memory.
        effort: how many assignments; default all up to :data:`EXACT_UP_TO` replicates.
    """
    effort = effort or Effort()
    size = max(1, _AT_ONCE // max(n, comparisons))
    if n <= effort.exact_up_to:
        for start in range(0, 2 ** (n - 1), size):
            numbers = np.arange(start, min(start + size, 2 ** (n - 1)))
            yield 1.0 - 2.0 * (numbers[:, None] >> np.arange(n) & 1)
        return
    rng = np.random.default_rng(0)
    yield np.ones((1, n))
    for start in range(0, effort.draws, size):
        yield 1.0 - 2.0 * rng.integers(0, 2, (min(size, effort.draws - start), n))


def smallest_p(n: int) -> float:
    """Return the smallest p that a test of ``n`` replicates can give: all differences have the same sign."""
    return 2.0 / 2**n if n <= EXACT_UP_TO else 1.0 / (RANDOM_FLIPS + 1)
