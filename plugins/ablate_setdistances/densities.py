"""Densities of distances, estimated with Gaussian kernels, and two comparisons of them.

Yang and Lerch estimate each density with ``scipy.stats.gaussian_kde``, whose kernels are as wide as the standard
deviation of the distances times ``n ** -0.2`` (Scott's rule). So does :func:`density`, with two additions: kernels are
not narrower than a thousandth of the range of all distances compared, so that equal distances have a density too
(mgeval ends in an error there), and more than :data:`MOST` distances are replaced by that number of quantiles.

Integrals run over the whole line, on one grid for both densities with ten points for each kernel width. Differences
from mgeval:

- its ``overlap_area`` integrates from the smallest distance to the largest, so it cuts both tails off, and the area of
  a set of distances with itself is below 1: 0.79 for the numbers 1 to 10, where :func:`compare` returns 1;
- its ``kl_dist`` evaluates each density on a grid of its own, from the smallest to the largest distance of its own
  set, and compares the numbers point by point. A set and the same set shifted by any amount then have divergence 0,
  and it is no Kullback-Leibler divergence. :func:`compare` takes both densities at the same points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.integrate import trapezoid

if TYPE_CHECKING:
    from ablate.arrays import FloatArray

#: The largest number of kernels of a density.
MOST = 4096
#: Width of the narrowest kernel, as a share of the range of all distances.
NARROWEST = 1e-3
#: Points of the grid for each kernel width, and kernel widths beyond the outermost kernel.
POINTS, BEYOND = 10, 8
#: Number of kernel values that are computed at once.
_AT_ONCE = 2**20


class Density(NamedTuple):
    """A density as a sum of Gaussian kernels of equal width.

    Attributes:
        centres: distinct, increasing, float64 [kernels].
        weights: of each kernel, with sum 1, float64 [kernels].
        width: standard deviation of each kernel, above 0.
    """

    centres: FloatArray
    weights: FloatArray
    width: float

    def grid(self) -> FloatArray:
        """Return points that are a tenth of a kernel width apart and reach eight widths beyond the kernels."""
        low, high = self.centres[0] - BEYOND * self.width, self.centres[-1] + BEYOND * self.width
        return np.linspace(low, high, int(POINTS * (high - low) / self.width) + 2)

    def log(self, points: FloatArray) -> FloatArray:
        """Return the logarithm of the density at each point, finite however far away the point is."""
        return np.concatenate(
            [self._log(part) for part in np.array_split(points, 1 + points.size * self.size // _AT_ONCE)]
        )

    @property
    def size(self) -> int:
        """The number of kernels."""
        return len(self.centres)

    def _log(self, points: FloatArray) -> FloatArray:
        exponents_pk = -0.5 * ((points[:, None] - self.centres) / self.width) ** 2
        highest_p = exponents_pk.max(axis=1)
        np.exp(exponents_pk - highest_p[:, None], out=exponents_pk)
        sums: FloatArray = np.log(exponents_pk @ self.weights) + highest_p - np.log(self.width * np.sqrt(2 * np.pi))
        return sums


def density(distances: FloatArray, span: float) -> Density:
    """Estimate the density of distances.

    Args:
        distances: at least two, in any order.
        span: the range of all distances that are compared, above 0.
    """
    width = float(distances.std(ddof=1) * len(distances) ** -0.2)
    if len(distances) > MOST:
        distances = np.quantile(distances, (np.arange(MOST) + 0.5) / MOST)
    centres, counts = np.unique(distances, return_counts=True)
    return Density(centres, counts / counts.sum(), max(width, NARROWEST * span))


class Comparison(NamedTuple):
    """Two densities compared.

    Attributes:
        overlap: the overlapped area, the integral of the smaller density, 0 (nothing in common) to 1 (equal).
        divergence: the Kullback-Leibler divergence of the first from the second, the integral of ``p ln(p / q)``, in
            nats; 0 if they are equal.
    """

    overlap: float
    divergence: float


def compare(one: FloatArray, other: FloatArray) -> Comparison:
    """Compare the densities of two sets of distances, at least two each.

    If all distances of both are equal, so are the densities.
    """
    span = float(max(one.max(), other.max()) - min(one.min(), other.min()))
    if span == 0.0:
        return Comparison(1.0, 0.0)
    p, q = density(one, span), density(other, span)
    points = np.unique(np.concatenate([p.grid(), q.grid()]))
    log_p, log_q = p.log(points), q.log(points)
    area = trapezoid(np.exp(np.minimum(log_p, log_q)), points)
    nats = trapezoid(np.exp(log_p) * (log_p - log_q), points)
    # both can miss their bounds by rounding
    return Comparison(min(1.0, float(area)), max(0.0, float(nats)))
