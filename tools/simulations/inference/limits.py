"""Where the procedures claim too much: values that break their assumptions, each with its rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference import equivalence, intervals
from simulations.claims.best_set import kept
from simulations.draws import ALPHA, SCATTER, claimed, three

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.arrays import Array, FloatArray
    from ablate.report.statistics.inference.intervals import Estimate
    from simulations.draws import Draw

    Rate = Callable[[np.random.Generator, Draw, int, int], float]

STUDIES = 2000
TITLE = "Where the rules do not hold"
TEXT = (
    "How wrong is a rule where its assumption is broken?\n\n"
    f"The share of {STUDIES:,} studies with a false statement, where a rule allows at most 0.05; beside each "
    "broken assumption is a case in which it holds.\n\n"
    "- **slopes**: all levels have one distribution.\n"
    "- **shared noise**: a part that all replicates of a study have in common is a quarter of the variance of a "
    "difference.\n"
    "- **best**: a variant is left out that is as good as the others, or that is 0.4 standard deviations better "
    "by one large win in ten replicates.\n"
    "- **equivalence**: the true difference is as large as the margin, of one comparison or of each of several; "
    "the noisy baseline has 0.3 of the standard deviation of a variant."
)
HEADER = ["rule", "values", "8 replicates", "12 replicates"]


def _gamma(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return (rng.gamma(0.3, size=shape) - 0.3) / np.sqrt(0.3)


def _long(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return rng.lognormal(0.0, 1.5, shape) - np.exp(1.5**2 / 2)


def _far(share: float) -> Draw:
    return lambda rng, shape: 0.3 * rng.normal(size=shape) + 3.0 * ((rng.random(shape) < share) - share)


def _shared(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return rng.normal(size=shape) + rng.normal(size=(*shape[:-1], 1)) / np.sqrt(3.0)


DRAWS: dict[str, Draw] = {
    **SCATTER,
    "gamma, shape 0.3": _gamma,
    "lognormal, sd of the logarithm 1.5": _long,
    "one in five is far away": _far(0.2),
    "three in ten are far away": _far(0.3),
    "normal, shared noise": _shared,
}


def slopes(levels: tuple[float, ...]) -> Rate:
    """Return the rate at which a slope along these levels is claimed."""
    centred = np.array(levels) - np.mean(levels)
    return lambda rng, draw, n, studies: float(
        np.mean([claimed((centred @ study)[None]).any() for study in draw(rng, (studies, len(levels), n))])
    )


def differences(rng: np.random.Generator, draw: Draw, n: int, studies: int) -> float:
    """Return the rate at which any of four variants is claimed to differ from the baseline."""
    values = draw(rng, (studies, 5, n))
    return float(np.mean([claimed(study[1:] - study[:1]).any() for study in values]))


def best_of_alike(variants: int) -> Rate:
    """Return the rate at which a variant is left out of the best ones, where all are alike."""
    return lambda rng, draw, n, studies: _left_out(draw(rng, (studies, variants, n)))


def best_by_rare_wins(rng: np.random.Generator, draw: Draw, n: int, studies: int) -> float:
    """Return the rate at which the best variant is left out, if it is best by rare large wins; higher is better."""
    values = draw(rng, (studies, 5, n))
    values[:, 1] = 0.3 * values[:, 1] - 0.6 + 10.0 * (rng.random((studies, n)) < 0.1)
    return _left_out(values)


def _left_out(values: Array) -> float:
    """Return the share of studies that leave out the second variant; the first one is the baseline."""
    return float(np.mean([not kept(study)[1] for study in values]))


def inside(comparisons: int, estimate: Estimate = "mean", shared: float = 0.0) -> Rate:
    """Return the rate at which any comparison is equivalent, where the true differences are as large as the margin.

    Args:
        comparisons: of a study.
        estimate: what is inside the margin.
        shared: the standard deviation of a baseline of all comparisons, relative to that of each variant.
    """

    def rate(rng: np.random.Generator, draw: Draw, n: int, studies: int) -> float:
        middle = 0.0 if estimate == "mean" else float(intervals.estimator(estimate)(draw(rng, (1_000_000,))))
        margin = 50.0
        values = draw(rng, (studies, comparisons, n)) - middle - shared * draw(rng, (studies, 1, n)) + margin
        limits = np.full(studies * comparisons, margin)
        p = equivalence.equivalence(values.reshape(-1, n), limits, estimate).p.reshape(studies, comparisons)
        return float(np.mean([(equivalence.holm(row) < ALPHA).any() for row in p]))

    return rate


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each rule and distribution."""
    for rule, rate, names in CASES:
        for name in names:
            rng = np.random.default_rng(13)
            yield [rule, name, *(three(rate(rng, DRAWS[name], n, studies)) for n in (8, 12))]


_SKEWED = ("normal", "lognormal", "gamma, shape 0.3")
_TAILS = ("lognormal", "gamma, shape 0.3", "lognormal, sd of the logarithm 1.5", "one in five is far away")
CASES: tuple[tuple[str, Rate, tuple[str, ...]], ...] = (
    ("a slope along 1, 2, 3, 4", slopes((1, 2, 3, 4)), _SKEWED),
    ("a slope along 1, 2, 3, 30", slopes((1, 2, 3, 30)), _SKEWED),
    ("four variants", differences, ("normal", "gamma, shape 0.3", "normal, shared noise")),
    ("best of 3 that are alike", best_of_alike(3), _SKEWED),
    ("best of 6 that are alike", best_of_alike(6), _SKEWED),
    ("best by rare wins", best_by_rare_wins, ("normal",)),
    ("equivalence", inside(1), _TAILS),
    ("equivalence of 8", inside(8), ("normal", "exponential", "lognormal")),
    ("equivalence of 8, noisy baseline", inside(8, shared=0.3), ("normal", "exponential", "lognormal")),
    ("equivalence, iqm", inside(1, "iqm"), (*_TAILS[:3], "three in ten are far away")),
)
