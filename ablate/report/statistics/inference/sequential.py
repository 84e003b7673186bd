"""Tests at several looks: joint sign flips whose level is spent over numbers of replicates.

A study that adds replicates until a test claims something has several chances to claim it. Alpha spending (K. K. G. Lan
and D. L. DeMets, Biometrika 70, 1983) gives each look a share of alpha, so that the claims of all looks together keep
the family-wise error rate. The boundaries come from the same joint sign flips at every look, so they need no normal
distribution.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference import flips

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.report.statistics.inference.intervals import Estimate

Spending = Literal["linear", "obrien-fleming"]

#: How many statistics of flips are in memory at once: flips x comparisons x looks.
MOST_STATISTICS = 2**23
#: The most sign flips; up to 17 replicates these are all of them.
MOST_FLIPS = 2**16
#: The fewest sign flips, whatever the number of comparisons and looks.
FEWEST_FLIPS = 2**13
#: The smallest level with a claim is searched to this relative precision.
_PRECISION = 1.005
#: Statistics that agree to this many decimals are equal.
_DECIMALS = 9


class Look(NamedTuple):
    """A look at the results.

    Attributes:
        replicates: their number, from 1.
        share: the share of alpha that may be spent at this look and all before it, 0 to 1; NaN for a look that nobody
            declared, which may spend half of what the looks before it have left of alpha, or all if they spent nothing.
    """

    replicates: int
    share: float


class SequentialTest(NamedTuple):
    """The result of tests at several looks.

    Attributes:
        adjusted: for each comparison the p of the family and of all looks, [comparisons]: the smallest alpha at which
            it is claimed at one of the looks. NaN if all its differences are missing.
        spent: the probability of a false claim up to and with each look, [looks].
        level: the level at which each comparison that is still open is tested at the last look in effect; 0 if that
            look can claim nothing.
    """

    adjusted: FloatArray
    spent: FloatArray
    level: float


def spending(fraction: float, rule: Spending = "linear", alpha: float = 0.05) -> float:
    """Return the share of alpha that may be spent up to a fraction of the largest number of replicates, 0 to 1.

    ``linear`` spends in proportion; ``obrien-fleming`` spends little at first (Lan and DeMets, 1983).
    """
    fraction = min(max(fraction, 0.0), 1.0)
    if rule == "linear" or fraction in (0.0, 1.0):
        return fraction
    return float(2 * sps.norm.sf(sps.norm.isf(alpha / 2) / math.sqrt(fraction)) / alpha)


def sequential(
    differences: FloatArray, looks: Sequence[Look], estimate: Estimate = "mean", alpha: float = 0.05
) -> SequentialTest:
    """Test a family of comparisons at several looks by joint sign flips.

    At each look the largest statistic of the family is compared with a boundary, which the sign flips of the replicates
    so far cross with the probability that may be spent. Then those that are claimed leave the family, and the others
    are tested again at all looks (E. Glimm, W. Maurer and F. Bretz, Statistics in Medicine 29, 2010).

    Args:
        differences: [comparisons, replicates]; NaN where a replicate is missing.
        looks: with increasing numbers of replicates; the last one is now.
        estimate: the test's statistic.
        alpha: the family-wise error rate over all looks.
    """
    observed, steps = _steps(differences, looks, estimate, alpha)
    adjusted, smallest, spent, level = np.full(len(differences), np.nan), 0.0, None, 0.0
    for family, tested, claims in steps:
        spent = family.boundaries(alpha)[1] if spent is None else spent
        judged = tested[claims] if claims.any() else tested
        adjusted[judged] = [max(smallest, family.level(observed[index], alpha)) for index in judged]
        smallest = float(adjusted[judged].max())
        level = family.last_level(alpha)
    return SequentialTest(adjusted, np.zeros(len(looks)) if spent is None else spent, level)


def claimed(
    differences: FloatArray, looks: Sequence[Look], estimate: Estimate = "mean", alpha: float = 0.05
) -> BoolArray:
    """Return which comparisons have ``adjusted < alpha`` in :func:`sequential`, [comparisons], in less time."""
    found = np.zeros(len(differences), bool)
    for _, tested, claims in _steps(differences, looks, estimate, alpha)[1]:
        found[tested[claims]] = True
    return found


def _steps(
    differences: FloatArray, looks: Sequence[Look], estimate: Estimate, alpha: float
) -> tuple[FloatArray, Iterator[tuple[_Family, IntArray, BoolArray]]]:
    """Return the observed statistics, [comparisons, looks], and the steps of the test.

    A step has the family, its comparisons as indices, and which of them it claims; the last step claims none.
    """
    numbers = [look.replicates for look in looks]
    statistics = [_statistics(differences, numbers[: place + 1], estimate) for place in range(len(looks))]
    observed = np.stack([each[0, :, -1] for each in statistics], axis=-1)

    def steps() -> Iterator[tuple[_Family, IntArray, BoolArray]]:
        left = np.flatnonzero(~np.isnan(differences[:, : numbers[-1]]).all(axis=-1))
        while len(left):
            family = _Family(statistics, [look.share for look in looks], left)
            claims = np.asarray((observed[left] > family.boundaries(alpha)[0]).any(axis=-1), bool)
            yield family, left, claims
            left = left[~claims] if claims.any() else left[:0]

    return observed, steps()


class _Family:
    """The boundaries of the comparisons that are tested together.

    Args:
        statistics: from :func:`_statistics`, for each look.
        shares: of alpha, for each look.
        members: the comparisons of the family, as indices.
    """

    def __init__(self, statistics: Sequence[FloatArray], shares: Sequence[float], members: IntArray) -> None:
        self._shares = shares
        self._last = statistics[-1][:, members, -1]
        # the largest statistic of each flip, [looks so far, flips], and the flips in decreasing order of the last one
        self._largest = [np.ascontiguousarray(each[:, members].max(axis=1).T) for each in statistics]
        self._orders = [np.argsort(-largest[-1], kind="stable") for largest in self._largest]
        self._known: dict[float, tuple[FloatArray, FloatArray]] = {}

    def boundaries(self, alpha: float) -> tuple[FloatArray, FloatArray]:
        """Return the limit that a claim exceeds, and what is spent, at each look: [looks], [looks]."""
        if alpha not in self._known:
            limits, spent = np.full(len(self._shares), np.inf), np.zeros(len(self._shares))
            for place in range(len(self._shares)):
                limits[place], more = self._boundary(place, alpha, limits, spent)
                spent[place] = more + (spent[place - 1] if place else 0.0)
            self._known[alpha] = limits, spent
        return self._known[alpha]

    def _boundary(self, place: int, alpha: float, limits: FloatArray, spent: FloatArray) -> tuple[float, float]:
        """Return the limit of a look, and what it spends more than the looks before it."""
        largest, order, share = self._largest[place], self._orders[place], self._shares[place]
        before = float(spent[place - 1]) if place else 0.0
        undeclared = (alpha - before) / 2 if before else alpha
        allowed = undeclared if math.isnan(share) else alpha * share - before
        count = math.floor(max(allowed, 0.0) * len(order) + 1e-9)
        # the statistics of flips that have not crossed a boundary before, in decreasing order; most are not needed
        for size in (2 * count + round(2 * before * len(order)) + 64, len(order)):
            first = largest[:, order[:size]]
            values = first[-1, ~(first[:-1] > limits[:place, None]).any(axis=0)]
            if len(values) > count:
                limit = values[count]  # statistics that are equal are claimed together or not at all
                return float(limit), float((values[:count] > limit).sum() / len(order))
        return -np.inf, len(values) / len(order)

    def level(self, observed: FloatArray, alpha: float) -> float:
        """Return the smallest alpha at which statistics, [looks], are claimed; 1 if there is none."""
        low, high = 1.0 / len(self._orders[-1]) / 2, 1.0
        if not self._claims(observed, high):
            return 1.0
        middle = alpha  # so that p is below alpha exactly if alpha gives a claim
        while high / low > _PRECISION:
            low, high = (low, middle) if self._claims(observed, middle) else (middle, high)
            middle = math.sqrt(low * high)
        return high if high != alpha else float(np.nextafter(alpha, 0.0))

    def last_level(self, alpha: float) -> float:
        """Return the share of flips in which a comparison exceeds the limit of the last look, on average."""
        return float((self._last > self.boundaries(alpha)[0][-1]).mean())

    def _claims(self, observed: FloatArray, alpha: float) -> bool:
        return bool((observed > self.boundaries(alpha)[0]).any())


def conditional_power(effect: float, n: int, most: int, level: float, margin: float = math.nan) -> float:
    """Return the probability that ``most`` replicates decide a comparison if the effect so far is the true one.

    The statistic at the end has a part that is known and a part that is normal (K. K. G. Lan, R. Simon and M. Halperin,
    Sequential Analysis 1, 1982). A comparison is decided by a difference, or by an equivalence if it has a margin.

    Args:
        effect: the mean difference of ``n`` replicates in standard deviations of a difference.
        n: number of replicates so far.
        most: number of replicates at the last look.
        level: two-sided level of this comparison at the last look.
        margin: the smallest difference that matters, in standard deviations of a difference; NaN without one.
    """
    if not math.isfinite(effect):
        return 1.0  # every replicate has the same difference
    spread = math.sqrt(most - n) / most
    if not spread:
        return 0.0
    bound = float(sps.t.isf(level / 2, most - 1)) / math.sqrt(most)
    different = sps.norm.sf((bound - effect) / spread) + sps.norm.cdf((-bound - effect) / spread)
    inside = margin - float(sps.t.isf(level, most - 1)) / math.sqrt(most)
    if not inside > 0:
        return float(different)
    equivalent = sps.norm.cdf((inside - effect) / spread) - sps.norm.cdf((-inside - effect) / spread)
    return float(min(1.0, different + equivalent))


def _statistics(differences: FloatArray, numbers: Sequence[int], estimate: Estimate) -> FloatArray:
    """Return the absolute statistics of every flip of the replicates so far, [flips, comparisons, looks so far].

    The first row is what was observed.
    """
    n = numbers[-1]
    chunks = [
        np.stack([flips.flipped(differences[:, :number], signs[:, :number], estimate) for number in numbers], axis=-1)
        for signs in flips.sign_rows(n, len(differences), _effort(len(differences) * len(numbers), estimate))
    ]
    return np.asarray(np.round(np.abs(np.concatenate(chunks)), _DECIMALS))


def _effort(cells: int, estimate: Estimate) -> flips.Effort:
    """Return how many flips fit into memory with this number of comparisons times looks."""
    if estimate != "mean":
        return flips.LESS
    most = max(FEWEST_FLIPS, min(MOST_FLIPS, MOST_STATISTICS // cells))
    return flips.Effort(most.bit_length(), most - 1)
