"""Claims about the shares of parts, and their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.names import short_names
from ablate.report.data.variants import Variants
from ablate.report.statistics import roles
from ablate.report.statistics.comparisons.attribution import DEPENDENCE, SHARE, attribution, layout
from ablate.report.statistics.comparisons.weights import against_baseline, factorial_effects
from ablate.report.statistics.inference import flips, intervals
from ablate.study.design import DESIGNS, Axis, aliases
from simulations import draws
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.arrays import FloatArray
    from ablate.report.statistics.comparisons.weights import Weights
    from simulations.draws import Draw

TITLE = "Shares of the total difference"
TEXT = (
    "Are shares of a difference right, where parts interact and where they do not?\n\n"
    "Parts that are on or off, crossed, with 8 replicates.\n"
    "In the truth *one part*, the first part has a share of 1.5 standard deviations of a value.\n"
    "In *two that interact*, two parts change nothing alone and 3 standard deviations together, so each has a "
    "share of 1.5.\n"
    "In the last scatter the full model varies more than the others, to one side: sign flips are not exact there,"
    " and claim too much, as they do for any other comparison.\n\n"
    "- **any false**: the share of studies with any false claim in the whole family of the primary quantity "
    "(variants, main effects, interactions, shares, dependences). At most 0.05 is allowed.\n"
    "- **false share**: the same for a share or a dependence alone.\n"
    "- **interval**: the share of 95 % intervals of shares that contain the true Shapley value.\n"
    "- **found**: the share of true shares that are found."
)
HEADER = ["design", "parts", "scatter", "truth", "any false", "false share", "interval", "found"]
REPLICATES, SIZE = 8, 1.5
#: Distributions with standard deviation 1; in the last one, that of the last variant is 4.
SCATTER: dict[str, Draw] = {
    "normal": draws.SCATTER["normal"],
    "skewed (exponential)": draws.SCATTER["exponential"],
    "heavy tails (t, 3 df)": draws.SCATTER["t, 3 df"],
    "lognormal, the last variant 4 times": lambda rng, shape: (
        draws.SCATTER["lognormal"](rng, shape) * np.where(np.arange(shape[0]) == shape[0] - 1, 4.0, 1.0)[:, None]
    ),
}
#: The value of a variant, by the parts that are on, [parts].
TRUTHS: dict[str, Callable[[FloatArray], float]] = {
    "nothing": lambda _: 0.0,
    "one part": lambda on: SIZE * float(on[0]),
    "two that interact": lambda on: 2 * SIZE * float(on[0] and on[1]),
}


def crossed(design: str, parts: int) -> tuple[list[Weights], FloatArray, FloatArray]:
    """Return the judged comparisons of a study of parts.

    Returns:
        The comparisons; their weights, [comparisons, variants]; and the parts that are on, [variants, parts].
    """
    axes = [Axis(f"part{place}", (False, True)) for place in range(parts)]
    made = DESIGNS[design](axes, {axis.path: False for axis in axes})
    variants = Variants({one.name: one.levels for one in made}, next(one.name for one in made if one.baseline))
    labels = short_names([axis.path for axis in axes])
    effects = factorial_effects(variants, labels, dict(aliases(axes)) if design == "fractional" else {})
    found = [*against_baseline(variants), *effects, *attribution(layout(variants, labels, {}))]
    judged = [one for one in found if one.kind not in roles.DESCRIBED]
    weights = np.array([[one.weights.get(variant.name, 0.0) for variant in made] for one in judged])
    return judged, weights, np.array([[one.levels[axis.path] for axis in axes] for one in made], dtype=float)


def true_shares(truth: str, parts: int) -> FloatArray:
    """Return the Shapley values of a truth, which are the same in every design, [parts]."""
    shares = {"nothing": list[float](), "one part": [SIZE], "two that interact": [SIZE, SIZE]}[truth]
    return np.array([*shares, *([0.0] * (parts - len(shares)))])


def outcomes(
    design: str, parts: int, scatter: str, truth: str, studies: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return the rates in the order of :data:`HEADER`; the last one is NaN where nothing is true."""
    comparisons, weights, on = crossed(design, parts)
    means, truths = np.array([TRUTHS[truth](row) for row in on]), true_shares(truth, parts)
    real = np.abs(weights @ means) > 1e-9
    kinds = np.array([one.kind for one in comparisons])
    shares, own = kinds == SHARE, np.isin(kinds, (SHARE, DEPENDENCE))
    counts = np.zeros(4)
    for _ in range(studies):
        differences = weights @ (means[:, None] + SCATTER[scatter](rng, (len(on), REPLICATES)))
        claimed = flips.max_t(differences).adjusted < ALPHA
        interval = intervals.interval(differences[shares])
        covered = (interval.low <= truths) & (truths <= interval.high)
        found = claimed[shares & real].mean() if (shares & real).any() else np.nan
        counts += [(claimed & ~real).any(), (claimed & ~real & own).any(), covered.mean(), found]
    any_false, false_share, coverage, power = (counts / studies).tolist()
    return any_false, false_share, coverage, power


def rows(studies: int = 2_000) -> Iterator[list[str]]:
    """Yield one row for each design, scatter and truth."""
    rng = np.random.default_rng(28)
    for design, parts in (("factorial", 2), ("factorial", 3), ("fractional", 4)):
        for scatter in SCATTER:
            for truth in TRUTHS:
                rates = outcomes(design, parts, scatter, truth, studies, rng)
                cells = ["-" if np.isnan(rate) else f"{rate:.3f}" for rate in rates]
                yield [design, str(parts), scatter, truth, *cells]
