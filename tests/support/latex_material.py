"""LaTeX tables of studies with values that a test chooses, and their parts."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
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


@functools.cache
def no_latex() -> str:
    """Why no table can be compiled here; empty if it can."""
    if shutil.which("pdflatex") is None:
        return "no pdflatex (Debian: texlive-latex-recommended)"
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, text=True, check=False).stdout
    return "" if found else "no booktabs.sty (Debian: texlive-latex-recommended)"


def compiled(folder: Path, head: str, body: str) -> str:
    """The log of a document that has no error."""
    document = rf"{head}\usepackage{{booktabs}}\begin{{document}}{body}\end{{document}}"
    (folder / "paper.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


def too_large(log: str) -> list[str]:
    """The complaints about what is wider or higher than the page."""
    return re.findall(r"^(?:Overfull|LaTeX Warning: Float too large).*", log, re.MULTILINE)
