"""How often the set of variants among which the best one is leaves out the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.best_set import best_set
from simulations.draws import ALPHA, three

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = 2000
TITLE = "The best one"
TEXT = (
    f"The share of {STUDIES:,} studies (with ten variants, of a tenth of them) that leave out the best variant (at "
    "most 0.05 is allowed), the mean number of variants that the report names, and how often it names the best one "
    "alone. The lead of the best variant is in standard deviations of a replicate; at 0 all variants are equal, and "
    "the table shows one of them."
)
HEADER = ["lead", "variants", "replicates", "left out", "named", "named alone"]
CASES = [(lead, m, n) for lead in (0.0, 1.0, 2.0) for m, n in ((3, 8), (5, 6), (5, 8), (5, 12), (7, 8), (10, 12))]


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each lead and size."""
    for lead, m, n in CASES:
        out, named, alone = found(lead, m, n, studies if m < 10 else max(2, studies // 10))
        yield [f"{lead:g}", str(m), str(n), three(out), f"{named:.1f}", three(alone) if lead else "–"]  # noqa: RUF001


def found(lead: float, m: int, n: int, studies: int) -> tuple[float, float, float]:
    """Return the share that leaves out the first variant, the mean number named, and the share that names it alone."""
    values = np.random.default_rng(7).normal(size=(studies, m, n))
    values[:, 0] += lead
    tests = [best_set(study) for study in values]
    # the variant that is least behind the others is always named
    named = [~(test.p < ALPHA) | (np.arange(m) == test.behind.argmin()) for test in tests]
    out = [not each[0] for each in named]
    alone = [each[0] and each.sum() == 1 for each in named]
    return float(np.mean(out)), float(np.mean([each.sum() for each in named])), float(np.mean(alone))
