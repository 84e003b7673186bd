"""Four distances between two histograms, and their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.interfaces import FloatArray

#: The numbers of :func:`distances` with their units, in its order.
UNITS = {"l1": "1", "l2": "1", "kl_pq": "nat", "kl_qp": "nat", "average": "1"}


def distances(reference: FloatArray, generated: FloatArray, smoothing: float) -> dict[str, float]:
    """Compare two histograms of the same bins.

    With p the reference's and q the sample's counts, each divided by its sum:

    - ``l1``: sum of ``|p - q|``, 0 to 2;
    - ``l2``: square root of the sum of ``(p - q)**2``, 0 to the square root of 2;
    - ``kl_pq``: Kullback-Leibler divergence, the sum of ``p ln(p / q)``, in nats; ``kl_qp`` the other way round;
    - ``average``: the mean of these four, as the original report took it, although two of them are in nats.

    Only the divergences are smoothed, as they are infinite where one histogram has an empty bin and the other has
    not: ``smoothing`` is added to every probability of both, and both are normalised again. Its size matters there:
    a bin of probability m that the other histogram lacks adds about ``m ln(m / smoothing)``, which for m = 0.01 is
    0.09 nats with 1e-6 and 0.02 nats with 1e-3. So divergences compare only at equal smoothing and equal bins.

    Args:
        reference: counts, [bins], at least one of them above 0.
        generated: counts, [bins], at least one of them above 0.
        smoothing: above 0.
    """
    p, q = reference / reference.sum(), generated / generated.sum()
    p_smooth, q_smooth = _smooth(p, smoothing), _smooth(q, smoothing)
    four = {
        "l1": float(np.abs(p - q).sum()),
        "l2": float(np.sqrt(np.square(p - q).sum())),
        "kl_pq": _kl(p_smooth, q_smooth),
        "kl_qp": _kl(q_smooth, p_smooth),
    }
    return {**four, "average": sum(four.values()) / len(four)}


def _smooth(p: FloatArray, smoothing: float) -> FloatArray:
    smoothed: FloatArray = (p + smoothing) / (1 + len(p) * smoothing)
    return smoothed


def _kl(p: FloatArray, q: FloatArray) -> float:
    # The divergence is never negative; of nearly equal histograms the sum can round to just below 0.
    return max(0.0, float((p * np.log(p / q)).sum()))
