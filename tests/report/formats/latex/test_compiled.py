"""Tables as a real LaTeX sets them: never wider than a paper, and as wide as was estimated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.latex_material import compiled, no_latex, too_large
from support.outputs_material import L1, PITCH, RATE, drawn, put

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.formats.latex import layout
from ablate.report.formats.latex.options import ONE_COLUMN, SPANNING, TWO_COLUMNS, TableOptions
from ablate.report.formats.latex.table import latex_table
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAMES = [
    "plain",
    r"100% of $a_1$ & \input{x} #{2} ~^",
    "[1ex]",
    'a--b|c <d> "e" `f\' ?`',
    "τ ≤ 0.8 \N{MULTIPLICATION SIGN} ½ é ł Å \N{EN DASH} — … µ",
    "training.learning_rate=0.001, model.transformer.layers=12, tokenizer=midilike-classic",
    "W" * 90,
    "",
    "\a control\x7f",
]
#: Each has boxes of its own; the widths are those of the classes below.
ONE = [
    {},
    {"intervals": "pm"},
    {"intervals": "none", "caption": "short", "floors": False, "marks": False},
    {
        "labels": {"plain": "ours"},
        "tex_labels": {"[1ex]": r"$\tau_{\mathrm{max}} = 1$", "notes.rate": r"\textbf{Rate}"},
    },
    {"title": "An own [title] of 5 %", "caption": "none"},
]
TWO = [
    {"columns": 2, "caption": "short"},
    {"columns": 2, "intervals": "pm"},
    {"columns": 2, "span": True},
    {"columns": 2, "intervals": "none", "width": 150, "caption": "none"},
]
GUTTER = SPANNING - 2 * TWO_COLUMNS
CLASSES = {
    "one": (rf"\documentclass{{article}}\textwidth={ONE_COLUMN}pt ", ONE),
    "two": (rf"\documentclass[twocolumn]{{article}}\textwidth={SPANNING}pt \columnsep={GUTTER}pt ", TWO),
}


pytestmark = pytest.mark.skipif(bool(no_latex()), reason=no_latex() or "-")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Variants with names of all kinds, so many that they need more than one page, in five quantities."""
    quantities = [PITCH, L1, RATE, ("distance.duration", "average"), ("memorization.longest", "notes")]
    quantities += [("memorization.longest", "share"), ("distance.average", "average")]
    means = dict.fromkeys([*NAMES, *(f"layers={number}" for number in range(50))], 0.5) | {"[1ex]": 0.2}
    with Store(f"sqlite:///{tmp_path_factory.mktemp('latex') / 'ablate.db'}") as store:
        put(store, "paper", drawn(3, means, quantities, (3, 1)), floors={PITCH: [0.1, 0.2, 0.4]})
        return Analysis(Study.read(store, "paper"), get_registry())


@pytest.mark.parametrize("form", CLASSES)
def test_tables_fit_the_paper(analysis: Analysis, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estimated: list[layout.Part] = []

    def arrange(*args: Any) -> layout.Layout:
        arranged = layout_arrange(*args)
        estimated.extend(part for parts in arranged.floats for part in parts)
        return arranged

    layout_arrange = layout.arrange
    monkeypatch.setattr(layout, "arrange", arrange)
    head, cases = CLASSES[form]
    options = [TableOptions(**case) for case in cases]
    tables = [latex_table(analysis, one) for one in options]
    assert all("floats" in " ".join(table.notes) for table in tables), "too many rows for a page"
    boxes, most = [], []
    for one, table in zip(options, tables, strict=True):
        parts = re.findall(r"^\\begin{tabular}.*?^\\end{tabular}", table.tex, re.DOTALL | re.MULTILINE)
        boxes += [rf"\setbox0\hbox{{\small\tabcolsep=4pt {part}}}\typeout{{box \the\wd0}}" for part in parts]
        most += [one.most] * len(parts)
    log = compiled(tmp_path, head, "\n".join([*boxes, *(table.tex + r"\clearpage" for table in tables)]))
    measured = [float(width) for width in re.findall(r"^box ([\d.]+)pt$", log, re.MULTILINE)]
    assert len(measured) == len(most) == len(estimated)
    assert all(width <= limit for width, limit in zip(measured, most, strict=True))
    # the first rows have the widest names
    pairs = [(part.width - width) for part, width in zip(estimated, measured, strict=True) if part.rows.start == 0]
    assert min(pairs) > -1, "layout._ROUNDING is the greatest error"
    assert max(pairs) < 12, "the estimate does not waste the width"
    assert too_large(log) == []


def test_the_table_of_tau_sweep_fits_a_page_of_neurips(ran: Command, tmp_path: Path) -> None:
    made = ran("study", "table", "tau_sweep", "--profile", "smoke", "-o", "table.tex")
    assert made.out == "table: table.tex\n"
    tex = (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert tex.count("distance.") >= 4
    assert too_large(compiled(tmp_path, r"\documentclass{article}\textwidth=5.5in \textheight=9in ", tex)) == []


def test_what_pdflatex_cannot_print_is_said(analysis: Analysis) -> None:
    made = latex_table(analysis, TableOptions(labels={"plain": "音楽 ♫"}))
    assert made.notes[-1] == "pdfLaTeX cannot print 音楽♫: use XeLaTeX or LuaLaTeX, or own labels"
