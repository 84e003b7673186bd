"""The variants among which the best one is, from independent runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.best_set import MANY_VARIANTS, BestSet, largest_leads
from ablate.report.statistics.inference.independent.moments import deviates, moments, sums
from ablate.report.statistics.inference.independent.power import FEWEST
from ablate.report.statistics.inference.independent.worlds import RANDOM, Runs, drawn, shuffled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import BoolArray, FloatArray
    from ablate.report.statistics.inference.intervals import Estimate

#: The number of worlds with more than :data:`~ablate.report.statistics.inference.best_set.MANY_VARIANTS` variants.
FEW = 999
_TIE = 1e-9
#: The deviate of a lead without any spread.
_FAR = 1e9


def best_set(groups: Sequence[FloatArray], estimate: Estimate = "mean", may: BoolArray | None = None) -> BestSet:
    """Test for each variant whether it can be the best one; see the paired :func:`best_set`.

    The statistic is the largest lead of another variant over it, as Welch's t on the scale of normal deviates, and the
    p is the larger one of the two worlds without a difference.

    Args:
        groups: the values of each variant, at least two variants, higher is better, [runs of the variant] each. One
            with fewer runs than a test needs leads over nobody and is behind nobody.
        estimate: of each variant.
        may: which variant may lead over which other one, as there.
    """
    count = len(groups)
    index = np.repeat(np.arange(count), [len(group) for group in groups])
    runs = Runs(np.concatenate(groups)[:, None], index, count)

    observed = _behind(groups, estimate, may)[0]
    bound = np.where(np.isinf(observed), observed, observed * (1 - _TIE * np.sign(observed)))
    number, width = RANDOM if count <= MANY_VARIANTS else FEW, count * count
    p = np.zeros(count)
    for worlds, more in ((shuffled(runs, number, width), 0), (drawn(runs, number, width), 1)):
        reached, total = np.full(count, float(more)), more
        for (values,) in worlds:
            found = _behind(values, estimate)
            reached += (found >= bound).sum(axis=0)
            total += len(found)
        p = np.maximum(p, reached / total)
    return BestSet(behind(groups, estimate), p)


def behind(groups: Sequence[FloatArray], estimate: Estimate = "mean") -> FloatArray:
    """Return by how much the strongest of the others leads over each variant, as :func:`best_set` does."""
    return np.asarray(_behind(groups, estimate)[0])


def _behind(values: Sequence[FloatArray], estimate: Estimate, may: BoolArray | None = None) -> FloatArray:
    """Return the largest lead over each variant in each world, [worlds, variants]."""
    count = len(values)
    first, second = np.triu_indices(count, 1)
    weights = np.zeros((len(first), count))
    weights[np.arange(len(first)), first], weights[np.arange(len(first)), second] = 1.0, -1.0
    few = np.array([group.shape[-1] < FEWEST for group in values])
    leads = np.nan_to_num(deviates(sums(moments(values, estimate), weights)), posinf=_FAR, neginf=-_FAR)
    leads = np.where(few[first] | few[second], 0.0, leads)
    return largest_leads(np.atleast_2d(leads), first, second, count, may)[0]
