"""The forest plot of blocks: the difference in each block and over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics import verdicts
from ablate.report.statistics.rows import records, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis

#: The most comparisons that are drawn; the table contains all.
MOST_PANELS = 8
#: The most panels side by side.
COLUMNS = 4
#: The most characters of the name of a block.
LONGEST = 32
#: The name of the row of all blocks.
OVERALL = "all blocks"


def block_forest(analysis: Analysis) -> Drawing | None:
    """Draw the first objective's comparisons in each block and over all; None for a study without blocks."""
    if not analysis.study.blocks:
        return None
    quantity = analysis.primary[0]
    overall = rows_of(analysis.all_effects.loc[analysis.replicability.index], quantity)
    overall = overall[overall["kind"] != "trend"]  # a slope has another unit
    if overall.empty:
        return None
    largest = overall["effect"].abs().sort_values(ascending=False, kind="stable").index[:MOST_PANELS]
    shown = overall[overall.index.isin(largest)]
    inside = rows_of(analysis.block_effects, quantity)
    panels = {}
    for row in records(shown):
        own = inside[(inside["kind"] == row["kind"]) & (inside["comparison"] == row["comparison"])]
        title = str(row["comparison"])
        panels[f"{title} ({row['kind']})" if title in panels else title] = [*records(own), {**row, "block": OVERALL}]
    label, blocks = analysis.label(quantity), analysis.study.blocks
    better = {"lower": "← better", "higher": "better →"}.get(analysis.directions[quantity], "")
    caption = (
        f"{label} in each of {blocks.label}, and on average over them (diamond), with 95 % intervals. Only the "
        "difference over all blocks has a verdict."
    )
    if len(overall) > len(shown):
        caption += f" Only the {len(shown)} largest effects of {len(overall)} are drawn."
    figure = block_figure(panels, blocks.names, style.value_label(analysis.units[quantity], better))
    alt = f"Forest plot of {len(shown)} comparisons in {len(blocks.names)} blocks; the table below has the numbers."
    return Drawing("blocks", figure, alt, caption)


def block_figure(panels: Mapping[str, Sequence[Mapping[str, Any]]], blocks: Sequence[str], unit: str) -> Figure:
    """Draw differences with their intervals, a panel for each comparison and a row for each block, then for all.

    Args:
        panels: by comparison, rows with ``block``, ``difference``, ``low`` and ``high``; that of all blocks has the
            block :data:`OVERALL`, and a ``verdict``.
        blocks: their names, from top to bottom.
        unit: the label of the horizontal axis.
    """
    names = [*blocks, OVERALL]
    with style.styled():
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.35, row=0.85 + 0.26 * len(names), sharey=True)
        for axes, (title, rows) in zip(grid, panels.items(), strict=True):
            _draw_panel(axes, rows, names)
            axes.set_title(style.label(title, 26), loc="left")
            axes.set_xlabel(unit)
        for axes in grid[::COLUMNS]:
            axes.set_yticks(range(len(names)), [style.label(name, LONGEST) for name in _short(names)])
        grid[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _short(names: Sequence[str]) -> list[str]:
    """Return the names of rows without the axis, if the blocks are the levels of a single one."""
    axes = {name.partition("=")[0] for name in names if name != OVERALL}
    several = len(axes) > 1 or any(", " in name for name in names)
    return [name if several or name == OVERALL else name.partition("=")[2] for name in names]


def _draw_panel(axes: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.axhline(len(names) - 1.5, color=MUTED, linewidth=0.6, linestyle=":")
    for row in rows:
        y, is_overall = names.index(row["block"]), row["block"] == OVERALL
        tint = style.VERDICTS[row["verdict"]] if is_overall else MUTED
        axes.hlines(y, row["low"], row["high"], color=tint, linewidth=1.5, zorder=3)
        claimed = is_overall and row["verdict"] in verdicts.DIFFERENT
        face = tint if claimed or not is_overall else PAPER
        marker, size = ("D", 30) if is_overall else ("o", 20)
        axes.scatter(row["difference"], y, marker=marker, s=size, edgecolor=tint, facecolor=face, zorder=4)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)
