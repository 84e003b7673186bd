"""One sentence for each distance, for the glossary of a report."""

from __future__ import annotations

#: The distances between two histograms, by the names of :data:`ablate_distances.distances.UNITS`.
BINNED = {
    "l1": "The sum of the differences between two histograms, as shares: 0 if they are equal, 2 if no bin is common.",
    "l2": "The square root of the sum of the squared differences, so a few large differences count more than in l1.",
    "kl_pq": "The Kullback-Leibler divergence of the sample from the reference: large where the reference has "
    "notes and the sample has almost none.",
    "kl_qp": "The Kullback-Leibler divergence of the reference from the sample: large where the sample has "
    "notes and the reference has almost none.",
    "average": "The mean of l1, l2, kl_pq and kl_qp, as in the original experiments.",
    "js": "The Jensen-Shannon divergence: 0 for equal histograms, 1 for histograms without a common bin.",
}
#: The same with the distance between the values themselves, for quantities that are numbers.
ALL = {
    **BINNED,
    "wasserstein": "The earth mover's distance: how far the values have to be moved on average to turn those of "
    "the sample into those of the reference.",
}
