"""Frames: what comes out of the store, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.report_study import STUDY

from ablate.errors import UnknownName
from ablate.report.data.frames import histogram_frame, run_frame, study_frame
from ablate.store.records import StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from support.report_study import Home


def test_one_row_for_each_number(finished: Home) -> None:
    frame = study_frame(finished.store, STUDY)
    assert list(frame.columns) == [
        "study",
        "variant",
        "sampler.temperature.tau",
        "baseline",
        "replicate",
        "sample",
        "metric",
        "feature",
        "value",
        "unit",
        "direction",
        "n",
    ]
    rows = zip(*(frame[key] for key in ("variant", "replicate", "sample", "metric", "feature")), strict=True)
    assert dict(zip(rows, frame["value"], strict=True)) == finished.numbers
    assert set(frame["study"]) == {STUDY}
    assert set(frame.loc[frame["baseline"], "variant"]) == {"tau=0.6"}
    assert frame.groupby("variant", observed=True)["sampler.temperature.tau"].unique().map(list).to_dict() == {
        "tau=0.6": [0.6],
        "tau=0.8": [0.8],
    }
    assert frame["variant"].cat.ordered
    assert list(frame["variant"].cat.categories) == ["tau=0.6", "tau=0.8"]


def test_histograms_have_a_row_for_each_bin(finished: Home) -> None:
    frame = histogram_frame(finished.store, STUDY)
    one = frame[(frame["variant"] == "tau=0.8") & (frame["replicate"] == 2) & (frame["sample"] == 1)]
    np.testing.assert_array_equal(one["generated"], finished.counts["tau=0.8", 2, 1])
    assert list(one["left"]) == [60, 61, 62, 63, 64]
    assert list(one["right"]) == [61, 62, 63, 64, 65]
    assert len(frame) == 5 * 2 * 3 * 2


def test_runs_of_a_replicate_share_their_training(finished: Home) -> None:
    runs = run_frame(finished.store, STUDY)
    assert len(runs) == 6
    assert runs["training"].nunique() == 3
    second = runs[(runs["variant"] == "tau=0.8") & (runs["replicate"] == 1)].iloc[0]
    assert second["loss"] == pytest.approx(0.6)
    assert (second["steps"], second["tokens_seen"], second["parameters"]) == (700, 89600, 1234)
    assert (second["train_seconds"], second["tokens_per_second"]) == (21.0, 1e4)
    assert (second["state"], second["error"], second["device"], second["precision"]) == ("done", "", "cpu", "float32")


def test_a_study_without_results_gives_empty_typed_frames(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        variants = [VariantRecord("a", "a", {"x": [1, 2]}, baseline=True)]
        store.put_study(StudyRecord("empty", {}, "default", "bach", 1), variants, [])
        frame, histograms, runs = (make(store, "empty") for make in (study_frame, histogram_frame, run_frame))
    assert frame.empty
    assert frame["value"].dtype == "float64"
    assert "x" in frame.columns
    assert histograms.empty
    assert runs.empty


def test_unknown_study(finished: Home) -> None:
    with pytest.raises(UnknownName, match=STUDY):
        study_frame(finished.store, "tau_sweep")
