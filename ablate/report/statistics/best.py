"""The variants among which the best one is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference import flips, intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import Array
    from ablate.report.statistics.effects import Replicates
    from ablate.settings import StatisticsSettings


@dataclasses.dataclass(frozen=True)
class Best:
    """The best variants in one quantity.

    Attributes:
        metric: of the quantity.
        feature: of the quantity.
        name: the variant with the best mean.
        p: for each other variant, the p-value of the hypothesis that it is the best variant after all (corrected; NaN
            if no replicate has both).
        candidates: the variants that may be the best one, ``name`` first.
    """

    metric: str
    feature: str
    name: str
    p: Mapping[str, float]
    candidates: tuple[str, ...]


def best_of(
    replicates: Replicates, names: Sequence[str], quantity: tuple[str, str], direction: str, rules: StatisticsSettings
) -> Best | None:
    """Return the variants among which the best one is; wrong in no more than a share ``alpha`` of studies.

    A variant is excluded if a one-sided sign-flip test finds it worse than the variant with the best mean, with
    Bonferroni's correction for the number of other variants. The truly best variant is excluded only if another one
    beats it by chance, so choosing the best mean for the comparison costs nothing. Multiple comparisons with the best:
    J. C. Hsu, "Constrained simultaneous confidence intervals for multiple comparisons with the best", Annals of
    Statistics 12, 1984.

    Args:
        replicates: the values.
        names: the variants, in order.
        quantity: metric and feature.
        direction: ``lower`` or ``higher`` is better; with any other direction there is no best variant.
        rules: the study's statistics.
    """
    table = replicates.table(*quantity)
    names = [name for name in names if name in table.columns]
    if direction not in ("lower", "higher") or len(names) < 2:
        return None
    sign = 1.0 if direction == "lower" else -1.0
    middle = intervals.estimator(rules.estimate)
    means = {name: sign * float(middle(table[name].dropna().to_numpy())) for name in names}
    first = min(names, key=means.__getitem__)
    others = [name for name in names if name != first]
    deficits = [sign * replicates.differences(*quantity, {name: 1.0, first: -1.0}) for name in others]
    p = dict(zip(others, exclusion_p(deficits, rules), strict=True))
    return Best(*quantity, first, p, (first, *(name for name in others if not p[name] < rules.alpha)))


def exclusion_p(deficits: Sequence[Array], rules: StatisticsSettings) -> list[float]:
    """Return, for each variant, the p-value of the hypothesis that it is the best one after all.

    Args:
        deficits: for each variant, by how much it is worse than the one with the best mean, in every replicate that has
            both.
        rules: the study's statistics.
    """
    p_values = [float("nan")] * len(deficits)
    for n in {len(deficit) for deficit in deficits if len(deficit) > 1}:
        indices = [index for index, deficit in enumerate(deficits) if len(deficit) == n]
        values = np.stack([deficits[index] for index in indices])
        # one-sided: a variant that is ahead in the replicates that both have is not excluded
        ahead = np.asarray(intervals.estimator(rules.estimate)(values, axis=-1)) < 0
        halves = np.where(ahead, 1.0, flips.sign_flip(values, rules.estimate) / 2)
        for index, p in zip(indices, halves, strict=True):
            p_values[index] = min(1.0, float(p) * len(deficits))
    return p_values
