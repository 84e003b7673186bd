"""The power of the sign-flip test, and the replicates that it needs."""

from __future__ import annotations

import functools
import math

from scipy import stats as sps
from statsmodels.stats.power import TTestPower, normal_power

from ablate.report.statistics.inference.flips import EXACT_UP_TO, smallest_p

#: The largest number of replicates that the report recommends.
MOST_REPLICATES = 1000


def power(effect: float, n: int, alpha: float) -> float:
    """Return the power of the sign-flip test of ``n`` replicates for a standardised effect, at level ``alpha``.

    The p of the test has steps of 2 / 2**n. If only the smallest p suffices, all differences must have the same sign,
    and the power is the probability of that for normal differences; otherwise it is the power of the paired t test at
    the level that can be reached.
    """
    level, size = attainable(alpha, n), abs(effect)
    if not level or n < 2:
        return 0.0
    if n <= EXACT_UP_TO and level < 1.5 * smallest_p(n):
        return float(sps.norm.cdf(size) ** n + sps.norm.cdf(-size) ** n)
    t_power = float(TTestPower().power(size, n, level))
    # for large n the noncentral t distribution is not finite; it is normal there
    return t_power if math.isfinite(t_power) else float(normal_power(size, n, level))


def attainable(alpha: float, n: int) -> float:
    """Return the largest p of the sign-flip test of n replicates that is not above ``alpha``; 0 if there is none."""
    step = smallest_p(n)
    return math.floor(alpha / step + 1e-9) * step


def fewest_replicates(alpha: float) -> int | None:
    """Return the fewest replicates, at least 2, whose sign-flip test can reach ``alpha``; None if no number can."""
    return next((n for n in range(2, EXACT_UP_TO + 2) if attainable(alpha, n)), None)


@functools.lru_cache(maxsize=4096)
def replicates_needed(effect: float, alpha: float, target: float = 0.8) -> int | None:
    """Return the fewest replicates whose power for a standardised effect is ``target`` at level ``alpha``.

    None if even :data:`MOST_REPLICATES` are not enough.
    """
    size = abs(effect)
    if not math.isfinite(size):
        size = 1e6  # all replicates agree, so only the steps of p limit the power
    if power(size, MOST_REPLICATES, alpha) < target:
        return None
    low, high = 1, MOST_REPLICATES  # power grows with n, except for the steps of p, which matter at the lower end only
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(size, middle, alpha) >= target else (middle, high)
    return next(n for n in range(max(2, high - EXACT_UP_TO), high + 1) if power(size, n, alpha) >= target)
