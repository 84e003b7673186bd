"""The figures of effects: differences with their intervals, curves, interactions, trade-offs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures import style
from ablate.report.figures.style import INK, MUTED, PAPER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.arrays import Array, FloatArray
    from ablate.report.statistics.floors import Band
    from ablate.report.statistics.trends import Trend

#: Rows of a forest plot; tables always show them all.
MOST_ROWS = 30
#: Points that are named.
MOST_NAMES = 20
#: Panels side by side.
COLUMNS = 4

_BETTER = {"lower": "← better", "higher": "better →", "none": ""}
_MARKERS = {"no difference that matters": "s", "cannot tell": "o"}


class Panel(NamedTuple):
    """One quantity of a forest plot.

    Attributes:
        title: how the quantity is called.
        rows: its comparisons, of :func:`ablate.report.statistics.effects.compared`, ``comparison`` unique.
        reported: differences printed elsewhere, by comparison.
    """

    title: str
    rows: pd.DataFrame
    reported: Mapping[str, float]


def forest_figure(panels: Sequence[Panel]) -> Figure:
    """Differences with their 95 % intervals, a panel for each quantity, the margin of what matters shaded around 0.

    Args:
        panels: at least one; they share their comparisons.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.rows["comparison"]))
    if len(names) > MOST_ROWS:
        first = panels[0].rows.set_index("comparison")["effect"].abs()
        kept = set(first.sort_values(ascending=False, kind="stable").index[:MOST_ROWS])
        names = [name for name in names if name in kept]
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    with style.styled():
        figure = style.new_figure(0.75 + rows * (0.85 + 0.24 * len(names)))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            _forest_panel(axes, panel, names)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        grid[0].set_yticks(range(len(names)), [style.label(name) for name in names])
        grid[0].set_ylim(len(names) - 0.5, -0.5)
        _forest_legend(figure, with_reported=any(panel.reported for panel in panels))
    return figure


