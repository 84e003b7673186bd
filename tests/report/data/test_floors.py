"""Floors: what comes out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.store_material import put_stage

from ablate.report.data.floors import floor_frame
from ablate.store.records import MeasurementRecord, RunRecord, StageRecord, StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_refused_pieces_are_counted(tmp_path: Path) -> None:
    """Of four pieces the metric refused two as copies and one more as round trips; all four were shuffled."""
    rows = [
        MeasurementRecord(draw, "m", "f", 0.5, "1", "lower", 9, floor)
        for floor, draws in {"copy": (0, 1), "round_trip": (0,), "shuffled": (0, 1, 4, 5)}.items()
        for draw in draws
    ]
    refused = {floor: {"refused": count, "reason": "?"} for floor, count in {"copy": 2, "round_trip": 3}.items()}
    stage = StageRecord("floors", "floor", {}, {"skipped": {}, "refused": refused}, "", "cpu", 0.1, {})
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put_stage(store, stage, rows)
        runs = [RunRecord("a", 0, {"floor m": "floors"}, {}, "done")]
        store.put_study(StudyRecord("s", {}, "default", "bach", 1), [VariantRecord("a", "a", {}, baseline=True)], runs)
        frame = floor_frame(store, "s")
    assert list(frame["draw"]) == [0, 1, 0, 0, 1, 4, 5]
    assert set(frame["pieces"]) == {4}
