"""How often the set of variants among which the best one is leaves out the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.best_set import behind, best_set, candidates
from ablate.report.statistics.inference.flips import max_t
from simulations.draws import ALPHA, three

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import Array, FloatArray

STUDIES = 2000
TITLE = "The best one"
TEXT = (
    "How often is the best variant left out, and how many others remain beside it?\n\n"
    f"{STUDIES:,} studies for each row (with ten variants, a tenth of them).\n"
    "The lead of the best variant is in standard deviations of a replicate; at 0 all variants are equal, and the "
    "table shows one of them.\n"
    "The verdicts about the baseline are those of a family with all variants.\n\n"
    "- **left out**: the share of studies that leave out the best variant. At most 0.05 is allowed.\n"
    "- **named**: the mean number of variants that the report names.\n"
    "- **named alone**: how often it names the best one alone."
)
HEADER = ["lead", "the best one", "variants", "replicates", "left out", "named", "named alone"]
SIZES = ((3, 8), (5, 6), (5, 8), (5, 12), (7, 8), (10, 12))
CASES = [(lead, at, m, n) for lead in (0.0, 1.0, 2.0) for at in (0, 1) for m, n in SIZES]


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each lead, place and size."""
    for lead, at, m, n in CASES:
        out, named, alone = found(lead, at, m, n, studies if m < 10 else max(2, studies // 10))
        place = "another" if at else "the baseline"
        yield [f"{lead:g}", place, str(m), str(n), three(out), f"{named:.1f}", three(alone) if lead else "–"]  # noqa: RUF001


def found(lead: float, at: int, m: int, n: int, studies: int) -> tuple[float, float, float]:
    """Return the share that leaves out the best variant, the mean number named, and the share that names it alone.

    Args:
        lead: of the best variant.
        at: its index; 0 for the baseline.
        m: the number of variants.
        n: the number of replicates.
        studies: the number of studies.
    """
    values = np.random.default_rng(7).normal(size=(studies, m, n))
    values[:, at] += lead
    named = [kept(study) for study in values]
    out = [not each[at] for each in named]
    alone = [each[at] and each.sum() == 1 for each in named]
    return float(np.mean(out)), float(np.mean([each.sum() for each in named])), float(np.mean(alone))


def kept(values: FloatArray) -> Array:
    """Return the variants that may be the best one, the baseline first, by the rules of a report.

    Args:
        values: [variants, replicates], higher is better.
    """
    differences = values[1:] - values[0]
    claims = np.zeros(len(values), int)
    claims[1:] = np.where(max_t(differences).adjusted < ALPHA, np.sign(differences.mean(axis=1)), 0)
    p = np.ones(len(values))
    p[1:] = best_set(values[1:], may=claims[1:, None] >= claims[1:]).p
    possible = claims >= 0
    possible[0] = not (claims > 0).any()
    first = int(np.where(possible, behind(values), np.inf).argmin())
    return candidates(claims, 0, p, first, ALPHA)
