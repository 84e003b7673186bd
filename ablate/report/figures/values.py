"""The dot plot of values: every replicate of every variant, the mean with its interval, and the floors."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.files import file_name
from ablate.names import NAMELESS
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import is_large, panel_quantities, panels_note, selection_note
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics.described import summary
from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: The most characters of a panel's title; five panels are side by side.
LONGEST_TITLE = 21
#: The most panels side by side.
COLUMNS = 5
#: The most variants in a figure; tables always contain all.
MOST_ROWS = 30

_BETTER = {"lower": "← lower is better", "higher": "higher is better →"}


class Frames(NamedTuple):
    """The rows of a figure, or of one panel.

    Attributes:
        replicates: from :func:`ablate.report.statistics.described.summary.over_samples`.
        estimates: from :func:`ablate.report.statistics.effects.estimates`.
        reported: from :func:`ablate.report.data.reported.reported_frame`; its values have a marker of their own.
        floors: from :func:`ablate.report.statistics.described.floors.summarise_floors`; the resampling band is shaded
            in each variant's row, the round trip and the mean of shuffled tokens a tick each.
    """

    replicates: pd.DataFrame
    estimates: pd.DataFrame
    reported: pd.DataFrame
    floors: pd.DataFrame

    def panel(self, metric: str, feature: str, names: Sequence[str]) -> Frames:
        """Return the rows of one quantity for these variants."""
        parts = (rows_of(frame, (metric, feature)) for frame in self)
        return Frames(*(part[part["variant"].isin(names)] for part in parts))


def headline_dots(analysis: Analysis) -> Drawing | None:
    """Draw every metric's headline features; None without measurements."""
    parts = [rows_of(analysis.study.frame, quantity) for quantity in panel_quantities(analysis)]
    if not parts:
        return None
    drawing = _draw(analysis, "comparison", pd.concat(parts), "the headline quantities")
    return dataclasses.replace(drawing, caption=drawing.caption + panels_note(analysis))


def metric_dots(analysis: Analysis, metric: str) -> Drawing | None:
    """Draw every feature of one metric; None if these are the headline features, or in a large study."""
    features = [quantity[1] for quantity in analysis.units if quantity[0] == metric]
    if {(metric, feature) for feature in features} <= set(analysis.headline) or is_large(analysis):
        return None
    frame = analysis.study.frame[analysis.study.frame["metric"] == metric]
    return _draw(analysis, f"metric-{file_name(metric)}", frame, f"every feature of {metric}")


def _draw(analysis: Analysis, stem: str, frame: pd.DataFrame, subject: str) -> Drawing:
    study = analysis.study
    quantities = frame[["metric", "feature"]].drop_duplicates()
    reported, estimates, floors = (
        part.merge(quantities, on=["metric", "feature"])
        for part in (study.reported, analysis.estimates, analysis.floors)
    )
    caption = "A dot is one replicate (the mean of its samples), a diamond the mean of them with its 95 % interval."
    if not floors.empty:
        caption += (
            " Shaded: the range of 95 % of the replicates resampled from the reference's notes. Dotted: the error of "
            "encoding and decoding the reference. Dashed: the mean of the reference's tokens in random order, where it "
            "is not beyond all values."
        )
    caption += " A cross is the value published originally." if not reported.empty else ""
    pairs = quantities.itertuples(index=False, name=None)
    listed = ", ".join(analysis.label((metric, feature)) for metric, feature in pairs)
    alt = f"Dot plot of {subject} ({listed}) of {len(study.variants)} variants; the table has the numbers."
    figure = values_figure(frame, estimates, reported, floors, study.shares)
    return Drawing(stem, figure, alt, caption + selection_note(analysis, study.names[:MOST_ROWS]))


def values_figure(
    frame: pd.DataFrame,
    estimates: pd.DataFrame,
    reported: pd.DataFrame,
    floors: pd.DataFrame,
    shares: Collection[Quantity] = (),
) -> Figure:
    """Draw every replicate of every variant as a point, their mean with its interval beside them, and the floors.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`; a panel for each metric and feature in it.
        estimates: see :class:`Frames`.
        reported: see :class:`Frames`.
        floors: see :class:`Frames`.
        shares: the quantities that lie between 0 and 1.

    Returns:
        A figure with a row for each variant of the study (also for one without measurements) in every panel; only for
        the first :data:`MOST_ROWS`.
    """
    names = [str(name) for name in frame["variant"].cat.categories][:MOST_ROWS]
    frames = Frames(summary.over_samples(frame), estimates, reported, floors)
    panels = list(dict.fromkeys(zip(frames.replicates["metric"], frames.replicates["feature"], strict=True)))
    row = 0.75 + (0.36 if len(names) <= 12 else 0.22) * len(names)
    with style.styled():
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.55, row=row, sharey=True)
        for axes, (metric, feature) in zip(grid, panels, strict=True):
            _draw_panel(axes, names, frames.panel(metric, feature, names))
            if (metric, feature) in shares:
                style.keep_shares(axes, "x")
            axes.set_title(_panel_title(panels, metric, feature), loc="left")
        _label_rows(grid[0], names, frame)
        _draw_legend(figure, with_reported=not reported.empty, with_floors=not floors.empty)
    return figure


