"""Claims that a difference does not matter although it is as large as the margin, and the power of true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.equivalence import equivalence, equivalence_power
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate
    from simulations.draws import Draw

STUDIES = 10_000
TITLE = "No difference that matters, or a verdict withheld"
TEXT = (
    "How often are two variants called equivalent, when they are and when they are not?\n\n"
    f"{STUDIES:,} comparisons for each number.\n"
    "In the first rows the true difference is as large as the margin, and at most 0.05 is allowed.\n"
    "In the last rows the true difference is 0 and the scatter is normal: the larger the share, the better.\n"
    "Those margins are in standard deviations of a difference, and the computed power is in brackets.\n\n"
    "- **mean**, **iqm**: the share called equivalent by the report, for the mean and for the interquartile mean.\n"
    "- **two t tests**: the same by two one-sided t tests without the correction for skewness.\n"
    "- **withheld**: the share without a verdict because most differences are equal.\n\n"
    "Where one in ten fails and the others are normal, no rule can keep its level and give any verdict: with n "
    "replicates, none of which fails, failures in up to a share 1 - 0.05^(1/n) of replicates are possible."
)
HEADER = ["differences", "replicates", "mean", "iqm", "two t tests", "withheld"]
REPLICATES, STRETCH = (6, 8, 12, 20), np.exp(0.5)


#: Differences whose mean is the margin, and the margin.
AT_THE_MARGIN: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng, shape: rng.normal(1.0, 1.0, shape), 1.0),
    "heavy tails (t, 3 df)": (lambda rng, shape: rng.standard_t(3, shape) + 1.0, 1.0),
    "a share of 0.95 (4 samples) against a constant 1": (lambda rng, shape: 1 - rng.binomial(4, 0.95, shape) / 4, 0.05),
    "Poisson(0.1) counts": (lambda rng, shape: rng.poisson(0.1, shape).astype(float), 0.1),
    "one replicate in ten fails": (lambda rng, shape: (rng.random(shape) < 0.1).astype(float), 0.1),
    "exponential": (lambda rng, shape: rng.exponential(size=shape), 1.0),
    "exponential, tail towards 0": (lambda rng, shape: 2.0 - rng.exponential(size=shape), 1.0),
    "lognormal": (lambda rng, shape: rng.lognormal(size=shape), STRETCH),
    "lognormal, tail towards 0": (lambda rng, shape: 2 * STRETCH - rng.lognormal(size=shape), STRETCH),
    "one in ten fails, else normal": (lambda rng, shape: (rng.random(shape) < 0.1) + rng.normal(0, 0.01, shape), 0.1),
}
#: Margins of the last rows.
MARGINS = (1.0, 1.5, 2.0, 3.0)


def claimed(values: FloatArray, margin: float, estimate: Estimate = "mean") -> tuple[float, float]:
    """Return the share of comparisons, [comparisons, replicates], that are equivalent, and that are withheld."""
    found = equivalence(values, np.full(len(values), margin), estimate)
    return float((found.p < ALPHA).mean()), float(np.mean([bool(reason) for reason in found.reason]))


def two_t_tests(values: FloatArray, margin: float) -> float:
    """Return the share of comparisons that two one-sided t tests without a correction call equivalent."""
    from scipy import special

    n = values.shape[1]
    error = np.maximum(values.std(axis=1, ddof=1) / np.sqrt(n), 1e-12 * margin)
    t = (margin - np.abs(values.mean(axis=1))) / error
    return float((special.stdtr(n - 1, -t) < ALPHA).mean())


def middle_of(draw: Draw) -> float:
    """Return the interquartile mean of a distribution, from many values."""
    values = np.sort(draw(np.random.default_rng(0), (400_000,)))
    return float(values[100_000:300_000].mean())


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each distribution and number of replicates."""
    rng = np.random.default_rng(21)
    for name, (draw, margin) in AT_THE_MARGIN.items():
        middle = middle_of(draw)
        for n in REPLICATES:
            values = draw(rng, (studies, n))
            share, withheld = claimed(values, margin)
            # a distribution whose interquartile mean is 0 has no margin to be at
            iqm = f"{claimed(values, middle, 'iqm')[0]:.3f}" if middle > ALPHA * margin else "-"
            yield [name, str(n), f"{share:.3f}", iqm, f"{two_t_tests(values, margin):.3f}", f"{withheld:.3f}"]
    for margin in MARGINS:
        for n in REPLICATES:
            values = rng.normal(size=(studies, n))
            cells = [
                f"{claimed(values, margin, estimate)[0]:.3f} ({equivalence_power(margin, n, ALPHA, estimate):.3f})"
                for estimate in ("mean", "iqm")
            ]
            yield [f"0, margin {margin:g}", str(n), *cells, f"{two_t_tests(values, margin):.3f}", "0.000"]
