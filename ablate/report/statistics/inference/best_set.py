"""The variants among which the best one is, from joint sign flips and the claims about the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.flips import LESS, TIE, Effort, flipped, sign_rows

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, FloatArray, IntArray
    from ablate.report.statistics.inference.intervals import Estimate

#: With more variants than this, fewer assignments of signs are tried.
MANY_VARIANTS = 12


class BestSet(NamedTuple):
    """The result of :func:`best_set`.

    Attributes:
        behind: by how much the strongest of the others leads over each variant, as a flip statistic, [variants];
            negative for a variant that is ahead of all others.
        p: of the hypothesis that the variant is the best one, one-sided, [variants].
    """

    behind: FloatArray
    p: FloatArray


def best_set(values: FloatArray, estimate: Estimate = "mean", may: BoolArray | None = None) -> BestSet:
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
        may: which variant may lead over which other one, [leader, behind]; default all. The others' leads still count
            by chance, so p is too large rather than too small.
    """
    count, n = values.shape
    first, second = np.triu_indices(count, 1)
    leads = values[first] - values[second]
    real = flipped(leads, np.ones((1, n)), estimate)
    observed = largest_leads(real, first, second, count, may)[0][0]
    reached, total = np.zeros(count), 0
    effort = Effort() if estimate == "mean" and count <= MANY_VARIANTS else LESS
    for signs in sign_rows(n, len(leads), effort):
        statistics = flipped(leads, signs, estimate)
        for largest in largest_leads(statistics, first, second, count):  # a lead has one side, so both signs count
            reached += (largest >= observed - TIE).sum(axis=0)
        total += 2 * len(signs)
    return BestSet(largest_leads(real, first, second, count)[0][0], reached / total)


def behind(values: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return by how much the strongest of the others leads over each variant, as :func:`best_set` does."""
    first, second = np.triu_indices(len(values), 1)
    leads = flipped(values[first] - values[second], np.ones((1, values.shape[1])), estimate)
    return np.asarray(largest_leads(leads, first, second, len(values))[0][0])


def largest_leads(
    statistics: FloatArray, first: Array, second: Array, count: int, may: BoolArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the largest lead of another variant over each one, also with opposite signs, [flips, variants] each.

    Args:
        statistics: of ``first`` minus ``second``, [flips, pairs].
        first: the index of a variant, [pairs].
        second: likewise.
        count: number of variants.
        may: see :func:`best_set`; the largest lead is minus infinity where none may lead.
    """
    leads = np.full((len(statistics), count, count), -np.inf)
    leads[:, first, second], leads[:, second, first] = statistics, -statistics
    # with opposite signs, each lead is that of the other one of the two variants
    own, opposite = leads, leads.swapaxes(1, 2)
    if may is not None:
        own, opposite = np.where(may, own, -np.inf), np.where(may, opposite, -np.inf)
    return own.max(axis=1), opposite.max(axis=1)


def candidates(claims: IntArray, baseline: int | None, p: FloatArray, first: int, alpha: float) -> BoolArray:
    """Return which variants may be the best one, [variants].

    What is claimed about a variant and the baseline decides between these two. Between two other variants, the test of
    :func:`best_set` decides at half of alpha, as one side of a two-sided test does; so the variant that is truly the
    best is left out in at most a share alpha of studies. One variant alone remains only if the claims agree: the
    baseline if all others are worse, another one if it is better than the baseline.

    Args:
        claims: 1 for a variant that is claimed to be better than the baseline, -1 for a worse one, 0 otherwise and for
            the baseline itself, [variants].
        baseline: its index; None if it has no values, so that no claim is about it.
        p: from :func:`best_set` for the variants without the baseline, [variants]; the baseline's is not used.
        first: the index of a variant that stays in any case; it must not be claimed to be worse.
        alpha: the share of studies in which the best variant may be left out.
    """
    out = (claims < 0) | (2 * p < alpha)
    if baseline is not None:
        out[baseline] = (claims > 0).any()
    out[first] = False
    left = np.flatnonzero(~out)
    if baseline is not None and len(left) == 1:
        if left[0] == baseline:
            out &= claims < 0
        elif claims[left[0]] < 1:
            out &= claims < 1
            out[baseline] = True
        out[first] = False
    return ~out
