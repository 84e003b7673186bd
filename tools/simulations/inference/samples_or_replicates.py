"""The advice: more samples or more replicates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference.power import minimum_detectable
from ablate.report.statistics.inference.variance import Bounded, Components, components
from ablate.report.statistics.variance import Costs, advise
from simulations.inference.variance import SCATTER, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "More samples or more replicates"
TEXT = (
    "Is the advice right whether more samples or more replicates find more?\n\n"
    "A training costs 50 times a sample; 3 variants and a baseline, 8 replicates of 4 samples.\n\n"
    "- **right**: the share of studies whose advice is right, that is, the option that finds the smaller "
    "difference in truth.\n"
    "- **right if sure**: the same among the pieces of advice that the report calls sure; **sure**: the share "
    "that are.\n"
    "- **difference, against the better option**: the mean of the difference that the advised option can find, "
    "divided by that of the better option. Wrong advice costs little where both are nearly equal."
)
HEADER = ["scatter", "true share", "better", "right", "right if sure", "sure", "difference, against the better option"]
VARIANTS, SHAPE, COSTS = 3, (8, 4), Costs(5.0, 0.1)


def true_components(share: float) -> Components:
    """Return the components of :func:`simulations.inference.variance.differences`, with intervals of width 0."""
    values = (2 * VARIANTS * share * SHAPE[1], 2 * VARIANTS * (1 - share), share)
    return Components(VARIANTS, *SHAPE, *(Bounded(value, value, value) for value in values))


def detectable(truth: Components, replicates: int, samples: int) -> float:
    """Return the smallest difference that is found with 80 % power at level 0.05."""
    return minimum_detectable(replicates, 0.05) * math.sqrt(truth.variance(1, samples))


def outcomes(rng: np.random.Generator, scatter: str, share: float, studies: int) -> list[tuple[bool, bool, float]]:
    """Return for each study whether its advice is right, whether it is called sure, and the ratio of differences."""
    truth, results = true_components(share), []
    for _ in range(studies):
        found = components(differences(rng, scatter, (VARIANTS, *SHAPE), share))
        if found is None:
            continue
        advice = advise(found, COSTS, VARIANTS + 1)
        chosen, other = (
            detectable(truth, SHAPE[0], advice.samples),
            detectable(truth, SHAPE[0] + advice.replicates, SHAPE[1]),
        )
        if advice.better == "replicates":
            chosen, other = other, chosen
        results.append((chosen <= other, advice.sure, chosen / min(chosen, other)))
    return results


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each scatter and share."""
    rng = np.random.default_rng(32)
    for scatter in SCATTER:
        for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.95):
            right, sure, ratio = (
                np.array(values) for values in zip(*outcomes(rng, scatter, share, studies), strict=True)
            )
            of_sure = f"{right[sure].mean():.3f}" if sure.any() else "-"
            better = advise(true_components(share), COSTS, VARIANTS + 1).better
            yield [
                scatter,
                f"{share:g}",
                better,
                f"{right.mean():.3f}",
                of_sure,
                f"{sure.mean():.3f}",
                f"{ratio.mean():.2f}",
            ]
