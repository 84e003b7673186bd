"""The mean or interquartile mean over replicates, and its interval."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy import stats as sps

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray


Estimate = Literal["mean", "iqm"]

#: From this number of replicates on an interval is BCa; below, Student's t has better coverage (see the simulations).
BOOTSTRAP_FROM = 30
#: Number of resamples of an interval by the bootstrap.
RESAMPLES = 9999
#: Values that differ by less, relative to their size, are equal.
_ROUNDING = 1e-12


class Interval(NamedTuple):
    """Lower and upper ends, [...], and the method: ``t``, ``BCa``, or ``none`` for a single replicate."""

    low: FloatArray
    high: FloatArray
    method: str


def estimator(estimate: Estimate) -> Callable[..., Any]:
    """Return the mean, or the interquartile mean: of the middle half, with a quarter trimmed at either end.

    The interquartile mean is that of R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice" (NeurIPS 2021), where it is taken over runs and tasks; here it is over replicates. Below four
    replicates nothing is trimmed.
    """
    return np.mean if estimate == "mean" else functools.partial(sps.trim_mean, proportiontocut=0.25)


def interval(values: FloatArray, level: float = 0.95, estimate: Estimate = "mean") -> Interval:
    """Return a confidence interval of the mean (or interquartile mean) over replicates.

    Student's t below :data:`BOOTSTRAP_FROM` replicates, otherwise the bias-corrected and accelerated bootstrap
    (B. Efron, "Better bootstrap confidence intervals", JASA 82, 1987). For an interquartile mean it is always the
    bootstrap, which is too narrow with few replicates.

    Args:
        values: [..., replicates], no NaN.
        level: 0 to 1.
        estimate: what is estimated.
    """
    n = values.shape[-1]
    if n < 2:
        unknown = np.full(values.shape[:-1], np.nan)
        return Interval(unknown, unknown, "none")
    middle = np.asarray(estimator(estimate)(values, axis=-1))
    low, high = middle.copy(), middle.copy()
    # where values vary only by rounding, the interval is the value
    varied = np.ptp(values, axis=-1) > _ROUNDING * np.abs(values).max(axis=-1)
    if estimate == "mean" and n < BOOTSTRAP_FROM:
        if varied.any():
            ends = sps.ttest_1samp(values[varied], 0.0, axis=-1).confidence_interval(level)
            low[varied], high[varied] = ends.low, ends.high
        return Interval(low, high, "t")
    for index in np.ndindex(varied.shape):
        if not varied[index]:
            continue
        ends = sps.bootstrap(
            (values[index],),
            estimator(estimate),
            n_resamples=RESAMPLES,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low[index], high[index] = ends.low, ends.high
    return Interval(low, high, "BCa")
