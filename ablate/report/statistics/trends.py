"""Along a numeric axis: does a quantity rise or fall, and how?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics import inference, verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.effects import Replicates, Variants


#: A trend needs so many levels.
FEWEST_LEVELS = 3
#: Points at which a fitted curve is drawn.
POINTS = 60
#: Levels that grow by more than this from the first to the last, and evenly so in logarithms, are shown that way.
LOG_FROM = 20.0


@dataclasses.dataclass(frozen=True)
class Trend:
    """A quantity along an axis, replicate by replicate.

    Attributes:
        axis: the axis's path.
        metric: of the quantity.
        feature: of the quantity.
        levels: in increasing order, [levels].
        points: means over samples (and over the other axes' levels), [replicates, levels].
        tau: Kendall's, mean over replicates; 1 where every replicate rises from level to level.
        low: lower end of its 95 % interval.
        high: upper end.
        p: of the sign-flip test over the replicates' taus, two-sided, uncorrected.
        log: whether the axis is one of factors.
        averaged: over how many combinations of the other axes' levels the points are means; 1 where there are none.
    """

    axis: str
    metric: str
    feature: str
    levels: FloatArray
    points: FloatArray
    tau: float
    low: float
    high: float
    p: float
    log: bool
    averaged: int = 1

    @property
    def best(self) -> dict[float, int]:
        """At which level the lowest value is, in how many replicates."""
        places, counts = np.unique(self.points.argmin(axis=1), return_counts=True)
        return {float(self.levels[place]): int(count) for place, count in zip(places, counts, strict=True)}

    def curve(self) -> tuple[FloatArray, FloatArray, inference.Interval]:
        """A fitted curve: places on the axis, its mean there, and the 95 % interval of that mean over replicates.

        Each replicate is fitted by itself, by least squares: a parabola, or a line through three levels (in the
        logarithm of the levels where ``log``).
        """
        places = np.log(self.levels) if self.log else self.levels
        x = np.linspace(float(places[0]), float(places[-1]), POINTS)
        degree = min(2, len(self.levels) - 2)
        coefficients = np.polyfit(places, self.points.T, degree)
        fitted = np.stack([np.polyval(each, x) for each in coefficients.T], axis=-1)
        shown = np.exp(x) if self.log else x
        return shown, fitted.mean(-1), inference.interval(fitted)


def trends(replicates: Replicates, variants: Variants, quantities: Sequence[tuple[str, str]]) -> list[Trend]:
    """The trend of each quantity along each numeric axis.

    Of the other axes, all combinations that have every level are averaged in each replicate.
    """
    found = []
    for axis in variants.axes:
        levels = _numeric(variants.of_axis(axis))
        if levels is None:
            continue
        groups = _groups(variants, axis, levels)
        for metric, feature in quantities:
            values = _values(replicates, metric, feature, groups)
            if len(values) > 1:
                found.append(dataclasses.replace(_trend(axis, metric, feature, levels, values), averaged=len(groups)))
    return found


def _numeric(levels: Sequence[Any]) -> FloatArray | None:
    """The levels in increasing order, if they are numbers and enough of them."""
    if len(levels) < FEWEST_LEVELS or any(isinstance(x, bool) or not isinstance(x, int | float) for x in levels):
        return None
    return np.sort(np.array(levels, float))


def _groups(variants: Variants, axis: str, levels: FloatArray) -> list[list[str]]:
    """Variants that differ in the axis alone, by its levels in order; one list a combination of the others."""
    groups: dict[str, dict[float, str]] = {}
    for name, assigned in variants.levels.items():
        if axis in assigned:
            rest = repr({path: level for path, level in assigned.items() if path != axis})
            groups.setdefault(rest, {})[float(assigned[axis])] = name
    return [[group[level] for level in levels] for group in groups.values() if len(group) == len(levels)]


def _values(replicates: Replicates, metric: str, feature: str, groups: list[list[str]]) -> FloatArray:
    """Values by replicate and level, of the replicates that have all of them."""
    table = replicates.table(metric, feature)
    whole = [table[group].to_numpy() for group in groups if all(name in table.columns for name in group)]
    if not whole:
        return np.empty((0, 0))
    values = np.mean(whole, axis=0)
    return np.asarray(values[~np.isnan(values).any(axis=1)])


def _trend(axis: str, metric: str, feature: str, levels: FloatArray, values: FloatArray) -> Trend:
    taus = inference.kendall(levels, values)
    between = inference.interval(taus)
    log = bool(levels[0] > 0 and levels[-1] / levels[0] >= LOG_FROM)
    return Trend(
        axis,
        metric,
        feature,
        levels,
        values,
        float(taus.mean()),
        max(-1.0, float(between.low)),
        min(1.0, float(between.high)),
        float(inference.sign_flip(taus)),
        log,
    )


def sentence(trend: Trend, label: str, quantity: str, alpha: float) -> str:
    """A trend in one plain sentence."""
    agree = f"Kendall's tau {trend.tau:+.2f} (95 % interval {trend.low:+.2f} to {trend.high:+.2f})"
    p = verdicts.p_text(trend.p)
    detail = f"{agree}, {p}, {len(trend.points)} replicates".replace("-", "\N{MINUS SIGN}")
    where = ", on average over the other axes" if trend.averaged > 1 else ""
    if not trend.p < alpha:
        return f"Cannot tell whether {quantity} rises or falls with {label}{where}: {detail}."
    return f"With {label}, {quantity} {'rises' if trend.tau > 0 else 'falls'}{where}: {detail}."
