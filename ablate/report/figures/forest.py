"""The forest plot: differences with their 95 % intervals, and the margin."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import panel_quantities, panels_note
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics import verdicts
from ablate.report.statistics.rows import records, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: The most rows of a forest plot; tables always contain all.
MOST_ROWS = 30
#: The most panels side by side.
COLUMNS = 4

_BETTER = {"lower": "← better", "higher": "better →", "none": ""}
#: The notes about intervals that seem to contradict their markers, by :func:`ablate.report.statistics.verdicts.beside`.
_BESIDE = {
    "apart": " A hollow marker whose interval does not contain 0 is no mistake: the interval is for one comparison "
    "alone, the verdict takes account of all comparisons of its family.",
    "around": " A full diamond whose interval contains 0 is no mistake: the interval is Student's t, the verdict that "
    "of the sign-flip test.",
    "beyond": " A square whose interval reaches beyond the margin is as strict as a 90 % interval inside it.",
}
#: The marker of each verdict, so that none is known by its colour alone.
MARKERS = {
    "better": "^",
    "worse": "v",
    "higher": ">",
    "lower": "<",
    "equivalent": "s",
    "alike": "s",
    "inconclusive": "o",
}


class Panel(NamedTuple):
    """One quantity of a forest plot.

    Attributes:
        title: the name of the quantity.
        rows: its comparisons, from :func:`ablate.report.statistics.effects.judge`, ``comparison`` unique.
        reported: differences published elsewhere, by comparison.
    """

    title: str
    rows: pd.DataFrame
    reported: Mapping[str, float]


def baseline_forest(analysis: Analysis) -> Drawing | None:
    """Draw the difference of each variant from the baseline; None for a study with one variant."""
    over = f", on average over {analysis.study.blocks.label}" if analysis.study.blocks else ""
    baseline = analysis.study.variant_levels.baseline
    subject = f"Difference of each variant from {baseline}, the baseline{over}, with its own 95 % interval."
    return _draw(analysis, "forest", analysis.against_baseline, subject, _reported_differences(analysis))


def contrast_forest(analysis: Analysis) -> Drawing | None:
    """Draw the contrasts of the study file; None without any."""
    return _draw(
        analysis, "contrasts", analysis.contrasts, "The study's contrasts, each with its own 95 % interval.", {}
    )


def factorial_forest(analysis: Analysis) -> Drawing | None:
    """Draw main effects and interactions; None without crossed axes."""
    subject = (
        "Main effects (each level against the baseline's, on average over the other axes) and interactions (x: the "
        "change of an effect between two levels of another axis)."
    )
    return _draw(analysis, "effects", analysis.factorial_effects, subject, {})


def _draw(
    analysis: Analysis,
    stem: str,
    frame: pd.DataFrame,
    subject: str,
    reported: Mapping[Quantity, Mapping[str, float]],
) -> Drawing | None:
    panels = [
        Panel(analysis.label(quantity), rows, reported.get(quantity, {}))
        for quantity in panel_quantities(analysis)
        if not (rows := rows_of(frame, quantity)).empty
    ]
    if not panels:
        return None
    count = frame["comparison"].nunique()
    notes = ""
    if any(panel.rows["margin"].notna().any() for panel in panels):
        notes += " Shaded: differences that are too small to matter (the margin that the study states)."
    beside = {verdicts.beside(row) for panel in panels for row in records(panel.rows)}
    notes += "".join(note for way, note in _BESIDE.items() if way in beside)
    if reported:
        notes += " Crosses: differences of the values published originally."
    if count > MOST_ROWS:
        notes += f" Only the {MOST_ROWS} largest effects of {count} are drawn."
    notes += panels_note(analysis)
    counted = collections.Counter(verdicts.WORDS[row["verdict"]] for row in records(panels[0].rows) if row["verdict"])
    answer = ", ".join(f"{number} {words}" for words, number in counted.items())
    titles = ", ".join(each.title for each in panels)
    alt = (
        f"Forest plot of {count} comparison{'' if count == 1 else 's'} in {titles}. "
        f"{subject}{f' In {panels[0].title}: {answer}.' if answer else ''} The table below has the numbers."
    )
    return Drawing(stem, forest_figure(panels), alt, f"{subject}{notes}")


def _reported_differences(analysis: Analysis) -> dict[Quantity, dict[str, float]]:
    """Return the published value of each variant minus that of the baseline, by quantity."""
    differences: dict[Quantity, dict[str, float]] = {}
    if analysis.study.blocks:
        return differences  # published values are of one block, the differences of all
    for key, rows in analysis.study.reported.groupby(["metric", "feature"], sort=False):
        values = dict(zip(rows["variant"], rows["value"], strict=True))
        base = values.pop(analysis.study.baseline, None)
        if base is not None and values:
            differences[key] = {variant: value - base for variant, value in values.items()}  # type: ignore[index]
    return differences


def forest_figure(panels: Sequence[Panel]) -> Figure:
    """Draw differences with their 95 % intervals, a panel for each quantity, the margin shaded around 0.

    Args:
        panels: at least one; they share their comparisons.
    """
    names = _row_names(panels)
    margin = any(panel.rows["margin"].notna().any() for panel in panels)
    with style.styled():
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.75, row=0.85 + 0.24 * len(names), sharey=True)
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel, names)
        grid[0].set_yticks(range(len(names)), [style.label(name) for name in names])
        grid[0].set_ylim(len(names) - 0.5, -0.5)
        _draw_legend(figure, with_margin=margin, with_reported=any(panel.reported for panel in panels))
    return figure


def _row_names(panels: Sequence[Panel]) -> list[str]:
    """Return the comparisons to draw: all, or those with the largest effects in the first panel."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.rows["comparison"]))
    if len(names) <= MOST_ROWS:
        return names
    effects = panels[0].rows.set_index("comparison")["effect"].abs()
    largest = set(effects.sort_values(ascending=False, kind="stable").index[:MOST_ROWS])
    return [name for name in names if name in largest]


