"""For a paper: the LaTeX table and the BibTeX, and the same numbers in Markdown and CSV."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from support.outputs_material import L1, PITCH, RATE, component, drawn, put

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.formats.bibliography import METHODS
from ablate.report.formats.latex import escape, latex_table
from ablate.report.results import load_results
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = r"100% of $a_1$ & \input{x} #{2} ~^"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three variants: one far better, one the same, one with every character that LaTeX reads otherwise."""
    values = drawn(3, {"plain": 0.5, "low": 0.2, HOSTILE: 0.5}, [PITCH, L1])
    folder = tmp_path_factory.mktemp("paper")
    with Store(f"sqlite:///{folder / 'ablate.db'}") as store:
        put(store, "paper", values, floors={PITCH: [0.1, 0.2, 0.3]}, question="Is 50% enough?")
        return latex_table(Analysis(Study.read(store, "paper"), get_registry()))


def test_it_is_a_booktabs_table_with_a_row_for_each_variant(table: str) -> None:
    for rule in ("toprule", "bottomrule"):
        assert table.count(f"\\{rule}\n") == 1
    assert table.count("\\midrule\n") == 2, "below the head, and above the floors"
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", table) for word in ("begin", "end"))
    assert begun == ended[::-1] == ["table", "tabular"]
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert [row.partition(" & ")[0] for row in rows] == [
        "",
        r"plain \emph{(baseline)}",
        "low",
        escape(HOSTILE),
        "resampling",
    ]
    width = len(re.search(r"\\begin{tabular}{(\w+)}", table)[1])  # type: ignore[index]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {width - 1}


def test_marks_say_the_verdict_and_the_caption_their_rule(table: str) -> None:
    marked = {line.partition(" & ")[0]: re.findall(r"\$\^{(.)}\$", line) for line in table.splitlines() if "&" in line}
    assert marked["low"] == ["+"]
    assert marked[r"plain \emph{(baseline)}"] == []
    caption = next(line for line in table.splitlines() if line.startswith(r"\caption{"))
    for phrase in (
        r"Is 50\% enough?",
        "8 replicates",
        "+ better",
        "sign-flip test",
        "for one comparison alone",
        "any false claim",
    ):
        assert phrase in caption


def test_what_is_printed_is_what_was_written(table: str) -> None:
    """Every character that means something to LaTeX is in the table only as itself."""
    assert escape(HOSTILE) == (
        r"100\% of \$a\_1\$ \& \textbackslash{}input\{x\} \#\{2\} \textasciitilde{}\textasciicircum{}"
    )
    inner = table.replace(escape(HOSTILE), "")
    assert r"\input" not in inner
    assert not re.search(r"(?<!\\)[#~]", inner)
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", table):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def tabled(home: Path, values: Any, **spec: Any) -> str:
    """The LaTeX table of a study of these values."""
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "paper", values, **spec)
        return latex_table(Analysis(Study.read(store, "paper"), get_registry()))


def marks(table: str) -> dict[str, list[str]]:
    """By row the mark of each of its cells, empty where there is none."""
    rows = [line.removesuffix(r" \\").split(" & ") for line in table.splitlines() if line.endswith(r"\\")]
    return {name: ["".join(re.findall(r"\$\^{(.)}\$", cell)) for cell in cells] for name, *cells in rows[1:]}


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


@pytest.mark.parametrize("objective", [PITCH, L1])
def test_a_mark_stands_at_the_quantity_that_it_is_of(tmp_path: Path, objective: tuple[str, str]) -> None:
    """The objective's column comes first, wherever the study measures it, and whether or not it is an average."""
    metric, feature = objective
    values = drawn(3, {"plain": 0.5, "low": 0.2}, [RATE, PITCH, L1])
    table = tabled(tmp_path, values, objective={"metric": metric, "feature": feature})
    head = next(line for line in table.splitlines() if line.endswith(r"\\")).removesuffix(r" \\").split(" & ")[1:]
    assert ("l1" in head[0]) == (objective == L1)
    assert marks(table)["low"] == ["<" if title == "notes.rate" else "+" for title in head]


def test_a_floor_has_no_verdict_though_a_variant_has_its_name(tmp_path: Path) -> None:
    table = tabled(tmp_path, drawn(3, {"plain": 0.5, "resampling": 0.2}), floors={PITCH: [0.1, 0.2, 0.3]})
    rows = [line for line in table.splitlines() if line.startswith("resampling & ")]
    assert ["$^{" in row for row in rows] == [True, False]


