"""The interaction plot: means over two axes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.names import level_name
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import is_large
from ablate.report.statistics import ranges
from ablate.report.statistics.inference import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.arrays import Array, FloatArray
    from ablate.report.data.variants import Variants
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: The most panels side by side.
COLUMNS = 3
#: The markers of the lines, so that none is known by its colour alone.
MARKS = ("o", "s", "^", "D", "v", "P", "X")


class Panel(NamedTuple):
    """Means of one quantity over two axes.

    Attributes:
        title: the name of the quantity.
        axis: the name of the axis along x.
        levels: its levels, as text.
        series: for each level of the other axis (as text): mean, lower and upper end, each [levels].
        other: the name of the other axis.
        unit: of the quantity.
    """

    title: str
    axis: str
    levels: Sequence[str]
    series: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]]
    other: str
    unit: str


def interaction_plot(analysis: Analysis) -> Drawing | None:
    """Draw means over the first two axes of a crossed design; None without crossed axes."""
    axes = analysis.study.variant_levels.axes
    if analysis.factorial_effects.empty or len(axes) < 2:
        return None
    quantities = analysis.in_order[: 1 if is_large(analysis) else 3]
    panels = [_panel(analysis, quantity, axes[0], axes[1]) for quantity in quantities]
    one, other = (analysis.study.axis_labels[axis] for axis in axes[:2])
    titles = ", ".join(panel.title for panel in panels)
    return Drawing(
        "interactions",
        interaction_figure(panels),
        f"Interaction plot: means of {titles} over {one}, a line for each {other}.",
        f"Means over {one} and {other} with 95 % intervals"
        f"{', averaged over the other axes' if len(axes) > 2 else ''}. Parallel lines are effects that add up.",
    )


def _panel(analysis: Analysis, quantity: Quantity, one: str, other: str) -> Panel:
    variants, labels = analysis.study.variant_levels, analysis.study.axis_labels
    table = analysis.replicates.table(*quantity)
    levels = variants.axis_levels(other)
    if all(isinstance(level, int | float) for level in levels):
        levels = sorted(levels)
    series: dict[str, tuple[FloatArray, FloatArray, FloatArray]] = {}
    for level in variants.axis_levels(one):
        if not analysis.study.paired:
            series |= _independent(analysis, quantity, level_name(level), [{one: level, other: x} for x in levels])
            continue
        means = np.stack([_mean(table, variants, {one: level, other: x}) for x in levels])
        complete = means[:, ~np.isnan(means).any(0)]
        if complete.shape[1]:
            interval = intervals.interval(complete)
            ends = (interval.low, interval.high)
            low, high = (np.clip(end, *ranges.SHARE) for end in ends) if quantity in analysis.study.shares else ends
            series[level_name(level)] = (complete.mean(1), low, high)
    names = [level_name(level) for level in levels]
    return Panel(analysis.label(quantity), labels[other], names, series, labels[one], analysis.units[quantity])


def _mean(table: pd.DataFrame, variants: Variants, levels: Mapping[str, Any]) -> Array:
    """Return, for each replicate, the mean over the variants that have these levels."""
    names = [name for name in _with(variants, levels) if name in table.columns]
    return table[names].mean(axis=1).to_numpy() if names else np.full(len(table), np.nan)


def _with(variants: Variants, levels: Mapping[str, Any]) -> list[str]:
    """Return the variants that have these levels."""
    return [
        name
        for name, variant in variants.levels.items()
        if all(variant.get(path) == level for path, level in levels.items())
    ]


def _independent(
    analysis: Analysis, quantity: Quantity, name: str, cells: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Return the means of independent runs with Welch's intervals; nothing if a cell has no runs."""
    means = []
    for levels in cells:
        names = _with(analysis.study.variant_levels, levels)
        groups = analysis.replicates.groups(*quantity, dict.fromkeys(names, 1 / max(len(names), 1)))
        if groups is None:
            return {}
        ends = groups.interval(0.95)
        cut = np.clip(ends, *ranges.SHARE) if quantity in analysis.study.shares else np.array(ends)
        means.append((float(groups.sums.difference[0]), *cut.tolist()))
    mean, low, high = np.array(means).T
    return {name: (mean, low, high)}


def interaction_figure(panels: Sequence[Panel]) -> Figure:
    """Draw interaction plots, where parallel lines are effects that add up.

    Args:
        panels: at least one.
    """
    with style.styled():
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.4, row=2.5)
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    palette, marks = style.colours(list(panel.series)), itertools.cycle(MARKS)
    shifts = np.linspace(-0.06, 0.06, len(panel.series)) if len(panel.series) > 1 else [0.0]
    for (name, (mean, low, high)), shift in zip(panel.series.items(), shifts, strict=True):
        axes.errorbar(
            np.arange(len(panel.levels)) + shift,
            mean,
            yerr=np.array([mean - low, high - mean]),
            marker=next(marks),
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
    axes.set_ylabel(style.value_label(panel.unit))
    axes.legend(fontsize=7.5)
