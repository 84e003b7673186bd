"""Published values are compared with a study's own where both are of the same pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.report_study import REPORTED, STUDY, Builder

from ablate.report.data.reported import reported_frame
from ablate.report.data.study import Study
from ablate.report.text.tables.reported import left_out, reported_grid

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {"other": {"m": {"l1": 9}}, "b": {"m": {"l1": 3}}, "a": {"m": {"l1": 1, "l2": 2.5}}}


def test_values_of_the_studys_own_variants_and_pieces_only() -> None:
    spec = {"reported": {"values": VALUES, "pieces": ["y", "x"]}}
    frame = reported_frame(spec, {"a": ("x", "y"), "b": ("x", "y"), "c": ("x", "y")})
    assert frame.to_numpy().tolist() == [["a", "m", "l1", 1.0], ["a", "m", "l2", 2.5], ["b", "m", "l1", 3.0]]
    assert reported_frame(spec, {"a": ("x",), "b": ("x", "y")})["variant"].to_list() == ["b"]
    assert reported_frame({"reported": {"values": VALUES}}, {"a": ()}).empty, "nobody knows which pieces"
    assert reported_frame({}, {"a": ("x",)}).empty
    assert reported_frame({"reported": {}}, {"a": ()}).empty


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["bach"], ""),
        (["bwv 888"], "they were measured on bwv 888, and ours on bach."),
        ([], "the study file does not state which pieces they were measured on (reported.pieces)."),
    ],
)
def test_the_report_says_why_values_are_left_out(tmp_path: Path, pieces: list[str], said: str) -> None:
    builder = Builder(tmp_path, ("tau=0.6", "tau=0.8"), 1, 1)
    reported: dict[str, Any] = {**REPORTED, "pieces": pieces}
    builder.plan(reported)
    builder.load()
    study = Study.read(builder.store, STUDY)
    assert left_out(study) == (f"The values of tau=0.6 published elsewhere are left out: {said}" if said else "")
    assert study.reported.empty == bool(said)
    assert bool(reported_grid(study, averages=True)) == (not said)
