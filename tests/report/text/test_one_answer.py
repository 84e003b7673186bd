"""One rule for every answer: whatever the numbers are, no two sentences and marks of a report contradict each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.independent_material import analysed

from ablate.report.figures.forest import baseline_forest
from ablate.report.statistics import verdicts
from ablate.report.statistics.inference.independent import worlds
from ablate.report.text.sentences import answer
from ablate.report.text.tables.comparisons import verdict_grid

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis

NAMES = ("base", "red", "blue", "green", "grey")


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "RANDOM", 199)
    monkeypatch.setattr(worlds, "EXACT_UP_TO", 200)


@st.composite
def studies(draw: st.DrawFn) -> Analysis:
    """A study with effects from none to large, of which many are close to what can just be told."""
    paired, count = draw(st.booleans()), draw(st.integers(3, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sizes = (
        [draw(st.integers(6, 9))] * count
        if paired
        else draw(st.lists(st.integers(2, 9), min_size=count, max_size=count))
    )
    effects = draw(st.lists(st.sampled_from([0.0, 0.6, 1.0, 1.4, -1.0, 3.0]), min_size=count, max_size=count))
    tail = draw(st.sampled_from([0.0, 0.0, 1.5]))  # an exponential tail makes an interval contain 0 beside a claim
    shared = rng.normal(size=max(sizes)) * paired
    values = {
        name: shared[:size] + effect + rng.normal(size=size) * 0.7 + tail * rng.exponential(size=size)
        for name, size, effect in zip(NAMES, sizes, effects, strict=False)
    }
    names = list(values)
    predictions = [
        *({"variant": name, "direction": "better"} for name in names[1:]),
        *({"best": name} for name in names),
    ]
    margin = draw(st.sampled_from([{}, {"loss": 3.0}]))
    return analysed(
        {"loss": {k: list(v) for k, v in values.items()}}, paired=paired, margins=margin, predictions=predictions
    )


@given(studies())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sentence_contradicts_another_one(analysis: Analysis) -> None:
    told = answer(analysis)
    lines = [line.text for line in told.blocks[0].lines]
    names = list(analysis.study.names)
    said = {name: spoken(lines, name) for name in names[1:]}
    may_be_best = named_best(lines, names)
    for name, verdict in said.items():
        if verdict == "better":
            assert "base" not in may_be_best, (lines, name)
        if verdict == "worse":
            assert name not in may_be_best, (lines, name)
    if len(may_be_best) == 1:
        (alone,) = may_be_best
        assert set(said.values()) == {"worse"} if alone == "base" else said[alone] == "better", lines
    if "base" not in may_be_best:
        assert "better" in said.values(), lines
    assert told.hypothesis is not None
    check_hypothesis([line.text for line in told.hypothesis.lines], said, may_be_best)
    check_numbers(analysis, lines)


def spoken(lines: list[str], name: str) -> str:
    """The verdict that the sentences give a variant."""
    starts = {
        f"{name} is better than base": "better",
        f"{name} is worse than base": "worse",
        f"Cannot tell {name} from base": "cannot tell",
        f"No difference that matters between {name} and base": "no difference",
    }
    (found,) = (verdict for start, verdict in starts.items() if any(line.startswith(start) for line in lines))
    return found


def named_best(lines: list[str], names: list[str]) -> set[str]:
    """The variants that the sentences call the best one, or possibly the best one."""
    (line,) = (line for line in lines if re.match("The best variant is|The variant with the best mean is", line))
    if line.startswith("The best variant is"):
        return {line.split("is ", 1)[1].split(",")[0]}
    if "none of the others" in line:
        return set(names)
    return {name for name in names if re.search(rf"\b{name}\b", line)}


def check_hypothesis(lines: list[str], said: dict[str, str], may_be_best: set[str]) -> None:
    for line in lines:
        found, claim = line.split(": ", 1)
        name = claim.split(" ", 1)[0]
        if "is the best variant" in claim:
            expected = "Not decided" if name in may_be_best else "Contradicted"
            expected = "Supported" if may_be_best == {name} else expected
        else:
            expected = {"better": "Supported", "cannot tell": "Not decided"}.get(said[name], "Contradicted")
        assert found == expected, (line, said, may_be_best)


def check_numbers(analysis: Analysis, lines: list[str]) -> None:
    """Every p agrees with its verdict as printed; every interval that does not is explained, in all places."""
    rows: list[dict[str, Any]] = analysis.against_baseline.to_dict("records")
    (cells,) = zip(*(row.cells for row in verdict_grid(analysis).rows), strict=True)
    for row, cell, line in zip(rows, cells, lines, strict=False):
        printed = re.search(r"p = (\d+(?:\.\d+)?(?:e-\d+)?)", line)
        if printed:
            assert (float(printed[1]) < 0.05) == (row["verdict"] != "inconclusive"), line
        contains_0 = row["low"] <= 0 <= row["high"]
        against = (row["verdict"] == "inconclusive" and not contains_0 and not np.isnan(row["low"])) or (
            row["verdict"] in verdicts.DIFFERENT and contains_0
        )
        if row["verdict"] == "equivalent":
            against = max(-row["low"], row["high"]) > row["margin"]
        assert against == ("The interval" in line), line
        assert against == cell.text.endswith("*"), (cell, line)


def test_cannot_tell_and_best_with_confidence_do_not_stand_together() -> None:
    """The case that was found: p just above 0.05 for the whole family, and below it for the best one alone."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(10):
        base = rng.normal(size=7)
        others = {name: base + effect + rng.normal(0, 0.8, 7) for name, effect in (("red", -1.1), ("blue", 1.5))}
        analysis = analysed({"loss": {"base": list(base), **{k: list(v) for k, v in others.items()}}}, paired=True)
        lines = [line.text for line in answer(analysis).blocks[0].lines]
        undecided = spoken(lines, "red") == "cannot tell"
        assert not (undecided and named_best(lines, ["base", "red", "blue"]) == {"red"})
        found += undecided
    assert found > 1, "none of these studies could have had the contradiction"


def test_a_figure_explains_an_interval_that_contains_0_beside_a_claim() -> None:
    base = np.zeros(6)
    worse = [0.01, 0.02, 0.03, 0.02, 0.01, 3.0]
    analysis = analysed({"loss": {"base": list(base), "red": worse}}, paired=True)
    (row,) = analysis.against_baseline.to_dict("records")
    assert (row["verdict"], verdicts.beside(row), verdicts.mark(row)) == ("worse", "around", "-*")
    forest = baseline_forest(analysis)
    assert forest is not None
    assert "A full diamond whose interval contains 0 is no mistake" in forest.caption
    (line, *_) = answer(analysis).blocks[0].lines
    assert line.text.endswith("The interval is Student's t and contains 0; the verdict is that of the sign-flip test.")
