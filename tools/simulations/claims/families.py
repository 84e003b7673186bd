"""False claims and power of one family of comparisons with a common baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.draws import SCATTER, differences, shares, three

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = 1000
TITLE = "A family of comparisons"
TEXT = (
    "Does a family keep its promise, and what does it find?\n\n"
    f"{STUDIES:,} studies for each number, with normal scatter.\n"
    "The true difference is 1.5 standard deviations of a paired difference (0.75 with 20 replicates).\n\n"
    "- **false claims**: the share of studies that call any variant different although none is. At most 0.05 is "
    "allowed.\n"
    "- **one differs**, **all differ**: the share of true differences that are found; in brackets, the power of "
    "Holm's correction."
)
HEADER = ["comparisons", "replicates", "false claims", "one differs", "all differ"]
#: Comparisons, replicates, and the power of Holm's correction where one and where all differ.
CASES = [
    (4, 6, 0.0, 0.0),
    (4, 8, 0.559, 0.832),
    (4, 10, 0.901, None),
    (6, 6, 0.0, None),
    (6, 8, 0.561, 0.737),
    (6, 10, 0.817, None),
    (16, 6, 0.0, None),
    (16, 8, 0.0, 0.0),
    (16, 10, 0.512, None),
    (16, 20, 0.5, None),
]


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each size of a study, for normal scatter."""
    for m, n, one, everyone in CASES:
        few = max(2, studies // 20) if n > 16 else studies  # 2^19 assignments of signs take a while
        d = (0.75 if n == 20 else 1.5) * np.sqrt(2.0)
        yield [
            str(m),
            str(n),
            three(level("normal", m, n, few)),
            f"{three(power(m, n, few, np.arange(m) == 0, d))} ({one:g})",
            three(power(m, n, few, np.ones(m, bool), d)) + ("" if everyone is None else f" ({everyone:g})"),
        ]


def level(scatter: str, m: int, n: int, studies: int) -> float:
    """Return the share of studies with a false claim where nothing differs."""
    values = differences(SCATTER[scatter], np.random.default_rng(1), (studies, m, n))
    return shares(values, np.zeros(m, bool)).false


def power(m: int, n: int, studies: int, differs: np.ndarray, size: float) -> float:
    """Return the share of true differences that are found."""
    values = differences(SCATTER["normal"], np.random.default_rng(2), (studies, m, n))
    return shares(values + size * differs[:, None], differs).power
