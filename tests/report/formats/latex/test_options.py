"""What the options of a table change, and what they refuse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.latex_material import HOSTILE, analysed, caption_of, heads, marks
from support.outputs_material import PITCH, drawn

from ablate.errors import UnknownName, UsageError
from ablate.report.formats.latex.escape import escape
from ablate.report.formats.latex.options import TableOptions
from ablate.report.formats.latex.table import latex_table
from ablate.report.results import load_results

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.statistics.analysis.analysis import Analysis


def test_quantities_and_variants_are_chosen_in_order(analysis: Analysis) -> None:
    made = latex_table(analysis, TableOptions(["notes.rate", "distance.pitch l1"], ["low", "plain"]))
    assert heads(made.tex) == ["notes.rate (notes/s)", r"distance.pitch l1 $\downarrow$"]
    assert list(marks(made.tex)) == ["low", r"plain \emph{(baseline)}"]
    assert "Not tested, and so without marks: distance.pitch l1." in caption_of(made.tex)
    assert made.notes == [
        "left out: 1 of 2 judged quantities: distance.pitch",
        f"left out: 1 of 3 variants: {HOSTILE}",
    ]
    assert all(f"\n% {note}\n" in made.tex for note in made.notes), "never silently"


def test_own_labels(analysis: Analysis) -> None:
    labels = {"distance.pitch": "Pitch & more", "resampling": "by chance", HOSTILE: "odd"}
    table = latex_table(analysis, TableOptions(labels=labels, tex_labels={"plain": r"$\tau = 1$"})).tex
    assert heads(table)[0] == r"Pitch \& more $\downarrow$"
    assert list(marks(table)) == [r"$\tau = 1$ \emph{(baseline)}", "low", "odd", "by chance"]
    assert r"against the baseline ($\tau = 1$): + better" in caption_of(table)


def test_intervals_as_plus_minus_or_none(analysis: Analysis) -> None:
    row = analysis.estimate_records["low", *PITCH]
    half = f"{(row['high'] - row['low']) / 2:.4f}"
    table = latex_table(analysis, TableOptions(["distance.pitch"], intervals="pm")).tex
    assert f"$^{{+}}$ {{\\scriptsize $\\pm${half}}} \\\\\n" in table
    assert r"$\pm$ half the width of the 95 \% interval" in caption_of(table)
    (floor,) = re.findall(r"^resampling & (.*) \\\\$", table, re.MULTILINE)
    assert re.fullmatch(r"0\.2333 \$_{-0\.\d{4}}\^{\+0\.\d{4}}\$", floor), "the two sides differ"
    bare = latex_table(analysis, TableOptions(["distance.pitch"], intervals="none", caption="short")).tex
    body = "\n".join(line for line in bare.splitlines() if not line.startswith("%"))
    assert not re.search("scriptsize|pm|interval|_{", body)


def test_without_floors_marks_and_rules(analysis: Analysis) -> None:
    options = TableOptions(floors=False, marks=False, caption="short", title="Of my paper")
    table = latex_table(analysis, options).tex
    assert list(marks(table)) == [r"plain \emph{(baseline)}", "low", escape(HOSTILE)]
    assert caption_of(table) == (
        r"\caption[{Of my paper.}]{Of my paper. Means over 8 replicates with 95 \% intervals in brackets. "
        r"$\downarrow$ lower is better.}"
    )
    assert caption_of(latex_table(analysis, TableOptions(caption="none")).tex) == r"\caption{Is 50\% enough?}"


def test_what_does_not_fit_stands_below(analysis: Analysis) -> None:
    wide = latex_table(analysis, TableOptions(width=400, caption="none"))
    narrow = latex_table(analysis, TableOptions(width=150, caption="none"))
    assert (wide.tex.count(r"\toprule"), wide.notes) == (1, [])
    assert narrow.tex.count(r"\toprule") == 2
    assert narrow.notes == ["in 2 parts: 2 columns do not fit 150 pt"]
    assert heads(narrow.tex) == heads(wide.tex)
    assert r"\begin{tabular}[t]{@{}l@{}}100\% of \$a\_ \\ " in narrow.tex, "a long name has lines"
    across = latex_table(analysis, TableOptions(columns=2, span=True)).tex
    assert (across.count(r"\begin{table*}"), across.count(r"\end{table*}")) == (1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"intervals": "p"}, "intervals: 'p' is not possible; did you mean 'pm'? Choose one of brackets, pm, none"),
        ({"caption": "long"}, "caption: 'long' is not possible. Choose one of full, short, none"),
        ({"columns": 3}, "columns: 3 is not possible. Choose one of 1, 2"),
        ({"span": True}, "span: only a paper of two columns has a table across both; use it with 2 columns"),
        ({"width": 0}, "width: 0 pt is not possible; give the width of the text or column in pt"),
        ({"labels": {"low": "a"}, "tex_labels": {"low": "b"}}, "'low' has a label and a LaTeX label; leave out one of"),
        ({"width": 60}, "width: 60 pt is too narrow for the column 'distance.pitch', which needs 1"),
    ],
)
def test_impossible_options_are_one_line(analysis: Analysis, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        latex_table(analysis, TableOptions(**options))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["quantities", "variants", "labels"])
def test_unknown_names_have_a_suggestion(analysis: Analysis, option: str) -> None:
    near = {"quantities": "distance.pich", "variants": "lo", "labels": "resampeling"}[option]
    options = TableOptions(**{option: {near: "x"} if option == "labels" else [near]})
    with pytest.raises(UnknownName, match=f"'{near}' in this study; did you mean "):
        latex_table(analysis, options)


def test_python_has_the_same_table(tmp_path: Path) -> None:
    made = latex_table(analysed(tmp_path, drawn(3, {"plain": 0.5, "low": 0.2})), TableOptions(intervals="pm")).tex
    assert load_results("paper", tmp_path).latex(intervals="pm") == made