def _panel_title(panels: Sequence[tuple[str, str]], metric: str, feature: str) -> str:
    """Return the parts of the name in which the panels differ, one line each for metric and feature."""
    if len(panels) > 1 and len({metric for metric, _ in panels}) == 1:
        lines = [feature]
    else:
        # the parts of a long name below each other, because other panels are beside it
        name = metric.split(".") if len(metric) > LONGEST_TITLE else [metric]
        lines = name if feature in NAMELESS else [*name, feature]
    return "\n".join(style.label(line, LONGEST_TITLE) for line in lines)


def _draw_panel(axes: Axes, names: Sequence[str], frames: Frames) -> None:
    replicates, estimates, reported, floors = frames
    position = {name: index for index, name in enumerate(names)}
    palette = style.colours(names)
    _draw_floors(axes, position, floors, float(replicates["value"].max()))
    axes.scatter(
        replicates["value"],
        replicates["variant"].astype(str).map(position).to_numpy(float) - 0.17,
        color=replicates["variant"].astype(str).map(palette).to_list(),
        s=17,
        alpha=0.75,
        linewidth=0,
        clip_on=False,
    )
    y = estimates["variant"].astype(str).map(position).to_numpy(float) + 0.17
    tints = estimates["variant"].astype(str).map(palette).to_list()
    axes.hlines(y, estimates["low"], estimates["high"], color=tints, linewidth=1.6, zorder=3)
    look: dict[str, Any] = {"marker": "D", "s": 22, "facecolor": PAPER, "linewidth": 1.2, "zorder": 4}
    axes.scatter(estimates["estimate"], y, edgecolor=tints, **look)
    axes.scatter(reported["value"], reported["variant"].map(position), s=30, clip_on=False, **style.REPORTED)
    # at the end, because a limit stops the axis from growing
    if min(replicates["value"].min(), reported["value"].min() if len(reported) else 0.0) >= 0:
        axes.set_xlim(left=0)
    axes.set_xlabel(style.value_label(replicates["unit"].iloc[0], _BETTER.get(replicates["direction"].iloc[0], "")))
    axes.set_ylabel("")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _draw_floors(axes: Axes, position: Mapping[str, int], floors: pd.DataFrame, largest: float) -> None:
    """Draw the resampling band behind each variant's row, and ticks at the round trip and at shuffled tokens.

    Shuffled tokens beyond the largest value are not drawn: they would only make the differences small.
    """
    y = floors["variant"].astype(str).map(position).to_numpy(float)
    band, round_trip = (floors["floor"] == name for name in ("resampling", "round_trip"))
    left, width = floors.loc[band, "low"], floors.loc[band, "high"] - floors.loc[band, "low"]
    axes.barh(y[band], width, left=left, height=0.84, color=MUTED, alpha=0.2, linewidth=0)
    look: dict[str, Any] = {"color": INK, "linestyle": ":", "linewidth": 1.1}
    axes.vlines(floors.loc[round_trip, "mean"], y[round_trip] - 0.42, y[round_trip] + 0.42, **look)
    shuffled = (floors["floor"] == "shuffled") & (floors["mean"] <= largest)
    look["linestyle"] = "--"
    axes.vlines(floors.loc[shuffled, "mean"], y[shuffled] - 0.42, y[shuffled] + 0.42, **look)


def _label_rows(axes: Axes, names: Sequence[str], frame: pd.DataFrame) -> None:
    """Label the rows, once for all panels, because they share their y axis."""
    baselines = set(frame.loc[frame["baseline"], "variant"])
    texts = [style.label(name) + ("\n(baseline)" if name in baselines else "") for name in names]
    axes.set_yticks(range(len(names)), texts)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _draw_legend(figure: Figure, *, with_reported: bool, with_floors: bool) -> None:
    mean: dict[str, Any] = {"marker": "D", "markersize": 4.5, "markerfacecolor": PAPER, "color": MUTED}
    entries: list[Any] = [
        Line2D([], [], linestyle="", marker="o", markersize=4.5, color=MUTED, label="one replicate"),
        Line2D([], [], label="mean, 95 % interval", **mean),
    ]
    if with_floors:
        entries.append(Patch(color=MUTED, alpha=0.3, linewidth=0, label="resampling band"))
        entries.append(Line2D([], [], color=INK, linestyle=":", label="round trip, no model"))
        entries.append(Line2D([], [], color=INK, linestyle="--", label="shuffled tokens"))
    if with_reported:
        entries.append(Line2D([], [], linestyle="", label="reported", **style.REPORTED))
    figure.legend(handles=entries, loc="outside upper left", ncols=5)
