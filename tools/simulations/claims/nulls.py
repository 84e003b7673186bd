"""Nulls that are unkind to a test of means: the means are equal, and the distributions are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.doubts import leans, outlying
from simulations.draws import SCATTER, claimed, three

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.arrays import Array

STUDIES = 2000
TITLE = "Equal means, unequal distributions"
TEXT = (
    "What happens if the means are equal and the distributions are not?\n\n"
    f"{STUDIES:,} studies for each number, most with four comparisons: the share that claim any difference, and in"
    " brackets the share that does so without a warning in the report.\n\n"
    "In the first five rows differences are symmetric about 0, because all variants have one distribution or "
    "symmetric ones.\n"
    "There at most 0.05 is allowed.\n"
    "In the other rows only the means are equal, or a contrast weighs skewed variants unequally.\n"
    "A claim is then a true statement about the replicates (their differences lean to one side) and a false one "
    "about the mean, and no test can separate the two with eight or twelve replicates.\n"
    "That is why the report warns."
)
HEADER = ["null", "8 replicates", "12 replicates"]
#: Standard deviations: the baseline's, then four variants'.
ALIKE, UNLIKE = np.ones(5), np.array([1.0, 0.2, 0.5, 2.0, 4.0])
WIDE, NARROW = np.array([1.0, 4.0, 4.0, 4.0, 4.0]), np.array([4.0, 1.0, 1.0, 1.0, 1.0])


def _scaled(scatter: str, sds: Array) -> Callable[[np.random.Generator, int, int], Array]:
    return lambda rng, studies, n: SCATTER[scatter](rng, (studies, 5, n)) * sds[:, None]


def _counts(rng: np.random.Generator, studies: int, n: int) -> Array:
    return rng.poisson(2.0, (studies, 5, n)).astype(float)


def _failures(rng: np.random.Generator, studies: int, n: int) -> Array:
    """Return variants that fail in one replicate of ten, and are so much better in the others that means are equal."""
    values = 0.1 * rng.normal(size=(studies, 5, n))
    values[:, 1:] += np.where(rng.random((studies, 4, n)) < 0.1, 9.0, -1.0)
    return values


def _missing(rng: np.random.Generator, studies: int, n: int) -> Array:
    """Return a baseline and a variant whose worst three of ten cells are lost."""
    values = SCATTER["normal"](rng, (studies, 2, n))
    worst = np.argsort(values[:, 1], axis=1)[:, n - round(0.3 * n) :]
    lost = values[:, 1].copy()
    np.put_along_axis(lost, worst, np.nan, axis=1)
    return np.stack([values[:, 0], lost], axis=1)


NULLS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "normal": _scaled("normal", ALIKE),
    "exponential": _scaled("exponential", ALIKE),
    "lognormal": _scaled("lognormal", ALIKE),
    "counts, Poisson(2)": _counts,
    "normal, sds 0.2 to 4": _scaled("normal", UNLIKE),
    "exponential, sds 0.2 to 4": _scaled("exponential", UNLIKE),
    "lognormal, variants 4 times the baseline's sd": _scaled("lognormal", WIDE),
    "lognormal, a quarter of it": _scaled("lognormal", NARROW),
    "rare failures, 10 % of replicates": _failures,
    "a contrast with unequal weights, lognormal": _scaled("lognormal", ALIKE),
    "the worst 30 % of one variant missing": _missing,
}
#: Variants with weights, where it is not each variant against the baseline.
WEIGHTS = {"a contrast with unequal weights, lognormal": np.array([[-1 / 3, -1 / 3, -1 / 3, 0.0, 1.0]])}


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each null."""
    for name in NULLS:
        yield [name, *(_text(*false_claims(name, n, studies)) for n in (8, 12))]


def _text(claims: float, unwarned: float) -> str:
    return f"{three(claims)} ({three(unwarned)})"


def false_claims(name: str, n: int, studies: int) -> tuple[float, float]:
    """Return the share of studies with a claim, and the share with a claim and without any warning."""
    values = NULLS[name](np.random.default_rng(3), studies, n)
    each = np.concatenate([np.full((values.shape[1] - 1, 1), -1.0), np.eye(values.shape[1] - 1)], axis=1)
    weights = WEIGHTS.get(name, each)
    claims = np.array([claimed(weights @ study).any() for study in values])
    warned = np.array([is_warned(study) for study in values[claims]], bool)
    return float(claims.mean()), float((~warned).sum() / studies)


def is_warned(study: Array) -> bool:
    """Return whether the report has a reason to warn: missing cells, values that lean, or a replicate far away."""
    return bool(np.isnan(study).any() or leans(study) or outlying(study).any())
