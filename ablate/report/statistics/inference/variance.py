"""Variance components of paired differences: sampling within a training, and training.

The difference of sample k in replicate r is ``mean + T_r + S_rk``: every replicate has its own training, and every
sample of it its own noise. More samples make the second part smaller, only more replicates the first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats as sps

if TYPE_CHECKING:
    from ablate.arrays import FloatArray

#: The jackknife leaves out one replicate, and a variance needs two.
FEWEST_REPLICATES = 3


class Bounded(NamedTuple):
    """An estimate with its interval."""

    value: float
    low: float
    high: float


class Components(NamedTuple):
    """The variance components of a comparison, or of several together.

    Attributes:
        comparisons: the number of them; the variances are their sums.
        replicates: the number that was used.
        samples: in a replicate; the harmonic mean where replicates have different numbers.
        sampling: the variance of one sample's difference within its training.
        training: the variance of the difference between trainings, without sampling noise.
        share: of the variance of a replicate's difference (the mean over its samples), the part that is sampling noise.
    """

    comparisons: int
    replicates: int
    samples: float
    sampling: Bounded
    training: Bounded
    share: Bounded

    def variance(self, replicates: float, samples: float, share: float | None = None) -> float:
        """Return the variance of the mean difference over ``replicates`` with ``samples`` each.

        ``share`` (of sampling noise, at the present number of samples) replaces the estimated one.
        """
        share = self.share.value if share is None else share
        whole = max(self.training.value + self.sampling.value / self.samples, 0.0)
        return whole * (1 - share + share * self.samples / samples) / replicates


def components(differences: FloatArray, level: float = 0.95) -> Components | None:
    """Estimate variance components by analysis of variance: one-way random effects, samples nested in replicates.

    With unequal numbers of samples it is the analysis of unweighted means (J. D. Thomas, R. A. Hultquist, Annals of
    Statistics 6, 1978), which is the usual one where the numbers are equal. The mean squares of several comparisons
    are added. An estimate below 0 is 0.

    Intervals are those of the jackknife over replicates with Student's t, of the logarithm for the sampling component
    and the share (J. N. Arvesen, T. H. Schmitz, "Robust procedures for variance component problems using the
    jackknife", Biometrics 26, 1970). The intervals by F and chi-square are exact for normal values only, and they are
    far too narrow for values with heavy tails; see the simulations.

    Args:
        differences: [replicates, samples] or [comparisons, replicates, samples], NaN where there is no sample. Of a
            replicate, the samples are used that every comparison has.
        level: of the intervals, 0 to 1.

    Returns:
        None with fewer than :data:`FEWEST_REPLICATES` replicates, without two samples in a replicate, or where nothing
        varies.
    """
    values = np.asarray(differences, float)
    values = values[None] if values.ndim == 2 else values
    present = ~np.isnan(values).any(0)
    values, present = values[:, present.any(-1)], present[present.any(-1)]
    counts = present.sum(-1)
    n = len(counts)
    if n < FEWEST_REPLICATES or (counts > 1).sum() < 2:
        return None
    means = np.where(present, values, 0.0).sum(-1) / counts
    squares = np.where(present, (values - means[:, :, None]) ** 2, 0.0).sum((0, -1))
    all_but = [np.arange(n) != left_out for left_out in range(n)]
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates = np.array([_estimates(means[:, kept], squares[kept], counts[kept]) for kept in all_but])
        whole = _estimates(means, squares, counts)
        between, within, noise = whole
        if not between and not within:
            return None
        logs, left_out = np.log(whole), np.log(estimates)
        ends = [np.exp(_jackknifed(logs[i], left_out[:, i], level)) for i in range(3)]
        share = np.exp(_jackknifed(logs[2] - logs[0], left_out[:, 2] - left_out[:, 0], level))
    return Components(
        len(values),
        n,
        n / float((1 / counts).sum()),
        Bounded(within, *ends[1].tolist()),
        _difference(Bounded(between, *ends[0]), Bounded(noise, *ends[2])),
        Bounded(min(1.0, noise / between) if between else 1.0, *np.minimum(share, 1.0).tolist()),
    )


def _estimates(means: FloatArray, squares: FloatArray, counts: FloatArray) -> tuple[float, float, float]:
    """Return the variance of replicates' means, that within replicates, and its part of the former.

    Args:
        means: [comparisons, replicates].
        squares: the sums of squares within each replicate, [replicates], added over comparisons.
        counts: samples of each replicate.
    """
    between = float(means.var(axis=1, ddof=1).sum())
    within = float(squares.sum() / (counts - 1).sum())
    return between, within, within * float((1 / counts).mean())


def _jackknifed(whole: float, left_out: FloatArray, level: float) -> FloatArray:
    """Return the ends of the jackknife's interval, [2]; the estimate itself if it does not change."""
    n = len(left_out)
    if np.ptp(left_out) == 0 or not np.isfinite([whole, *left_out]).all():
        return np.array([whole, whole])
    pseudo = n * whole - (n - 1) * left_out
    half = sps.t.ppf((1 + level) / 2, n - 1) * pseudo.std(ddof=1) / math.sqrt(n)
    return np.array([pseudo.mean() - half, pseudo.mean() + half])


def _difference(one: Bounded, other: Bounded) -> Bounded:
    """Return the difference of two variances; each end lies as far from it as the two ends beyond it add up to.

    G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008.
    """
    difference = one.value - other.value
    low = difference - math.hypot(one.value - one.low, other.high - other.value)
    high = difference + math.hypot(one.high - one.value, other.value - other.low)
    return Bounded(*(max(0.0, float(end)) for end in (difference, low, high)))


def optimal_samples(ratio: float, training: float, sample: float) -> float:
    """Return the number of samples in a replicate that gives the smallest variance for a given cost.

    W. G. Cochran, "Sampling techniques" (3rd edition, 1977), section 10.6, on sampling in two stages.

    Args:
        ratio: of the variance within a training to that between trainings; infinite if the latter is 0.
        training: the cost of a training.
        sample: the cost of a sample, in the same unit.

    Returns:
        At least 1; infinite if trainings do not vary, or samples cost nothing.
    """
    if ratio <= 0 or training <= 0:
        return 1.0
    return max(1.0, math.sqrt(ratio * training / sample)) if sample > 0 else math.inf


def ratio_of(share: float, samples: float) -> float:
    """Return the ratio of the components that has this share of sampling noise with this number of samples."""
    return math.inf if share >= 1 else samples * share / (1 - share)
