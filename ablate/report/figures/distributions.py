"""The histograms of the notes: the reference, the floors and each variant, as small multiples."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.data.histograms import distinct_histograms, pooled_histograms
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import representatives, selection_note
from ablate.report.figures.common.style import INK, LINES, MUTED
from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis


#: The most features side by side: titles and units of more would run into each other.
MOST_COLUMNS = 4
#: The characters of a title that fit side by side into a figure.
_TITLE_WIDTH = 80


def note_histograms(analysis: Analysis) -> Drawing | None:
    """Draw the histograms behind the metrics; None if the metrics keep none."""
    names, study = representatives(analysis), analysis.study
    histograms = study.histograms[study.histograms["variant"].isin(names)]
    if histograms.empty:
        return None
    pooled = distinct_histograms(pooled_histograms(histograms))
    features = ", ".join(list(dict.fromkeys(pooled["feature"])))
    return Drawing(
        "distributions",
        distribution_figure(pooled, study.names, _floor_histograms(analysis, pooled)),
        f"Histograms of {features}: the share of notes in each bin for {', '.join(names)}, with the reference outlined "
        "in each.",
        "Share of notes in each bin, over all samples of all replicates; the bar in a bin is one standard deviation of "
        "the replicates' shares, up and down. The outline is the reference; shaded is the range of 95 % of the "
        f"replicates resampled from the reference's notes.{selection_note(analysis, names)}",
    )


def _floor_histograms(analysis: Analysis, pooled: pd.DataFrame) -> pd.DataFrame:
    """Return the histograms of the baseline's floors, for the features in ``pooled``."""
    rows = analysis.study.floor_histograms
    rows = rows[(rows["variant"].astype(str) == analysis.study.baseline) & (rows["floor"] != "copy")]
    rows = rows.assign(variant=rows["floor"]).drop(columns="floor")
    features = pooled[["metric", "feature"]].drop_duplicates()
    histograms = pooled_histograms(rows.merge(features, on=["metric", "feature"]))
    return histograms.drop(columns=["chance_low", "chance_high"])


