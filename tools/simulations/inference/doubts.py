"""How often a report says that a verdict needs care, in studies without any difference between means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference import doubts, flips
from simulations import draws
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import FloatArray
    from simulations.draws import Draw

STUDIES = 2000
TITLE = "Read with care"
TEXT = (
    "How often does the report warn, and is it at the right places?\n\n"
    f"{STUDIES:,} studies for each number: a baseline and four variants with equal means, 8 replicates.\n"
    "Normal values should have no warning; elsewhere, warnings should be frequent.\n\n"
    "- **lean**: the share of studies whose values are reported to lean to one side.\n"
    "- **outlier**: the share of studies with a replicate far from the others; **either**: with one of the two.\n"
    "- **false claim**: the share of studies with a false claim of a difference.\n"
    "- **warning, if false claim**: among these, the share with a warning."
)
HEADER = ["values", "lean", "outlier", "either", "false claim", "warning, if false claim"]
VARIANTS, REPLICATES = 5, 8
_FOUR = np.array([[1.0], [4.0], [4.0], [4.0], [4.0]])
_OTHERS = np.array([[0.0], [1.0], [1.0], [1.0], [1.0]])


def _lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return rng.lognormal(size=shape) - np.exp(0.5)


#: The values of one study, [variants, replicates]; the first variant is the baseline.
VALUES: dict[str, Draw] = {
    "normal": draws.SCATTER["normal"],
    "normal, replicates share 90 % of the variance": lambda rng, shape: (
        rng.normal(size=shape) + 3 * rng.normal(size=(1, shape[1]))
    ),
    "normal, sds from 0.2 to 4": lambda rng, shape: rng.normal(size=shape) * np.geomspace(0.2, 4, shape[0])[:, None],
    "heavy tails (t, 3 df)": lambda rng, shape: rng.standard_t(3, shape),
    "Poisson(2) counts": lambda rng, shape: rng.poisson(2.0, shape).astype(float),
    "exponential, 4 times the baseline's sd": lambda rng, shape: (rng.exponential(size=shape) - 1.0) * _FOUR,
    "lognormal, 4 times the baseline's sd": lambda rng, shape: _lognormal(rng, shape) * _FOUR,
    "lognormal, a quarter of the baseline's sd": lambda rng, shape: _lognormal(rng, shape) / _FOUR,
    "lognormal against a normal baseline": lambda rng, shape: np.where(
        _OTHERS > 0, _lognormal(rng, shape), rng.normal(size=shape)
    ),
    "0.9 against 1 in 90 % of replicates, else 0": lambda rng, shape: np.where(
        _OTHERS > 0, (rng.random(shape) >= 0.1).astype(float), 0.9
    ),
    "failures in 5 %, else nearly equal": lambda rng, shape: (rng.random(shape) < 0.05) + 0.02 * rng.normal(size=shape),
}


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each distribution."""
    rng = np.random.default_rng(23)
    for name, draw in VALUES.items():
        found = np.array([_study(draw(rng, (VARIANTS, REPLICATES))) for _ in range(studies)])
        lean, outlier, claim = found.T
        warned = (lean | outlier)[claim]
        among = f"{warned.mean():.3f}" if len(warned) else "-"
        shares = [f"{column.mean():.3f}" for column in (lean, outlier, lean | outlier, claim)]
        yield [name, *shares, among]


def _study(values: FloatArray) -> tuple[bool, bool, bool]:
    claim = bool((flips.max_t(values[1:] - values[0]).adjusted < ALPHA).any())
    return doubts.leans(values), bool(doubts.outlying(values).any()), claim
