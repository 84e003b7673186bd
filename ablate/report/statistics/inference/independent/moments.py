"""Means of independent groups of runs with their uncertainty, and weighted sums of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.intervals import trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate

#: Values that differ by less, relative to their size, are equal.
ROUNDING = 1e-9


class Moments(NamedTuple):
    """The estimates of groups, each array [..., groups].

    Attributes:
        middle: the mean or interquartile mean; NaN for an empty group.
        error: its squared standard error; NaN for fewer than two runs.
        freedom: its degrees of freedom; NaN likewise.
    """

    middle: FloatArray
    error: FloatArray
    freedom: FloatArray


class Sums(NamedTuple):
    """Weighted sums of groups, each array [..., comparisons]; NaN where a group has fewer than two runs.

    Attributes:
        difference: the weighted sum of the estimates.
        error: its standard error; 0 where no group varies.
        freedom: by F. E. Satterthwaite (Biometrics Bulletin 2, 1946), as in B. L. Welch (Biometrika 34, 1947); infinite
            where no group varies.
    """

    difference: FloatArray
    error: FloatArray
    freedom: FloatArray


def moments(groups: Sequence[FloatArray], estimate: Estimate = "mean") -> Moments:
    """Return the estimates of groups of runs.

    Args:
        groups: the values of each group, [..., runs of the group], no NaN.
        estimate: the mean; or the interquartile mean with the error of K. K. Yuen (Biometrika 61, 1974).
    """
    parts = [_group(values, estimate) for values in groups]
    return Moments(*(np.stack(each, axis=-1) for each in zip(*parts, strict=True)))


def _group(values: FloatArray, estimate: Estimate) -> tuple[FloatArray, FloatArray, FloatArray]:
    n = values.shape[-1]
    nothing = np.full(values.shape[:-1], np.nan)
    if n < 2:
        return (values[..., 0] if n else nothing), nothing, nothing
    cut = trimmed(n, estimate)
    kept = n - 2 * cut
    if cut:
        ordered = np.sort(values, axis=-1)
        middle = ordered[..., cut : n - cut].mean(axis=-1)
        values = np.clip(ordered, ordered[..., cut, None], ordered[..., n - cut - 1, None])
    else:
        middle = values.mean(axis=-1)
    squares = ((values - values.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    # rounding alone is no spread
    squares = np.where(squares <= ROUNDING**2 * (values**2).sum(axis=-1), 0.0, squares)
    return middle, squares / (kept * (kept - 1.0)), np.full(squares.shape, kept - 1.0)


def sums(found: Moments, weights: FloatArray) -> Sums:
    """Return weighted sums of groups.

    Args:
        found: of the groups, [..., groups].
        weights: [comparisons, groups].
    """
    used = weights != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        middle, error, freedom = (np.where(np.isnan(part), 0.0, part) for part in found)
        parts = middle[..., None, :] * weights
        difference = parts.sum(axis=-1)
        # equal means add up to exactly 0, but thirds of them do not quite
        difference = np.where(np.abs(difference) <= ROUNDING * np.abs(parts).sum(axis=-1), 0.0, difference)
        squared = error @ (weights**2).T
        each = np.where(freedom > 0, error**2 / np.where(freedom > 0, freedom, 1.0), 0.0)
        total = np.where(squared > 0, squared**2 / (each @ (weights**4).T), np.inf)
    unknown = (np.isnan(found.error)[..., None, :] & used).any(axis=-1)
    single = (np.isnan(found.middle)[..., None, :] & used).any(axis=-1)
    return Sums(
        np.where(single, np.nan, difference),
        np.where(unknown, np.nan, np.sqrt(squared)),
        np.where(unknown, np.nan, total),
    )


def interval(found: Sums, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends of Welch's interval (Yuen's for interquartile means) of weighted sums."""
    half = quantile((1 + level) / 2, found.freedom) * found.error
    return found.difference - half, found.difference + half


def quantile(share: float, freedom: FloatArray) -> FloatArray:
    """Return the quantile of Student's t, also with infinitely many degrees of freedom."""
    many = np.isinf(freedom)
    return np.asarray(np.where(many, sps.norm.ppf(share), sps.t.ppf(share, np.where(many, 1.0, freedom))))


def welch_p(found: Sums) -> FloatArray:
    """Return the two-sided p of Welch's t for weighted sums, [...]; NaN where it is unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(found.difference) / found.error
        t = np.where(found.error == 0, np.where(found.difference == 0, 0.0, np.inf), t)
        freedom = np.where(np.isinf(found.freedom), 1e9, found.freedom)
        return np.asarray(np.where(np.isnan(t), np.nan, 2 * sps.t.sf(t, freedom)))


def deviates(found: Sums) -> FloatArray:
    """Return Welch's t values on the scale of normal deviates, with their sign, so that all count alike.

    By D. L. Wallace (Annals of Mathematical Statistics 30, 1959): increasing in t for given degrees of freedom. 0 where
    a sum is 0 or unknown; infinite where no group varies and the sum is not 0.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        t = found.difference / found.error
        freedom = np.minimum(found.freedom, 1e9)
        size = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t**2 / freedom))
        size = np.where(found.error == 0, np.inf, size)
        return np.asarray(
            np.where(found.difference == 0, 0.0, np.sign(found.difference) * np.nan_to_num(size, posinf=np.inf))
        )