@pytest.mark.parametrize("name", ["[1ex]", "*"])
def test_a_name_is_no_argument_of_the_end_of_the_row_above(tmp_path: Path, name: str) -> None:
    r"""After ``\\`` and ``\midrule`` LaTeX takes what is in brackets for a length, and ``*`` for a part of ``\\``."""
    table = tabled(tmp_path, drawn(3, {name: 0.5, "other": 0.2, f"{name} too": 0.3}))
    assert re.sub("[{}]", "", table).count(name) == 2, "in braces or behind them it is only text"
    assert not re.search(r"\\\\\s*[\[*]|\\midrule\s*\[", table)


def entries(text: str) -> dict[str, dict[str, str]]:
    """BibTeX as fields by key; fails where braces do not match, a key comes twice or something else stands between."""
    found: dict[str, dict[str, str]] = {}
    rest = text.strip()
    while rest:
        begun = re.match(r"@[a-z]+{([^\s,{}]+),", rest)
        assert begun, f"no entry: {rest[:60]}"
        assert begun[1] not in found, f"twice: {begun[1]}"
        depths = itertools.accumulate({"{": 1, "}": -1}.get(char, 0) for char in rest)
        closed = [place for place, depth in enumerate(depths) if depth == 0 and place >= begun.end()]
        assert closed, f"never closed: {begun[1]}"
        body, rest = rest[begun.end() : closed[0]], rest[closed[0] + 1 :].strip()
        field = r"\s*([a-z]+) = {((?:[^{}]|{(?:[^{}]|{[^{}]*})*})*)}\s*(?:,|$)"  # braces in braces, as of an accent
        found[begun[1]] = dict(re.findall(field, body))
        assert not re.sub(field, "", body).strip(), f"no fields: {body}"
    return found


def cited(home: Path, configs: dict[str, Any]) -> dict[str, dict[str, str]]:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "cited", drawn(3, {"plain": 0.5, "other": 0.4}), configs=configs)
        write_report(store, home, "cited", ["tex"])
    return entries((home / "reports/cited/paper/references.bib").read_text(encoding="utf-8"))


def test_the_bibliography_is_of_what_was_used_and_of_the_methods(tmp_path: Path) -> None:
    other = {"sampler": [component("top_p", p=0.9)], "model": [component("of-nobody")]}
    found = cited(tmp_path, {"other": other})
    methods = set(entries("\n".join(METHODS.values())))
    assert {
        "holm1979",
        "fisher1935",
        "schuirmann1987",
        "kendall1938",
        "johnson1978",
        "yuen1974",
        "clopper1934",
    } <= methods
    ours = {("corpus", "bach-prelude"), ("tokenizer", "midilike-classic"), ("model", "lstm"), ("sampler", "top_p")}
    ours |= {("sampler", "temperature"), ("metric", "distance.pitch")}
    sources = {key for each in ours for text in get_registry().spec(*each).cite for key in entries(text)}
    assert {"holtzman2020", "hochreiter1997"} <= sources
    assert set(found) == methods | sources
    assert all({"author", "title", "year"} <= set(fields) for fields in found.values())


def test_all_sources_there_are_can_stand_in_one_bibliography(tmp_path: Path) -> None:
    registry, kinds = get_registry(), ("corpus", "tokenizer", "model", "sampler", "metric")
    everything = {kind: [component(name) for name in registry.names(kind)] for kind in kinds}
    assert set(entries("\n".join(METHODS.values()))) < set(cited(tmp_path, {"other": everything}))


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


def test_the_csv_are_the_frames_of_python(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, 'a, "b"\n': 0.2, "NA": 0.3, "007": 0.3}, [PITCH, RATE], (3, 2))
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "paper", values, floors={PITCH: [0.1, 0.2, 0.3]})
        write_report(store, tmp_path, "paper", ["csv"])
    results = load_results("paper", tmp_path)
    frames = {"measurements": results.frame(), "estimates": results.estimates(), "floors": results.floors()}
    frames |= {"effects": results.effects(), "runs": results.runs()}
    for name, frame in frames.items():
        words = [str(column) for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
        text = pd.read_csv(tmp_path / f"reports/paper/data/{name}.csv", dtype=str, keep_default_na=False)
        assert list(text.columns) == list(frame.columns)
        for column in words:
            assert text[column].to_list() == frame[column].astype(str).to_list(), (name, column)
        for column in set(frame.columns) - set(words):
            expected = frame[column].to_numpy(dtype=float)
            read = text[column].replace({"": "nan", "True": "1", "False": "0"}).to_numpy(dtype=float)
            np.testing.assert_array_equal(read, expected, f"{name} {column}")
