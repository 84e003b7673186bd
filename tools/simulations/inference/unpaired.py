"""False claims between two studies that share no seeds, and the power of that comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference import unpaired
from simulations.draws import ALPHA, SCATTER, three

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = 1000
#: The number of divisions in groups that a test tries here: the simulation makes many tests.
DIVISIONS = 999
TITLE = "Two studies with other seeds"
TEXT = (
    "What does the comparison of two studies without shared seeds claim?\n\n"
    f"The share of {STUDIES:,} pairs of studies in which at least one comparison is called a difference.\n"
    "Where the means are equal, 0.05 is allowed; skewed values with more scatter in one study are beyond what "
    "either test allows for.\n"
    "In the last rows the means of all comparisons differ by 1.5 standard deviations: the larger the share, the "
    "better."
)
HEADER = ["scatter", "replicates of each", "1 comparison", "4 comparisons"]
#: Name, scatter, factor on the scatter of the second study, and difference of the means.
CASES = (
    *((name, name, 1.0, 0.0) for name in ("normal", "exponential", "t, 3 df")),
    *((f"{name}, 4 times in one", name, 4.0, 0.0) for name in ("normal", "exponential", "lognormal")),
    ("normal, different means", "normal", 1.0, 1.5),
)
SIZES = (6, 8, 12)


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each kind of scatter and number of replicates."""
    kept = unpaired.EXACT_UP_TO, unpaired.RANDOM
    unpaired.EXACT_UP_TO, unpaired.RANDOM = DIVISIONS, DIVISIONS
    try:
        for title, scatter, scale, shift in CASES:
            for n in SIZES:
                yield [title, str(n), *(three(claimed(scatter, scale, shift, (m, n), studies)) for m in (1, 4))]
    finally:
        unpaired.EXACT_UP_TO, unpaired.RANDOM = kept


def claimed(scatter: str, scale: float, shift: float, shape: tuple[int, int], studies: int) -> float:
    """Return the share of studies with any claim of a difference.

    Args:
        scatter: a key of :data:`simulations.draws.SCATTER`.
        scale: the factor on the scatter of the second study.
        shift: the difference of the means.
        shape: comparisons, replicates of each study.
        studies: the number of simulated pairs of studies.
    """
    rng, draw = np.random.default_rng(31), SCATTER[scatter]
    tests = (unpaired.two_sample(draw(rng, shape), scale * draw(rng, shape) + shift) for _ in range(studies))
    return float(np.mean([test.adjusted.min() < ALPHA for test in tests]))
