"""Partial conjunction: in how many blocks does a comparison hold?

R. Dror, G. Baumer, M. Bogomolov, R. Reichart, "Replicability analysis for natural language processing: testing
significance with multiple datasets", TACL 5, 2017; the test is that of Y. Benjamini and R. Heller, "Screening for
partial conjunction hypotheses", Biometrics 64, 2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.flips import TIE, flipped, sign_rows

if TYPE_CHECKING:
    from ablate.arrays import FloatArray, IntArray

#: With more replicates than this, a study of blocks is no longer possible; the search for enough ones ends here.
MOST_REPLICATES = 40


class Claims(NamedTuple):
    """The claims of a family of comparisons.

    Attributes:
        blocks: the number of blocks in which a comparison holds at least, [comparisons]; 0 for no claim.
        p: of that claim, corrected for the family; of the claim for one block if there is no claim, [comparisons].
    """

    blocks: IntArray
    p: FloatArray


def one_sided(differences: FloatArray) -> FloatArray:
    """Return the p of the sign-flip test that differences lean above 0, [rows].

    It is the share of all assignments of signs whose mean is at least the observed one.

    Args:
        differences: [rows, replicates]; NaN where a replicate is missing.

    Returns:
        [rows]; 1.0 for a row without any difference.
    """
    missing = np.isnan(differences).all(axis=1)
    observed = flipped(differences, np.ones((1, differences.shape[1])))[0]
    reached, total = np.zeros(len(differences)), 0
    for signs in sign_rows(differences.shape[1], len(differences)):
        statistics = flipped(differences, signs)
        # of two opposite assignments only one is in the rows
        reached += (statistics >= observed - TIE).sum(axis=0) + (-statistics >= observed - TIE).sum(axis=0)
        total += 2 * len(signs)
    return np.where(missing, 1.0, reached / total)


def partial_conjunction(p: FloatArray) -> FloatArray:
    """Return the p that an effect exists in at least 1, 2, ... of the blocks, [..., blocks].

    The p for k blocks combines the largest ``blocks - k + 1`` of the blocks' own p-values by Fisher's method, which is
    valid if the blocks are independent. It is made monotone in k, as in Dror et al.

    Args:
        p: the p of each block, [..., blocks].
    """
    largest_first = np.sort(p, axis=-1)[..., ::-1]
    statistic = -2.0 * np.cumsum(np.log(largest_first), axis=-1)
    degrees = 2.0 * np.arange(1, p.shape[-1] + 1)
    combined = sps.chi2.sf(statistic, degrees)[..., ::-1]  # the last one combines all, which is k = 1
    return np.asarray(np.maximum.accumulate(combined, axis=-1))


def claims(p: FloatArray, alpha: float) -> Claims:
    """Return the number of blocks in which each comparison of a family holds.

    The chance that any of these numbers is too large is at most ``alpha``. The correction is Holm's: it counts the
    comparisons that are not yet claimed for all blocks (J. J. Goeman and A. Solari, "The sequential rejection
    principle of familywise error control", Annals of Statistics 38, 2010).

    Args:
        p: of :func:`partial_conjunction`, two-sided, [comparisons, blocks].
        alpha: the family-wise error rate.
    """
    still_open = len(p)
    while True:
        count = (p * still_open < alpha).sum(axis=1)
        left = max(int((count < p.shape[1]).sum()), 1)
        if left == still_open:
            break
        still_open = left
    shown = np.take_along_axis(p, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0] if len(p) else np.empty(0)
    return Claims(count, np.minimum(shown * still_open, 1.0))


def reachable(replicates: int, blocks: int, family: int, alpha: float) -> int:
    """Return the largest number of blocks that can be claimed: when every difference has the same sign.

    Args:
        replicates: in each block.
        blocks: their number.
        family: the number of comparisons.
        alpha: the family-wise error rate.
    """
    smallest = partial_conjunction(np.full(blocks, 0.5**replicates))
    return int((2.0 * family * smallest < alpha).sum())


def enough_replicates(blocks: int, family: int, alpha: float) -> int | None:
    """Return the fewest replicates in each block with which all blocks can be claimed; None beyond the limit."""
    numbers = range(2, MOST_REPLICATES + 1)
    return next((n for n in numbers if reachable(n, blocks, family, alpha) == blocks), None)
