"""The variants among which the best one is, from joint sign flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.flips import LESS, TIE, Effort, flipped, sign_rows

if TYPE_CHECKING:
    from ablate.arrays import Array, FloatArray
    from ablate.report.statistics.inference.intervals import Estimate

#: With more variants than this, fewer assignments of signs are tried.
MANY_VARIANTS = 12


class BestSet(NamedTuple):
    """The result of :func:`best_set`.

    Attributes:
        behind: by how much the strongest of the others leads over each variant, as a flip statistic, [variants];
            negative for a variant that is ahead of all others.
        p: of the hypothesis that the variant is the best one, [variants].
    """

    behind: FloatArray
    p: FloatArray


def best_set(values: FloatArray, estimate: Estimate = "mean") -> BestSet:
    """Test for each variant whether it can be the best one.

    A variant is the best one if no other is better. The statistic is the largest lead of another variant over it, and
    joint sign flips of all these leads say how large it is by chance. So the variant that is truly the best is left
    out in at most a share alpha of studies, whichever variant looks best. Multiple comparisons with the best: J. C.
    Hsu, "Constrained simultaneous confidence intervals for multiple comparisons with the best", Annals of Statistics
    12, 1984. Two variants are compared over the replicates that both have.

    Args:
        values: [variants, replicates], at least two variants, higher is better; NaN where a variant misses a
            replicate.
        estimate: what a lead is made of.
    """
    count, n = values.shape
    first, second = np.triu_indices(count, 1)
    leads = values[first] - values[second]
    observed = _largest_leads(flipped(leads, np.ones((1, n)), estimate), first, second, count)[0][0]
    reached, total = np.zeros(count), 0
    effort = Effort() if estimate == "mean" and count <= MANY_VARIANTS else LESS
    for signs in sign_rows(n, len(leads), effort):
        statistics = flipped(leads, signs, estimate)
        for largest in _largest_leads(statistics, first, second, count):  # a lead has one side, so both signs count
            reached += (largest >= observed - TIE).sum(axis=0)
        total += 2 * len(signs)
    return BestSet(observed, reached / total)


def _largest_leads(statistics: FloatArray, first: Array, second: Array, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the largest lead of another variant over each one, also with opposite signs, [flips, variants] each.

    Args:
        statistics: of ``first`` minus ``second``, [flips, pairs].
        first: the index of a variant, [pairs].
        second: likewise.
        count: number of variants.
    """
    leads = np.full((len(statistics), count, count), -np.inf)
    leads[:, first, second], leads[:, second, first] = statistics, -statistics
    # with opposite signs, each lead is that of the other one of the two variants
    return leads.max(axis=1), leads.max(axis=2)
