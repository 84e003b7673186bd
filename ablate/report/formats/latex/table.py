"""The table of a paper: every variant's values with verdicts, and the floors, as wide as the paper's text."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from ablate.report.formats.latex import captions, cells, layout, widths
from ablate.report.formats.latex.escape import beyond_pdflatex
from ablate.report.formats.latex.names import Labels, chosen_quantities, chosen_variants
from ablate.report.formats.latex.options import TableOptions
from ablate.report.text.names import listing
from ablate.report.text.tables.estimates import estimate_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.report.formats.latex.layout import Layout, Sheet
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity
    from ablate.report.text.tables.grid import Row

#: Height of the text of a page that every usual class has, in pt.
_PAGE = 540.0
#: Height of a line of a caption, and of the space around a caption, in pt.
_CAPTION_LINE, _CAPTION_SPACE = 12.0, 24.0


class LatexTable(NamedTuple):
    """A table in LaTeX, and notes on how it was made: what is left out, and how it was divided."""

    tex: str
    notes: list[str]


def latex_table(analysis: Analysis, options: TableOptions | None = None) -> LatexTable:
    """Return the table of a study, which needs booktabs; it is no wider than the paper's text.

    What does not fit the width is in a further part with the same rows, below the first; what does not fit a page, in
    a further float. Names and heads are broken into lines.

    Args:
        analysis: the statistics of the study.
        options: what to show, and how wide; default: everything that the report judges, for a paper of one column.

    Raises:
        UnknownName: no such quantity, variant, or name for a label.
        UsageError: the width is too narrow for a single column.
    """
    options = options or TableOptions()
    quantities = chosen_quantities(analysis, options.quantities)
    variants = chosen_variants(analysis, options.variants)
    grid = estimate_grid(analysis, quantities)
    by_name = {row.name: row for row in grid.rows if row.kind != "floor"}
    floors = [row for row in grid.rows if row.kind == "floor"]
    labels = Labels(analysis, options, [row.name for row in floors])
    rows = [by_name[name] for name in variants] + floors * options.floors
    verdicts = _verdicts(analysis, variants, quantities) if options.marks else {}
    sheet = layout.Sheet(
        [labels.of_row(row) for row in rows],
        [labels.of_column(quantity) for quantity in quantities],
        [_values(row, quantities, verdicts, options) for row in rows],
        len(variants),
    )
    shown = {verdict for verdict in verdicts.values() if verdict}
    caption = captions.caption(analysis, options, labels, quantities, shown)
    arranged = layout.arrange(sheet, options.most, (_PAGE - _height(caption, options), _PAGE - 2 * _CAPTION_SPACE))
    body = list(_floats(sheet, arranged, caption, analysis, options))
    notes = [*_left_out(analysis, quantities, variants), *_divided(arranged, options)]
    strange = beyond_pdflatex("".join(body))
    notes += [f"pdfLaTeX cannot print {strange}: use XeLaTeX or LuaLaTeX, or own labels"] if strange else []
    widest = max(part.width for parts in arranged.floats for part in parts)
    head = [
        r"% needs \usepackage{booktabs}",
        f"% {widest:.0f} of {options.most:g} pt wide in a class of 10 pt; another width or content: ablate study table",
    ]
    if options.marks and options.caption != "full":
        rules = " ".join(captions.rules_of(analysis).split())
        head.append(f"% the rules of the verdicts, for the text of the paper: {rules}")
    return LatexTable("\n".join([*head, *(f"% {note}" for note in notes), *body, ""]), notes)


def _verdicts(
    analysis: Analysis, variants: Sequence[str], quantities: Sequence[Quantity]
) -> dict[tuple[str, Quantity], str]:
    """Return the verdict of each variant and quantity of the table against the baseline."""
    rows = analysis.against_baseline.to_dict("records")
    found = {(row["comparison"], (row["metric"], row["feature"])): row["verdict"] for row in rows}
    return {(name, quantity): found.get((name, quantity), "") for name in variants for quantity in quantities}


def _values(
    row: Row, quantities: Sequence[Quantity], verdicts: dict[tuple[str, Quantity], str], options: TableOptions
) -> list[widths.Tex]:
    marked = {} if row.kind == "floor" else verdicts
    return [
        cells.value(cell, marked.get((row.name, quantity), ""), options.intervals)
        for quantity, cell in zip(quantities, row.cells, strict=True)
    ]


def _height(caption: str, options: TableOptions) -> float:
    lines = math.ceil(widths.raw(caption, "normalsize").width / options.most * 1.05)
    return lines * _CAPTION_LINE + _CAPTION_SPACE


def _floats(sheet: Sheet, arranged: Layout, caption: str, analysis: Analysis, options: TableOptions) -> Iterator[str]:
    name = re.sub("[^A-Za-z0-9]+", "-", analysis.study.record.name).strip("-")
    for number, parts in enumerate(arranged.floats, start=1):
        first = captions.as_command(caption, captions.title(analysis, options))
        yield rf"\begin{{{options.environment}}}"
        yield r"\centering"
        yield first if number == 1 else rf"\caption{{Continued from Table~\ref{{tab:{name}}}.}}"
        yield rf"\label{{tab:{name}{f'-{number}' if number > 1 else ''}}}"
        yield r"\small"
        yield r"\par\smallskip"
        yield rf"\setlength{{\tabcolsep}}{{{layout.SEPARATION:g}pt}}"
        for place, part in enumerate(parts):
            if place:
                yield r"\par\bigskip"
            yield from layout.tabular(arranged, part, sheet.cells, sheet.floors)
        yield rf"\end{{{options.environment}}}"


def _left_out(analysis: Analysis, quantities: Sequence[Quantity], variants: Sequence[str]) -> list[str]:
    """Return a note on the judged quantities and the variants that the table does not show."""
    notes = []
    missing = [analysis.label(quantity) for quantity in analysis.in_order if quantity not in quantities]
    absent = [name for name in analysis.study.names if name not in variants]
    for names, everything, kind in (
        (missing, len(analysis.in_order), "judged quantities"),
        (absent, len(analysis.study.names), "variants"),
    ):
        if names:
            listed = " ".join(listing(names).split())
            notes.append(f"left out: {len(names)} of {everything} {kind}: {listed}")
    return notes


def _divided(arranged: Layout, options: TableOptions) -> list[str]:
    """Return a note on the parts and floats that the table was divided into, and the reason."""
    parts = [part for each in arranged.floats for part in each]
    if len(parts) < 2:
        return []
    reasons = [f"{len(arranged.columns)} columns do not fit {options.most:g} pt"] * (parts[-1].columns.start > 0)
    reasons += [f"{len(arranged.names)} rows in each do not fit a page"] * (len(arranged.floats) > 1)
    floats = f" and {len(arranged.floats)} floats" if len(arranged.floats) > 1 else ""
    return [f"in {len(parts)} parts{floats}: {', and '.join(reasons)}"]