def distribution_figure(pooled: pd.DataFrame, variants: Sequence[str], floors: pd.DataFrame) -> Figure:
    """Draw the normalised histograms of the reference, of floors and of each variant as small multiples.

    Args:
        pooled: from :func:`ablate.report.data.histograms.pooled_histograms`.
        variants: the names of all variants of the study, in order, which decides the colours.
        floors: histograms of floors in the same form, with the floor's name as the variant; may be empty.

    Returns:
        A row for each variant in ``pooled``, below rows for the reference (if all variants have the same) and for the
        floors; a column for each feature. More than :data:`MOST_COLUMNS` features are in several such grids, one below
        the other. The reference is outlined in every panel. A bar in each bin shows the standard deviation over
        replicates; the range of 95 % of resampled replicates is shaded behind a variant.
    """
    features = list(dict.fromkeys(zip(pooled["metric"], pooled["feature"], strict=True)))
    rows = _rows(pooled, floors)
    parts = -(-len(features) // MOST_COLUMNS)
    columns = -(-len(features) // parts)
    palette = style.colours(variants)
    with style.styled():
        figure = style.new_figure(0.4 + parts * (0.5 + 0.78 * len(rows)))
        for part, place in enumerate(figure.subfigures(parts, 1, squeeze=False)[:, 0]):
            grid = place.subplots(len(rows), columns, sharex="col", sharey="col", squeeze=False)
            for axes, row in zip(grid[:, 0], rows, strict=True):
                axes.set_ylabel(row.label, rotation=0, ha="right", va="center", color=INK, fontsize=8.5, labelpad=10)
            shown = features[part * columns : (part + 1) * columns]
            for column, feature in zip(grid.T, shown, strict=False):
                bins, floor_bins = rows_of(pooled, feature), rows_of(floors, feature)
                for axes, row in zip(column, rows, strict=True):
                    row.draw(axes, bins, floor_bins, palette)
                _trim(column[0], bins)
                _name(column, _title(features, *feature), bins["unit"].iloc[0], _TITLE_WIDTH // columns)
            for axes in grid[:, len(shown) :].flat:
                axes.remove()
        _draw_legend(figure)
    return figure


def _name(column: Sequence[Axes], title: str, unit: str, width: int) -> None:
    """Write the title above a column and the unit below it, in lines of ``width`` characters."""
    column[0].set_title(textwrap.fill(style.label(title, 2 * width), width), loc="left")
    column[-1].set_xlabel(textwrap.fill(unit, width))
    column[-1].locator_params(axis="x", nbins=5)


class _Row(NamedTuple):
    """A row of panels.

    Attributes:
        kind: ``reference``, ``floor`` or ``variant``.
        name: of the floor or variant.
    """

    kind: str
    name: str

    @property
    def label(self) -> str:
        return style.label(self.name.replace("_", " ") if self.kind == "floor" else self.name)

    def draw(self, axes: Axes, bins: pd.DataFrame, floors: pd.DataFrame, palette: Mapping[str, str]) -> None:
        if self.kind == "reference":
            _draw_reference(axes, bins[bins["variant"] == bins["variant"].iloc[0]])
        elif self.kind == "floor":
            _draw_histogram(axes, floors[floors["variant"] == self.name], MUTED)
        else:
            _draw_histogram(axes, bins[bins["variant"] == self.name], palette[self.name])
        axes.grid(visible=False)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def _rows(pooled: pd.DataFrame, floors: pd.DataFrame) -> list[_Row]:
    """Return the rows: those of the reference and the floors only if all variants have the same reference."""
    variants = [str(name) for name in pooled["variant"].cat.categories if (pooled["variant"] == name).any()]
    rows = [_Row("variant", name) for name in variants]
    if pooled.groupby(["metric", "feature", "left"])["reference"].nunique().max() != 1:
        return rows
    return [_Row("reference", "reference"), *(_Row("floor", name) for name in dict.fromkeys(floors["variant"])), *rows]


def _draw_reference(axes: Axes, bins: pd.DataFrame) -> None:
    bins = bins.sort_values("left")
    edges = [*bins["left"], *bins["right"].iloc[-1:]]
    axes.stairs(bins["reference"], edges, fill=True, color=MUTED, alpha=0.45, linewidth=0)
    axes.stairs(bins["reference"], edges, color=INK, linewidth=0.9, baseline=None)


def _draw_histogram(axes: Axes, bins: pd.DataFrame, colour: str) -> None:
    if bins.empty:
        return
    bins = bins.sort_values("left")
    edges = [*bins["left"], *bins["right"].iloc[-1:]]
    if "chance_low" in bins:
        axes.stairs(bins["chance_high"], edges, baseline=bins["chance_low"], fill=True, color=LINES, linewidth=0)
    axes.stairs(bins["generated"], edges, fill=True, color=colour, alpha=0.4, linewidth=0)
    _draw_spread(axes, bins[bins["sd"] > 0], colour)
    axes.stairs(bins["reference"], edges, color=INK, linewidth=0.9, baseline=None)


def _draw_spread(axes: Axes, bins: pd.DataFrame, colour: str) -> None:
    """Draw the bars of one standard deviation as a single line with gaps: a tenth of the size of a line for each."""
    low, middle = (bins["generated"] - bins["sd"]).clip(lower=0), (bins["left"] + bins["right"]) / 2
    gaps = np.full(len(bins), np.nan)
    x = np.column_stack([middle, middle, gaps]).ravel()
    y = np.column_stack([low, bins["generated"] + bins["sd"], gaps]).ravel()
    axes.plot(x, y, color=colour, linewidth=1, solid_capstyle="butt")


def _trim(axes: Axes, bins: pd.DataFrame) -> None:
    """Remove the empty bins at both ends; most pitches are empty."""
    occupied = bins[(bins["generated"] > 0) | (bins["reference"] > 0)]
    if not occupied.empty:
        axes.set_xlim(occupied["left"].min(), occupied["right"].max())
    axes.set_ylim(bottom=0)


def _title(features: Sequence[tuple[str, str]], metric: str, feature: str) -> str:
    """Return the feature, with its metric if several metrics have a feature of this name."""
    unique = [name for _, name in features].count(feature) == 1
    return feature if unique else f"{metric}: {feature}"


def _draw_legend(figure: Figure) -> None:
    entries = [
        Line2D([], [], color=INK, linewidth=0.9, label="reference"),
        Patch(color=MUTED, alpha=0.5, linewidth=0, label="generated, share of notes"),
        Line2D([], [], linestyle="", marker="|", markersize=7, color=MUTED, label="± sd of replicates"),
        Patch(color=LINES, linewidth=0, label="95 % of resampled replicates"),
    ]
    figure.legend(handles=entries, loc="outside upper left", ncols=4)