def _forest_panel(axes: Axes, panel: Panel, names: Sequence[str]) -> None:
    place = {name: position for position, name in enumerate(names)}
    shown = panel.rows[panel.rows["comparison"].isin(names)]
    margin = shown["margin"].dropna()
    if len(margin):
        axes.axvspan(-margin.iloc[0], margin.iloc[0], color=MUTED, alpha=0.16, linewidth=0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    y = shown["comparison"].map(place).to_numpy(float)
    tints = shown["verdict"].map(style.VERDICTS).to_list()
    axes.hlines(y, shown["low"], shown["high"], color=tints, linewidth=1.5, zorder=3)
    for verdict, part in shown.groupby("verdict", sort=False):
        tint = style.VERDICTS[str(verdict)]
        axes.scatter(
            part["difference"],
            part["comparison"].map(place),
            marker=_MARKERS.get(str(verdict), "D"),
            s=26,
            edgecolor=tint,
            facecolor=PAPER if verdict == "cannot tell" else tint,
            zorder=4,
        )
    published = {name: value for name, value in panel.reported.items() if name in place}
    if published:
        places = [place[name] for name in published]
        axes.scatter(list(published.values()), places, marker="o", s=34, facecolors="none", edgecolors=INK, zorder=5)
    direction, unit = shown["direction"].iloc[0], shown["unit"].iloc[0]
    axes.set_xlabel(" · ".join(filter(None, (unit if unit != "1" else "", _BETTER.get(direction, "")))))
    axes.set_title(style.label(panel.title, 26), loc="left")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _forest_legend(figure: Figure, *, with_reported: bool) -> None:
    look: dict[str, Any] = {"linestyle": "", "markersize": 5}
    entries: list[Any] = [
        Line2D([], [], marker="D", color=style.VERDICTS["better"], label="better", **look),
        Line2D([], [], marker="D", color=style.VERDICTS["worse"], label="worse", **look),
        Line2D([], [], marker="D", color=style.VERDICTS["higher"], label="higher or lower", **look),
        Line2D([], [], marker="s", color=MUTED, label="no difference that matters", **look),
        Line2D([], [], marker="o", color=MUTED, markerfacecolor=PAPER, label="cannot tell", **look),
        Patch(color=MUTED, alpha=0.3, linewidth=0, label="margin"),
    ]
    if with_reported:
        entries.append(Line2D([], [], marker="o", color=INK, markerfacecolor="none", label="reported", **look))
    figure.legend(handles=entries, loc="outside upper left", ncols=len(entries), columnspacing=1.2, handletextpad=0.4)


class CurvePanel(NamedTuple):
    """One quantity along an axis.

    Attributes:
        title: how the quantity is called.
        axis: how the axis is called.
        trend: its values.
        band: the resampling band at the baseline, if it is known.
        round_trip: what the tokenizer alone costs, if it is known.
        reported: values printed elsewhere, by level.
        unit: of the quantity.
    """

    title: str
    axis: str
    trend: Trend
    band: Band | None
    round_trip: float | None
    reported: Mapping[float, float]
    unit: str


def curve_figure(panels: Sequence[CurvePanel]) -> Figure:
    """Each quantity along a numeric axis: replicates, a fitted curve with the 95 % interval of its mean, floors.

    Args:
        panels: at least one.
    """
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    with style.styled():
        figure = style.new_figure(0.6 + 2.2 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            _curve_panel(axes, panel)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        entries: list[Any] = [
            Line2D([], [], linestyle="", marker="o", markersize=4, color=style.ACCENT, label="one replicate"),
            Line2D([], [], color=style.ACCENT, label="fitted, with 95 % interval"),
        ]
        if any(panel.band for panel in panels):
            entries.append(Patch(color=MUTED, alpha=0.3, linewidth=0, label="resampling band"))
        if any(panel.round_trip is not None for panel in panels):
            entries.append(Line2D([], [], color=INK, linestyle=":", label="round trip, no model"))
        if any(panel.reported for panel in panels):
            look: dict[str, Any] = {"linestyle": "", "markerfacecolor": "none", "color": INK}
            entries.append(Line2D([], [], marker="o", label="reported", **look))
        figure.legend(handles=entries, loc="outside upper left", ncols=5)
    return figure


def _curve_panel(axes: Axes, panel: CurvePanel) -> None:
    trend = panel.trend
    if panel.band:
        axes.axhspan(panel.band.low, panel.band.high, color=MUTED, alpha=0.18, linewidth=0)
    if panel.round_trip is not None:
        axes.axhline(panel.round_trip, color=INK, linestyle=":", linewidth=1.1)
    x, mean, between = trend.curve()
    axes.fill_between(x, between.low, between.high, color=style.ACCENT, alpha=0.2, linewidth=0)
    axes.plot(x, mean, color=style.ACCENT, linewidth=1.4)
    places = np.tile(trend.levels, (len(trend.points), 1))
    axes.scatter(places, trend.points, s=12, color=style.ACCENT, alpha=0.75, linewidth=0, zorder=3)
    if panel.reported:
        levels, values = zip(*panel.reported.items(), strict=True)
        axes.scatter(levels, values, marker="o", s=34, facecolors="none", edgecolors=INK, zorder=4)
    if trend.log:
        axes.set_xscale("log")
    elif len(trend.levels) <= 7:
        axes.set_xticks(trend.levels, [f"{level:g}" for level in trend.levels])
    axes.set_title(style.label(panel.title, 26), loc="left")
    axes.set_xlabel(panel.axis)
    axes.set_ylabel(panel.unit if panel.unit != "1" else "")
    axes.locator_params(axis="y", nbins=5)
    if trend.points.min() >= 0:
        axes.set_ylim(bottom=0)


class InteractionPanel(NamedTuple):
    """Means of one quantity over two axes: for an interaction plot.

    Attributes:
        title: how the quantity is called.
        axis: how the axis along x is called.
        levels: its levels, as text.
        series: for each level of the other axis (as text): mean, lower and upper end, each [levels].
        other: how the other axis is called.
        unit: of the quantity.
    """

    title: str
    axis: str
    levels: Sequence[str]
    series: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]]
    other: str
    unit: str


