"""Coverage of the intervals of variance components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.variance import components
from simulations import draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import FloatArray
    from simulations.draws import Draw

TITLE = "Intervals of variance components"
TEXT = (
    "How good are the intervals of the parts of the noise?\n\n"
    "The share of studies in which a 95 % interval contains the truth.\n\n"
    "- **share**: of the share of sampling noise, for one comparison; **share, four together**: for four "
    "comparisons with a common baseline.\n"
    "- **sampling**, **training**: of the two components of one comparison.\n"
    "- **share, by F**, **sampling, by chi-square**: the usual intervals of analysis of variance, which assume "
    "normal values."
)
HEADER = [
    *("scatter", "replicates", "samples", "true share", "share", "share, four together", "sampling", "training"),
    *("share, by F", "sampling, by chi-square"),
]
#: Distributions with standard deviation 1.
SCATTER: dict[str, Draw] = {
    "normal": draws.SCATTER["normal"],
    "skewed (exponential)": draws.SCATTER["exponential"],
    "heavy tails (t, 3 df)": draws.SCATTER["t, 3 df"],
    "lognormal": draws.SCATTER["lognormal"],
}


def differences(rng: np.random.Generator, scatter: str, shape: tuple[int, int, int], share: float) -> FloatArray:
    """Return differences of variants from a baseline, [variants, replicates, samples].

    The variance of a replicate's difference is 2, and ``share`` of it is sampling noise.
    """
    variants, n, m = shape
    draw = SCATTER[scatter]
    trainings = draw(rng, (variants + 1, n, 1)) * np.sqrt(1 - share)
    values = trainings + draw(rng, (variants + 1, n, m)) * np.sqrt(share * m)
    return np.asarray(values[1:] - values[:1])


def classical(values: FloatArray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the 95 % intervals of share and sampling component by F and chi-square, for [replicates, samples]."""
    from scipy import stats as sps

    n, m = values.shape
    within = float(values.var(axis=1, ddof=1).mean())
    ratio = within / m / float(values.mean(1).var(ddof=1))
    by_f = ratio * sps.f.ppf((0.025, 0.975), n - 1, n * (m - 1))
    by_chi = n * (m - 1) * within / sps.chi2.ppf((0.975, 0.025), n * (m - 1))
    return (by_f[0], min(1.0, by_f[1])), (by_chi[0], by_chi[1])


def coverage(rng: np.random.Generator, scatter: str, shape: tuple[int, int], share: float, studies: int) -> list[float]:
    """Return how often each interval contains the truth, in the order of the header."""
    n, m = shape
    hits = np.zeros(6)
    for _ in range(studies):
        values = differences(rng, scatter, (4, n, m), share)
        alone, together = components(values[0]), components(values)
        if alone is None or together is None:
            continue
        by_f, by_chi = classical(values[0])
        sampling, training = 2 * share * m, 2 * (1 - share)
        ends = [
            *((alone.share[1:], share), (together.share[1:], share), (alone.sampling[1:], sampling)),
            *((alone.training[1:], training), (by_f, share), (by_chi, sampling)),
        ]
        hits += [low <= truth <= high for (low, high), truth in ends]
    return (hits / studies).tolist()


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each scatter, size and share."""
    rng = np.random.default_rng(31)
    for scatter in SCATTER:
        for shape in ((5, 4), (8, 4), (8, 16)):
            for share in (0.3, 0.9):
                hits = coverage(rng, scatter, shape, share, studies)
                yield [scatter, *map(str, shape), f"{share:g}", *(f"{hit:.3f}" for hit in hits)]
