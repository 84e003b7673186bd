"""The dot plot of values: its content, and that drawing it changes nothing outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from support.report_study import STUDY

from ablate.report.data.frames import study_frame
from ablate.report.data.reported import reported_frame
from ablate.report.figures import values
from ablate.report.statistics import effects
from ablate.report.statistics.described import summary
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from support.report_study import Home


def estimated(frame: pd.DataFrame) -> pd.DataFrame:
    return effects.estimates(frame, StatisticsSettings())


def floors(frame: pd.DataFrame) -> pd.DataFrame:
    """A resampling band and a round trip for every variant and quantity."""
    about = frame[["variant", "metric", "feature"]].drop_duplicates()
    parts = [about.assign(floor=floor, mean=0.1, low=0.05, high=0.15, n=5) for floor in ("resampling", "round_trip")]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def frame(finished: Home) -> pd.DataFrame:
    return study_frame(finished.store, STUDY)


def test_comparison_shows_replicates_means_and_reported_values(frame: pd.DataFrame, finished: Home) -> None:
    reported = reported_frame(finished.store.study(STUDY).spec, dict.fromkeys(["tau=0.6", "tau=0.8"], ("bach",)))
    before = dict(mpl.rcParams)
    figure = values.values_figure(frame, estimated(frame), reported, floors(frame))
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title("left") for axes in shown] == [
        "distance.pitch\nl1",
        "distance.pitch\nl2",
        "distance.pitch",
        "notes.rate",
    ]
    drawn = [c.get_offsets() for c in shown[0].collections if isinstance(c, PathCollection)]
    replicates, means, reported_marks = drawn
    measured = summary.over_samples(frame).query("metric == 'distance.pitch' and feature == 'l1'")["value"]
    assert sorted(np.asarray(replicates)[:, 0]) == pytest.approx(sorted(measured))
    own = estimated(frame).query("metric == 'distance.pitch' and feature == 'l1'")["estimate"]
    assert sorted(np.asarray(means)[:, 0]) == pytest.approx(sorted(own))
    assert np.asarray(reported_marks).tolist() == [[0.0766, 0.0]]
    assert [text.get_text() for text in shown[0].get_yticklabels()] == ["tau=0.6\n(baseline)", "tau=0.8"]


def test_reported_values_beyond_ours_stay_inside_the_panel(frame: pd.DataFrame) -> None:
    reported = pd.DataFrame({"variant": ["tau=0.8"], "metric": "distance.pitch", "feature": "l1", "value": [5.0]})
    axes = values.values_figure(frame, estimated(frame), reported, floors(frame)).axes[0]
    assert axes.get_xlim()[1] > 5.0


def test_a_variant_keeps_its_row_without_measurements(frame: pd.DataFrame) -> None:
    only = frame[(frame["variant"] == "tau=0.8") & (frame["feature"] == "l1")]
    axes = values.values_figure(only, estimated(only), reported_frame({}, {}), floors(only)).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["tau=0.6", "tau=0.8"]
