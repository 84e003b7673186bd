"""The line chart along a numeric axis: replicates, a fitted curve with its interval, and floors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.files import file_name
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import panel_quantities
from ablate.report.figures.common.style import INK, MUTED
from ablate.report.statistics import ranges
from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.comparisons.trends import Trend
    from ablate.report.statistics.described.floors import Band

#: The most panels side by side.
COLUMNS = 4


_CURVE = "The curve is the mean of the parabolas fitted to each replicate, with its 95 % interval."
_THROUGH_MEANS = "The curve is a parabola through the means of the levels, with its 95 % interval."


class Panel(NamedTuple):
    """One quantity along an axis.

    Attributes:
        title: the name of the quantity.
        axis: the name of the axis.
        trend: its values.
        band: the resampling band at the baseline, if there is one.
        round_trip: the error of the tokenizer alone, if it is known.
        reported: values published elsewhere, by level.
        unit: of the quantity.
        share: whether it lies between 0 and 1.
    """

    title: str
    axis: str
    trend: Trend
    band: Band | None
    round_trip: float | None
    reported: Mapping[float, float]
    unit: str
    share: bool


def axis_charts(analysis: Analysis) -> list[Drawing]:
    """Draw each headline quantity along each numeric axis."""
    quantities = panel_quantities(analysis)
    drawings = []
    for axis in dict.fromkeys(trend.axis for trend in analysis.trends):
        label = analysis.study.axis_labels[axis]
        trends = [trend for trend in analysis.trends if trend.axis == axis]
        panels = [_panel(analysis, trend, label) for trend in trends if (trend.metric, trend.feature) in quantities]
        titles = ", ".join(panel.title for panel in panels)
        drawings.append(
            Drawing(
                f"curve-{file_name(axis)}",
                axis_figure(panels),
                f"Curves of {titles} along {label}, with every replicate as a dot.",
                f"Along {label}: each dot is one replicate. {_CURVE if analysis.study.paired else _THROUGH_MEANS}",
            )
        )
    return drawings


def _panel(analysis: Analysis, trend: Trend, label: str) -> Panel:
    quantity, study = (trend.metric, trend.feature), analysis.study
    floors = rows_of(analysis.floors, quantity)
    round_trip = floors.loc[
        (floors["floor"] == "round_trip") & (floors["variant"].astype(str) == study.baseline), "mean"
    ]
    rows, levels = rows_of(study.reported, quantity), {variant.name: variant.levels for variant in study.variants}
    reported = {
        float(levels[variant][trend.axis]): value
        for variant, value in zip(rows["variant"], rows["value"], strict=True)
        if trend.axis in levels[variant]
    }
    return Panel(
        analysis.label(quantity),
        label,
        trend,
        analysis.bands.get((study.baseline, *quantity)),
        float(round_trip.iloc[0]) if len(round_trip) else None,
        reported,
        analysis.units[quantity],
        quantity in study.shares,
    )


def axis_figure(panels: Sequence[Panel]) -> Figure:
    """Draw quantities along a numeric axis: replicates, a fitted curve with the 95 % interval of its mean, floors.

    Args:
        panels: at least one.
    """
    with style.styled():
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.6, row=2.2)
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel)
        _draw_legend(figure, panels)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    trend = panel.trend
    if panel.band:
        axes.axhspan(panel.band.low, panel.band.high, color=MUTED, alpha=0.18, linewidth=0)
    if panel.round_trip is not None:
        axes.axhline(panel.round_trip, color=INK, linestyle=":", linewidth=1.1)
    x, mean, interval = trend.curve()
    low, high = interval.low, interval.high
    if panel.share:  # a parabola leaves the range of shares
        mean, low, high = (np.clip(curve, *ranges.SHARE) for curve in (mean, low, high))
    axes.fill_between(x, low, high, color=style.ACCENT, alpha=0.2, linewidth=0)
    axes.plot(x, mean, color=style.ACCENT, linewidth=1.4)
    levels = np.tile(trend.levels, (len(trend.points), 1))
    axes.scatter(levels, trend.points, s=12, color=style.ACCENT, alpha=0.75, linewidth=0, zorder=3)
    if panel.reported:
        axes.scatter(list(panel.reported), list(panel.reported.values()), s=34, zorder=4, **style.REPORTED)
    if trend.log:
        axes.set_xscale("log")
    elif len(trend.levels) <= 7:
        axes.set_xticks(trend.levels, [f"{level:g}" for level in trend.levels])
    axes.set_title(style.title(panel.title), loc="left")
    axes.set_xlabel(panel.axis)
    axes.set_ylabel(style.value_label(panel.unit))
    axes.locator_params(axis="y", nbins=5)
    if np.nanmin(trend.points) >= 0:
        axes.set_ylim(bottom=0)
    if panel.share:
        style.keep_shares(axes, "y")


def _draw_legend(figure: Figure, panels: Sequence[Panel]) -> None:
    entries: list[Any] = [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=style.ACCENT, label="one replicate"),
        Line2D([], [], color=style.ACCENT, label="fitted, with 95 % interval"),
    ]
    if any(panel.band for panel in panels):
        entries.append(Patch(color=MUTED, alpha=0.3, linewidth=0, label="resampling band"))
    if any(panel.round_trip is not None for panel in panels):
        entries.append(Line2D([], [], color=INK, linestyle=":", label="round trip, no model"))
    if any(panel.reported for panel in panels):
        entries.append(Line2D([], [], linestyle="", label="reported", **style.REPORTED))
    figure.legend(handles=entries, loc="outside upper left", ncols=5)
