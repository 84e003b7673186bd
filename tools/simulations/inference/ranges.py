"""The range of replicates that a report names for an observed difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.effect_sizes import standardised
from ablate.report.statistics.inference.power import replicates_needed, replicates_range

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = 2000
TITLE = "The replicates that a difference needs"
TEXT = (
    "Can the number of replicates be trusted that a report recommends?\n\n"
    f"{STUDIES:,} studies for each number, with 8 replicates, normal scatter, and a true difference of this "
    "standardised size in one of four comparisons (level 0.0125).\n\n"
    "- **truly needed**: the replicates for 80 % power.\n"
    "- **from**, **to**: the median of the lower and of the upper end of the range that the report prints.\n"
    "- **contains the truth**: the share of ranges that contain the truth; 0.8 is meant.\n"
    "- **80 % of single numbers**: the numbers between which 80 % of the single numbers lie that follow from the "
    "observed difference alone."
)
HEADER = ["true effect", "truly needed", "from (median)", "to (median)", "contains the truth", "80 % of single numbers"]
EFFECTS, REPLICATES, LEVEL, NEVER = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0), 8, 0.0125, 10**6


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each true effect."""
    rng = np.random.default_rng(22)
    for effect in EFFECTS:
        needed = replicates_needed(effect, LEVEL) or NEVER
        observed = standardised(rng.normal(effect, 1.0, (studies, REPLICATES)))
        ranges = [replicates_range(float(g), REPLICATES, LEVEL) for g in observed]
        ends = np.array([(low or NEVER, high or NEVER) for low, high in ranges])
        single = [replicates_needed(round(float(g), 2), LEVEL) or NEVER for g in observed]
        held = ((ends[:, 0] <= needed) & (needed <= ends[:, 1])).mean()
        yield [
            f"{effect:g}",
            str(needed),
            *(_number(np.median(column)) for column in ends.T),
            f"{held:.3f}",
            " to ".join(_number(end) for end in np.quantile(single, [0.1, 0.9])),
        ]


def _number(n: float) -> str:
    return "over 1,000" if n > NEVER / 2 else f"{n:.0f}"
