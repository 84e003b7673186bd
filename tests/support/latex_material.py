"""LaTeX tables of studies with values that a test chooses, and their parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.formats.latex.table import latex_table
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.store.store import Store
from support.outputs_material import put

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = r"100% of $a_1$ & \input{x} #{2} ~^"


def analysed(home: Path, values: Any, **spec: Any) -> Analysis:
    """The statistics of a study of these values."""
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "paper", values, **spec)
        return Analysis(Study.read(store, "paper"), get_registry())


def tabled(home: Path, values: Any, **spec: Any) -> str:
    """The LaTeX table of a study of these values."""
    return latex_table(analysed(home, values, **spec)).tex


def caption_of(table: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(r"\caption"))


def heads(table: str) -> list[str]:
    """The heads of the columns of all parts, in one line each."""
    rows = re.findall(r"\\toprule\n (.*) \\\\$", table, re.MULTILINE)
    cells = [cell for row in rows for cell in row.removeprefix("& ").split(" & ")]
    return [re.sub(r"\\begin{tabular}\[b\]{@{}r@{}}|\\end{tabular}|\\\\ ", "", cell) for cell in cells]


def marks(table: str) -> dict[str, list[str]]:
    """By row the mark of each of its cells, empty where there is none."""
    rows = [line.removesuffix(r" \\").split(" & ") for line in table.splitlines() if line.endswith(r"\\")]
    return {name: ["".join(re.findall(r"\$\^{(.)}\$", cell)) for cell in cells] for name, *cells in rows[1:]}
