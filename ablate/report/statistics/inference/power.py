"""The power of the sign-flip test, the effect that it can find, and the replicates that it needs."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from scipy import optimize, special

from ablate.report.statistics.inference.flips import EXACT_UP_TO, smallest_p
from ablate.report.statistics.inference.intervals import trimmed

if TYPE_CHECKING:
    from ablate.report.statistics.inference.intervals import Estimate

#: The largest number of replicates that the report recommends.
MOST_REPLICATES = 1000
#: The level of the interval of the true effect that :func:`replicates_range` is based on.
RANGE_LEVEL = 0.8
#: Beyond this noncentrality, the noncentral t distribution is computed as a normal one.
_NORMAL_FROM = 150
#: A standardised effect that is as good as infinite: all replicates agree.
_HUGE = 1e6


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
        return float(special.ndtr(size) ** n + special.ndtr(-size) ** n)
    critical, center = float(special.stdtrit(n - 1, 1 - level / 2)), size * math.sqrt(n)
    return tail(critical, n - 1, center) + 1 - tail(-critical, n - 1, center)


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
        size = _HUGE  # only the steps of p limit the power
    if power(size, MOST_REPLICATES, alpha) < target:
        return None
    low, high = 1, MOST_REPLICATES  # power grows with n, except for the steps of p, which matter at the lower end only
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(size, middle, alpha) >= target else (middle, high)
    first = 2 if high <= EXACT_UP_TO else high
    return next(n for n in range(first, high + 1) if power(size, n, alpha) >= target)


@functools.lru_cache(maxsize=4096)
def minimum_detectable(n: int, alpha: float, target: float = 0.8) -> float:
    """Return the smallest standardised effect that ``n`` replicates find with power ``target`` at level ``alpha``.

    Infinite if no result of ``n`` replicates can reach the level.
    """
    if power(_HUGE, n, alpha) < target:
        return math.inf
    largest = 1.0
    while power(largest, n, alpha) < target:
        largest *= 2
    return float(optimize.brentq(lambda effect: power(effect, n, alpha) - target, 0.0, largest, xtol=1e-4))


def replicates_range(
    effect: float, n: int, alpha: float, target: float = 0.8, estimate: Estimate = "mean"
) -> tuple[int | None, int | None]:
    """Return the fewest and the most replicates that a difference may need, by the interval of the true effect.

    The interval has the level :data:`RANGE_LEVEL`. Its larger end needs the fewest
    replicates, its smaller end the most.

    Args:
        effect: as :func:`~ablate.report.statistics.inference.effect_sizes.standardised` estimates it.
        n: number of replicates that it was estimated from.
        alpha: the level of a comparison.
        target: the power that is wanted.
        estimate: what was estimated.

    Returns:
        None in place of a number above :data:`MOST_REPLICATES`.
    """
    smaller, larger = effect_interval(effect, n, estimate)
    return tuple(replicates_needed(round(end, 3), alpha, target) for end in (larger, smaller))  # type: ignore[return-value]


def effect_interval(effect: float, n: int, estimate: Estimate = "mean") -> tuple[float, float]:
    """Return the interval of the size of the true standardised effect, at level :data:`RANGE_LEVEL`, from 0 on.

    The effects under which a t value as the observed one is at either end of what the noncentral t distribution gives
    (J. H. Steiger, R. T. Fouladi, in "What if there were no significance tests?", 1997).
    """
    if not math.isfinite(effect):
        return _HUGE, _HUGE
    freedom = n - 2 * trimmed(n, estimate) - 1
    if freedom < 2:  # Hedges' correction leaves nothing of such an effect
        return 0.0, _HUGE
    t = abs(effect) / hedges(freedom) * math.sqrt(n)
    outside = (1 - RANGE_LEVEL) / 2
    larger = noncentrality(t, freedom, 1 - outside) / math.sqrt(n)
    smaller = noncentrality(t, freedom, outside) / math.sqrt(n)
    # the true difference may also have the other sign
    return max(smaller, 0.0), max(larger, -smaller)


def hedges(freedom: float) -> float:
    """Return Hedges' correction of a standardised effect (Journal of Educational Statistics 6, 1981)."""
    return 1 - 3 / (4 * freedom - 1)


def tail(t: float, freedom: float, noncentrality: float) -> float:
    """Return the probability that a noncentral t variable exceeds ``t``."""
    if abs(noncentrality) < _NORMAL_FROM:
        below = float(special.nctdtr(freedom, noncentrality, t))
        if math.isfinite(below):  # it is not where t is far below the noncentrality
            return 1 - below
    return float(special.ndtr((noncentrality - t) / math.sqrt(1 + t**2 / (2 * freedom))))


def noncentrality(t: float, freedom: float, share: float) -> float:
    """Return the noncentrality under which a share of t values is above ``t``."""
    width = 10 * math.sqrt(1 + t**2 / (2 * freedom)) + 10
    return float(optimize.brentq(lambda center: tail(t, freedom, center) - share, t - width - t, t + width, xtol=1e-3))
