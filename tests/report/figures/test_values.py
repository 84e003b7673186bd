"""Figures: what is in them, and that they touch nothing outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from support.report_study import STUDY

from ablate.music.performance import Performance
from ablate.report.data.artifacts import thinned
from ablate.report.data.frames import histogram_frame, reported_frame, study_frame
from ablate.report.figures import style, values
from ablate.report.statistics import effects, summary
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
    reported = reported_frame(finished.store.study(STUDY).spec, ["tau=0.6", "tau=0.8"])
    before = dict(mpl.rcParams)
    figure = values.comparison_figure(frame, estimated(frame), reported, floors(frame))
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title("left") for axes in shown] == [
        "distance.pitch\nl1",
        "distance.pitch\nl2",
        "distance.pitch",
        "notes.rate\nvalue",
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
    axes = values.comparison_figure(frame, estimated(frame), reported, floors(frame)).axes[0]
    assert axes.get_xlim()[1] > 5.0


def test_a_variant_keeps_its_row_without_measurements(frame: pd.DataFrame) -> None:
    only = frame[(frame["variant"] == "tau=0.8") & (frame["feature"] == "l1")]
    axes = values.comparison_figure(only, estimated(only), reported_frame({}, []), floors(only)).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["tau=0.6", "tau=0.8"]


def test_distributions_have_the_reference_and_every_variant(finished: Home) -> None:
    pooled = summary.pooled_histograms(histogram_frame(finished.store, STUDY))
    figure = values.distribution_figure(pooled, ["tau=0.6", "tau=0.8"], pooled.iloc[:0])
    assert [axes.get_ylabel() for axes in figure.axes] == ["reference", "tau=0.6", "tau=0.8"]


def test_differing_references_are_not_shown_as_one(finished: Home) -> None:
    pooled = summary.pooled_histograms(histogram_frame(finished.store, STUDY))
    pooled.loc[pooled["variant"] == "tau=0.8", "reference"] = 0.2
    figure = values.distribution_figure(pooled, ["tau=0.6", "tau=0.8"], pooled.iloc[:0])
    assert [axes.get_ylabel() for axes in figure.axes] == ["tau=0.6", "tau=0.8"]


def test_rolls_share_their_axes_and_survive_silence() -> None:
    notes = [(60, 64, 0.0, 1.0), (72, 100, 1.0, 50.0)]
    rolls = {"one": Performance.from_notes(notes), "silence": Performance.from_notes([])}
    first, second, *_ = values.roll_figure(rolls).axes
    assert first.get_xlim() == second.get_xlim() == (0, values.ROLL_SECONDS)
    assert first.get_ylim() == (58, 75)
    assert second.get_title("right") == "0 notes in 0 s"
    assert values.roll_figure({"silence": Performance.from_notes([])}).axes[0].get_xlim() == (0, 1)


def test_losses_are_a_mean_with_the_range_over_replicates() -> None:
    losses = [4.0, 2.0, 2.0, 1.0, 9.0, 8.0]
    names = ["a", "a", "a", "a", "b", "b"]
    curves = pd.DataFrame({"training": list("xxyyzz"), "shared_by": names, "step": [1, 2] * 3, "loss": losses})
    axes = values.loss_figure(curves).axes[0]
    assert [line.get_ydata().tolist() for line in axes.get_lines()] == [[3.0, 1.5], [9.0, 8.0]]
    corners = axes.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1.0, 2.0), (1.0, 4.0), (2.0, 1.0), (2.0, 2.0)}


def test_thinned_losses_are_block_means() -> None:
    step, loss = thinned(np.arange(10.0), points=4)
    assert step.tolist() == [3, 6, 9, 10]
    assert loss.tolist() == [1, 4, 7, 9]
    assert thinned(np.arange(3.0))[1].tolist() == [0, 1, 2]


def test_colours_are_distinct_for_any_number_of_variants() -> None:
    for count in (1, 7, 8, 30):
        found = style.colours([str(number) for number in range(count)])
        assert len(set(found.values())) == count


def test_labels_fit_and_print() -> None:
    assert style.label("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
    assert style.label("x" * 50, 11) == "xxxxx…xxxxx"
