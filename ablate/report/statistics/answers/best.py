"""The variants among which the best one is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.statistics.inference.best_set import best_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.report.statistics.replicates import Replicates
    from ablate.settings import StatisticsSettings


@dataclasses.dataclass(frozen=True)
class Best:
    """The best variants in one quantity.

    Attributes:
        metric: of the quantity.
        feature: of the quantity.
        name: the variant that is least behind any other one, over the replicates that both have; the one with the
            best mean if no replicate is missing.
        p: for each other variant, the p-value of the hypothesis that it is the best variant after all.
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

    See :func:`ablate.report.statistics.inference.best_set.best_set`. Variants are compared over the replicates that
    both have, so one that loses in all of those does not look best for having other replicates.

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
    sign = 1.0 if direction == "higher" else -1.0
    found = best_set(sign * table[names].to_numpy(float).T, rules.estimate)
    first = names[int(found.behind.argmin())]
    p = {name: float(value) for name, value in zip(names, found.p, strict=True) if name != first}
    return Best(*quantity, first, p, (first, *(name for name in names if name in p and not p[name] < rules.alpha)))
