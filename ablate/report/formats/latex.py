"""The table of a paper, in LaTeX with booktabs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ablate.report.statistics.verdicts import WORDS
from ablate.report.text import rules
from ablate.report.text.tables.estimates import estimate_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.text.tables.grid import Cell, Row

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{MINUS SIGN}": r"$-$",
    "±": r"$\pm$",
    "\N{EN DASH}": "--",
}
#: The mark of each verdict, a superscript after the value.
_MARKS = {
    "better": r"$^{+}$",
    "worse": r"$^{-}$",
    "higher": r"$^{>}$",
    "lower": r"$^{<}$",
    "equivalent": r"$^{=}$",
    "alike": r"$^{0}$",
}


def escape(text: str) -> str:
    """Escape text for LaTeX, in one line, because an empty line would end a caption."""
    return "".join(_ESCAPES.get(char, char) for char in " ".join(text.split()))


def latex_table(analysis: Analysis) -> str:
    """Return a table of every variant's headline quantities with verdicts, and of the floors; it needs booktabs."""
    grid = estimate_grid(analysis)
    verdicts = {
        (row["comparison"], row["metric"], row["feature"]): row["verdict"]
        for row in analysis.against_baseline.to_dict("records")
    }
    head = " & ".join(["", *(escape(column.title) for column in grid.columns)])
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(_caption(analysis))}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', analysis.study.record.name).strip('-')}}}",
        rf"\begin{{tabular}}{{l{'r' * len(grid.columns)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    variants = [row for row in grid.rows if row.kind != "floor"]
    floors = [row for row in grid.rows if row.kind == "floor"]
    for row in variants:
        marks = [_MARKS.get(verdicts.get((row.name, *quantity), ""), "") for quantity in analysis.in_order]
        lines.append(_line(row, marks))
    if floors:
        lines.append(r"\midrule")
        lines += [_line(row, [""] * len(row.cells)) for row in floors]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _line(row: Row, marks: Sequence[str]) -> str:
    cells = [f"{escape(cell.text)}{mark}{_small(cell)}" for cell, mark in zip(row.cells, marks, strict=True)]
    # at the start of a row LaTeX reads [ or * as an argument of the row before, unless there are braces
    name = (
        ("{}" if row.name[:1] in ("[", "*") else "")
        + escape(row.name)
        + (r" \emph{(baseline)}" if "baseline" in row.tags else "")
    )
    return rf"{' & '.join([name, *cells])} \\"


def _small(cell: Cell) -> str:
    interval = cell.small.partition(";")[0]
    return rf" {{\scriptsize [{escape(interval.replace(' to ', ', '))}]}}" if " to " in interval else ""


def _caption(analysis: Analysis) -> str:
    question = str(analysis.study.spec.get("question") or analysis.study.record.name)
    replicates = analysis.study.spec.get("replicates", "?")
    return (
        f"{question} Means over {replicates} replicates with 95 % intervals. Marks against the baseline: + better, "
        f"- worse, > higher, < lower, = {WORDS['equivalent']}, 0 {WORDS['alike']}; no mark: {WORDS['inconclusive']}. "
        f"{rules.rules_in_words(analysis).partition(' Marks:')[0]}"
    )
