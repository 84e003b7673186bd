"""How often independent runs are called equivalent whose difference is as large as the margin, and whose is 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.independent.equivalence import Limit, equivalence, power_of
from ablate.report.statistics.inference.independent.groups import Groups
from simulations.draws import ALPHA, SCATTER, three

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = 600
TITLE = "Independent runs without a difference that matters"
TEXT = (
    "How often are independent runs called equivalent, when they are and when they are not?\n\n"
    f"{STUDIES:,} comparisons of two variants of independent runs for each number: the share that are called "
    "equivalent.\n"
    "In the columns *towards*, *away* and *of a share* the true difference is as large as the margin, and at most"
    " 0.05 is allowed.\n\n"
    "- **towards**: the values of the better variant have their tail beyond the margin; **away**: the tail is on "
    "the other side.\n"
    "- **of a share**: the margin is 30 % of the baseline's mean.\n"
    "- **true difference 0**: the margin is in standard deviations of a run, and the larger the share, the "
    "better; the computed power is in brackets."
)
HEADER = ["values", "runs", "towards", "away", "of a share", "true difference 0: margin 1.5", "margin 3"]
RUNS = ((6, 6), (8, 8), (12, 12), (6, 20), (20, 20))


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each kind of values and numbers of runs."""
    for scatter in ("normal", "exponential", "lognormal"):
        for runs in RUNS:
            at_margin = (claimed(scatter, runs, studies, tail=tail, share=share) for tail, share in _AT_MARGIN)
            zero = [f"{three(claimed(scatter, runs, studies // 4, margin=m, shift=0.0))}" for m in (1.5, 3.0)]
            if scatter == "normal" and runs[0] == runs[1]:
                zero = [f"{each} ({three(_power(runs[0], m))})" for each, m in zip(zero, (1.5, 3.0), strict=True)]
            yield [scatter, f"{runs[0]} and {runs[1]}", *map(three, at_margin), *zero]


_AT_MARGIN = ((1.0, False), (-1.0, False), (1.0, True))


def claimed(
    scatter: str,
    runs: tuple[int, int],
    studies: int,
    *,
    tail: float = 1.0,
    share: bool = False,
    margin: float = 2.0,
    shift: float | None = None,
) -> float:
    """Return the share of comparisons that are called equivalent.

    Args:
        scatter: a key of :data:`simulations.draws.SCATTER`.
        runs: of the variant and of the baseline.
        studies: the number of comparisons.
        tail: 1 if the long tail of the variant's values is beyond the margin, -1 if it is on the other side.
        share: whether the margin is a share of the baseline's mean.
        margin: in standard deviations of a run.
        shift: the true difference; default the margin.
    """
    rng, draw = np.random.default_rng(43), SCATTER[scatter]
    found = []
    for _ in range(studies):
        one, other = tail * draw(rng, (runs[0],)) + (margin if shift is None else shift), draw(rng, (runs[1],))
        base = other + margin / 0.3
        limit = Limit(0.3, base) if share else Limit(margin)
        values = (one + margin / 0.3, base) if share else (one, other)
        found.append(equivalence(Groups(values, np.array([1.0, -1.0])), limit).p < ALPHA)
    return float(np.mean(found))


def _power(runs: int, margin: float) -> float:
    rng = np.random.default_rng(1)
    standard = rng.normal(size=(2, runs))
    standard = (standard - standard.mean(axis=1, keepdims=True)) / standard.std(axis=1, ddof=1, keepdims=True)
    return power_of(Groups(tuple(standard), np.array([1.0, -1.0])), margin, runs, ALPHA)
