"""Claims over blocks: on average, in a number of them, and that an effect varies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics import roles
from ablate.report.statistics.answers import blocks as block_effects
from ablate.report.statistics.inference import flips, intervals
from simulations import draws
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ablate.arrays import FloatArray
    from simulations.draws import Draw

TITLE = "Blocks"
TEXT = (
    "What does a study with blocks claim falsely, and what does it find?\n\n"
    "1,000 studies for each row: two variants against a baseline in three blocks.\n"
    "*Effects* are those of the first variant in the blocks, in standard deviations of a paired difference; the "
    "second variant has none.\n"
    "In the last scatter the blocks share their seeds, and the differences of a replicate correlate by 0.5: this "
    "is why each block has its own seeds.\n\n"
    "- **falsely over all**: a difference is claimed although the mean effect is 0. At most 0.05 is allowed for "
    "this and all other false claims.\n"
    "- **over all**: the mean effect of the first variant is claimed.\n"
    "- **too many blocks**: an effect is claimed for more blocks than have it; **blocks claimed**: their mean "
    "number.\n"
    "- **varies**: the test of heterogeneity finds that the effect differs between blocks, falsely where all "
    "effects are equal.\n"
    "- **interval**: the share of 95 % intervals of the mean over blocks that contain it."
)
HEADER = [
    *("scatter", "replicates", "effects", "falsely over all", "over all", "too many blocks", "blocks claimed"),
    *("varies", "interval"),
]
BLOCKS = 3
STUDIES = 1000
#: Distributions with standard deviation 1, [..., blocks, replicates].
SCATTER: dict[str, Draw] = {
    "normal": draws.SCATTER["normal"],
    "skewed (exponential)": draws.SCATTER["exponential"],
    "one block 4 times": lambda rng, shape: rng.normal(size=shape) * np.array([1.0, 1.0, 4.0])[:, None],
    "seeds shared by the blocks": lambda rng, shape: (
        np.sqrt(0.5) * (rng.normal(size=shape) + rng.normal(size=(*shape[:-2], 1, shape[-1])))
    ),
}
EFFECTS = ((0.0, 0.0, 0.0), (1.5, 1.5, 1.5), (4.0, 4.0, 0.0), (2.0, 0.0, -2.0))
#: What is simulated, by the seed of the random stream: scatter, replicates, and the effects in the blocks.
CASES = {
    30: (*(("normal", 4, effects) for effects in EFFECTS), *(("normal", 5, effects) for effects in EFFECTS[:3])),
    31: tuple((scatter, 4, EFFECTS[0]) for scatter in list(SCATTER)[1:]),
}


def study(scatter: str, replicates: int, effects: tuple[float, ...], rng: np.random.Generator) -> pd.DataFrame:
    """Return the judged comparisons of one study, with the columns that :mod:`block_effects` reads."""
    import pandas as pd

    values = SCATTER[scatter](rng, (3, BLOCKS, replicates))
    differences = (values[1:] - values[0]) / np.sqrt(2.0)
    differences[0] += np.array(effects)[:, None]
    flat = differences.reshape(2, -1)
    test = flips.max_t(flat)
    means = flat.mean(axis=1)
    claimed = np.where(means > 0, "higher", "lower")
    frame = pd.DataFrame({"kind": "variant", "comparison": ["first", "second"], "versus": "baseline", "metric": "m"})
    return frame.assign(
        feature="f",
        unit="1",
        direction="none",
        role=roles.PRIMARY,
        difference=means,
        verdict=np.where(test.adjusted < ALPHA, claimed, "inconclusive"),
        values=list(flat),
    )


def outcomes(
    scatter: str, replicates: int, effects: tuple[float, ...], studies: int, rng: np.random.Generator
) -> FloatArray:
    """Return the rates in the order of :data:`HEADER`, NaN where there is nothing to find."""
    counts = np.zeros(6)
    blocks, truth = np.repeat(np.arange(BLOCKS), replicates), float(np.mean(effects))
    for _ in range(studies):
        frame = study(scatter, replicates, effects, rng)
        found = block_effects.replicability(frame, blocks, ALPHA)
        claims, holds = (frame["verdict"] != "inconclusive").to_numpy(), found["holds_in"].to_numpy()
        upwards = frame["difference"].iloc[0] > 0
        real = sum(effect > 0 if upwards else effect < 0 for effect in effects)
        interval = intervals.interval(np.stack(frame["values"].to_list()))
        counts += [
            claims[1] or (claims[0] and truth == 0),
            claims[0],
            holds[0] > real or holds[1] > 0,
            holds[0],
            found["p_heterogeneity"].iloc[0] < ALPHA,
            interval.low[0] <= truth <= interval.high[0],
        ]
    rates: FloatArray = counts / studies
    if truth == 0:
        rates[1] = np.nan
    return rates


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each scatter, number of replicates and truth."""
    for seed, cases in CASES.items():
        rng = np.random.default_rng(seed)
        for scatter, replicates, effects in cases:
            rates = outcomes(scatter, replicates, effects, studies, rng)
            cells = ["-" if np.isnan(rate) else f"{rate:.3f}" for rate in rates]
            yield [scatter, str(replicates), ", ".join(f"{effect:g}" for effect in effects), *cells]
