"""The path chart: the objective from the baseline to the target, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import panel_quantities
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.path import STEP
from ablate.report.statistics.rows import records, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.comparisons.path import Path
    from ablate.report.statistics.rows import Quantity

#: The most panels side by side.
COLUMNS = 3

_BETTER = {"lower": "← better", "higher": "better →"}


def path_chart(analysis: Analysis) -> Drawing | None:
    """Draw the variants on a path in order, every replicate faint; None for other designs."""
    path = analysis.path
    if path is None or not path.changes:
        return None
    quantities = [quantity for quantity in panel_quantities(analysis) if quantity in analysis.directions]
    with style.styled():
        row = 0.9 + 0.34 * len(path.taken)
        figure, grid = style.panel_grid(len(quantities), COLUMNS, top=0.75, row=row, sharey=True)
        for axes, quantity in zip(grid, quantities, strict=True):
            _draw_panel(axes, analysis, path, quantity)
        names = [path.taken[0], *(f"{place}. {change}" for place, change in enumerate(path.changes, start=1))]
        grid[0].set_yticks(range(len(names)), [style.label(name) for name in names])
        grid[0].set_ylim(len(names) - 0.5, -0.5)
        _draw_legend(figure)
    caption = (
        f"The path from {path.taken[0]} to {path.target}: each row adds one change to the row above. Points are means "
        "over replicates, thin lines single replicates; the colour of a step and its mark are its verdict. The order "
        "was chosen from the same results, so early steps look larger than they are."
    )
    alt = f"Line chart of a path of {len(path.changes)} steps; the table below has the numbers."
    return Drawing("path", figure, alt, caption)


def _draw_panel(axes: Axes, analysis: Analysis, path: Path, quantity: Quantity) -> None:
    table = analysis.replicates.table(*quantity).reindex(columns=list(path.taken))
    values, places = table.to_numpy(float), np.arange(len(path.taken))
    axes.plot(values.T, places, color=MUTED, alpha=0.3, linewidth=0.7, zorder=2)
    # over the replicates that the whole path has, so that the distance of two points is the mean of a step
    shared = values[~np.isnan(values).any(axis=1)]
    means = shared.mean(axis=0) if len(shared) else np.nanmean(values, axis=0)
    found = {row["comparison"]: row["verdict"] for row in records(rows_of(analysis.of_kind(STEP), quantity))}
    for place, change in enumerate(path.changes, start=1):
        verdict = found.get(change, "")
        look: dict[str, Any] = {"color": style.VERDICTS[verdict], "linewidth": 2.4, "zorder": 3}
        axes.plot(means[place - 1 : place + 1], [place - 1, place], **look)
        axes.annotate(
            verdicts.MARKS[verdict],
            (float(means[place - 1 : place + 1].mean()), place - 0.5),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
            color=style.VERDICTS[verdict],
            zorder=6,
        )
    axes.scatter(means, places, s=26, facecolor=PAPER, edgecolor=INK, zorder=5)
    better = _BETTER.get(analysis.directions[quantity], "")
    axes.set_xlabel(style.value_label(analysis.units[quantity], better))
    axes.set_title(style.label(analysis.label(quantity), 30), loc="left")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _draw_legend(figure: Figure) -> None:
    entries = [
        Line2D([], [], color=style.VERDICTS[verdict], linewidth=2.4, label=label)
        for verdict, label in (
            ("better", verdicts.WORDS["better"]),
            ("worse", verdicts.WORDS["worse"]),
            ("higher", "higher or lower"),
            ("inconclusive", "cannot tell, or no difference that matters"),
        )
    ]
    entries.append(Line2D([], [], color=MUTED, alpha=0.5, linewidth=0.7, label="one replicate"))
    figure.legend(handles=entries, loc="outside upper left", ncols=len(entries), columnspacing=1.2, handletextpad=0.4)
