"""Random replicates of simulated studies, and the verdicts of the functions that judge real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.inference.flips import max_t

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import Array, FloatArray

    Draw = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]

ALPHA = 0.05

#: The distributions of the replicates of one variant, with standard deviation 1 and mean 0.
SCATTER: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape) - 1.0,
    "lognormal": lambda rng, shape: (rng.lognormal(size=shape) - np.e**0.5) / np.sqrt((np.e - 1) * np.e),
    "t, 3 df": lambda rng, shape: rng.standard_t(3, size=shape) / np.sqrt(3.0),
}


class Found(NamedTuple):
    """The share of studies with a false claim, and of true differences that were found."""

    false: float
    power: float


def differences(draw: Draw, rng: np.random.Generator, shape: tuple[int, int, int], sds: Array | float = 1.0) -> Array:
    """Return differences of variants from a common baseline, [studies, variants, replicates].

    Args:
        draw: of :data:`SCATTER`.
        rng: the random stream.
        shape: studies, variants, replicates.
        sds: the standard deviation of each variant, the baseline's first; or of all of them.
    """
    studies, m, n = shape
    values = draw(rng, (studies, m + 1, n)) * np.broadcast_to(sds, m + 1)[:, None]
    return values[:, 1:] - values[:, :1]


def claimed(values: Array) -> Array:
    """Return which comparisons of one study are claimed to differ, [comparisons]; ``values`` is [comparisons, n]."""
    return np.asarray(max_t(values).adjusted < ALPHA)


def shares(values: Array, differs: Array) -> Found:
    """Judge many studies.

    Args:
        values: [studies, comparisons, replicates].
        differs: which comparisons truly differ, [comparisons].
    """
    claims = np.stack([claimed(study) for study in values])
    power = float(claims[:, differs].mean()) if differs.any() else float("nan")
    return Found(float(claims[:, ~differs].any(axis=1).mean()) if not differs.all() else float("nan"), power)


def three(share: float) -> str:
    """Return a share with three digits, or a dash for none."""
    return "–" if np.isnan(share) else f"{share:.3f}"  # noqa: RUF001 - an en dash is meant
