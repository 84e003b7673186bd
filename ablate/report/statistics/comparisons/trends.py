"""Trends: whether a quantity rises or falls along a numeric axis, as the mean slope over replicates."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.inference import effect_sizes, intervals
from ablate.report.statistics.inference.independent.moments import interval, moments, sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.data.variants import Variants
    from ablate.report.statistics.replicates import Replicates


#: A trend needs at least this many levels.
FEWEST_LEVELS = 3
#: The number of points of a fitted curve.
POINTS = 60
#: From this ratio of the last level to the first on, the axis is logarithmic.
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
        tau: Kendall's tau, mean over replicates; 1 if every replicate rises from level to level.
        log: whether the axis is logarithmic.
        combinations: the number of combinations of the other axes' levels that the points average over; 1 without
            other axes.
        runs: of independent runs, those of each combination at each level, in the order of the levels; empty otherwise.
            Then the points are all runs of a level, NaN beyond their number, and tau is NaN.
    """

    axis: str
    metric: str
    feature: str
    levels: FloatArray
    points: FloatArray
    tau: float
    log: bool
    combinations: int = 1
    runs: tuple[tuple[FloatArray, ...], ...] = ()

    def curve(self) -> tuple[FloatArray, FloatArray, intervals.Interval]:
        """Return a fitted curve: positions on the axis, the mean over replicates, and the mean's 95 % interval.

        Each replicate is fitted separately, by least squares: a parabola, or a line through three levels (in the
        logarithm of the levels if ``log``).
        """
        positions = np.log(self.levels) if self.log else self.levels
        x = np.linspace(float(positions[0]), float(positions[-1]), POINTS)
        degree = min(2, len(self.levels) - 2)
        if self.runs:
            return np.exp(x) if self.log else x, *self._independent_curve(positions, x, degree)
        coefficients = np.polyfit(positions, self.points.T, degree)
        curves = np.stack([np.polyval(replicate, x) for replicate in coefficients.T], axis=-1)
        return np.exp(x) if self.log else x, curves.mean(-1), intervals.interval(curves)

    def _independent_curve(
        self, positions: FloatArray, x: FloatArray, degree: int
    ) -> tuple[FloatArray, intervals.Interval]:
        """Return the curve through the means of the levels, a weighted sum of them at each place, with its interval."""
        fit = np.stack([np.polyval(np.polyfit(positions, unit, degree), x) for unit in np.eye(len(positions))], axis=-1)
        weights = np.concatenate([fit / len(self.runs)] * len(self.runs), axis=-1)
        found = sums(moments([level for combination in self.runs for level in combination]), weights)
        return found.difference, intervals.Interval(*interval(found), "Welch")


def trend_weights(variants: Variants, labels: Mapping[str, str]) -> Iterator[Weights]:
    """Yield the slope along each numeric axis, by least squares, as a sum of variants.

    The slope is for each unit of the axis; of a logarithmic axis, for each doubling. It is averaged over the
    combinations of the other axes that have every level.
    """
    for axis in variants.axes:
        levels = _numeric(variants.axis_levels(axis))
        groups = [] if levels is None else _groups(variants, axis, levels)
        if levels is None or not groups:
            continue
        positions = np.log2(levels) if _is_logarithmic(levels) else levels
        centred = positions - positions.mean()
        slope = centred / (centred @ centred) / len(groups)
        weights = {name: float(weight) for group in groups for name, weight in zip(group, slope, strict=True)}
        yield Weights("trend", labels[axis], "", weights, slope=True)


def trends(replicates: Replicates, variants: Variants, quantities: Sequence[tuple[str, str]]) -> list[Trend]:
    """Return the values of each quantity along each numeric axis.

    Each replicate is averaged over the combinations of the other axes that have every level.
    """
    rows = []
    for axis in variants.axes:
        levels = _numeric(variants.axis_levels(axis))
        if levels is None:
            continue
        groups = _groups(variants, axis, levels)
        for metric, feature in quantities:
            if not replicates.paired:
                rows += _independent(replicates, axis, (metric, feature), levels, groups)
                continue
            values = _values(replicates, metric, feature, groups)
            if len(values) > 1:
                rows.append(
                    dataclasses.replace(_trend(axis, metric, feature, levels, values), combinations=len(groups))
                )
    return rows


def _numeric(levels: Sequence[Any]) -> FloatArray | None:
    """Return the levels in increasing order; None if they are not numbers or too few."""
    if len(levels) < FEWEST_LEVELS or any(isinstance(x, bool) or not isinstance(x, int | float) for x in levels):
        return None
    return np.sort(np.array(levels, float))


def _groups(variants: Variants, axis: str, levels: FloatArray) -> list[list[str]]:
    """Return variants that differ in this axis only, in the order of its levels; one list for each combination."""
    groups: dict[str, dict[float, str]] = {}
    for name, assigned in variants.levels.items():
        if axis in assigned:
            combination = repr({path: level for path, level in assigned.items() if path != axis})
            groups.setdefault(combination, {})[float(assigned[axis])] = name
    return [[group[level] for level in levels] for group in groups.values() if len(group) == len(levels)]


def _values(replicates: Replicates, metric: str, feature: str, groups: list[list[str]]) -> FloatArray:
    """Return values by replicate and level, for the replicates that have every level."""
    table = replicates.table(metric, feature)
    parts = [table[group].to_numpy() for group in groups if all(name in table.columns for name in group)]
    if not parts:
        return np.empty((0, 0))
    values = np.mean(parts, axis=0)
    return np.asarray(values[~np.isnan(values).any(axis=1)])


def _independent(
    replicates: Replicates, axis: str, quantity: tuple[str, str], levels: FloatArray, groups: list[list[str]]
) -> list[Trend]:
    """Return the trend of independent runs; nothing unless every level has runs in some combination."""
    found = replicates.runs(*quantity)
    runs = tuple(tuple(found[name] for name in group) for group in groups if all(name in found for name in group))
    if not runs:
        return []
    columns = [np.concatenate(at_level) for at_level in zip(*runs, strict=True)]
    points = np.full((max(map(len, columns)), len(levels)), np.nan)
    for place, column in enumerate(columns):
        points[: len(column), place] = column
    return [Trend(axis, *quantity, levels, points, np.nan, _is_logarithmic(levels), len(runs), runs)]


def _trend(axis: str, metric: str, feature: str, levels: FloatArray, values: FloatArray) -> Trend:
    tau = float(effect_sizes.kendall(levels, values).mean())
    return Trend(axis, metric, feature, levels, values, tau, _is_logarithmic(levels))


def _is_logarithmic(levels: FloatArray) -> bool:
    return bool(levels[0] > 0 and levels[-1] / levels[0] >= LOG_FROM)
