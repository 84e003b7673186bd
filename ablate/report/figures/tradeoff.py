"""The scatter plot of two quantities against each other, with the Pareto front."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.lines import Line2D

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.arrays import Array
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: With more variants than this, only those on the front are labelled.
MOST_NAMES = 20
_FLOORS = ("copy", "round_trip", "shuffled", "another_piece")


class Point(NamedTuple):
    """A variant: mean and interval in both quantities; whether it is on the Pareto front, and copies more."""

    name: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    front: bool
    copies_more: bool


def tradeoff_plot(analysis: Analysis) -> Drawing | None:
    """Draw the objectives of a search, or the first objective against copying; None without two quantities."""
    pair = quantity_pair(analysis)
    if pair is None:
        return None
    points = variant_points(analysis, pair)
    if any(len({getattr(point, axis)[0] for point in points}) < 2 for axis in ("x", "y")):
        return None  # where one quantity is the same for all variants, nothing is traded for it
    directions = zip(pair, _directions(analysis, pair), strict=True)
    x, y = (f"{analysis.label(quantity)} ({direction} is better)" for quantity, direction in directions)
    return Drawing(
        "trade-off",
        tradeoff_figure(points, (x, y), _floors(analysis, pair)),
        f"Scatter plot of {len(points)} variants, {y} against {x}; "
        f"on the Pareto front: {', '.join(point.name for point in points if point.front)}.",
        "Means over replicates with 95 % intervals. The dashed front joins the variants that no other variant beats in "
        "both. It is the front of the means, so it is uncertain where intervals overlap.",
    )


def quantity_pair(analysis: Analysis) -> tuple[Quantity, Quantity] | None:
    """Return the two quantities to draw against each other, x first; None if there is no such pair."""
    copying = analysis.copying
    if len(analysis.primary) > 1:
        return analysis.primary[1], analysis.primary[0]
    if copying is None or copying == analysis.primary[0] or len(analysis.study.names) < 2:
        return None
    return copying, analysis.primary[0]


def variant_points(analysis: Analysis, pair: tuple[Quantity, Quantity]) -> list[Point]:
    """Return the variants that have both quantities."""
    columns = ["estimate", "low", "high"]
    parts = [rows_of(analysis.estimates, quantity).set_index("variant")[columns] for quantity in pair]
    names = [name for name in analysis.study.names if all(name in part.index for part in parts)]
    values = np.array([[part.loc[name, "estimate"] for part in parts] for name in names], float)
    front = on_front(values, [direction == "higher" for direction in _directions(analysis, pair)])
    copies_more = analysis.better_by_copying
    return [
        Point(
            name, _mean_and_interval(parts[0], name), _mean_and_interval(parts[1], name), bool(on), name in copies_more
        )
        for name, on in zip(names, front, strict=True)
    ]


def _directions(analysis: Analysis, pair: tuple[Quantity, Quantity]) -> list[str]:
    """Return the better direction of each; without one, lower is better (less copying)."""
    directions = [analysis.directions[quantity] for quantity in pair]
    return [direction if direction in ("lower", "higher") else "lower" for direction in directions]


def _floors(analysis: Analysis, pair: tuple[Quantity, Quantity]) -> dict[str, tuple[float, float]]:
    """Return the baseline's floors that have both quantities, by name."""
    points = {}
    rows = analysis.floors[analysis.floors["variant"].astype(str) == analysis.study.baseline]
    for floor in _FLOORS:
        x, y = (part.loc[part["floor"] == floor, "mean"] for part in (rows_of(rows, quantity) for quantity in pair))
        if len(x) and len(y):
            points[floor.replace("_", " ")] = (float(x.iloc[0]), float(y.iloc[0]))
    return points


def _mean_and_interval(estimates: pd.DataFrame, name: str) -> tuple[float, float, float]:
    middle, low, high = estimates.loc[[name]].to_numpy(float)[0]
    return float(middle), float(low), float(high)


def on_front(values: Array, higher: Sequence[bool]) -> Array:
    """Return which rows no other row dominates (at least as good in every column, and better in one).

    Args:
        values: [rows, columns].
        higher: for each column whether higher is better.
    """
    cost = np.where(higher, -values, values)
    no_worse = (cost[:, None, :] <= cost[None, :, :]).all(-1)
    better = (cost[:, None, :] < cost[None, :, :]).any(-1)
    return np.asarray(~(no_worse & better).any(0))


def tradeoff_figure(
    points: Sequence[Point], labels: tuple[str, str], floors: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw two quantities against each other, with 95 % intervals, the Pareto front joined, floors as crosses.

    Args:
        points: the variants, in order, which decides the colours.
        labels: of x and y.
        floors: points without a model, by name.
    """
    with style.styled():
        figure = style.new_figure(4.2)
        axes = figure.subplots()
        front = sorted((point for point in points if point.front), key=lambda point: point.x[0])
        axes.plot([p.x[0] for p in front], [p.y[0] for p in front], color=MUTED, linewidth=1, linestyle="--", zorder=1)
        _draw_points(axes, points)
        for point in points if len(points) <= MOST_NAMES else front:
            text = style.label(point.name, 30).replace("\n", " ")
            axes.annotate(text, (point.x[0], point.y[0]), (6, 5), textcoords="offset points", fontsize=8)
        for name, (x, y) in floors.items():
            axes.scatter(x, y, marker="x", color=INK, s=34, zorder=2)
            axes.annotate(name, (x, y), (6, -10), textcoords="offset points", fontsize=7.5, color=MUTED)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.margins(0.12)
        _draw_legend(figure, with_copying=any(point.copies_more for point in points), with_floors=bool(floors))
    return figure


def _draw_points(axes: Axes, points: Sequence[Point]) -> None:
    palette = style.colours([point.name for point in points])
    (x, left, right), (y, low, high) = (np.array([getattr(p, at) for p in points]).T for at in ("x", "y"))
    tints = [palette[point.name] for point in points]
    axes.hlines(y, left, right, color=tints, linewidth=1, zorder=2)
    axes.vlines(x, low, high, color=tints, linewidth=1, zorder=2)
    for marker, chosen in (("o", [not p.copies_more for p in points]), ("s", [p.copies_more for p in points])):
        faces = [palette[p.name] if p.front else PAPER for p in itertools.compress(points, chosen)]
        edges = list(itertools.compress(tints, chosen))
        axes.scatter(x[chosen], y[chosen], marker=marker, s=38, facecolors=faces, edgecolors=edges, zorder=3)


def _draw_legend(figure: Figure, *, with_copying: bool, with_floors: bool) -> None:
    entries = [
        Line2D([], [], linestyle="--", marker="o", color=MUTED, label="Pareto front"),
        Line2D([], [], linestyle="", marker="o", color=MUTED, markerfacecolor=PAPER, label="dominated"),
    ]
    if with_copying:
        entries.append(Line2D([], [], linestyle="", marker="s", color=MUTED, label="better, but copies more"))
    if with_floors:
        entries.append(Line2D([], [], linestyle="", marker="x", color=INK, label="floor, no model"))
    figure.legend(handles=entries, loc="outside upper left", ncols=4)