def interaction_figure(panels: Sequence[InteractionPanel]) -> Figure:
    """Interaction plots: parallel lines are effects that add up."""
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    with style.styled():
        figure = style.new_figure(0.4 + 2.5 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            palette = style.colours(list(panel.series))
            spread = np.linspace(-0.06, 0.06, len(panel.series)) if len(panel.series) > 1 else [0.0]
            for (name, (mean, low, high)), shift in zip(panel.series.items(), spread, strict=True):
                x = np.arange(len(panel.levels)) + shift
                axes.errorbar(
                    x,
                    mean,
                    yerr=np.array([mean - low, high - mean]),
                    marker="o",
                    markersize=4,
                    color=palette[name],
                    label=style.label(f"{panel.other}={name}"),
                    elinewidth=1.2,
                    capsize=2,
                )
            axes.set_xticks(range(len(panel.levels)), [style.label(level, 14) for level in panel.levels])
            axes.set_xlim(-0.4, len(panel.levels) - 0.6)
            axes.set_title(style.label(panel.title, 30), loc="left")
            axes.set_xlabel(panel.axis)
            axes.set_ylabel(panel.unit if panel.unit != "1" else "")
            axes.legend(fontsize=7.5)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
    return figure


class Point(NamedTuple):
    """A variant in a trade-off: mean and interval in both quantities, and whether it is on the Pareto front."""

    name: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    front: bool
    marked: bool


def tradeoff_figure(
    points: Sequence[Point], labels: tuple[str, str], floors: Mapping[str, tuple[float, float]]
) -> Figure:
    """Two quantities against each other, with 95 % intervals, the Pareto front joined, floors as crosses.

    Args:
        points: the variants, in order: they decide the colours.
        labels: of x and y.
        floors: what is known without a model, by name.
    """
    with style.styled():
        figure = style.new_figure(4.2)
        axes = figure.subplots()
        palette = style.colours([point.name for point in points])
        front = sorted((point for point in points if point.front), key=lambda point: point.x[0])
        axes.plot([p.x[0] for p in front], [p.y[0] for p in front], color=MUTED, linewidth=1, linestyle="--", zorder=1)
        (x, left, right), (y, low, high) = (np.array([getattr(p, at) for p in points]).T for at in ("x", "y"))
        tints = [palette[point.name] for point in points]
        axes.hlines(y, left, right, color=tints, linewidth=1, zorder=2)
        axes.vlines(x, low, high, color=tints, linewidth=1, zorder=2)
        for marker, chosen in (("o", [not p.marked for p in points]), ("s", [p.marked for p in points])):
            faces = [palette[p.name] if p.front else PAPER for p in itertools.compress(points, chosen)]
            edges = list(itertools.compress(tints, chosen))
            axes.scatter(x[chosen], y[chosen], marker=marker, s=38, facecolors=faces, edgecolors=edges, zorder=3)
        for point in points if len(points) <= MOST_NAMES else front:
            text = style.label(point.name, 30).replace("\n", " ")
            axes.annotate(text, (point.x[0], point.y[0]), (6, 5), textcoords="offset points", fontsize=8)
        for name, (x, y) in floors.items():
            axes.scatter(x, y, marker="x", color=INK, s=34, zorder=2)
            axes.annotate(name, (x, y), (6, -10), textcoords="offset points", fontsize=7.5, color=MUTED)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.margins(0.12)
        entries = [
            Line2D([], [], linestyle="--", marker="o", color=MUTED, label="Pareto front"),
            Line2D([], [], linestyle="", marker="o", color=MUTED, markerfacecolor=PAPER, label="dominated"),
        ]
        if any(point.marked for point in points):
            entries.append(Line2D([], [], linestyle="", marker="s", color=MUTED, label="closer by copying more"))
        if floors:
            entries.append(Line2D([], [], linestyle="", marker="x", color=INK, label="floor, no model"))
        figure.legend(handles=entries, loc="outside upper left", ncols=4)
    return figure


def on_front(values: Array, higher: Sequence[bool]) -> Array:
    """Which rows no other row dominates: at least as good in every column, and better in one.

    Args:
        values: [rows, columns].
        higher: for each column whether higher is better.
    """
    cost = np.where(higher, -values, values)
    no_worse = (cost[:, None, :] <= cost[None, :, :]).all(-1)
    better = (cost[:, None, :] < cost[None, :, :]).any(-1)
    return np.asarray(~(no_worse & better).any(0))
