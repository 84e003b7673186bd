"""Races: drop the changes of a round that are clearly worse than the best one.

A study does not import the report, whose sign flips (:mod:`ablate.report.statistics.inference.flips`) are two-sided,
for several estimates, and claim something. These are one-sided and decide what is trained; only the idea is common.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import BoolArray, FloatArray

#: Up to this many replicates all assignments of signs are tried, beyond that :data:`DRAWS` random ones.
EXACT_UP_TO = 12
DRAWS = 4095
#: Two statistics that differ by less are equal.
_ROUNDING = 1e-9


def clearly_worse(deficits: FloatArray, level: float) -> BoolArray:
    """Return which candidates of a round are clearly worse than its leader.

    Joint sign flips over the replicates, one-sided: a candidate's statistic is the sum of its deficits divided by their
    root sum of squares, and its p is the share of assignments of signs in which any candidate has a statistic at least
    as large. This p decides what is trained next and claims nothing.

    Args:
        deficits: how much worse each candidate is than the leader, [candidates, replicates]; above 0 is worse, and NaN
            is a missing replicate. The leader's own are 0.
        level: a candidate with a p of at most this is clearly worse, 0 to 1.

    Returns:
        [candidates].
    """
    deficits = np.nan_to_num(deficits)
    scale = np.sqrt((deficits**2).sum(axis=1))
    compared = scale > 0
    scaled = deficits[compared] / scale[compared, None]
    worse = np.zeros(len(deficits), bool)
    if len(scaled):
        statistics = _signs(deficits.shape[1]) @ scaled.T
        largest = statistics.max(axis=1)
        p = (largest[:, None] >= statistics[0] - _ROUNDING).mean(axis=0)
        worse[compared] = p <= level
    return worse


def _signs(replicates: int) -> FloatArray:
    """Return assignments of signs to replicates, [assignments, replicates]; the first has no change of sign."""
    if replicates <= EXACT_UP_TO:
        return np.array(list(itertools.product((1.0, -1.0), repeat=replicates)))
    drawn = np.random.default_rng(0).choice((1.0, -1.0), size=(DRAWS, replicates))
    return np.vstack([np.ones(replicates), drawn])
