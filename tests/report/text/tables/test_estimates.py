from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.report_study import STUDY, Builder

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.tables.estimates import estimate_grid

if TYPE_CHECKING:
    from pathlib import Path


def foot_of(home: Path, copies: tuple[float, ...]) -> str:
    """Return the foot of the table of values; the round trip is 0.15 more than the copy."""
    builder = Builder(home, ("tau=0.6", "tau=0.8"), 2, 1)
    builder.copies = copies
    builder.plan()
    with builder.store:
        builder.finish()
        return estimate_grid(Analysis(Study.read(builder.store, STUDY), get_registry())).foot


@pytest.mark.parametrize("copies", [(0.0,), (0.87, 0.31)])
def test_the_round_trip_is_a_limit_with_a_single_piece_only(tmp_path: Path, copies: tuple[float, ...]) -> None:
    """Of several pieces each differs from all of them, and a model that mixes them may be closer."""
    foot = foot_of(tmp_path, copies)
    assert ("no value can be expected to be closer" in foot) == (len(copies) == 1)
    assert ("a model that mixes the pieces can be closer" in foot) == (len(copies) > 1)
    assert "it explains no difference between them" in foot


def test_values_that_are_closer_than_the_round_trip_are_counted(tmp_path: Path) -> None:
    foot = foot_of(tmp_path, (0.5,))
    assert "token by token. 2 of 2 values here are closer: " in foot
    assert "no value can be expected" not in foot
    assert "it explains no difference between them" in foot
