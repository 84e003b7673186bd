"""The variants among which the best one is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics.inference import best_set as paired
from ablate.report.statistics.inference.best_set import candidates
from ablate.report.statistics.inference.independent import best_set as independent

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
            best mean if no replicate is missing. A variant that a verdict excludes is passed over.
        p: for each other variant except the baseline, the p-value of the hypothesis that no other of them is better,
            two-sided.
        candidates: the variants that may be the best one, ``name`` first.
        variants: all that have values.
    """

    metric: str
    feature: str
    name: str
    p: Mapping[str, float]
    candidates: tuple[str, ...]
    variants: tuple[str, ...]


def best_of(
    replicates: Replicates,
    names: Sequence[str],
    quantity: tuple[str, str],
    direction: str,
    rules: StatisticsSettings,
    claims: Mapping[str, int],
) -> Best | None:
    """Return the variants among which the best one is; wrong in no more than a share ``alpha`` of studies.

    Between a variant and the baseline, the verdict decides; see
    :func:`ablate.report.statistics.inference.best_set.candidates`. Variants are compared over the replicates that both
    have, so one that loses in all of those does not look best for having other replicates.

    Args:
        replicates: the values.
        names: the variants, the baseline first.
        quantity: metric and feature.
        direction: ``lower`` or ``higher`` is better; with any other direction there is no best variant.
        rules: the study's statistics.
        claims: 1 for each variant whose verdict is better than the baseline, -1 for a worse one; 0 or nothing for the
            others.
    """
    runs = replicates.runs(*quantity)
    baseline, names = names[0], [name for name in names if name in runs]
    if direction not in ("lower", "higher") or len(names) < 2:
        return None
    claimed = np.array([claims.get(name, 0) for name in names])
    others = [place for place, name in enumerate(names) if name != baseline]
    p = np.ones(len(names))
    if len(others) > 1:
        own = claimed[others]
        values = _values(replicates, [names[place] for place in others], quantity, direction)
        test = paired.best_set if replicates.paired else independent.best_set
        p[others] = test(values, rules.estimate, own[:, None] >= own).p
    values = _values(replicates, names, quantity, direction)
    behind = paired.behind(values, rules.estimate) if replicates.paired else independent.behind(values, rules.estimate)
    place = names.index(baseline) if baseline in names else None
    possible = claimed >= 0
    if place is not None and (claimed > 0).any():
        possible[place] = False
    first = int(np.where(possible, behind, np.inf).argmin())
    kept = candidates(claimed, place, p, first, rules.alpha)
    named = [name for name, stays in zip(names, kept, strict=True) if stays and name != names[first]]
    p_others = {names[at]: float(min(1.0, 2 * p[at])) for at in others if at != first}
    return Best(*quantity, names[first], p_others, (names[first], *named), tuple(names))


def _values(replicates: Replicates, names: Sequence[str], quantity: tuple[str, str], direction: str) -> Any:
    """Return the values of variants, higher is better: [variants, replicates], or an array of independent runs each."""
    sign = 1.0 if direction == "higher" else -1.0
    if not replicates.paired:
        runs = replicates.runs(*quantity)
        return [sign * runs[name] for name in names]
    return sign * replicates.table(*quantity)[list(names)].to_numpy(float).T
