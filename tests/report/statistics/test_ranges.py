"""Shares stay between 0 and 1: intervals in tables, differences, curves and axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from support.effects_material import Stored

from ablate.registry import get_registry
from ablate.report.figures.along_axis import axis_charts
from ablate.report.figures.interactions import interaction_plot
from ablate.report.figures.values import headline_dots
from ablate.report.statistics import ranges
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.comparisons.weights import Weights

LEVELS = (0.5, 1.0, 2.0, 4.0)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Shares close to both ends along an axis, crossed with another one; their twin is no share."""
    rng = np.random.default_rng(0)
    levels = {f"{x}, {side}": {"sampler.tau": x, "augmenter": side} for x in LEVELS for side in ("low", "high")}
    near = {name: rng.exponential(0.01, 4) for name in levels}
    own = {name: near[name] if levels[name]["sampler.tau"] == LEVELS[0] else 1 - near[name] for name in levels}
    values = {("copied", "share"): own, ("twin", "value"): own}
    study = Stored(tmp_path_factory.mktemp("shares"), levels, values, declared={"copied": {"shares": ["share"]}}).put(
        axes={"sampler.tau": list(LEVELS), "augmenter": ["low", "high"]}, objective={"metric": "copied"}
    )
    return Analysis(study, get_registry())


def test_intervals_of_a_share_end_at_0_and_1_and_those_of_its_twin_do_not(analysis: Analysis) -> None:
    assert analysis.study.shares == {("copied", "share")}
    share, twin = (analysis.estimates[analysis.estimates["metric"] == name] for name in ("copied", "twin"))
    assert twin["low"].min() < 0
    assert twin["high"].max() > 1
    assert share["low"].min() == 0.0
    assert share["high"].max() == 1.0
    inside = (twin["low"].to_numpy() >= 0) & (twin["high"].to_numpy() <= 1)
    assert share["low"].to_numpy()[inside].tolist() == twin["low"].to_numpy()[inside].tolist()


def test_differences_of_shares_end_at_minus_1_and_1_and_verdicts_are_unchanged(analysis: Analysis) -> None:
    frame = analysis.all_effects
    share, twin = (frame[(frame["metric"] == name) & (frame["kind"] == "variant")] for name in ("copied", "twin"))
    assert twin["high"].max() > 1
    assert share["high"].max() == 1.0
    assert share["difference"].tolist() == twin["difference"].tolist()
    assert (share["low"] <= share["difference"]).all()


def test_figures_of_shares_stay_inside(analysis: Analysis) -> None:
    (curve,) = axis_charts(analysis)
    share, twin = curve.figure.axes
    assert share.get_ylim()[0] >= 0
    assert share.get_ylim()[1] <= 1
    assert twin.get_ylim()[1] > 1
    for part in (*share.collections, *share.lines):
        points = part.get_offsets() if isinstance(part, PathCollection) else None
        drawn = points if points is not None else np.concatenate([path.vertices for path in paths(part)])
        assert np.asarray(drawn)[:, 1].min() >= 0
        assert np.asarray(drawn)[:, 1].max() <= 1
    dots = headline_dots(analysis)
    assert dots is not None
    assert dots.figure.axes[0].get_xlim()[1] <= 1 < dots.figure.axes[1].get_xlim()[1]
    crossed = interaction_plot(analysis)
    assert crossed is not None
    assert crossed.figure.axes[0].dataLim.ymax <= 1 < crossed.figure.axes[1].dataLim.ymax


def paths(part: object) -> list[object]:
    return part.get_paths() if hasattr(part, "get_paths") else [part.get_path()]  # type: ignore[attr-defined]


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=5), st.data())
def test_no_sum_of_shares_is_beyond_its_range(weights: list[float], data: st.DataObject) -> None:
    low, high = ranges.range_of({str(at): weight for at, weight in enumerate(weights)})
    shares = data.draw(st.lists(st.floats(0, 1), min_size=len(weights), max_size=len(weights)))
    assert low - 1e-9 <= np.dot(weights, shares) <= high + 1e-9


def test_a_frame_without_shares_is_the_same_object() -> None:
    frame = pd.DataFrame({"metric": ["m"], "feature": ["f"], "low": [-9.0], "high": [9.0]})
    assert ranges.cut_values(frame, ()) is frame
    one = Weights("variant", "b", "a", {"b": 1.0, "a": -1.0})
    named = frame.assign(kind="variant", comparison="b", versus="a")
    cut = ranges.cut_differences(named, [one], {("m", "f")})
    assert cut[["low", "high"]].to_numpy().tolist() == [[-1.0, 1.0]]
