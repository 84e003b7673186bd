"""For a paper: the LaTeX table and the BibTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from outputs_material import L1, PITCH, component, drawn, put

from ablate.report.analysis import Analysis
from ablate.report.page import write_report
from ablate.report.paper import escaped, latex_table
from ablate.report.study import Study
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
        return latex_table(Analysis(Study.read(store, "paper")))


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
        escaped(HOSTILE),
        "resampling",
    ]
    width = len(re.search(r"\\begin{tabular}{(\w+)}", table)[1])  # type: ignore[index]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {width - 1}


def test_marks_say_the_verdict_and_the_caption_their_rule(table: str) -> None:
    marked = {line.partition(" & ")[0]: re.findall(r"\$\^{(.)}\$", line) for line in table.splitlines() if "&" in line}
    assert marked["low"] == ["+"]
    assert marked[r"plain \emph{(baseline)}"] == []
    caption = next(line for line in table.splitlines() if line.startswith(r"\caption{"))
    for phrase in (r"Is 50\% enough?", "8 replicates", "+ better", "sign-flip test", "Holm's correction"):
        assert phrase in caption


def test_what_is_printed_is_what_was_written(table: str) -> None:
    """Every character that means something to LaTeX is in the table only as itself."""
    assert escaped(HOSTILE) == (
        r"100\% of \$a\_1\$ \& \textbackslash{}input\{x\} \#\{2\} \textasciitilde{}\textasciicircum{}"
    )
    inner = table.replace(escaped(HOSTILE), "")
    assert r"\input" not in inner
    assert not re.search(r"(?<!\\)[#~]", inner)
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", table):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_the_bibliography_has_each_source_once(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, "gru": 0.4})
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        configs = {"gru": {"sampler": [component("nucleus", p=0.9)], "model": [component("of-nobody")]}}
        put(store, "cited", values, configs=configs)
        write_report(store, tmp_path, "cited", ["tex"])
    text = (tmp_path / "reports/cited/paper/references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+{([^,\s]+),$", text, re.MULTILINE)
    assert len(keys) == len(set(keys)) == text.count("\n@") + 1
    assert {"kendall1938", "fisher1935", "schuirmann1987"} <= set(keys)
    assert text.count("{") == text.count("}")
    assert "Long Short-Term Memory" in text.replace("{", "").replace("}", "").title().replace(
        "Short-term", "Short-Term"
    )
