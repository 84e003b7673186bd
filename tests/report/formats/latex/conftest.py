"""The study of the tests of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.latex_material import HOSTILE, analysed
from support.outputs_material import L1, PITCH, RATE, drawn

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis


@pytest.fixture(scope="package")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Three variants: one far better, one the same, one with every character that LaTeX reads otherwise."""
    values = drawn(3, {"plain": 0.5, "low": 0.2, HOSTILE: 0.5}, [PITCH, L1, RATE])
    floors = {PITCH: [0.1, 0.2, 0.4]}
    return analysed(tmp_path_factory.mktemp("paper"), values, floors=floors, question="Is 50% enough?")
