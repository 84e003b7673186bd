"""The waterfall chart: from the bare model to the full one, a bar for the share of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import panel_quantities
from ablate.report.figures.common.style import INK, MUTED, PAPER
from ablate.report.statistics import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.answers.shares import Shares

#: The most panels side by side.
COLUMNS = 3

_BETTER = {"lower": "← better", "higher": "better →", "none": ""}


class Panel(NamedTuple):
    """One quantity of a waterfall chart: its name, and its shares."""

    title: str
    shares: Shares


def share_chart(analysis: Analysis) -> Drawing | None:
    """Draw the share of each part in the total difference; None without shares."""
    panels = [
        Panel(analysis.label(quantity), analysis.shares[quantity])
        for quantity in panel_quantities(analysis)
        if quantity in analysis.shares
    ]
    if not panels:
        return None
    count = len(panels[0].shares.shares)
    caption = (
        f"The total difference between {analysis.parts.ends}, shared among the parts. Each bar begins where the one "
        "above it ends; its line is the 95 % interval of the share."
    )
    if panels[0].shares.shares[0].first:
        caption += (
            " Triangles: the same part added to the bare model (pointing up) and as the last one of the full model "
            "(pointing down); where they are far apart, the part interacts with others."
        )
    alt = f"Waterfall chart of the shares of {count} parts; the table below has the numbers."
    return Drawing("shares", share_figure(panels), alt, caption)


def share_figure(panels: Sequence[Panel]) -> Figure:
    """Draw the shares of the parts, a panel for each quantity.

    Args:
        panels: at least one; they have the same parts.
    """
    names = [str(row["comparison"]) for row in panels[0].shares.rows] + ["total"]
    with style.styled():
        row = 0.85 + 0.28 * len(names)
        figure, grid = style.panel_grid(len(panels), COLUMNS, top=0.75, row=row, sharey=True)
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel)
        grid[0].set_yticks(range(len(names)), [style.label(name) for name in names])
        grid[0].set_ylim(len(names) - 0.5, -0.5)
        _draw_legend(figure, with_steps=bool(panels[0].shares.shares[0].first))
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    shares, start = panel.shares, 0.0
    axes.axvline(0.0, color=INK, linewidth=0.9)
    for place, row in enumerate(shares.rows):
        _draw_bar(axes, place, start, row)
        if place < len(shares.shares):
            share = shares.shares[place]
            for step, marker in ((share.first, "^"), (share.last, "v")):
                if step:
                    look: dict[str, Any] = {"s": 22, "facecolor": PAPER, "edgecolor": INK, "zorder": 5}
                    axes.scatter([start + step["difference"]], [place], marker=marker, **look)
        start += float(row["difference"])
        axes.plot([start, start], [place - 0.3, place + 1.3], color=MUTED, linewidth=0.8, linestyle=":")
    _draw_bar(axes, len(shares.rows), 0.0, shares.total, INK)
    row = shares.total
    axes.set_xlabel(style.value_label(str(row["unit"]), _BETTER.get(str(row["direction"]), "")))
    axes.set_title(style.label(panel.title, 30), loc="left")
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=4)


def _draw_bar(axes: Axes, place: int, start: float, row: Mapping[str, Any], tint: str = "") -> None:
    tint = tint or style.VERDICTS[row["verdict"]]
    size = float(row["difference"])
    axes.barh([place], [size], left=[start], height=0.6, color=tint, alpha=0.45, linewidth=0, zorder=2)
    axes.hlines([place], [start + row["low"]], [start + row["high"]], color=tint, linewidth=1.5, zorder=3)


def _draw_legend(figure: Figure, *, with_steps: bool) -> None:
    entries: list[Any] = [
        Patch(color=style.VERDICTS[verdict], alpha=0.45, linewidth=0, label=label)
        for verdict, label in (
            ("better", verdicts.WORDS["better"]),
            ("worse", verdicts.WORDS["worse"]),
            ("higher", "higher or lower"),
            ("inconclusive", "cannot tell, or no difference that matters"),
        )
    ]
    if with_steps:
        look: dict[str, Any] = {"linestyle": "", "color": INK, "markerfacecolor": PAPER, "markersize": 5}
        entries.append(Line2D([], [], marker="^", label="added to the bare model", **look))
        entries.append(Line2D([], [], marker="v", label="last of the full model", **look))
    figure.legend(handles=entries, loc="outside upper left", ncols=len(entries), columnspacing=1.2, handletextpad=0.4)
