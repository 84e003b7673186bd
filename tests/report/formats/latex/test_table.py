"""The LaTeX table of a study, as the report writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.latex_material import HOSTILE, caption_of, marks, tabled
from support.outputs_material import L1, PITCH, RATE, drawn, put

from ablate.report.formats.latex.escape import escape
from ablate.report.formats.latex.options import TableOptions
from ablate.report.formats.latex.table import latex_table
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.statistics.analysis.analysis import Analysis


@pytest.fixture(scope="module")
def table(analysis: Analysis) -> str:
    return latex_table(analysis).tex


def test_it_is_a_booktabs_table_with_a_row_for_each_variant(table: str) -> None:
    for rule in ("toprule", "bottomrule"):
        assert table.count(f"\\{rule}\n") == 1
    assert table.count("\\midrule\n") == 2, "below the head, and above the floors"
    begun, ended = (re.findall(rf"^\\{word}{{(\w+)}}", table, re.MULTILINE) for word in ("begin", "end"))
    assert begun == ended[::-1] == ["table", "tabular"]
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert [row.partition(" & ")[0] for row in rows] == [
        "",
        r"plain \emph{(baseline)}",
        "low",
        escape(HOSTILE),
        "resampling",
    ]
    assert r"\begin{tabular}{@{}lrr@{}}" in table
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {2}


def test_marks_say_the_verdict_and_the_caption_their_rule(table: str) -> None:
    marked = {line.partition(" & ")[0]: re.findall(r"\$\^{(.)}\$", line) for line in table.splitlines() if "&" in line}
    assert marked["low"] == ["+", "<"]
    assert marked[r"plain \emph{(baseline)}"] == []
    caption = caption_of(table)
    for phrase in (
        r"Is 50\% enough?",
        "8 replicates",
        r"against the baseline (plain): + better, \textless{} lower, no mark: cannot tell.",
        r"$\downarrow$ lower is better.",
    ):
        assert phrase in caption
    assert "sign-flip" not in caption, "the rules are for the text of a paper"
    assert re.search(
        r"^% the rules of the verdicts, .*: .*for one comparison alone.*sign-flip test.*false", table, re.MULTILINE
    )


def test_a_full_caption_has_the_rules_and_the_floors(analysis: Analysis) -> None:
    table = latex_table(analysis, TableOptions(caption="full")).tex
    for phrase in (
        "Resampling: notes resampled from the reference",
        "sign-flip test",
        "for one comparison alone",
        "any false claim",
    ):
        assert phrase in caption_of(table)
    assert "% the rules" not in table


def test_what_is_printed_is_what_was_written(table: str) -> None:
    """Every character that means something to LaTeX is in the table only as itself."""
    assert escape(HOSTILE) == (
        r"100\% of \$a\_1\$ \& \textbackslash{}input\{x\} \#\{2\} \textasciitilde{}\textasciicircum{}"
    )
    inner = "\n".join(line for line in table.splitlines() if not line.startswith("%")).replace(escape(HOSTILE), "")
    assert r"\input" not in inner
    assert not re.search(r"(?<!\\)[#~]", inner)
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", table):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_every_verdict_has_its_mark(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, "low": 0.2, "high": 0.8, "same": 0.5}, [PITCH, RATE])
    values["unsure"] = {PITCH: values["plain"][PITCH] + [[0.3], [-0.3]] * 4, RATE: values["plain"][RATE]}
    found = marks(tabled(tmp_path, values, margins={"distance.pitch": 0.1, "notes.rate": 0.1}))
    assert found == {
        r"plain \emph{(baseline)}": ["", ""],
        "low": ["+", "<"],
        "high": ["-", ">"],
        "same": ["=", "="],
        "unsure": ["", "0"],
    }


def test_a_variant_that_is_better_by_copying_is_named(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, "low": 0.2, "copier": 0.2}, [PITCH])
    copied = ("memorization.covered", "share")
    for name, share in {"plain": 0.1, "low": 0.1, "copier": 0.9}.items():
        values[name][copied] = drawn(4, {name: share})[name][PITCH]
    table = tabled(tmp_path, values, copying=["memorization.covered"])
    said = "Better, but with more copies of the training pieces than the baseline: copier."
    assert said in caption_of(table)


@pytest.mark.parametrize("objective", [PITCH, L1])
def test_a_mark_stands_at_the_quantity_that_it_is_of(tmp_path: Path, objective: tuple[str, str]) -> None:
    """The objective's column comes first, wherever the study measures it, and whether or not it is an average."""
    metric, feature = objective
    values = drawn(3, {"plain": 0.5, "low": 0.2}, [RATE, PITCH, L1])
    table = tabled(tmp_path, values, objective={"metric": metric, "feature": feature})
    head = next(line for line in table.splitlines() if line.endswith(r"\\")).removesuffix(r" \\").split(" & ")[1:]
    assert ("l1" in head[0]) == (objective == L1)
    assert marks(table)["low"] == ["<" if "notes/s" in title else "+" for title in head]


def test_a_floor_has_no_verdict_though_a_variant_has_its_name(tmp_path: Path) -> None:
    table = tabled(tmp_path, drawn(3, {"plain": 0.5, "resampling": 0.2}), floors={PITCH: [0.1, 0.2, 0.3]})
    rows = [line for line in table.splitlines() if line.startswith("resampling & ")]
    assert ["$^{" in row for row in rows] == [True, False]


@pytest.mark.parametrize("name", ["[1ex]", "*"])
def test_a_name_is_no_argument_of_the_end_of_the_row_above(tmp_path: Path, name: str) -> None:
    r"""After ``\\`` and ``\midrule`` LaTeX takes what is in brackets for a length, and ``*`` for a part of ``\\``."""
    table = tabled(tmp_path, drawn(3, {name: 0.5, "other": 0.2, f"{name} too": 0.3}))
    assert re.sub("[{}]", "", table).count(name) == 3, "in braces or behind them it is only text"
    assert f"({name})" in caption_of(table)
    assert not re.search(r"\\\\\s*[\[*]|\\midrule\s*\[", table)


def test_markdown_and_latex_print_the_same_values(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, "low": -0.2}, [PITCH, RATE])
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "paper", values, floors={PITCH: [0.1, 0.2, 0.3]})
        write_report(store, tmp_path, "paper", ["md", "tex"])
    folder = tmp_path / "reports/paper"
    section = (folder / "report.md").read_text(encoding="utf-8").partition("## Values and floors")[2]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:5]
    table = (folder / "paper/table.tex").read_text(encoding="utf-8").replace("$-$", "\N{MINUS SIGN}")
    tex = [line.split(" & ") for line in table.splitlines() if line.endswith(r"\\")][1:]
    number = r"[\d.\N{MINUS SIGN}]*\d"
    for (_, *ours), (_, *theirs) in zip(rows, tex, strict=True):
        plain = [re.sub(r"\$\^{.}\$", "", cell) for cell in theirs]
        assert [re.findall(number, cell) for cell in ours] == [re.findall(number, cell) for cell in plain]
    for (name, *cells), (variant, measured) in zip(rows, values.items(), strict=False):
        assert name.startswith(variant)
        printed = [float(cell.partition(" ")[0].replace("\N{MINUS SIGN}", "-")) for cell in cells]
        assert printed == pytest.approx([measured[q].mean() for q in (PITCH, RATE)], abs=6e-5)
