"""Which variant is the best one, as far as a study can say."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics import inference

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
        name: the variant that is best by its mean.
        p: for each other variant, how well chance explains that it is behind although it is the best one (corrected;
            NaN where no replicate has both).
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
    """The variants among which the best one is, wrong in no more than a share ``alpha`` of studies.

    Left out is who is behind the one that is best by its mean, by a one-sided sign-flip test with Bonferroni's
    correction for as many others as there are. Whichever variant is truly the best, it is left out only if one of the
    others beats it by chance, so choosing by the mean which one to compare with costs nothing. Multiple comparisons
    with the best: J. C. Hsu, "Constrained simultaneous confidence intervals for multiple comparisons with the best",
    Annals of Statistics 12, 1984.

    Args:
        replicates: the values.
        names: the variants, in order.
        quantity: metric and feature.
        direction: ``lower`` or ``higher`` is better; where none is, there is no best one.
        rules: the study's statistics.
    """
    table = replicates.table(*quantity)
    names = [name for name in names if name in table.columns]
    if direction not in ("lower", "higher") or len(names) < 2:
        return None
    sign = 1.0 if direction == "lower" else -1.0
    middle = inference.estimator(rules.estimate)
    means = {name: sign * float(middle(table[name].dropna().to_numpy())) for name in names}
    first = min(names, key=means.__getitem__)
    others = [name for name in names if name != first]
    behind = [sign * replicates.differences(*quantity, {name: 1.0, first: -1.0}) for name in others]
    p = dict(zip(others, left_out(behind, rules), strict=True))
    return Best(*quantity, first, p, (first, *(name for name in others if not p[name] < rules.alpha)))


def left_out(behind: Sequence[Array], rules: StatisticsSettings) -> list[float]:
    """P that each of these is the best variant after all.

    Args:
        behind: by how much each is behind the one that is best by its mean, in every replicate that has both.
        rules: the study's statistics.
    """
    found = [float("nan")] * len(behind)
    for n in {len(each) for each in behind if len(each) > 1}:
        places = [place for place, each in enumerate(behind) if len(each) == n]
        values = np.stack([behind[place] for place in places])
        # of two sides one is looked at: that of who is behind; nobody is who leads in the replicates that both have
        ahead = np.asarray(inference.estimator(rules.estimate)(values, axis=-1)) < 0
        halves = np.where(ahead, 1.0, inference.sign_flip(values, rules.estimate) / 2)
        for place, p in zip(places, halves, strict=True):
            found[place] = min(1.0, float(p) * len(behind))
    return found
