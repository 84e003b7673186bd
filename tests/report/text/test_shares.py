"""The sentences, tables and figure about the shares of parts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.effects_material import NAN
from support.parts_material import DISTANCE, study_of_parts

from ablate.report.figures.shares import share_chart
from ablate.report.text.sentences import answer
from ablate.report.text.tables.shares import detail_grids, share_grid
from ablate.study.design import Axis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.arrays import Array
    from ablate.report.statistics.analysis.analysis import Analysis

START = np.random.default_rng(8).normal(5.0, 1.0, 8)
HEADING = "Shares of the total difference"


def effects(*sizes: float, both: float = 0.0, scatter: float = 0.01) -> Callable[[tuple[bool, ...]], Array]:
    """Values to which each part adds its size, and the first two together ``both`` more."""
    rng = np.random.default_rng(5)
    return lambda on: (
        (START + sum(s for s, is_on in zip(sizes, on, strict=True) if is_on) + both * all(on[:2]))
        + rng.normal(0, scatter, 8)
    )


def lines(analysis: Analysis) -> list[str]:
    (block,) = [block for block in answer(analysis).blocks if block.heading.startswith(HEADING)]
    return [line.text.replace("\N{MINUS SIGN}", "-") for line in block.lines]


def test_the_total_is_shared_and_an_interaction_explains_the_disagreement(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 2, effects(-1.0, -0.5, both=-1.0))
    first, *shares, interaction = lines(analysis)
    assert re.fullmatch(
        r"Of the total difference of -2\.50\d+ \(95 % interval .*\) in distance between the bare and the full model, "
        r"8 replicates: augmenter=on accounts for -1\.50\d+; conditioner=on accounts for -0\.99\d+\.",
        first,
    ), first
    assert re.fullmatch(
        r"augmenter=on makes it better: -1\.50\d+ \(95 % interval .*\), p = 0\.0078; added to the bare model "
        r"-1\.00\d+, as the last part of the full model -2\.0\d+\.",
        shares[0],
    ), shares[0]
    assert re.fullmatch(
        r"augmenter=on and conditioner=on interact: each adds -1\.00\d+ more where the other one is on than where "
        r"it is off \(95 % interval -1\.\d+ to -0\.9\d+, p = 0\.0078\)\. The shares give half of this to each\.",
        interaction,
    ), interaction


def test_the_sentence_adds_up_as_printed(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    analysis = study_of_parts(tmp_path, "factorial", 4, lambda _: rng.normal(size=8))
    numbers = [Decimal(number) for number in re.findall(r"[+-]\d+\.\d+", re.sub(r"\(.*?\)", "", lines(analysis)[0]))]
    assert len(numbers) == 5
    assert sum(numbers[1:]) == numbers[0]


def test_without_interactions_nothing_is_claimed(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 3, effects(-1.0, 0.0, 0.3, scatter=0.1))
    found = lines(analysis)
    assert found[2].startswith("Cannot tell whether conditioner=on has a share: ")
    assert found[3].startswith("dropout=on makes it worse: +0.")
    assert found[4].startswith("No part can be shown to depend on the others")


def test_one_of_three_parts_depends_on_another(tmp_path: Path) -> None:
    found = lines(study_of_parts(tmp_path, "factorial", 3, effects(-1.0, -0.5, 0.0, both=-1.0)))
    (augmenter,) = [line for line in found if line.startswith("What augmenter=on adds depends on the other parts: -")]
    assert "Its largest interaction is with conditioner=on (-" in augmenter
    assert not [line for line in found if line.startswith("What dropout=on adds")]


def test_a_share_inside_the_margin_and_one_of_nothing(tmp_path: Path) -> None:
    same = np.random.default_rng(0).normal(size=8)
    analysis = study_of_parts(tmp_path / "a", "factorial", 2, lambda on: START + on[0] * same)
    assert "conditioner=on changes nothing: its share is 0 in every replicate." in lines(analysis)
    margins = {"distance": 0.3}
    found = lines(study_of_parts(tmp_path / "b", "factorial", 2, effects(-1.0, 0.01), margins=margins))
    assert found[2].startswith("The share of conditioner=on is no difference that matters: +0.0"), found


@pytest.mark.parametrize(("count", "assumed"), [(3, "no interaction at all"), (4, "no interaction of three or more")])
def test_a_half_fraction_says_what_it_assumes(tmp_path: Path, count: int, assumed: str) -> None:
    analysis = study_of_parts(tmp_path, "fractional", count, effects(*[-1.0, -0.5, 0.2, 0.1][:count]))
    found = lines(analysis)
    assert ("predicted, because the full model was not run" in found[0]) == (count == 3)
    assert f"the shares assume {assumed}" in " ".join(found)
    assert "cannot be computed from this half" in " ".join(found)
    assert share_grid(analysis).rows[0].tags[0].startswith("or -conditioner x" if count == 3 else "or conditioner x")
    assert detail_grids(analysis) == []


def test_half_of_six_parts_has_a_rest(tmp_path: Path) -> None:
    found = lines(study_of_parts(tmp_path, "fractional", 6, effects(-1.0, -0.5, 0.2, 0.1, 0.0, 0.0)))
    assert "interactions of three or more parts, which belong to no share, for" in found[0]
    assert "assume the same" in found[-1]


@pytest.mark.parametrize(
    ("design", "count", "expected"),
    [
        ("leave_one_out", 3, 'would give their shares with 8 variants, and design = "fractional" with 4.'),
        ("add_one_in", 2, 'design = "factorial" would give their shares with 4 variants.'),
    ],
)
def test_designs_of_one_change_name_the_design_that_gives_shares(
    tmp_path: Path, design: str, count: int, expected: str
) -> None:
    analysis = study_of_parts(tmp_path, design, count, effects(*[-1.0] * count))
    (line,) = lines(analysis)
    assert line.startswith(f'design = "{design}" changes one part at a time')
    assert line.endswith(expected)
    assert not share_grid(analysis)
    assert share_chart(analysis) is None


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    value = effects(-1.0, -0.5)
    gap = iter([False, False, True, False])
    analysis = study_of_parts(
        tmp_path / "a", "factorial", 2, lambda on: np.where((np.arange(8) == 1) & next(gap), NAN, value(on))
    )
    assert lines(analysis)[-1] == "Left out here: 1 of 8 replicates, which lack a variant."
    analysis = study_of_parts(tmp_path / "b", "factorial", 2, lambda on: value(on) * (NAN if all(on) else 1.0))
    assert lines(analysis) == ["No replicate has every combination of the parts, so there are no shares."]


def test_interquartile_means_do_not_add_up_and_say_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    analysis = study_of_parts(tmp_path, "factorial", 2, lambda _: rng.normal(size=8), statistics={"estimate": "iqm"})
    assert lines(analysis)[-1].startswith("Interquartile means do not add up")
    assert "add up to the total" not in share_grid(analysis).foot


def test_the_tables(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 2, effects(-1.0, -0.5, both=-1.0), more=[Axis("size", (1, 2, 3))])
    grid = share_grid(analysis)
    assert [row.name for row in grid.rows] == ["augmenter=on", "conditioner=on", "total"]
    numbers = [Decimal(row.cells[0].text.split()[0].replace("\N{MINUS SIGN}", "-")) for row in grid.rows]
    assert sum(numbers[:-1]) == numbers[-1]
    assert "Averaged over the levels of size." in grid.foot
    (detail,) = detail_grids(analysis)
    assert [column.title for column in detail.columns][:3] == ["share", "add one in", "leave one out"]
    assert detail.rows[0].cells[0].text == grid.rows[0].cells[0].text
    assert detail.rows[0].cells[4].text.startswith("with conditioner=on: ")


def test_the_figure_ends_at_the_total(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 2, effects(-1.0, -0.5, both=-1.0))
    drawing = share_chart(analysis)
    assert drawing
    bars = drawing.figure.axes[0].patches
    assert len(bars) == 3
    ends = [bar.get_x() + bar.get_width() for bar in bars]  # type: ignore[attr-defined]
    assert bars[1].get_x() == pytest.approx(ends[0])  # type: ignore[attr-defined]
    assert ends[1] == pytest.approx(ends[2]) == pytest.approx(analysis.shares[DISTANCE].total["difference"])
    assert "Triangles" in drawing.caption


def test_a_part_that_is_better_by_copying_has_its_caveat(tmp_path: Path) -> None:
    noise = iter(np.random.default_rng(1).normal(0, 0.001, (4, 8)))
    names = {
        (a, b): f"augmenter={'on' if a else 'none'}, conditioner={'on' if b else 'none'}"
        for a in (0, 1)
        for b in (0, 1)
    }
    copied = {name: 0.2 + 0.4 * on[0] + next(noise) for on, name in names.items()}
    analysis = study_of_parts(
        tmp_path, "factorial", 2, effects(-1.0, -0.5), other={("covered", "share"): copied}, copying=["covered"]
    )
    found = lines(analysis)
    assert found[1].startswith(
        "augmenter=on makes it better, but 40 % more of a sample is copied from the training pieces: -1.0"
    )
    assert found[2].startswith("conditioner=on makes it better: -0.49")


def test_an_open_share_says_what_it_takes(tmp_path: Path) -> None:
    found = lines(study_of_parts(tmp_path / "a", "factorial", 2, effects(0.0, 0.0, scatter=1.0)))
    assert "With 8 replicates, a difference of" in found[1]
    few = effects(-1.0, -0.5)
    found = lines(study_of_parts(tmp_path / "b", "factorial", 2, lambda on: few(on)[:4]))
    assert "The interval is for this comparison alone" in found[1]
    assert found[3] == "4 replicates are too few: no result can reach p < 0.05; at least 6 are needed."
