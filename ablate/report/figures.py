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

from ablate.report import stats, style
from ablate.report.style import INK, LINES, MUTED, PAPER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.music.performance import Performance

#: How much of a piece a piano roll shows, in seconds.
ROLL_SECONDS = 30.0

_BETTER = {"lower": "← lower is better", "higher": "higher is better →"}
#: Characters of a panel's title; five panels stand side by side.
LONGEST_TITLE = 24
_NIGHT = "#15181d"  # behind piano rolls, in a light and a dark page alike
_VELOCITY = LinearSegmentedColormap.from_list("velocity", sns.color_palette("magma", 256)[70:250])


def comparison_figure(frame: pd.DataFrame, reported: pd.DataFrame) -> Figure:
    """Every replicate of every variant as a point, with mean and standard deviation beside them.

    Args:
        frame: from :func:`ablate.report.frame.study_frame`; a panel for each metric and feature in it.
        reported: from :func:`ablate.report.frame.reported_frame`; its values get a marker of their own.

    Returns:
        A figure with a row for each variant of the study (also for one without measurements) in every panel.
    """
    names = [str(name) for name in frame["variant"].cat.categories]
    replicates, summary = stats.over_samples(frame), stats.comparison(frame)
    panels = list(dict.fromkeys(zip(summary["metric"], summary["feature"], strict=True)))
    columns = min(len(panels), 5)
    rows = -(-len(panels) // columns)
    with style.styled():
        figure = style.new_figure(0.55 + rows * (0.75 + 0.36 * len(names)))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, (metric, feature) in zip(grid, panels, strict=False):
            frames = (replicates, summary, reported)
            parts = (part[(part["metric"] == metric) & (part["feature"] == feature)] for part in frames)
            _spread_panel(axes, names, *parts)
            axes.set_title(_panel_title(panels, metric, feature), loc="left")
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        _mark_baseline(grid[0], names, frame)
        _comparison_legend(figure, with_reported=not reported.empty)
    return figure


def _panel_title(panels: Sequence[tuple[str, str]], metric: str, feature: str) -> str:
    """Only what tells the panels apart, or stands for more than itself; a line each for metric and feature."""
    if len(panels) > 1 and len({metric for metric, _ in panels}) == 1:
        lines = [feature]
    else:
        lines = [metric] if feature == stats.AVERAGE else [metric, feature]
    return "\n".join(style.label(line, LONGEST_TITLE) for line in lines)


def _spread_panel(
    axes: Axes, names: Sequence[str], replicates: pd.DataFrame, summary: pd.DataFrame, reported: pd.DataFrame
) -> None:
    place = {name: position for position, name in enumerate(names)}
    palette = style.colours(names)
    sns.scatterplot(
        x=replicates["value"],
        y=replicates["variant"].astype(str).map(place) - 0.17,
        hue=replicates["variant"].astype(str),
        palette=palette,
        s=17,
        alpha=0.75,
        linewidth=0,
        clip_on=False,
        legend=False,
        ax=axes,
    )
    look: dict[str, Any] = {"fmt": "D", "markersize": 4.5, "markerfacecolor": PAPER, "elinewidth": 1.6, "capsize": 2.5}
    for variant, mean, sd in zip(summary["variant"].astype(str), summary["mean"], summary["sd"], strict=True):
        axes.errorbar(mean, place[variant] + 0.17, xerr=sd, color=palette[variant], zorder=3, **look)
    axes.scatter(
        reported["value"], reported["variant"].map(place), marker="x", s=30, color=INK, linewidths=1.4, clip_on=False
    )
    # only now that everything is drawn: a limit stops the axis from growing
    if min(replicates["value"].min(), reported["value"].min() if len(reported) else 0.0) >= 0:
        axes.set_xlim(left=0)
    direction, unit = summary["direction"].iloc[0], summary["unit"].iloc[0]
    axes.set_xlabel(" · ".join(filter(None, (unit if unit != "1" else "", _BETTER.get(direction, "")))))
    axes.set_ylabel("")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _mark_baseline(axes: Axes, names: Sequence[str], frame: pd.DataFrame) -> None:
    """Name the rows, once for all panels, as they share their y axis."""
    baselines = set(frame.loc[frame["baseline"], "variant"])
    texts = [style.label(name) + ("\n(baseline)" if name in baselines else "") for name in names]
    axes.set_yticks(range(len(names)), texts)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _comparison_legend(figure: Figure, *, with_reported: bool) -> None:
    entries = [
        Line2D([], [], linestyle="", marker="o", markersize=4.5, color=MUTED, label="one replicate"),
        Line2D([], [], marker="D", markersize=4.5, markerfacecolor=PAPER, color=MUTED, label="mean ± sd of replicates"),
    ]
    if with_reported:
        entries.append(Line2D([], [], linestyle="", marker="x", markersize=5.5, color=INK, label="reported originally"))
    figure.legend(handles=entries, loc="outside upper left", ncols=3)


def distribution_figure(pooled: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """The normalised histograms of the reference and of each variant, small multiples.

    Args:
        pooled: from :func:`ablate.report.stats.pooled_histograms`.
        variants: the names of all variants of the study, in order: they decide the colours.

    Returns:
        A row for each variant in ``pooled``, under one for the reference where they all have the same;
        a column for each histogrammed feature. The reference is outlined in every panel, and a bar in each bin
        shows the standard deviation over replicates.
    """
    palette = style.colours(variants)
    kinds = list(dict.fromkeys(zip(pooled["metric"], pooled["feature"], strict=True)))
    shown = [str(name) for name in pooled["variant"].cat.categories if (pooled["variant"] == name).any()]
    alone = pooled.groupby(["metric", "feature", "left"])["reference"].nunique().max() == 1
    with style.styled():
        rows = [None, *shown] if alone else shown
        figure = style.new_figure(0.8 + 0.92 * len(rows))
        grid = figure.subplots(len(rows), len(kinds), sharex="col", sharey="col", squeeze=False)
        for column, (metric, feature) in zip(grid.T, kinds, strict=True):
            bins = pooled[(pooled["metric"] == metric) & (pooled["feature"] == feature)]
            for axes, name in zip(column, rows, strict=True):
                part = bins[bins["variant"] == (name or bins["variant"].iloc[0])]
                _histogram_panel(axes, part, palette[name] if name else None)
            _trim(column[0], bins)
            column[0].set_title(style.label(feature if _unique(kinds, feature) else f"{metric}: {feature}"), loc="left")
            column[-1].set_xlabel(bins["unit"].iloc[0])
            column[-1].locator_params(axis="x", nbins=5)
        for axes, name in zip(grid[:, 0], rows, strict=True):
            title = style.label(name) if name else "reference"
            axes.set_ylabel(title, rotation=0, ha="right", va="center", color=INK, fontsize=8.5, labelpad=10)
        _distribution_legend(figure)
    return figure


def _histogram_panel(axes: Axes, bins: pd.DataFrame, colour: str | None) -> None:
    """One panel; without a colour that of the reference itself."""
    bins = bins.sort_values("left")
    edges = [*bins["left"], *bins["right"].iloc[-1:]]
    if colour is None:
        axes.stairs(bins["reference"], edges, fill=True, color=MUTED, alpha=0.45, linewidth=0)
    elif not bins.empty:
        axes.stairs(bins["generated"], edges, fill=True, color=colour, alpha=0.4, linewidth=0)
        low = (bins["generated"] - bins["sd"]).clip(lower=0)
        axes.vlines((bins["left"] + bins["right"]) / 2, low, bins["generated"] + bins["sd"], color=colour, linewidth=1)
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
    ]
    figure.legend(handles=entries, loc="outside upper left", ncols=3)


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


def _range(notes: Sequence[np.ndarray[Any, Any]], field: str, fallback: tuple[int, int]) -> tuple[int, int]:
    values = np.concatenate([part[field] for part in notes])
    return (int(values.min()), int(values.max())) if len(values) else fallback


def _note_bars(notes: np.ndarray[Any, Any], norm: Normalize) -> PolyCollection:
    """A bar for each note, a semitone high; an image inside an SVG, where thousands of shapes would be slow."""
    start, end, pitch = notes["start"], notes["end"], notes["pitch"]
    corners = [(start, pitch - 0.5), (end, pitch - 0.5), (end, pitch + 0.5), (start, pitch + 0.5)]
    bars = PolyCollection(list(np.array(corners).transpose(2, 0, 1)), cmap=_VELOCITY, norm=norm, rasterized=True)
    bars.set(edgecolor="face", linewidth=0.6)  # so that the shortest notes are seen
    bars.set_array(notes["velocity"].astype(float))
    return bars


def loss_figure(curves: pd.DataFrame) -> Figure:
    """Training loss over steps, one line a training.

    Args:
        curves: columns ``training`` (identifies the line), ``shared_by`` (its colour), ``step`` (from 1) and
            ``loss`` (nats per token).
    """
    groups = list(dict.fromkeys(curves["shared_by"]))
    with style.styled():
        figure = style.new_figure(2.9)
        axes = figure.subplots()
        sns.lineplot(
            data=curves,
            x="step",
            y="loss",
            hue="shared_by",
            units="training",
            estimator=None,
            palette=style.colours(groups),
            linewidth=0.9,
            alpha=0.8,
            legend=False,
            ax=axes,
        )
        if (curves["loss"] > 0).all():
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="training step", ylabel="loss in nats per token")
        axes.margins(x=0.01)
        handles = [Line2D([], [], color=c, label=style.label(g, 40)) for g, c in style.colours(groups).items()]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
        axes.spines["bottom"].set_color(LINES)
    return figure
