"""The difference that independent runs can find, and the runs that it needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from ablate.report.statistics.inference.independent.worlds import smallest_p
from ablate.report.statistics.inference.power import MOST_REPLICATES, RANGE_LEVEL, noncentrality, tail

if TYPE_CHECKING:
    from ablate.report.statistics.inference.independent.groups import Groups

#: The fewest runs of each variant that a test is made with.
FEWEST = 3
#: Beyond this the groups hardly vary at all.
_HUGE = 1e6
#: More runs than the ways to divide them ask for at any level in use.
_MOST_FEWEST = 40


def fewest_runs(level: float, *, two: bool) -> int:
    """Return the fewest runs of each variant that a test can reach a level with.

    Args:
        level: above 0.
        two: whether the study has two variants only, so that there are few ways to divide the runs.
    """
    return next((n for n in range(FEWEST, _MOST_FEWEST) if not two or smallest_p([n, n]) <= level), _MOST_FEWEST)


def detectable(groups: Groups, level: float, power: float) -> float:
    """Return the smallest difference that these runs find with this power, at this level; infinite if there is none."""
    error, freedom = float(groups.sums.error[0]), float(groups.sums.freedom[0])
    if not error:
        return 0.0
    if not 0 < level < 1:
        return math.inf
    critical = -float(special.stdtrit(freedom, level / 2))
    if not math.isfinite(critical) or _power(critical, freedom, _HUGE) < power:
        return math.inf
    largest = 1.0
    while _power(critical, freedom, largest) < power:
        largest *= 2
    return error * float(optimize.brentq(lambda c: _power(critical, freedom, c) - power, 0.0, largest, xtol=1e-4))


def runs_range(groups: Groups, level: float, power: float, *, two: bool = False) -> tuple[int | None, int | None]:
    """Return the fewest and the most runs of each variant that a difference may need, by the interval of the true one.

    The interval has the level :data:`~ablate.report.statistics.inference.power.RANGE_LEVEL`, by the noncentral t
    distribution (J. H. Steiger, R. T. Fouladi, in "What if there were no significance tests?", 1997), as for pairs.

    Args:
        groups: the comparison.
        level: of its test.
        power: the power that is wanted.
        two: see :func:`fewest_runs`.
    """
    error, freedom = float(groups.sums.error[0]), float(groups.sums.freedom[0])
    size = abs(float(groups.sums.difference[0]))
    if not error:
        return FEWEST, FEWEST
    outside = (1 - RANGE_LEVEL) / 2
    ends = [noncentrality(size / error, freedom, share) * error for share in (outside, 1 - outside)]
    # the true difference may also have the other sign
    smaller, larger = max(ends[0], 0.0), max(ends[1], -ends[0])
    return (
        needed(groups, larger, level, power, two=two),
        needed(groups, smaller, level, power, two=two),
    )


def needed(groups: Groups, difference: float, level: float, power: float, *, two: bool = False) -> int | None:
    """Return the fewest runs of each variant that find a difference; None if :data:`MOST_REPLICATES` are not enough."""

    def enough(runs: int) -> bool:
        parts = groups.weights**2 * groups.variances / runs
        freedom = float(parts.sum() ** 2 / (parts**2 / (runs - 1)).sum())
        critical = -float(special.stdtrit(freedom, level / 2))
        return _power(critical, freedom, difference / math.sqrt(float(parts.sum()))) >= power

    if not 0 < level < 1 or not enough(MOST_REPLICATES):
        return None
    low, high = fewest_runs(level, two=two) - 1, MOST_REPLICATES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _power(critical: float, freedom: float, center: float) -> float:
    return float(np.clip(tail(critical, freedom, center) + 1 - tail(-critical, freedom, center), 0.0, 1.0))
