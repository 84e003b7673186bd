"""Coverage of the intervals of means, interquartile means and shares of replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.effect_sizes import p_better
from ablate.report.statistics.inference.intervals import interval
from simulations import draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.arrays import FloatArray
    from simulations.draws import Draw

STUDIES = 2000
TITLE = "Coverage"
TEXT = (
    "How often does a 95 % interval contain the truth?\n\n"
    f"{STUDIES:,} studies for each number, for the bootstrap intervals a fifth of them.\n\n"
    "- **t**: Student's t for a mean, the interval of the report.\n"
    "- **bootstrap-t**, **BCa**: bootstrap intervals of the mean with 399 resamples. Both follow the skew of the "
    "values, but are too narrow where tails are long on both sides, as those of differences of variants that are "
    "alike.\n"
    "- **iqm**: Yuen's t for an interquartile mean, the interval of the report.\n"
    "- **P(better)**: the interval of the share of replicates that win, where values of this distribution are "
    "compared with normal ones."
)
HEADER = ["scatter", "replicates", "t", "bootstrap-t", "BCa", "iqm", "P(better)"]
REPLICATES, RESAMPLES = (5, 8, 12, 20, 30, 50), 399
#: Distributions with mean 0.
SCATTER: dict[str, Draw] = {
    "normal": draws.SCATTER["normal"],
    "skewed (exponential)": draws.SCATTER["exponential"],
    "heavy tails (t, 3 df)": draws.SCATTER["t, 3 df"],
    "lognormal": draws.SCATTER["lognormal"],
    "difference of lognormals": lambda rng, shape: rng.lognormal(size=shape) - rng.lognormal(size=shape),
}


def bootstrap(values: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """Return the ends of bootstrap intervals of means, [studies, replicates] to [studies] each."""
    from scipy import stats as sps

    rng = np.random.default_rng(6)
    if method == "BCa":
        result = sps.bootstrap((values,), np.mean, axis=-1, n_resamples=RESAMPLES, batch=50, method="BCa", rng=rng)
        return result.confidence_interval.low, result.confidence_interval.high
    n = values.shape[-1]
    chosen = rng.integers(0, n, (RESAMPLES, n))
    low, high = [], []
    for row in values:
        resampled, error = row[chosen], row.std(ddof=1) / np.sqrt(n)
        errors = np.maximum(resampled.std(axis=1, ddof=1) / np.sqrt(n), 1e-9 * error)
        upper, lower = np.quantile((resampled.mean(axis=1) - row.mean()) / errors, [0.975, 0.025])
        low.append(row.mean() - upper * error)
        high.append(row.mean() - lower * error)
    return np.array(low), np.array(high)


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each distribution and number of replicates."""
    rng = np.random.default_rng(5)
    for name, draw in SCATTER.items():
        many = np.sort(draw(rng, (400_000,)))
        middle, wins = many[100_000:300_000].mean(), (many > rng.normal(size=400_000)).mean()
        for n in REPLICATES:
            values = draw(rng, (studies, n))
            mean, iqm = interval(values), interval(values, estimate="iqm")
            share = p_better(values - rng.normal(size=values.shape))
            few = values[: max(studies // 5, 20)]
            cells = [
                (mean.low, mean.high, 0.0),
                *((*bootstrap(few, method), 0.0) for method in ("bootstrap-t", "BCa")),
                (iqm.low, iqm.high, middle),
                (share.low, share.high, wins),
            ]
            yield [name, str(n), *(f"{((low <= truth) & (truth <= high)).mean():.3f}" for low, high, truth in cells)]
