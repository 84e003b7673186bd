"""The mean or interquartile mean over replicates, its standard error and its interval."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy import stats as sps

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray


Estimate = Literal["mean", "iqm"]

#: The share that the interquartile mean trims at either end.
_QUARTER = 0.25
#: Values that differ by less, relative to their size, are equal.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """Lower and upper ends, [...], and the method: ``t``, ``Yuen``, or ``none`` for a single replicate."""

    low: FloatArray
    high: FloatArray
    method: str


class Spread(NamedTuple):
    """An estimate with its uncertainty.

    Attributes:
        middle: the mean or interquartile mean, [...].
        error: its standard error, [...]; exactly 0 where values differ by rounding errors only.
        freedom: the degrees of freedom of the standard error.
    """

    middle: FloatArray
    error: FloatArray
    freedom: int


def estimator(estimate: Estimate) -> Callable[..., Any]:
    """Return the mean, or the interquartile mean: of the middle half, with a quarter trimmed at either end.

    The interquartile mean is that of R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice" (NeurIPS 2021), where it is taken over runs and tasks; here it is over replicates. Below four
    replicates nothing is trimmed.
    """
    return np.mean if estimate == "mean" else functools.partial(sps.trim_mean, proportiontocut=_QUARTER)


def trimmed(n: int, estimate: Estimate) -> int:
    """Return how many of ``n`` replicates the estimate leaves out at either end."""
    return 0 if estimate == "mean" else int(_QUARTER * n)


def spread(values: FloatArray, estimate: Estimate = "mean") -> Spread:
    """Return the estimate with its standard error and degrees of freedom.

    For the mean these are the standard deviation over the square root of n, and n - 1. For the interquartile mean they
    are those of K. K. Yuen, "The two-sample trimmed t for unequal population variances" (Biometrika 61, 1974), for one
    sample: the standard deviation of the winsorised values, and the replicates in the middle less one.

    Args:
        values: [..., replicates], at least two, no NaN.
        estimate: what is estimated.
    """
    n, cut = values.shape[-1], trimmed(values.shape[-1], estimate)
    ordered = np.sort(values, axis=-1)
    winsorised = np.clip(ordered, ordered[..., cut, None], ordered[..., n - cut - 1, None])
    kept = n - 2 * cut
    error = np.sqrt((n - 1) / (kept * (kept - 1))) * winsorised.std(axis=-1, ddof=1)
    same = np.ptp(winsorised, axis=-1) <= ROUNDING * np.abs(values).max(axis=-1)
    return Spread(np.asarray(estimator(estimate)(values, axis=-1)), np.asarray(np.where(same, 0.0, error)), kept - 1)


def interval(values: FloatArray, level: float = 0.95, estimate: Estimate = "mean") -> Interval:
    """Return a confidence interval of the mean (or interquartile mean) over replicates.

    Student's t, or Yuen's for an interquartile mean (see :func:`spread`). If the middle half of the values agrees but
    others do not, Yuen's interval would have no width; there it is the interval of the median from order statistics.

    Args:
        values: [..., replicates], no NaN.
        level: 0 to 1.
        estimate: what is estimated.
    """
    n = values.shape[-1]
    if n < 2:
        unknown = np.full(values.shape[:-1], np.nan)
        return Interval(unknown, unknown, "none")
    middle, error, freedom = spread(values, estimate)
    half = sps.t.ppf((1 + level) / 2, freedom) * error
    low, high = middle - half, middle + half
    if estimate == "mean":
        return Interval(low, high, "t")
    rank = max(int(sps.binom.ppf((1 - level) / 2, n, 0.5)), 1)
    ordered = np.sort(values, axis=-1)
    low = np.where(error == 0, np.minimum(ordered[..., rank - 1], middle), low)
    high = np.where(error == 0, np.maximum(ordered[..., n - rank], middle), high)
    return Interval(low, high, "Yuen")
