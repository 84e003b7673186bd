"""Distances between two histograms, and between the numbers that they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import FloatArray

#: The results of :func:`distances` with their units, in its order.
UNITS = {"l1": "1", "l2": "1", "kl_pq": "nat", "kl_qp": "nat", "average": "1", "js": "bit"}


class Observed(NamedTuple):
    """Values of a quantity, each with a weight.

    Attributes:
        values: float64 [values]; increasing where a function requires it.
        weights: float64 [values], not negative: 1 for each note, or the seconds that a value lasted.
    """

    values: FloatArray
    weights: FloatArray


def distances(reference: FloatArray, generated: FloatArray, smoothing: float) -> dict[str, float]:
    """Compare two histograms of the same bins.

    With p the reference's and q the sample's counts, each divided by its sum:

    - ``l1``: sum of ``|p - q|``, 0 to 2;
    - ``l2``: square root of the sum of ``(p - q)**2``, 0 to the square root of 2;
    - ``kl_pq``: Kullback-Leibler divergence, the sum of ``p ln(p / q)``, in nats; ``kl_qp`` the other way round
      (S. Kullback and R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951);
    - ``average``: the mean of these four only, as in the original report, although two of them are in nats;
    - ``js``: Jensen-Shannon divergence, the mean of the divergences of p and of q from their mean, in bits, 0 to 1
      (J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37, 1991).
      Some libraries call its square root the Jensen-Shannon distance.

    Only the Kullback-Leibler divergences are smoothed, as they are infinite where one histogram has an empty bin and
    the other has not: ``smoothing`` is added to every probability of both, and both are normalised again. Its size
    matters there: a bin of probability m that the other histogram lacks adds about ``m ln(m / smoothing)``, which for
    m = 0.01 is 0.09 nats with 1e-6 and 0.02 nats with 1e-3. So they compare only at equal smoothing and equal bins;
    the Jensen-Shannon divergence needs no smoothing.

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
    return {**four, "average": sum(four.values()) / len(four), "js": _js(p, q)}


def on_a_line(reference: Observed, generated: Observed) -> float:
    """Compute the first Wasserstein or earth mover's distance: the average move that turns one into the other.

    It is the area between the two cumulative distributions (S. S. Vallender, "Calculation of the Wasserstein distance
    between probability distributions on the line", Theory of Probability and Its Applications 18, 1974), so it needs
    no bins and has the unit of the values: 2 semitones for the same music two semitones higher.

    Args:
        reference: values in increasing order; at least one weight is above 0.
        generated: like ``reference``.
    """
    values = np.concatenate([reference.values, generated.values])
    order = np.argsort(values, kind="stable")  # two sorted runs, which this kind merges in linear time
    surplus = np.concatenate([_shares(reference), -_shares(generated)])[order].cumsum()
    return float(np.abs(surplus[:-1]) @ np.diff(values[order]))


def on_the_circle(reference: Observed, generated: Observed, steps: int) -> float:
    """Compute the earth mover's distance on a circle, where the last of ``steps`` whole numbers is next to the first.

    From B to C is then one semitone, and no distance is larger than half the circle. The least work on a circle is
    the sum of ``|F - m|``, with F the differences of the cumulative distributions at each step and m their median
    (J. Rabin, J. Delon, Y. Gousseau, "Transportation distances on the circle", Journal of Mathematical Imaging and
    Vision 41, 2011).

    Args:
        reference: values among 0 to ``steps - 1``; at least one weight is above 0.
        generated: like ``reference``.
        steps: around the whole circle.

    Returns:
        Steps, 0 to ``steps / 2``.
    """
    p, q = (np.bincount(o.values.astype(np.int64), _shares(o), steps) for o in (reference, generated))
    surplus = (p - q).cumsum()
    return float(np.abs(surplus - np.median(surplus)).sum())


def _shares(observed: Observed) -> FloatArray:
    shares: FloatArray = observed.weights / observed.weights.sum()
    return shares


def _smooth(p: FloatArray, smoothing: float) -> FloatArray:
    smoothed: FloatArray = (p + smoothing) / (1 + len(p) * smoothing)
    return smoothed


def _kl(p: FloatArray, q: FloatArray) -> float:
    # The divergence is never negative; of nearly equal histograms the sum can round to just below 0.
    return max(0.0, float((p * np.log(p / q)).sum()))


def _js(p: FloatArray, q: FloatArray) -> float:
    middle = (p + q) / 2
    nats = (_kl(part[part > 0], middle[part > 0]) for part in (p, q))  # an empty bin adds nothing to its own side
    return min(1.0, float(sum(nats) / 2 / np.log(2)))
