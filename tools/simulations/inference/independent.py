"""Coverage, false claims and power of comparisons of independent runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.independent import joint, worlds
from ablate.report.statistics.inference.independent.joint import Family
from ablate.report.statistics.inference.independent.moments import interval
from ablate.report.statistics.inference.independent.worlds import Runs
from simulations.draws import ALPHA, SCATTER, three

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STUDIES = 400
#: The number of worlds that a test tries here: the simulation makes many tests.
WORLDS = 199
TITLE = "Independent runs"
TEXT = (
    "What is claimed about independent runs, and why do two tests have to agree?\n\n"
    f"{STUDIES:,} studies for each row whose replicates do not belong together: a baseline (the first number of "
    "runs) and other variants with these numbers of runs, whose standard deviations are relative.\n"
    "Labels cannot be shuffled where variants scatter unequally, and Welch's t is wrong for few skewed values in "
    "groups of unequal size.\n"
    "The larger p of both avoids these errors. Nothing avoids them together: skewed values that scatter "
    "unequally.\n\n"
    "- **interval**: the share of 95 % intervals of a difference from the baseline that contain the truth.\n"
    "- **any claim**: the share of studies that claim any difference although all means are equal; at most 0.05 "
    "is meant.\n"
    "- **Welch**, **shuffled**, **drawn**: what one test alone would claim: Welch's t with Holm's correction, "
    "shuffled labels, and drawn normal values (max-T both).\n"
    "- **found**: the share of differences that are found if all other variants are 2 standard deviations (of the"
    " baseline) away."
)
HEADER = ["values", "runs", "standard deviations", "interval", "any claim", "Welch", "shuffled", "drawn", "found"]


class Case(NamedTuple):
    """Numbers of runs and standard deviations, the baseline's first."""

    runs: tuple[int, ...]
    sds: tuple[float, ...]


CASES = [
    Case((3, 3), (1, 1)),
    Case((6, 6), (1, 1)),
    Case((3, 10), (1, 1)),
    Case((30, 5), (1, 1)),
    Case((6, 6), (1, 4)),
    Case((12, 4), (4, 1)),
    Case((3, 3, 3, 3, 3), (1, 1, 1, 1, 1)),
    Case((6, 6, 6, 6, 6), (1, 1, 1, 1, 1)),
    Case((6, 6, 6, 6, 6), (1, 1, 2, 4, 4)),
    Case((30, 3, 3, 10, 10), (1, 1, 1, 1, 1)),
    Case((10, 3, 10, 30, 5), (1, 4, 1, 1, 1)),
]


class Found(NamedTuple):
    """The shares of a case; see the header."""

    coverage: float
    claims: float
    welch: float
    shuffled: float
    drawn: float
    power: float


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each kind of values and case."""
    for scatter in ("normal", "exponential", "lognormal"):
        for case in CASES:
            found = shares(scatter, case, studies)
            counts, sds = (", ".join(map(str, each)) for each in case)
            yield [scatter, counts, sds, *(three(share) for share in found)]


def shares(scatter: str, case: Case, studies: int) -> Found:
    """Simulate and judge many studies."""
    kept = worlds.EXACT_UP_TO, worlds.RANDOM
    worlds.EXACT_UP_TO, worlds.RANDOM = WORLDS, WORLDS
    try:
        null = [_study(scatter, case, seed, 0.0) for seed in range(studies)]
        away = [_study(scatter, case, seed, 2.0 * case.sds[0]) for seed in range(max(2, studies // 4))]
        tests = [joint.each_test(family) for family in null]
        ends = [interval(family.observed("mean")) for family in null]
        covered = [(low <= 0) & (high >= 0) for low, high in ends]
        found = [joint.max_t(family).adjusted < ALPHA for family in away]
    finally:
        worlds.EXACT_UP_TO, worlds.RANDOM = kept
    any_of = [[bool((p < ALPHA).any()) for p in each] for each in tests]
    together, welch, shuffled, drawn = np.mean(any_of, axis=0)
    return Found(float(np.mean(covered)), float(together), *map(float, (welch, shuffled, drawn)), float(np.mean(found)))


def _study(scatter: str, case: Case, seed: int, shift: float) -> Family:
    rng, count = np.random.default_rng([37, seed]), len(case.runs)
    values = [sd * SCATTER[scatter](rng, (n,)) for n, sd in zip(case.runs, case.sds, strict=True)]
    group = np.repeat(np.arange(count), case.runs)
    weights = np.zeros((count - 1, count))
    weights[:, 0], weights[np.arange(count - 1), np.arange(1, count)] = -1.0, 1.0
    column = np.concatenate(values) + shift * (group > 0)
    return Family(Runs(column[:, None], group, count), np.zeros(count - 1, int), weights)


def coverage(scatter: str, runs: Sequence[int], sds: Sequence[float], studies: int) -> float:
    """Return the share of intervals that contain the truth, without any test."""
    families = (_study(scatter, Case(tuple(runs), tuple(sds)), seed, 0.0) for seed in range(studies))
    ends = [interval(family.observed("mean")) for family in families]
    return float(np.mean([(low <= 0) & (high >= 0) for low, high in ends]))
