"""Rates of simulated studies against the rate that is allowed."""

from __future__ import annotations

from scipy import stats as sps


def at_most(share: float, rate: float, of: int, chance: float = 1e-5) -> bool:
    """Whether a share of so many studies is no more than chance allows at this rate (one in 100,000 runs)."""
    return bool(sps.binomtest(round(share * of), of, rate, alternative="greater").pvalue > chance)
