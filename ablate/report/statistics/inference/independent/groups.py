"""One comparison of independent groups of runs, with everything that its numbers need."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.independent.moments import Moments, Sums, interval, moments, sums
from ablate.report.statistics.inference.power import hedges

if TYPE_CHECKING:
    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate


@dataclasses.dataclass(frozen=True)
class Groups:
    """A weighted sum of the means of independent groups of runs, in one quantity.

    Attributes:
        values: of each group, at least one, [runs of the group] each.
        weights: of the groups, [groups], none 0.
        estimate: of each group.
    """

    values: tuple[FloatArray, ...]
    weights: FloatArray
    estimate: Estimate = "mean"

    @property
    def sizes(self) -> list[int]:
        """The number of runs of each group."""
        return [len(group) for group in self.values]

    @property
    def alike(self) -> bool:
        """True if all runs of all groups have one value."""
        return bool(np.ptp(np.concatenate(self.values)) == 0)

    @functools.cached_property
    def moments(self) -> Moments:
        """The estimates of the groups, [groups]."""
        return moments(self.values, self.estimate)

    @functools.cached_property
    def sums(self) -> Sums:
        """The weighted sum, each number a scalar array [1]."""
        return sums(self.moments, self.weights[None])

    def interval(self, level: float) -> tuple[float, float]:
        """Return Welch's interval of the weighted sum; NaN where a group has a single run."""
        low, high = interval(self.sums, level)
        return float(low[0]), float(high[0])

    @property
    def variances(self) -> FloatArray:
        """The variance of a run in each group, [groups]; of interquartile means, the squared error times the runs."""
        return np.asarray(self.moments.error * np.array(self.sizes))

    @property
    def effect(self) -> float:
        """The standardised difference: over the root of the mean variance of a run, with Hedges' correction.

        Variances are weighted with the squared weights; two variants have the mean of both. Infinite if no group
        varies and the sum is not 0; NaN where a group has a single run.
        """
        found, squares = self.sums, self.weights**2
        difference, freedom = float(found.difference[0]), float(found.freedom[0])
        scale = float(np.sqrt((squares * self.variances).sum() / squares.sum()))
        if not scale:
            return float(np.sign(difference) * np.inf) if difference else 0.0
        return difference / scale * (hedges(freedom) if np.isfinite(freedom) and freedom > 1 else 1.0)

    @property
    def p_better(self) -> float:
        """The share of all pairs of a run of each of two groups in which the weighted one is larger; a tie counts half.

        NaN for more than two groups.
        """
        if len(self.values) != 2:
            return float("nan")
        one, other = (np.sign(w) * group for w, group in zip(self.weights, self.values, strict=True))
        wins = one[:, None] + other[None, :]
        return float(((wins > 0) + 0.5 * (wins == 0)).mean())
