"""Tests that a weighted sum of independent groups is inside a margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.equivalence import ALLOWANCE, FEWEST, UNSEEN, corrected
from ablate.report.statistics.inference.independent.moments import ROUNDING, moments, sums
from ablate.report.statistics.inference.power import MOST_REPLICATES, tail

if TYPE_CHECKING:
    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.independent.groups import Groups
    from ablate.report.statistics.inference.intervals import Estimate


class Limit(NamedTuple):
    """A margin: a number, or a share of the mean of a group.

    Attributes:
        size: above 0; of a share, the share.
        share_of: the runs of the group that it is a share of; None for a number.
    """

    size: float
    share_of: FloatArray | None = None

    def value(self, estimate: Estimate) -> float:
        """Return the margin in the unit of the quantity; NaN if the group's mean is 0 or unknown."""
        if self.share_of is None:
            return self.size
        middle = float(moments([self.share_of], estimate).middle[0])
        return self.size * abs(middle) or math.nan


class Inside(NamedTuple):
    """The p of the test; NaN without a margin, and 1 where there is a reason for no verdict, in words."""

    p: float
    reason: str


def equivalence(groups: Groups, limit: Limit) -> Inside:
    """Test that a weighted sum is inside plus or minus a margin.

    Two one-sided tests of Welch's t (D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987),
    corrected for skewness as in :func:`ablate.report.statistics.inference.equivalence.equivalence`: the skewness of the
    sum is that of its groups, each assumed to have more than it shows, to the side that would make a claim wrong. A
    margin that is a share of a group is one more weight of that group, so its uncertainty is part of the test.

    There is no verdict where a group has fewer than :data:`FEWEST` runs, nor where more than half of its runs have one
    value: then their spread says nothing about the values that were not seen.
    """
    if math.isnan(limit.value(groups.estimate)):
        return Inside(math.nan, "")
    sizes = [*groups.sizes, *([] if limit.share_of is None else [len(limit.share_of)])]
    if min(sizes) < FEWEST:
        runs = "run is" if min(sizes) == 1 else "runs are"
        return Inside(1.0, f"{min(sizes)} {runs} too few for it, {FEWEST} of each variant are the fewest")
    for values in groups.values:
        most = int(np.unique(values, return_counts=True)[1].max())
        if most > len(values) / 2:
            equal = f"{most} of {len(values)} runs of a variant have the same value"
            return Inside(1.0, f"{equal}, so the others decide and are too few")
    return Inside(max(_one_side(groups, limit, sign) for sign in (-1.0, 1.0)), "")


def _one_side(groups: Groups, limit: Limit, sign: float) -> float:
    """Return the p of the test that the room up to a margin is above 0, corrected for skewness."""
    values, weights, room = list(groups.values), list(sign * groups.weights), 0.0
    if limit.share_of is None:
        room = limit.size
    else:
        share = limit.size * np.sign(limit.share_of.mean())
        same = next((at for at, own in enumerate(values) if own is limit.share_of), None)
        if same is None:
            values, weights = [*values, limit.share_of], [*weights, share]
        else:
            weights[same] += share
    used = np.array(weights)
    each = moments(values, groups.estimate)
    found = sums(each, used[None])
    error, freedom = float(found.error[0]), float(found.freedom[0])
    if not error:
        return 1.0
    # a sum of rounded numbers may be a little too large
    middle = room + float(found.difference[0]) - ROUNDING * (abs(room) + float(np.abs(used * each.middle).sum()))
    varied = zip(used, values, each.error, strict=True)
    tails = np.array([-np.sign(w) * sps.skew(own) if spread else 0.0 for w, own, spread in varied])
    sizes = np.array([len(own) for own in values])
    assumed = _assumed(np.abs(used) * np.sqrt(each.error), sizes, tails, groups.estimate)
    return float(sps.t.sf(corrected(np.array(middle / error), np.array(assumed)), freedom))


def _assumed(errors: FloatArray, sizes: FloatArray, skewness: FloatArray, estimate: Estimate) -> float:
    """Return the skewness of a weighted sum that is assumed towards the margin.

    Args:
        errors: the standard errors of the weighted groups, [groups].
        sizes: their numbers of runs, [groups].
        skewness: of their runs, towards the margin, [groups].
        estimate: of each group.
    """
    each = ALLOWANCE[estimate] * np.maximum(UNSEEN + skewness, 0.0) / sizes**0.75
    return float((errors**3 * each).sum() / ((errors**2).sum() ** 1.5))


def runs_for_equivalence(groups: Groups, margin: float, level: float, power: float) -> int | None:
    """Return the fewest runs of each variant that show a sum of 0 to be inside the margin, for normal values.

    None if even :data:`~ablate.report.statistics.inference.power.MOST_REPLICATES` are not enough.
    """
    low, high = FEWEST - 1, MOST_REPLICATES
    if power_of(groups, margin, high, level) < power:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(groups, margin, middle, level) >= power else (middle, high)
    return high


def power_of(groups: Groups, margin: float, runs: int, level: float) -> float:
    """Return about how often a sum of 0 is shown to be inside the margin, with this number of runs of each variant."""
    parts = groups.weights**2 * groups.variances / runs
    error = math.sqrt(float(parts.sum()))
    if not error:
        return 1.0
    freedom = float(parts.sum() ** 2 / (parts**2 / (runs - 1)).sum())
    # skewness appears by chance on one of the two sides; this share of its standard deviation gives the power simulated
    by_chance = 0.3 * math.sqrt(6 * (runs - 2) / ((runs + 1) * (runs + 3)))
    sizes = np.full(len(parts), runs)
    assumed = _assumed(np.sqrt(parts), sizes, np.full(len(parts), by_chance), groups.estimate)
    t = float(sps.t.ppf(1 - level, freedom))
    return max(0.0, 2 * tail(t + assumed * (1 + 2 * t**2) / 6, freedom, margin / error) - 1)
