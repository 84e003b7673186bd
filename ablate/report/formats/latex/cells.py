"""Values with their marks and intervals, in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.formats.latex.escape import escape
from ablate.report.formats.latex.widths import Tex, width_of
from ablate.report.text.tables.grid import number

if TYPE_CHECKING:
    from ablate.report.formats.latex.options import Intervals
    from ablate.report.text.tables.grid import Cell

#: The mark of each verdict, a superscript after the value.
MARKS = {"better": "+", "worse": "-", "higher": ">", "lower": "<", "equivalent": "=", "alike": "0"}


def value(cell: Cell, verdict: str, intervals: Intervals) -> Tex:
    """Return the value of a cell with the mark of its verdict and its interval.

    Args:
        cell: of a variant or a floor.
        verdict: against the baseline; one without a mark, such as an empty one, leaves none.
        intervals: the form.
    """
    mark = MARKS.get(verdict, "")
    parts = [Tex(escape(cell.text), width_of(cell.text))]
    if mark:
        parts.append(Tex(rf"$^{{{mark}}}$", width_of(mark, "scriptsize") + 0.5))
    if cell.ends and intervals != "none":
        parts.append(Tex(" ", width_of(" ")))
        parts.append(_brackets(cell, cell.ends) if intervals == "brackets" else _plus_minus(cell, cell.ends))
    return Tex("".join(part.tex for part in parts), sum(part.width for part in parts))


def _brackets(cell: Cell, ends: tuple[float, float]) -> Tex:
    text = f"[{number(ends[0], cell.digits)}, {number(ends[1], cell.digits)}]"
    return Tex(rf"{{\scriptsize {escape(text)}}}", width_of(text, "scriptsize"))


def _plus_minus(cell: Cell, ends: tuple[float, float]) -> Tex:
    """Return ± half the width of an interval; where the two sides differ, both of them."""
    middle = cell.sort if cell.sort is not None else sum(ends) / 2
    below, above = (number(abs(end - middle), cell.digits) for end in ends)
    if below == above:
        return Tex(rf"{{\scriptsize $\pm${below}}}", width_of(f"±{below}", "scriptsize"))
    wider = max(width_of(f"+{side}", "scriptsize") for side in (below, above))
    return Tex(rf"$_{{-{below}}}^{{+{above}}}$", wider + 0.5)
