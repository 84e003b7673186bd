"""How often a trend is claimed, by the mean slope and by Kendall's tau."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.effect_sizes import kendall
from ablate.report.statistics.inference.flips import sign_flip
from simulations.draws import ALPHA, SCATTER, three

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import Array

STUDIES = 600
LEVELS = np.arange(5.0)
TITLE = "Trends"
TEXT = (
    "Which test of a trend is right more often, that of the slope or that of Kendall's tau?\n\n"
    f"The share of {STUDIES:,} studies that claim a trend along five levels, by sign flips of the mean slope (the "
    "test of the report) and of Kendall's tau.\n"
    "Slopes are in standard deviations of a value, from level to level; those of the replicates scatter.\n\n"
    "At slope 0 at most 0.05 is allowed, except in the last four rows: there the means are equal, but spread and "
    "skew grow with the level, from 0.25 to 4 standard deviations."
)
HEADER = ["slope", "scatter of slopes", "values", "replicates", "slope test", "tau test"]
CASES = [
    *((0.0, spread, "normal", n) for spread in (0.0, 0.6) for n in (6, 8, 12)),
    *((0.3, spread, "normal", n) for spread in (0.0, 0.3, 0.6) for n in (6, 8, 12)),
    *((0.0, 0.0, f"{scatter}, growing", n) for scatter in ("exponential", "lognormal") for n in (8, 12)),
]


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each truth."""
    for slope, spread, scatter, n in CASES:
        by_slope, by_tau = found(slope, spread, scatter, n, studies)
        yield [f"{slope:g}", f"{spread:g}", scatter, str(n), three(by_slope), three(by_tau)]


def found(slope: float, spread: float, scatter: str, n: int, studies: int) -> tuple[float, float]:
    """Return the share of studies that claim a trend, by the mean slope and by Kendall's tau."""
    rng = np.random.default_rng(8)
    values = SCATTER[scatter.partition(",")[0]](rng, (studies, n, len(LEVELS)))
    if scatter.endswith("growing"):
        values *= np.geomspace(0.25, 4.0, len(LEVELS))
    values += (slope + rng.normal(0.0, spread, (studies, n, 1))) * (LEVELS - LEVELS.mean())
    return _claimed(values @ (LEVELS - LEVELS.mean())), _claimed(np.array([kendall(LEVELS, each) for each in values]))


def _claimed(slopes: Array) -> float:
    return float((sign_flip(slopes) < ALPHA).mean())
