"""Tests of families of weighted sums of independent groups of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.equivalence import holm
from ablate.report.statistics.inference.flips import JointTest, critical_value
from ablate.report.statistics.inference.independent.moments import Sums, deviates, moments, sums, welch_p
from ablate.report.statistics.inference.independent.worlds import Runs, drawn, shuffled, smallest_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ablate.arrays import FloatArray, IntArray
    from ablate.report.statistics.inference.intervals import Estimate

#: Statistics that differ by less, relative to their size, are equal.
_TIE = 1e-9


class Family(NamedTuple):
    """Comparisons that are tested together.

    Attributes:
        runs: the runs of all variants.
        quantity: the index of each comparison's quantity, [comparisons].
        weights: of the variants, [comparisons, variants].
    """

    runs: Runs
    quantity: IntArray
    weights: FloatArray

    def sums(self, groups: Sequence[Sequence[FloatArray]], estimate: Estimate) -> Sums:
        """Return every comparison of values by quantity and variant, [..., comparisons]."""
        places = [np.flatnonzero(self.quantity == q) for q in range(len(groups))]
        parts = [
            sums(moments(values, estimate), self.weights[place])
            for values, place in zip(groups, places, strict=True)
            if len(place)
        ]
        order = np.argsort(np.concatenate([place for place in places if len(place)]), kind="stable")
        return Sums(*(np.concatenate(each, axis=-1)[..., order] for each in zip(*parts, strict=True)))

    def observed(self, estimate: Estimate) -> Sums:
        """Return every comparison of the runs themselves, [comparisons]."""
        return self.sums([self.runs.of(q) for q in range(self.runs.values.shape[1])], estimate)


def max_t(family: Family, estimate: Estimate = "mean", alpha: float = 0.05) -> JointTest:
    """Test a family by step-down max-T in two worlds without a difference, and take the larger p of both.

    The statistic is Welch's t on the scale of normal deviates, so groups of few runs count as others do. See
    :mod:`ablate.report.statistics.inference.independent.worlds`; step-down max-T is that of P. H. Westfall and S. S.
    Young, "Resampling-based multiple testing", 1993, algorithm 2.8.

    Args:
        family: the comparisons.
        estimate: of each group.
        alpha: the family-wise error rate, for the level only.

    Returns:
        p NaN where a group of a comparison has fewer than two runs.
    """
    observed = family.observed(estimate)
    tested = np.flatnonzero(~np.isnan(observed.error))
    p, adjusted = np.full(len(family.weights), np.nan), np.full(len(family.weights), np.nan)
    if not len(tested):
        return JointTest(p, adjusted, 0.0)
    family = Family(family.runs, family.quantity[tested], family.weights[tested])
    size = np.abs(deviates(Sums(*(part[tested] for part in observed))))
    one = _step_down(size, _statistics(family, shuffled(family.runs), estimate), observed=0)
    normal = np.concatenate(list(_statistics(family, drawn(family.runs), estimate)))
    other = _step_down(size, [normal], observed=1)
    p[tested] = np.maximum(one[0], welch_p(Sums(*(part[tested] for part in observed))))
    adjusted[tested] = np.maximum(p[tested], np.maximum(one[1], other[1]))
    if smallest_p([len(each) for each in _present(family.runs)]) > alpha:
        return JointTest(p, adjusted, 0.0)
    still_open = ~(adjusted[tested] < alpha)
    return JointTest(p, adjusted, _level(normal[:, still_open if still_open.any() else slice(None)], alpha))


def each_test(family: Family, estimate: Estimate = "mean") -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the adjusted p of :func:`max_t`, and of each test alone, for simulations: Welch with Holm, both worlds.

    Every group has two runs or more.
    """
    observed = family.observed(estimate)
    size, welch = np.abs(deviates(observed)), welch_p(observed)
    alone, one = _step_down(size, _statistics(family, shuffled(family.runs), estimate), observed=0)
    _, other = _step_down(size, _statistics(family, drawn(family.runs), estimate), observed=1)
    return np.max([alone, welch, one, other], axis=0), holm(welch), one, other


def _present(runs: Runs) -> list[FloatArray]:
    """Return the runs of each variant."""
    return [runs.values[runs.group == group] for group in range(runs.groups)]


def _statistics(family: Family, worlds: Iterable[list[list[FloatArray]]], estimate: Estimate) -> Iterator[FloatArray]:
    """Yield the size of the statistic of each comparison in batches of worlds, [worlds, comparisons]."""
    for groups in worlds:
        yield np.abs(deviates(family.sums(groups, estimate)))


def _step_down(size: FloatArray, worlds: Iterable[FloatArray], observed: int) -> tuple[FloatArray, FloatArray]:
    """Return the p of each comparison alone and for the family, [comparisons] each.

    Args:
        size: of the statistics in the runs, [comparisons].
        worlds: batches of sizes in worlds without a difference, [worlds, comparisons].
        observed: 1 if the runs themselves are not among these worlds, and are counted as one more.
    """
    order = np.argsort(-size, kind="stable")
    bound = size[order] * (1 - _TIE)
    alone, jointly = np.full(len(size), float(observed)), np.full(len(size), float(observed))
    total = observed
    for batch in worlds:
        ordered = batch[:, order]
        alone[order] += (ordered >= bound).sum(axis=0)
        largest = np.maximum.accumulate(ordered[:, ::-1], axis=1)[:, ::-1]
        jointly[order] += (largest >= bound).sum(axis=0)
        total += len(batch)
    jointly[order] = np.maximum.accumulate(jointly[order])
    return alone / total, jointly / total


def _level(statistics: FloatArray, alpha: float) -> float:
    """Return the level at which each open comparison is tested in effect."""
    critical = critical_value(statistics.max(axis=1), alpha)
    return float((statistics >= critical * (1 - _TIE)).mean())
