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


@pytest.mark.parametrize("copies", [(0.0,), (0.87, 0.31)])
def test_the_round_trip_is_a_limit_with_a_single_piece_only(tmp_path: Path, copies: tuple[float, ...]) -> None:
    """Of several pieces each differs from all of them, and a model that mixes them may be closer."""
    builder = Builder(tmp_path, ("tau=0.6", "tau=0.8"), 2, 1)
    builder.copies = copies
    builder.plan()
    with builder.store:
        builder.finish()
        foot = estimate_grid(Analysis(Study.read(builder.store, STUDY), get_registry())).foot
    assert ("no value can be expected to be closer" in foot) == (len(copies) == 1)
    assert ("a model that mixes the pieces can be closer" in foot) == (len(copies) > 1)
    assert "it explains no difference between them" in foot
