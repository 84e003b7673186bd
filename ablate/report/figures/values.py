"""The figures of a study: pure functions from frames and performances to matplotlib figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullLocator

from ablate.report.figures import style
from ablate.report.figures.style import INK, LINES, MUTED, PAPER
from ablate.report.statistics import summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.arrays import Array
    from ablate.music.performance import Performance

#: How much of a piece a piano roll shows, in seconds.
ROLL_SECONDS = 30.0

_BETTER = {"lower": "← lower is better", "higher": "higher is better →"}
#: Characters of a panel's title; five panels stand side by side.
LONGEST_TITLE = 24
#: Variants that are drawn one under another; tables always show them all.
MOST_ROWS = 30
#: Entries of a legend.
MOST_LABELS = 9
_NIGHT = "#15181d"  # behind piano rolls, in a light and a dark page alike
_VELOCITY = LinearSegmentedColormap.from_list("velocity", sns.color_palette("magma", 256)[70:250])


def comparison_figure(
    frame: pd.DataFrame, estimates: pd.DataFrame, reported: pd.DataFrame, floors: pd.DataFrame
) -> Figure:
    """Every replicate of every variant as a point, their mean with its interval beside them, and the floors.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`; a panel for each metric and feature in it.
        estimates: from :func:`ablate.report.statistics.effects.estimates`.
        reported: from :func:`ablate.report.data.frames.reported_frame`; its values get a marker of their own.
        floors: from :func:`ablate.report.statistics.floors.summarise`; the resampling band is shaded in each variant's
            row, the round trip a tick.

    Returns:
        A figure with a row for each variant of the study (also for one without measurements) in every panel; of more
        than :data:`MOST_ROWS` the first ones.
    """
    names = [str(name) for name in frame["variant"].cat.categories][:MOST_ROWS]
    replicates = summary.over_samples(frame)
    panels = list(dict.fromkeys(zip(replicates["metric"], replicates["feature"], strict=True)))
    columns = min(len(panels), 5)
    rows = -(-len(panels) // columns)
    with style.styled():
        figure = style.new_figure(0.55 + rows * (0.75 + (0.36 if len(names) <= 12 else 0.22) * len(names)))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, (metric, feature) in zip(grid, panels, strict=False):
            frames = (replicates, estimates, reported, floors)
            parts = (part[(part["metric"] == metric) & (part["feature"] == feature)] for part in frames)
            _spread_panel(axes, names, *(part[part["variant"].isin(names)] for part in parts))
            axes.set_title(_panel_title(panels, metric, feature), loc="left")
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        _mark_baseline(grid[0], names, frame)
        _comparison_legend(figure, with_reported=not reported.empty, with_floors=not floors.empty)
    return figure


def _panel_title(panels: Sequence[tuple[str, str]], metric: str, feature: str) -> str:
    """Only what tells the panels apart, or stands for more than itself; a line each for metric and feature."""
    if len(panels) > 1 and len({metric for metric, _ in panels}) == 1:
        lines = [feature]
    else:
        lines = [metric] if feature == summary.AVERAGE else [metric, feature]
    return "\n".join(style.label(line, LONGEST_TITLE) for line in lines)


def _spread_panel(
    axes: Axes,
    names: Sequence[str],
    replicates: pd.DataFrame,
    estimates: pd.DataFrame,
    reported: pd.DataFrame,
    floors: pd.DataFrame,
) -> None:
    place = {name: position for position, name in enumerate(names)}
    palette = style.colours(names)
    _floor_marks(axes, place, floors)
    axes.scatter(
        replicates["value"],
        replicates["variant"].astype(str).map(place).to_numpy(float) - 0.17,
        color=replicates["variant"].astype(str).map(palette).to_list(),
        s=17,
        alpha=0.75,
        linewidth=0,
        clip_on=False,
    )
    y = estimates["variant"].astype(str).map(place).to_numpy(float) + 0.17
    tints = estimates["variant"].astype(str).map(palette).to_list()
    axes.hlines(y, estimates["low"], estimates["high"], color=tints, linewidth=1.6, zorder=3)
    look: dict[str, Any] = {"marker": "D", "s": 22, "facecolor": PAPER, "linewidth": 1.2, "zorder": 4}
    axes.scatter(estimates["estimate"], y, edgecolor=tints, **look)
    axes.scatter(
        reported["value"],
        reported["variant"].map(place),
        marker="o",
        s=30,
        facecolors="none",
        edgecolors=INK,
        clip_on=False,
    )
    # only now that everything is drawn: a limit stops the axis from growing
    if min(replicates["value"].min(), reported["value"].min() if len(reported) else 0.0) >= 0:
        axes.set_xlim(left=0)
    direction, unit = replicates["direction"].iloc[0], replicates["unit"].iloc[0]
    axes.set_xlabel(" · ".join(filter(None, (unit if unit != "1" else "", _BETTER.get(direction, "")))))
    axes.set_ylabel("")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _floor_marks(axes: Axes, place: Mapping[str, int], floors: pd.DataFrame) -> None:
    """The resampling band behind each variant's row, and a tick at what the tokenizer alone costs."""
    y = floors["variant"].astype(str).map(place).to_numpy(float)
    drawn, trip = (floors["floor"] == name for name in ("resampling", "round_trip"))
    left, width = floors.loc[drawn, "low"], floors.loc[drawn, "high"] - floors.loc[drawn, "low"]
    axes.barh(y[drawn], width, left=left, height=0.84, color=MUTED, alpha=0.2, linewidth=0)
    look: dict[str, Any] = {"color": INK, "linestyle": ":", "linewidth": 1.1}
    axes.vlines(floors.loc[trip, "mean"], y[trip] - 0.42, y[trip] + 0.42, **look)


def _mark_baseline(axes: Axes, names: Sequence[str], frame: pd.DataFrame) -> None:
    """Name the rows, once for all panels, as they share their y axis."""
    baselines = set(frame.loc[frame["baseline"], "variant"])
    texts = [style.label(name) + ("\n(baseline)" if name in baselines else "") for name in names]
    axes.set_yticks(range(len(names)), texts)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _comparison_legend(figure: Figure, *, with_reported: bool, with_floors: bool) -> None:
    mean: dict[str, Any] = {"marker": "D", "markersize": 4.5, "markerfacecolor": PAPER, "color": MUTED}
    entries: list[Any] = [
        Line2D([], [], linestyle="", marker="o", markersize=4.5, color=MUTED, label="one replicate"),
        Line2D([], [], label="mean, 95 % interval", **mean),
    ]
    if with_floors:
        entries.append(Patch(color=MUTED, alpha=0.3, linewidth=0, label="resampling band"))
        entries.append(Line2D([], [], color=INK, linestyle=":", label="round trip, no model"))
    if with_reported:
        entries.append(Line2D([], [], linestyle="", marker="o", color=INK, markerfacecolor="none", label="reported"))
    figure.legend(handles=entries, loc="outside upper left", ncols=5)


def distribution_figure(pooled: pd.DataFrame, variants: Sequence[str], floors: pd.DataFrame) -> Figure:
    """The normalised histograms of the reference, of floors and of each variant, small multiples.

    Args:
        pooled: from :func:`ablate.report.statistics.summary.pooled_histograms`.
        variants: the names of all variants of the study, in order: they decide the colours.
        floors: histograms of floors in the same form, a floor's name in the place of the variant's; may be empty.

    Returns:
        A row for each variant in ``pooled``, under those for the reference (where they all have the same) and for the
        floors; a column for each histogrammed feature. The reference is outlined in every panel. A bar in each bin
        shows the standard deviation over replicates; behind a variant lies where 95 % of the replicates would be that
        draw their notes from the reference's own.
    """
    palette = style.colours(variants)
    kinds = list(dict.fromkeys(zip(pooled["metric"], pooled["feature"], strict=True)))
    shown = [str(name) for name in pooled["variant"].cat.categories if (pooled["variant"] == name).any()]
    alone = pooled.groupby(["metric", "feature", "left"])["reference"].nunique().max() == 1
    without = list(dict.fromkeys(floors["variant"])) if alone else []
    rows = [*(["reference"] if alone else []), *without, *shown]
    with style.styled():
        figure = style.new_figure(0.8 + 0.78 * len(rows))
        grid = figure.subplots(len(rows), len(kinds), sharex="col", sharey="col", squeeze=False)
        for column, (metric, feature) in zip(grid.T, kinds, strict=True):
            bins, flat = (part[(part["metric"] == metric) & (part["feature"] == feature)] for part in (pooled, floors))
            for axes, name in zip(column, rows, strict=True):
                own = flat[flat["variant"] == name] if name in without else bins[bins["variant"] == name]
                if name == "reference" and alone:
                    own = bins[bins["variant"] == bins["variant"].iloc[0]]
                _histogram_panel(axes, own, palette.get(name), solid=name == "reference" and alone)
            _trim(column[0], bins)
            column[0].set_title(style.label(feature if _unique(kinds, feature) else f"{metric}: {feature}"), loc="left")
            column[-1].set_xlabel(bins["unit"].iloc[0])
            column[-1].locator_params(axis="x", nbins=5)
        for axes, name in zip(grid[:, 0], rows, strict=True):
            title = style.label(name.replace("_", " ") if name in without else name)
            axes.set_ylabel(title, rotation=0, ha="right", va="center", color=INK, fontsize=8.5, labelpad=10)
        _distribution_legend(figure)
    return figure


def _histogram_panel(axes: Axes, bins: pd.DataFrame, colour: str | None, *, solid: bool) -> None:
    """One panel: of the reference itself where ``solid``, of a floor without a colour, otherwise of a variant."""
    bins = bins.sort_values("left")
    edges = [*bins["left"], *bins["right"].iloc[-1:]]
    if solid:
        axes.stairs(bins["reference"], edges, fill=True, color=MUTED, alpha=0.45, linewidth=0)
    elif not bins.empty:
        if "chance_low" in bins:
            axes.stairs(bins["chance_high"], edges, baseline=bins["chance_low"], fill=True, color=LINES, linewidth=0)
        axes.stairs(bins["generated"], edges, fill=True, color=colour or MUTED, alpha=0.4, linewidth=0)
        low = (bins["generated"] - bins["sd"]).clip(lower=0)
        middle, colour = (bins["left"] + bins["right"]) / 2, colour or MUTED
        axes.vlines(middle, low, bins["generated"] + bins["sd"], color=colour, linewidth=1)
    if not bins.empty:
        axes.stairs(bins["reference"], edges, color=INK, linewidth=0.9, baseline=None)
    axes.grid(visible=False)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _trim(axes: Axes, bins: pd.DataFrame) -> None:
    """Leave out the empty bins at both ends, which most pitches are."""
    used = bins[(bins["generated"] > 0) | (bins["reference"] > 0)]
    if not used.empty:
        axes.set_xlim(used["left"].min(), used["right"].max())
    axes.set_ylim(bottom=0)


def _unique(kinds: Sequence[tuple[str, str]], feature: str) -> bool:
    return [name for _, name in kinds].count(feature) == 1


def _distribution_legend(figure: Figure) -> None:
    entries = [
        Line2D([], [], color=INK, linewidth=0.9, label="reference"),
        Patch(color=MUTED, alpha=0.5, linewidth=0, label="generated, share of notes"),
        Line2D([], [], linestyle="", marker="|", markersize=7, color=MUTED, label="± sd of replicates"),
        Patch(color=LINES, linewidth=0, label="95 % of resampled replicates"),
    ]
    figure.legend(handles=entries, loc="outside upper left", ncols=4)


def roll_figure(performances: Mapping[str, Performance]) -> Figure:
    """Piano rolls under each other, on one time axis of at most :data:`ROLL_SECONDS`, velocity as colour.

    Args:
        performances: what to show by its title, in order; at least one.
    """
    notes = [performance.notes for performance in performances.values()]
    (low, high), velocities = _range(notes, "pitch", (21, 108)), _range(notes, "velocity", (1, 127))
    until = min(ROLL_SECONDS, max(1.0, *(performance.seconds for performance in performances.values())))
    with style.styled():
        figure = style.new_figure(0.6 + 1.3 * len(performances))
        grid = figure.subplots(len(performances), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        bars: Any = None
        for axes, (title, performance) in zip(grid, performances.items(), strict=True):
            bars = _note_bars(performance.notes, Normalize(*velocities))
            axes.add_collection(bars, autolim=False)
            axes.set_facecolor(_NIGHT)
            axes.grid(visible=False)
            axes.set_title(style.label(title, 60), loc="left", pad=3)
            axes.set_title(f"{len(performance):,} notes in {performance.seconds:,.0f} s", loc="right", pad=3, **_QUIET)
        grid[0].set_xlim(0, until)
        grid[0].set_ylim(low - 2, high + 3)
        grid[0].set_yticks([c for c in range(0, 128, 24) if low - 2 <= c <= high + 3])
        grid[-1].set_xlabel("seconds")
        figure.supylabel("MIDI pitch", fontsize=8, color=MUTED)
        scale = figure.colorbar(bars, ax=list(grid), aspect=40, fraction=0.02, pad=0.01)
        scale.set_label("velocity")
        scale.outline.set_visible(False)
    return figure


_QUIET: dict[str, Any] = {"fontsize": 8, "fontweight": "normal", "color": MUTED}


def _range(notes: Sequence[Array], field: str, fallback: tuple[int, int]) -> tuple[int, int]:
    values = np.concatenate([part[field] for part in notes])
    return (int(values.min()), int(values.max())) if len(values) else fallback


def _note_bars(notes: Array, norm: Normalize) -> PolyCollection:
    """A bar for each note, a semitone high; an image inside an SVG, where thousands of shapes would be slow."""
    start, end, pitch = notes["start"], notes["end"], notes["pitch"]
    corners = [(start, pitch - 0.5), (end, pitch - 0.5), (end, pitch + 0.5), (start, pitch + 0.5)]
    bars = PolyCollection(list(np.array(corners).transpose(2, 0, 1)), cmap=_VELOCITY, norm=norm, rasterized=True)
    bars.set(edgecolor="face", linewidth=0.6)  # so that the shortest notes are seen
    bars.set_array(notes["velocity"].astype(float))
    return bars


def loss_figure(curves: pd.DataFrame) -> Figure:
    """Training loss over steps: for each group of trainings their mean, and the range over replicates.

    Args:
        curves: columns ``training`` (identifies the replicate), ``shared_by`` (its group and colour), ``step`` (from 1)
            and ``loss`` (nats per token); the trainings of a group have the same steps.
    """
    groups = list(dict.fromkeys(curves["shared_by"]))
    palette = style.colours(groups)
    with style.styled():
        figure = style.new_figure(2.9)
        axes = figure.subplots()
        for group, part in curves.groupby("shared_by", sort=False):
            over = part.groupby("step")["loss"].agg(["mean", "min", "max"])
            axes.fill_between(over.index, over["min"], over["max"], color=palette[str(group)], alpha=0.25, linewidth=0)
            axes.plot(over.index, over["mean"], color=palette[str(group)], linewidth=1.1)
        if (curves["loss"] > 0).all():
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="training step", ylabel="loss in nats per token")
        axes.margins(x=0.01)
        handles = [Line2D([], [], color=c, label=style.label(g, 40)) for g, c in palette.items()]
        figure.legend(handles=handles[:MOST_LABELS], loc="outside upper left", ncols=3)
        axes.spines["bottom"].set_color(LINES)
    return figure
