"""The steps of a path in a report: what is compared, judged, said, listed and drawn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.effects_material import NAN, Stored, max_t_by_hand

from ablate.registry import get_registry
from ablate.report.figures.common.style import VERDICTS
from ablate.report.figures.path import path_chart
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.rows import records
from ablate.report.text.sentences import answer
from ablate.report.text.tables.path import path_grid, round_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MINUS = "\N{MINUS SIGN}"
DISTANCE = ("distance", "average")
LEVELS = {
    "base": {"x": 0, "y": 0, "z": 0},
    "y=1": {"x": 0, "y": 1, "z": 0},
    "x=1, y=1": {"x": 1, "y": 1, "z": 0},
    "target": {"x": 1, "y": 1, "z": 1},
    "x=1": {"x": 1, "y": 0, "z": 0},
    "z=1": {"x": 0, "y": 0, "z": 1},
    "y=1, z=1": {"x": 0, "y": 1, "z": 1},
}
TAKEN = ["base", "y=1", "x=1, y=1", "target"]
STEADY = np.random.default_rng(0).normal(9.0, 1.0, 8)
#: Differences in every replicate, of one sign and about this size.
ABOUT_1 = np.array([1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 1.0])
#: Differences that say nothing.
NOISE = np.array([0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.25, -0.2])
DROPPED = np.array([0.5] * 4 + [NAN] * 4)
VALUES = {
    "base": STEADY,
    "y=1": STEADY - ABOUT_1,
    "x=1, y=1": STEADY - ABOUT_1 + NOISE,
    "target": STEADY + ABOUT_1 + NOISE,
    "x=1": STEADY - 0.1 * ABOUT_1,
    "z=1": STEADY + DROPPED,
    "y=1, z=1": STEADY + DROPPED,
}


@pytest.fixture
def analyse(tmp_path: Path) -> Callable[..., Analysis]:
    """Return a function that stores a path and analyses it."""
    counter = itertools.count()

    def put(
        taken: Sequence[str] = TAKEN, values: Mapping[str, Any] = VALUES, design: str = "path", **given: Any
    ) -> Analysis:
        levels = {name: LEVELS[name] for name in values}
        spec = {"objective": {"metric": "distance", "feature": "", "direction": ""}, "path": {"taken": list(taken)}}
        stored = Stored(tmp_path / str(next(counter)), levels, {DISTANCE: values})
        return Analysis(stored.put(design=design, **{**spec, **given}), get_registry())

    return put


def test_steps_and_total_are_one_family(analyse: Callable[..., Analysis]) -> None:
    rows = records(analyse().all_effects)
    assert [(row["kind"], row["comparison"], row["versus"]) for row in rows] == [
        ("variant", "target", "base"),
        ("step", "y=1", "base"),
        ("step", "x=1", "y=1"),
        ("step", "z=1", "x=1, y=1"),
    ]
    differences = [VALUES["target"] - STEADY] + [VALUES[b] - VALUES[a] for a, b in itertools.pairwise(TAKEN)]
    assert [row["p_adjusted"] for row in rows] == pytest.approx(max_t_by_hand(differences))
    assert {row["family"] for row in rows} == {4}
    assert [row["verdict"] for row in rows] == ["worse", "better", "inconclusive", "worse"]
    assert sum(row["difference"] for row in rows[1:]) == pytest.approx(rows[0]["difference"])


def test_the_answer_lists_the_steps_in_order(analyse: Callable[..., Analysis]) -> None:
    found = answer(analyse())
    (block,) = [block for block in found.blocks if block.heading.startswith("Path")]
    assert block.heading == "Path from base to target, distance"
    assert block.lines[0].text == "In this order: y=1, then x=1, then z=1."
    assert [line.verdict for line in block.lines[1:]] == ["better", "inconclusive", "worse"]
    first, second, third = (line.text for line in block.lines[1:])
    assert first.startswith(f"Step 1, y=1, makes it better: {MINUS}1 (95 % interval {MINUS}1.1 to {MINUS}0.898), p = ")
    assert second.startswith("Step 2, x=1: cannot tell whether it makes a difference: +0.00625")
    assert third.startswith("Step 3, z=1, makes it worse: +2 ")
    assert third.endswith(", 8 replicates.")
    assert sum("early steps look larger than they are" in warning for warning in found.warnings) == 1
    assert not any("best" in line.text for block in found.blocks for line in block.lines), "the path chose it"


def test_a_path_on_its_way_says_what_is_left(analyse: Callable[..., Analysis]) -> None:
    first = {name: VALUES[name] for name in ("base", "target", "y=1", "x=1", "z=1")}
    found = answer(analyse(["base", "y=1"], first))
    (block,) = [block for block in found.blocks if block.heading.startswith("Path")]
    assert block.lines[0].text == "In this order: y=1. The path is not finished: 2 changes are left."
    nothing = analyse(["base"], {name: VALUES[name] for name in ("base", "target")})
    (block,) = [block for block in answer(nothing).blocks if block.heading.startswith("Path")]
    assert block.lines[0].text == "No step has been taken yet."
    assert not path_grid(nothing)
    assert path_chart(nothing) is None


def test_margins_and_equal_steps_have_words(analyse: Callable[..., Analysis]) -> None:
    values = {**VALUES, "x=1, y=1": VALUES["y=1"], "target": VALUES["y=1"] + NOISE / 100}
    found = answer(analyse(values=values, margins={"distance": 0.5}))
    (block,) = [block for block in found.blocks if block.heading.startswith("Path")]
    assert block.lines[2].text.startswith("Step 2, x=1, changes nothing: its difference is 0 in every replicate")
    assert block.lines[3].text.startswith(f"Step 3, z=1, makes no difference that matters: +6.25e{MINUS}05")


def test_the_tables_list_steps_and_what_they_were_chosen_from(analyse: Callable[..., Analysis]) -> None:
    analysis = analyse()
    steps, rounds = path_grid(analysis), round_grid(analysis)
    assert [row.name for row in steps.rows] == ["1. y=1", "2. x=1", "3. z=1", "total"]
    assert [row.cells[0].kind for row in steps.rows] == ["better", "inconclusive", "worse", "worse"]
    listed = [(row.name, *(cell.text for cell in row.cells)) for row in rounds.rows]
    assert listed == [
        ("y=1", "1", "8", f"{MINUS}1", "taken"),
        ("x=1", "1", "8", f"{MINUS}0.1", ""),
        ("z=1", "1", "4", "+0.5", ""),
        ("x=1, y=1", "2", "8", "+0.00625", "taken"),
        ("y=1, z=1", "2", "4", "+1.55", ""),
        ("target", "3", "8", "+2", "taken"),
    ]


def test_the_figure_draws_replicates_means_and_verdicts(analyse: Callable[..., Analysis]) -> None:
    drawing = path_chart(analyse())
    assert drawing is not None
    (axes,) = drawing.figure.axes
    lines = axes.get_lines()
    thin = [line for line in lines if line.get_linewidth() < 1]
    steps = [line for line in lines if line.get_linewidth() > 2]
    assert len(thin) == 8
    assert [line.get_color() for line in steps] == [VERDICTS[v] for v in ("better", "inconclusive", "worse")]
    means = [float(VALUES[name].mean()) for name in TAKEN]
    assert [tuple(line.get_xdata()) for line in steps] == [pytest.approx(pair) for pair in itertools.pairwise(means)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["base", "1. y=1", "2. x=1", "3. z=1"]
    assert [text.get_text() for text in axes.texts] == ["+", "?", "-"]


def test_other_designs_have_no_path(analyse: Callable[..., Analysis]) -> None:
    analysis = analyse(design="one_at_a_time")
    assert analysis.path is None
    assert path_chart(analysis) is None
    assert not path_grid(analysis)
    assert not round_grid(analysis)
    assert set(analysis.all_effects["kind"]) == {"variant"}