def _draw_panel(axes: Axes, panel: Panel, names: Sequence[str]) -> None:
    position = {name: index for index, name in enumerate(names)}
    rows = panel.rows[panel.rows["comparison"].isin(names)]
    margin = rows["margin"].dropna()
    if len(margin):
        axes.axvspan(-margin.iloc[0], margin.iloc[0], color=MUTED, alpha=0.16, linewidth=0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    y = rows["comparison"].map(position).to_numpy(float)
    tints = rows["verdict"].map(style.VERDICTS).to_list()
    axes.hlines(y, rows["low"], rows["high"], color=tints, linewidth=1.5, zorder=3)
    for verdict, part in rows.groupby("verdict", sort=False):
        tint = style.VERDICTS[str(verdict)]
        axes.scatter(
            part["difference"],
            part["comparison"].map(position),
            marker=MARKERS.get(str(verdict), "D"),
            s=26,
            edgecolor=tint,
            facecolor=PAPER if verdict == "inconclusive" else tint,
            zorder=4,
        )
    reported = {name: value for name, value in panel.reported.items() if name in position}
    if reported:
        positions = [position[name] for name in reported]
        axes.scatter(list(reported.values()), positions, s=34, zorder=5, **style.REPORTED)
    axes.set_xlabel(style.value_label(rows["unit"].iloc[0], _BETTER.get(rows["direction"].iloc[0], "")))
    axes.set_title(style.title(panel.title), loc="left")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _draw_legend(figure: Figure, *, with_margin: bool, with_reported: bool) -> None:
    look: dict[str, Any] = {"linestyle": "", "markersize": 5}
    words = verdicts.WORDS
    entries: list[Any] = [
        *(
            Line2D([], [], marker=MARKERS[verdict], color=style.VERDICTS[verdict], label=words[verdict], **look)
            for verdict in ("better", "worse", "higher", "lower")
        ),
        Line2D([], [], marker="o", color=MUTED, markerfacecolor=PAPER, label=words["inconclusive"], **look),
    ]
    if with_margin:
        entries += [
            Line2D([], [], marker="s", color=MUTED, label=words["equivalent"], **look),
            Patch(color=MUTED, alpha=0.3, linewidth=0, label="margin"),
        ]
    if with_reported:
        entries.append(Line2D([], [], label="reported", **style.REPORTED, **look))
    figure.legend(handles=entries, loc="outside upper left", ncols=len(entries), columnspacing=1.2, handletextpad=0.4)
